"""A project of its own, previewed on the real engine by the Python of the wheel's environment."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.packaging.conftest import Installed

SCRIPT = Path(__file__).with_name("preview_example.py")


@dataclass(frozen=True)
class Previewed:
    """What a preview told: how many resources of each change, and where the program found the package."""

    changes: dict[str, int]
    imported: Path


def previewed(installed: Installed, engine: PulumiCommand, astro: Emulator, project: Path) -> Previewed:
    """Preview the project of that directory, which may be anywhere."""
    found = shutil.which(engine.command)
    assert found is not None
    variables = {
        "PATH": os.pathsep.join([str(Path(found).parent), os.environ["PATH"]]),
        "ASTRO_API_HOST": astro.url,
        "ASTRO_API_TOKEN": astro.credential,
    }
    ended = installed.run(installed.python, SCRIPT, project, cwd=project, **variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    return Previewed(told["changes"], Path(told["imported"]))

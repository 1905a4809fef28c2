"""The policy pack's files as they stand, on the real engine; its `.venv` leads to the tests' own environment.

Not shown: the directory as a pack (`PulumiPolicy.yaml`), which needs the official language host.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.digests import ran
from tests.support.previews import BINDINGS
from tests.support.programs import bindings
from tests.support.stack import PYTHON_PATH, Stack
from tests.templates.conftest import ROOT, program


def test_the_copied_pack_stops_a_preview_that_breaks_a_rule(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    pack = tmp_path / "policy-pack"
    shutil.copytree(ROOT / "templates" / "policy-pack", pack, ignore=shutil.ignore_patterns(".venv"))
    (pack / ".venv" / "bin").mkdir(parents=True)
    program(pack / ".venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    environment = {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential, "PYTHONPATH": PYTHON_PATH}
    stack = Stack(engine, tmp_path / "stack", environment, bindings(etl=BINDINGS["etl"], staging=BINDINGS["staging"]))

    preview = ran(stack, "preview", "--policy-pack", str(pack / "run"))

    assert preview.status == 1
    assert "[mandatory]  role-not-allowed" in preview.text
    assert "the role DEPLOYMENT_ADMIN may not be given there" in preview.text
    assert "✅" not in preview.text

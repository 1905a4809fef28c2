"""Where a test begins: a stack and an Astro after an earlier run, which is made once in a process and copied for each test.

Most tests on the engine need a binding that stands before they do anything, and a run for each would be a third of what
they cost. What is copied is what a real run has left: the files of the backend, and the records of the service.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astro_emulator import Emulator
from tests.support.programs import Declares
from tests.support.stack import Stack
from tests.support.yaml_project import YamlProject

OF_THIS_TEST = ("ASTRO_API_HOST", "ASTRO_API_TOKEN", "ASTRO_LOCK_DIR")
_kept = tempfile.TemporaryDirectory(prefix="beginnings-")  # until the process ends


@dataclass(frozen=True)
class _Left:
    backend: Path
    records: dict[str, Any]


_left: dict[str, _Left] = {}


def begin_with(stack: Stack, astro: Emulator, program: Declares) -> None:
    """Bring a new stack to where `up` leads with a program, which is its program afterwards. No call is counted."""
    stack.program = program

    def up() -> None:
        ended = stack.up()
        assert not ended.failed, ended.text

    begin_after(stack, astro, repr(program), up)


def begin_after(stack: Stack | YamlProject, astro: Emulator, what: str, arrange: Callable[[], object]) -> None:
    """Bring a new stack and its Astro to where `arrange` leads, by a copy if this process has been there.

    Args:
        stack: as new; its settings and the records of the Astro may be any.
        astro: its service.
        what: all that `arrange` depends on beside them.
        arrange: runs commands; it may change the service, too.
    """
    settings = {
        name: value for name, value in stack.environment.items() if name.startswith(("ASTRO_", "PULUMI_PYTHON"))
    }
    known = {name: value for name, value in settings.items() if name not in OF_THIS_TEST}
    config = (stack.directory / "work" / "Pulumi.test.yaml").read_text()
    key = json.dumps([type(stack).__name__, what, known, config, _undated(astro.store.shown())], sort_keys=True)
    backend = stack.directory / "state"
    if key not in _left:
        arrange()
        kept = Path(_kept.name) / str(len(_left))
        shutil.copytree(backend, kept)
        _left[key] = _Left(kept, astro.store.shown())
    else:
        shutil.copytree(_left[key].backend, backend, dirs_exist_ok=True)
        astro.store.replace(_left[key].records)
    astro.clear_calls()


def _undated(records: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The records without what is another value in each Astro: when they were made."""
    return {
        kind: [{name: value for name, value in one.items() if not name.endswith("At")} for one in those]
        for kind, those in records.items()
    }

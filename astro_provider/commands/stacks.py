"""The exports of all stacks of a Pulumi backend, which the `pulumi` command lists and prints.

The backend is that of the directory, as for every other command of `pulumi`. An empty stack is not exported. A stack
that cannot be exported is an error: what it manages would seem to be managed by no stack.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from astro_provider.access.export import Export, read_export
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.commands.diagnosis.commands import answer_of
from astro_provider.errors import UnusableInput

LONGEST_SECONDS = 120.0  # one command; the states of large stacks come from far away
# `pulumi` needs what leads to its backend and its secrets; it does not need the credential for Astro.
_NOT_FOR_PULUMI = frozenset(("ASTRO_API_TOKEN",))


def all_exports(progress: Callable[[int, int], None]) -> list[Export]:
    """Export every stack of the backend.

    Args:
        progress: told how many stacks were read, of how many.

    Raises:
        UnusableInput: there is no `pulumi`, no stack, or a stack cannot be exported.
    """
    command = shutil.which("pulumi")
    if command is None:
        raise UnusableInput("--all-stacks: there is no pulumi on PATH. Install it, or give the exports with --state.")
    names = _stacks(command)
    exports = []
    for done, export in enumerate(in_parallel([partial(_export, command, name) for name in names]), start=1):
        progress(done, len(names))
        exports.append(export)
    return exports


def selected_export(directory: Path) -> Export:
    """Export the stack that is selected in a directory's project.

    Raises:
        UnusableInput: there is no `pulumi`, no stack is selected, or it cannot be exported.
    """
    command = shutil.which("pulumi")
    if command is None:
        raise UnusableInput("there is no pulumi on PATH. Install it, or give the exports with --state.")
    text = _answer([command, "stack", "export"], directory, asked_by="")
    return read_export(text, "the selected stack", may_have_no_binding=True)


def _stacks(command: str) -> list[str]:
    listed = _answer([command, "stack", "ls", "--all", "--json"])
    try:
        names = [str(one["name"]) for one in json.loads(listed) if one.get("resourceCount") != 0]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UnusableInput("--all-stacks: `pulumi stack ls --all --json` printed something else.") from None
    if not names:
        raise UnusableInput("--all-stacks: the backend of this directory has no stack with resources.")
    return sorted(names)


def _export(command: str, name: str) -> Export:
    text = _answer([command, "stack", "export", "--stack", name])
    return read_export(text, f"stack {name}", may_have_no_binding=True)


def _answer(command: list[str], directory: Path | None = None, *, asked_by: str = "--all-stacks: ") -> str:
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = answer_of(
        [*command, "--non-interactive", "--color", "never"],
        quiet,
        directory or Path.cwd(),
        hidden=_NOT_FOR_PULUMI,
        longest_seconds=LONGEST_SECONDS,
    )
    if not answer.ok:
        said = answer.last_line.removeprefix("error: ").rstrip(".")
        raise UnusableInput(f"{asked_by}`{' '.join(['pulumi', *command[1:]])}` failed: {said}.")
    return answer.text

"""Exports stacks of a Pulumi backend, by the `pulumi` command.

The backend is that of the directory, as for every other command of `pulumi`. An empty stack is not exported. A stack
that cannot be exported is an error: otherwise its bindings would be reported as unmanaged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from astro_provider.access.export import Export, read_export
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.commands.diagnosis.commands import answer_of_pulumi
from astro_provider.errors import UnusableInput

LONGEST_SECONDS = 120.0  # of one command; the state of a large stack may come from a slow backend


def all_exports(progress: Callable[[int, int], None]) -> list[Export]:
    """Export every stack of the backend; `progress` is called with the number of stacks that were read, and of all.

    Raises:
        UnusableInput: there is no `pulumi`, no stack, or a stack cannot be exported.
    """

    def export(name: str) -> Export:
        text = _answer(["stack", "export", "--stack", name])
        return read_export(text, f"stack {name}", may_have_no_binding=True)

    names, exports = _stacks(), []
    for done, one in enumerate(in_parallel([partial(export, name) for name in names]), start=1):
        progress(done, len(names))
        exports.append(one)
    return exports


def selected_export(directory: Path) -> Export:
    """Export the stack that is selected in a directory's project.

    Raises:
        UnusableInput: there is no `pulumi`, no stack is selected, or it cannot be exported.
    """
    text = _answer(["stack", "export"], directory, option="")
    return read_export(text, "the selected stack", may_have_no_binding=True)


def _stacks() -> list[str]:
    listed = _answer(["stack", "ls", "--all", "--json"])
    try:
        names = [str(one["name"]) for one in json.loads(listed) if one.get("resourceCount") != 0]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UnusableInput("--all-stacks: `pulumi stack ls --all --json` printed something else.") from None
    if not names:
        raise UnusableInput("--all-stacks: the backend of this directory has no stack with resources.")
    return sorted(names)


def _answer(arguments: list[str], directory: Path | None = None, *, option: str = "--all-stacks: ") -> str:
    answer = answer_of_pulumi(arguments, os.environ, directory or Path.cwd(), LONGEST_SECONDS)
    if answer is None:
        raise UnusableInput(f"{option}there is no pulumi on PATH. Install it, or give the exports with --state.")
    if not answer.ok:
        reason = answer.last_line.removeprefix("error: ").rstrip(".")
        raise UnusableInput(f"{option}`{' '.join(['pulumi', *arguments])}` failed: {reason}.")
    return answer.text

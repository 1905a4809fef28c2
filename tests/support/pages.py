"""Pages of the documentation, held against what is printed."""

from __future__ import annotations

import re


def assert_shows(told: str, printed: str) -> None:
    """Hold what a page shows against what was printed; `…` on a line of its own stands for any lines, or none."""
    at = 0
    lines = [timeless(line) for line in printed.splitlines()]
    for part in re.split(r"^ *(?:# )?….*\n", told, flags=re.MULTILINE):
        wanted = [timeless(line) for line in part.splitlines()]
        starts = [n for n in range(at, len(lines) - len(wanted) + 1) if lines[n : n + len(wanted)] == wanted]
        assert starts, "\n".join([*wanted, "", "is not in", "", *lines[at:]])
        at = starts[0] + len(wanted)


def timeless(line: str) -> str:
    """The line without what a clock told, and without blanks at its end."""
    return re.sub(r"\(\d+(\.\d+)?s\)$", "(…s)", line.rstrip())

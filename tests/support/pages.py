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
    """The line without durations, dates and blanks at its end.

    The seeds of the emulator hold ages, so `325 days ago` is compared as it stands, and only a date differs from day to day.
    """
    without_durations = re.sub(r"\(\d+(\.\d+)?s\)$", "(…s)", line.rstrip())
    dates = r"\b\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z)?"
    return re.sub(dates, lambda date: re.sub(r"\d", "0", date[0]), without_durations)

"""What a person's terminal gets and a pipe does not: colour, a width to fit into, and a progress bar.

`NO_COLOR` set to anything, or `TERM=dumb`, leaves all styling away. A pipe gets plain text, whatever the environment
asks for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console

FEWEST_FOR_A_BAR = 8  # calls; fewer are done before a bar could be read


def console(stream: TextIO) -> Console:
    """Return a console for standard output or standard error."""
    styled = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(file=stream, color_system="auto" if styled else None, highlight=False, markup=False, emoji=False)


@contextmanager
def progress_bar(doing: str, what: str = "calls") -> Iterator[Callable[[int, int], None]]:
    """Lend a function that takes how many calls are done, of how many; a terminal on standard error shows it.

    Args:
        doing: what is being done, for example `Reading assignments`.
        what: what is counted.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 only a terminal pays

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(what)
    bar = Progress(*columns, console=console(sys.stderr), transient=True, disable=os.environ.get("TERM") == "dumb")
    task = bar.add_task(doing)

    def tell(done: int, of: int) -> None:
        bar.update(task, completed=done, total=of)
        if of >= FEWEST_FOR_A_BAR and not bar.live.is_started:
            bar.start()

    try:
        yield tell
    finally:
        bar.stop()

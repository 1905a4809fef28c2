"""Prints the answers of subcommands on standard output, and a progress bar on standard error.

`NO_COLOR` set to anything, or `TERM=dumb`, turns all styling off. A pipe gets plain text, whatever the environment
asks for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer
from rich.console import Console

from astro_provider.messages import shown

FEWEST_FOR_A_BAR = 8  # calls; fewer are done before a bar could be read


def console(stream: TextIO) -> Console:
    """Return a console for standard output or standard error."""
    styled = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(file=stream, color_system="auto" if styled else None, highlight=False, markup=False, emoji=False)


def print_json(content: Any) -> None:
    """Print JSON on standard output, with escapes if the output cannot spell every letter."""
    is_unicode = "utf" in (sys.stdout.encoding or "").lower()
    typer.echo(shown.json_text(content, only_ascii=not is_unicode))


def print_text(text: str) -> None:
    """Print a text that may end with a line break."""
    typer.echo(text, nl=not text.endswith("\n"))


@contextmanager
def progress_bar(doing: str, what: str = "calls") -> Iterator[Callable[[int, int], None]]:
    """Yield a function that takes how many calls, or other things, are done, of how many.

    A terminal on standard error shows a bar of the work that is done, for example `Reading assignments`.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 only a terminal pays

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(what)
    bar = Progress(*columns, console=console(sys.stderr), transient=True, disable=os.environ.get("TERM") == "dumb")
    task = bar.add_task(doing)

    def show(done: int, of: int) -> None:
        bar.update(task, completed=done, total=of)
        if of >= FEWEST_FOR_A_BAR and not bar.live.is_started:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()

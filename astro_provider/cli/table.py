"""A table of texts: in columns where they fit into the terminal, as records one below the other where they do not.

A pipe gets one line for each row, whole and in columns. What must be copied or searched for (an id, a role) is never
broken over lines; names and descriptions are, between words.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from astro_provider import shown
from astro_provider.cli.terminal import console

GAP = 2
LONGEST_WORD = 24  # cells; a longer one may be broken
LONGEST_CELL = 1000  # characters; the service allows 256 for a name and 500 for a description


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, prose: Collection[str]) -> None:
    """Print rows on standard output.

    Args:
        columns: the heads.
        rows: one at least; the cells of each, as many as there are columns.
        prose: the columns that may be broken over lines.
    """
    clean = [[shown.line(cell, longest=LONGEST_CELL) for cell in row] for row in rows]
    lines = [list(columns), *clean]
    widths = [max(cell_len(line[number]) for line in lines) for number in range(len(columns))]
    if not sys.stdout.isatty():
        typer.echo("\n".join(_plain(line, widths) for line in lines))
        return
    terminal = console(sys.stdout)
    least = [
        min(width, max(cell_len(name), *(_longest_word(row[number]) for row in clean))) if name in prose else width
        for number, (name, width) in enumerate(zip(columns, widths, strict=True))
    ]
    available = terminal.width - GAP * (len(columns) - 1)
    if sum(least) <= available:
        terminal.print(_in_columns(columns, clean, _shrunk(widths, least, available)))
        return
    for number, row in enumerate(clean):
        if number:
            terminal.print()
        terminal.print(_record(columns, row))


def _plain(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
    return (" " * GAP).join(padded).rstrip()


def _in_columns(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, width=width, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _record(columns: Sequence[str], row: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, cell in zip(columns, row, strict=True):
        table.add_row(name, Text(cell))
    return table


def _shrunk(widths: Sequence[int], least: Sequence[int], available: int) -> list[int]:
    """Return widths that fit: cell by cell, the widest of those that may still shrink gives one away."""
    now = list(widths)
    while sum(now) > available:
        widest = max((number for number in range(len(now)) if now[number] > least[number]), key=now.__getitem__)
        now[widest] -= 1
    return now


def _longest_word(text: str) -> int:
    return min(LONGEST_WORD, max((cell_len(word) for word in text.split()), default=0))

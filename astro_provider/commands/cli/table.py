"""Prints a table of texts: in columns if they fit into the terminal, as records one below the other if they do not.

One layout for all: ids are printed beneath names, and a column that is blank in every row is left out. For a terminal
that is too narrow, these steps are tried until the table fits: prose is broken between words; cells that belong
together go one beneath the other; names are broken between words, then after a hyphen. Records come last. An id or a
role is never broken.

A pipe gets one line for each row, whole and in columns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence

import typer
from rich.cells import cell_len
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from astro_provider.commands.cli.terminal import console
from astro_provider.messages import shown

GAP = 2
INDENT = 2  # of a cell beneath another one, so that the eye finds where a row begins
LONGEST_WORD = 24  # cells; a longer one may be broken
LONGEST_CELL = 1000  # characters; the service allows 256 for a name and 500 for a description
FEWEST_COLUMNS_TO_STACK = 80  # of the terminal; below, stacked cells are harder to read than records

# The columns of all tables, by their heads. A cell that is neither a name nor prose is copied or searched for.
NAMES = frozenset(("DEPLOYMENT", "TOKEN", "NAME", "STACKS", "CREATED", "CREATED BY"))
PROSE = frozenset(("FINDINGS", "FLAGS", "MARKS", "DESCRIPTION", "ABOUT"))
IDS = (("DEPLOYMENT", "DEPLOYMENT ID"), ("TOKEN", "TOKEN ID"), ("NAME", "ID"))  # in a terminal, each beneath its name
# Pairs of which the second goes beneath the first if the terminal is too narrow, in this order.
BENEATH = (
    ("ROLE", "MARKS"),
    ("CREATED", "CREATED BY"),
    ("TOKEN", "DESCRIPTION"),
    ("ROLE", "SCOPE"),
    ("ROLE", "CREATED"),
    ("FINDINGS", "STACKS"),
    ("ROLE", "FINDINGS"),
    ("BEFORE", "AFTER"),
    ("AFTER", "FLAGS"),
    ("CHANGE", "BEFORE"),
)

_AFTER_A_HYPHEN = re.compile(r"(?<=[-_./@:])")
_BETWEEN_WORDS = re.compile(" ")
_Breaks = tuple[frozenset[str], re.Pattern[str]]  # the heads of the columns whose cells may be broken, and where
_NOWHERE = frozenset[str](), _BETWEEN_WORDS
_IN_PROSE = PROSE, _BETWEEN_WORDS
_IN_NAMES = (PROSE | NAMES, _BETWEEN_WORDS), (PROSE | NAMES, re.compile(f" |{_AFTER_A_HYPHEN.pattern}"))

_Row = Mapping[str, str]  # the cells by their heads
_Layout = Sequence[tuple[str, ...]]  # the columns, each with its heads, from top to bottom


def print_table(rows: Sequence[_Row], *, once: bool = False) -> None:
    """Print rows on standard output.

    Args:
        rows: one at least; the cells by the heads of their columns, all in the same order.
        once: in a terminal, print a column with the same text in every row once, above the table.
    """
    clean = [{head: shown.line(cell, longest=LONGEST_CELL) for head, cell in row.items()} for row in rows]
    if not sys.stdout.isatty():
        typer.echo("\n".join(plain_lines([list(clean[0]), *(list(row.values()) for row in clean)])))
        return
    terminal = console(sys.stdout)
    heads = [head for head in clean[0] if any(row[head] for row in clean)]
    if once:
        heads = _without_the_same(terminal, heads, clean)
    together: _Layout = [(head,) for head in heads]
    for upper, lower in IDS:
        together = _stacked(together, upper, lower)
    for layout, breaks in _layouts(together, terminal.width):
        fitting = _widths(layout, clean, breaks, terminal.width)
        if fitting is not None:
            terminal.print(_in_columns(layout, clean, fitting))
            return
    for number, row in enumerate(clean):
        if number:
            terminal.print()
        terminal.print(_record(heads, row))


def _without_the_same(terminal: Console, heads: list[str], rows: Sequence[_Row]) -> list[str]:
    """Print the columns that have the same text in every row, and return the others."""
    same = [head for head in heads if len(rows) > 1 and len({row[head] for row in rows}) == 1]
    left = [head for head in heads if head not in same]
    if not same or not left:
        return heads
    terminal.print(_record(same, rows[0]))
    terminal.print()
    return left


def _layouts(columns: _Layout, terminal_width: int) -> Iterator[tuple[_Layout, _Breaks]]:
    """Yield layouts, the best first: columns, and where their cells may be broken."""
    yield columns, _IN_PROSE
    if terminal_width < FEWEST_COLUMNS_TO_STACK:
        return
    for upper, lower in BENEATH:
        columns = _stacked(columns, upper, lower)
        yield columns, _IN_PROSE
    for breaks in _IN_NAMES:
        yield columns, breaks


def _stacked(columns: _Layout, upper: str, lower: str) -> _Layout:
    """Put the column of one name beneath that of another, and beneath others that are there already."""
    above = next((one for one in columns if upper in one), None)
    below = next((one for one in columns if one[0] == lower), None)
    if above is None or below is None or above is below:
        return columns
    return [(*above, *below) if column is above else column for column in columns if column is not below]


def _widths(columns: _Layout, rows: Sequence[_Row], breaks: _Breaks, terminal_width: int) -> list[int] | None:
    """Return the width of each column; None: they do not fit, wherever their cells are broken."""
    now = [_width(column, rows, _NOWHERE) for column in columns]
    narrowest = [min(width, _width(column, rows, breaks)) for width, column in zip(now, columns, strict=True)]
    available = terminal_width - GAP * (len(columns) - 1)
    if sum(narrowest) > available:
        return None
    while sum(now) > available:  # cell by cell, so that the widest columns give
        widest = max((number for number in range(len(now)) if now[number] > narrowest[number]), key=now.__getitem__)
        now[widest] -= 1
    return now


def _width(column: Sequence[str], rows: Sequence[_Row], breaks: _Breaks) -> int:
    """Return the least width of a column whose cells are broken wherever they may be."""
    broken, where = breaks
    widest = 0
    for number, head in enumerate(column):
        texts = [head, *(row[head] for row in rows)]
        if head in broken:
            width = min(LONGEST_WORD, max(cell_len(word) for text in texts for word in where.split(text)))
        else:
            width = max(map(cell_len, texts))
        widest = max(widest, width + (INDENT if number else 0))
    return widest


def plain_lines(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines of cells as texts, in columns."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        yield (" " * GAP).join(padded).rstrip()


def _in_columns(columns: _Layout, rows: Sequence[_Row], widths: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for heads, width in zip(columns, widths, strict=True):
        table.add_column(_cell(heads, width, "bold"), width=width, overflow="fold")
    for row in rows:
        cells = ([row[head] for head in heads] for heads in columns)
        table.add_row(*map(_cell, cells, widths))
    return table


def _cell(texts: Sequence[str], width: int, style: str = "") -> Group:
    first, *others = texts
    lower = (Padding(Text(_broken(text, width - INDENT), style), (0, 0, 0, INDENT)) for text in others if text)
    return Group(Text(_broken(first, width), style), *lower)


def _record(heads: Sequence[str], row: _Row) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for head in heads:
        table.add_row(head, Text(row[head]))
    return table


def _broken(text: str, width: int) -> str:
    """Return the text, with each word that is too long broken after its hyphens."""
    return " ".join(word if cell_len(word) <= width else _in_lines(word, width) for word in text.split(" "))


def _in_lines(word: str, width: int) -> str:
    lines = [""]
    for part in _AFTER_A_HYPHEN.split(word):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)

"""Prints a table of texts: in columns if they fit into the terminal, as records one below the other if they do not.

One layout for all: ids are printed beneath names, and a column that is blank in every row is left out. For a terminal
that is too narrow, these steps are tried until the table fits: prose is broken between words; cells that belong
together go one beneath the other (`beneath`); names are broken between words, then after a hyphen. Records come last.
An id or a role is never broken.

A pipe gets one line for each row, whole and in columns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

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
IDS = (("DEPLOYMENT", "DEPLOYMENT ID"), ("TOKEN", "TOKEN ID"), ("NAME", "ID"))  # in a terminal, each beneath its name
LONGEST_WORD = 24  # cells; a longer one may be broken
LONGEST_CELL = 1000  # characters; the service allows 256 for a name and 500 for a description
FEWEST_COLUMNS_TO_STACK = 80  # of the terminal; below, stacked cells are harder to read than records
_AFTER_A_HYPHEN = re.compile(r"(?<=[-_./@:])")


class Wrap(Enum):
    """The ways in which the cells of a column may be broken over lines.

    `EXACT`: never; an id or a role is copied or searched for. `NAME`: only if no layout has room for it whole. `PROSE`:
    between words, as soon as the terminal is too narrow.
    """

    EXACT = "exact"
    NAME = "name"
    PROSE = "prose"


# The columns of each table that has a row for a binding; what is asked about it follows.
OF_A_BINDING = {
    "DEPLOYMENT": Wrap.NAME,
    "DEPLOYMENT ID": Wrap.EXACT,
    "TOKEN": Wrap.NAME,
    "TOKEN ID": Wrap.EXACT,
}


def print_table(
    columns: Mapping[str, Wrap],
    rows: Sequence[Sequence[str]],
    *,
    beneath: Sequence[tuple[str, str]] = (),
    once: bool = False,
) -> None:
    """Print rows on standard output.

    Args:
        columns: the heads, each with the way in which the cells below it may be broken.
        rows: one at least; the cells of each, as many as there are columns.
        beneath: pairs of columns, of which the second may go beneath the first if the terminal is too narrow, in this
            order.
        once: in a terminal, print a column with the same text in every row once, above the table.
    """
    clean = [[shown.line(cell, longest=LONGEST_CELL) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        typer.echo("\n".join(plain_lines([list(columns), *clean])))
        return
    terminal = console(sys.stdout)
    table = [
        _Column(((name, wrap),), [[row[number]] for row in clean])
        for number, (name, wrap) in enumerate(columns.items())
        if any(row[number] for row in clean)
    ]
    if once:
        table = _without_the_same(terminal, table)
    together: Sequence[_Column] = table
    for upper, lower in IDS:
        together = _stacked(together, upper, lower)
    for layout, least in _layouts(together, beneath, terminal.width):
        fitting = _widths(layout, least, terminal.width)
        if fitting is not None:
            terminal.print(_in_columns(layout, fitting))
            return
    for number in range(len(clean)):
        if number:
            terminal.print()
        terminal.print(_record([(column.name, column.cells[number][0]) for column in table]))


Width = Callable[[str, Wrap], int]  # of a text in a column of that wrap


@dataclass(frozen=True)
class _Column:
    """A column of the table: one head or several, each with its wrap, and as many cells for each row."""

    heads: Sequence[tuple[str, Wrap]]
    cells: Sequence[Sequence[str]]

    @property
    def name(self) -> str:
        return self.heads[0][0]

    def lines(self, number: int) -> Iterator[tuple[str, int, Wrap]]:
        """The head and the cells of one line of the column, 0 for the upper one: text, indent, wrap."""
        for row in ([head for head, _ in self.heads], *self.cells):
            yield row[number], INDENT if number else 0, self.heads[number][1]

    def width(self, of_text: Width) -> int:
        """The width of the column, if `of_text` is the width of a text."""
        return max(
            of_text(text, wrap) + indent
            for number in range(len(self.heads))
            for text, indent, wrap in self.lines(number)
        )


def _layouts(
    columns: Sequence[_Column], beneath: Sequence[tuple[str, str]], terminal_width: int
) -> Iterator[tuple[Sequence[_Column], Width]]:
    """Yield layouts, the best first: columns, and the least width of a text in them."""
    yield columns, _with_whole_names
    if terminal_width < FEWEST_COLUMNS_TO_STACK:
        return
    for upper, lower in beneath:
        columns = _stacked(columns, upper, lower)
        yield columns, _with_whole_names
    yield columns, _longest_word
    yield columns, _longest_part


def _widths(columns: Sequence[_Column], least: Width, terminal_width: int) -> list[int] | None:
    """The width of each column; None: they do not fit, even if each text has its least width."""
    now = [column.width(lambda text, _: cell_len(text)) for column in columns]
    narrowest = [min(width, column.width(least)) for width, column in zip(now, columns, strict=True)]
    available = terminal_width - GAP * (len(columns) - 1)
    if sum(narrowest) > available:
        return None
    while sum(now) > available:  # cell by cell, so that the widest columns give
        widest = max((number for number in range(len(now)) if now[number] > narrowest[number]), key=now.__getitem__)
        now[widest] -= 1
    return now


def _stacked(columns: Sequence[_Column], upper: str, lower: str) -> Sequence[_Column]:
    """Put the column of one name beneath that of another, and beneath others that are there already."""
    above = next((one for one in columns if upper in (head for head, _ in one.heads)), None)
    below = next((one for one in columns if one.name == lower), None)
    if above is None or below is None or above is below:
        return columns
    both = _Column(
        (*above.heads, *below.heads), [(*one, *two) for one, two in zip(above.cells, below.cells, strict=True)]
    )
    return [both if column is above else column for column in columns if column is not below]


def _without_the_same(terminal: Console, columns: Sequence[_Column]) -> list[_Column]:
    """Print the columns that have the same text in every row, and return the others."""
    same, left = [], []
    for column in columns:
        texts = {cell for (cell,) in column.cells}
        if len(texts) == 1 and len(column.cells) > 1:
            same.append((column.name, texts.pop()))
        else:
            left.append(column)
    if same and left:
        terminal.print(_record(same))
        terminal.print()
    return left or list(columns)


def plain_lines(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines of cells as texts, in columns."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        yield (" " * GAP).join(padded).rstrip()


def _in_columns(columns: Sequence[_Column], widths: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        heads = [head for head, _ in column.heads]
        table.add_column(_cell(heads, width, "bold"), width=width, overflow="fold")
    for number in range(len(columns[0].cells)):
        table.add_row(*(_cell(column.cells[number], width) for column, width in zip(columns, widths, strict=True)))
    return table


def _cell(texts: Sequence[str], width: int, style: str = "") -> Group:
    first, *others = texts
    lower = (Padding(Text(_broken(text, width - INDENT), style), (0, 0, 0, INDENT)) for text in others if text)
    return Group(Text(_broken(first, width), style), *lower)


def _record(fields: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, cell in fields:
        table.add_row(name, Text(cell))
    return table


def _with_whole_names(text: str, wrap: Wrap) -> int:
    return _longest_word(text, wrap) if wrap is Wrap.PROSE else cell_len(text)


def _longest_word(text: str, wrap: Wrap) -> int:
    if wrap is Wrap.EXACT:
        return cell_len(text)
    return min(LONGEST_WORD, max((cell_len(word) for word in text.split()), default=0))


def _longest_part(text: str, wrap: Wrap) -> int:
    if wrap is Wrap.EXACT:
        return cell_len(text)
    parts = (part for word in text.split() for part in _AFTER_A_HYPHEN.split(word))
    return min(LONGEST_WORD, max(map(cell_len, parts), default=0))


def _broken(text: str, width: int) -> str:
    """The text, with each word that is too long broken after its hyphens."""
    return " ".join(_word_in_lines(word, width) for word in text.split(" "))


def _word_in_lines(word: str, width: int) -> str:
    if cell_len(word) <= width:
        return word
    lines = [""]
    for part in _AFTER_A_HYPHEN.split(word):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)

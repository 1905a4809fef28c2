"""A table of texts: in columns if they fit into the terminal, as records one below the other if they do not.

One layout for all: ids stand beneath names, and a column that is blank in every row is left out. A terminal that is too
narrow gets, in this order, until it fits: prose broken between words; cells that belong together one beneath the other
(`beneath`); names broken between words, then after a hyphen. Records come last. An id or a role is never broken.

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
INDENT = 2  # of what stands beneath another cell, so that the eye finds where a row begins
LONGEST_WORD = 24  # cells; a longer one may be broken
LONGEST_CELL = 1000  # characters; the service allows 256 for a name and 500 for a description
FEWEST_COLUMNS_TO_STACK = 80  # of the terminal; below, stacked cells are harder to read than records
_AFTER_A_HYPHEN = re.compile(r"(?<=[-_./@:])")


class Kind(Enum):
    """How the cells of a column may be broken over lines.

    `EXACT`: never; an id or a role is copied or searched for. `NAME`: only if no layout has room for it whole. `PROSE`:
    between words, as soon as the terminal is too narrow.
    """

    EXACT = "exact"
    NAME = "name"
    PROSE = "prose"


def print_table(
    columns: Mapping[str, Kind],
    rows: Sequence[Sequence[str]],
    *,
    under: Sequence[tuple[str, str]] = (),
    beneath: Sequence[tuple[str, str]] = (),
    once: bool = False,
) -> None:
    """Print rows on standard output.

    Args:
        columns: the heads, and how the cells below each may be broken.
        rows: one at least; the cells of each, as many as there are columns.
        under: pairs of columns, of which the second stands beneath the first in every terminal.
        beneath: pairs of columns, of which the second may stand beneath the first if the terminal is too narrow; in the
            order in which they go there.
        once: in a terminal, print once above the table what is the same in every row.
    """
    clean = [[shown.line(cell, longest=LONGEST_CELL) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        lines = [list(columns), *clean]
        widths = [max(cell_len(line[number]) for line in lines) for number in range(len(columns))]
        typer.echo("\n".join(_plain(line, widths) for line in lines))
        return
    terminal = console(sys.stdout)
    table = [_Column(((name, kind),), cells) for name, kind, cells in _turned(columns, clean) if any(map(any, cells))]
    if once:
        table = _without_the_same(terminal, table)
    together: Sequence[_Column] = table
    for upper, lower in under:
        together = _stacked(together, upper, lower)
    for layout in _layouts(together, beneath, terminal.width):
        fitting = layout.widths(terminal.width)
        if fitting is not None:
            terminal.print(_in_columns(layout.columns, fitting))
            return
    for number in range(len(clean)):
        if number:
            terminal.print()
        terminal.print(_record([(column.name, column.cells[number][0]) for column in table]))


@dataclass(frozen=True)
class _Column:
    """A column of the table: its heads, each with its kind, and for each row as many cells."""

    heads: Sequence[tuple[str, Kind]]
    cells: Sequence[Sequence[str]]

    @property
    def name(self) -> str:
        return self.heads[0][0]

    def lines(self, number: int) -> Iterator[tuple[str, int, Kind]]:
        """The texts of the column at one place beneath the other: text, indent, kind."""
        for row in ([head for head, _ in self.heads], *self.cells):
            yield row[number], INDENT if number else 0, self.heads[number][1]

    def width(self, of_text: Callable[[str, Kind], int]) -> int:
        """The cells that it takes, if a text takes so many."""
        return max(
            of_text(text, kind) + indent
            for number in range(len(self.heads))
            for text, indent, kind in self.lines(number)
        )


@dataclass(frozen=True)
class _Layout:
    """Columns, and the least width of a text among them."""

    columns: Sequence[_Column]
    least: Callable[[str, Kind], int]

    def widths(self, terminal_width: int) -> list[int] | None:
        """The width of each column; None: they do not fit."""
        available = terminal_width - GAP * (len(self.columns) - 1)
        widths = [column.width(lambda text, _: cell_len(text)) for column in self.columns]
        least = [min(width, column.width(self.least)) for width, column in zip(widths, self.columns, strict=True)]
        return _shrunk(widths, least, available) if sum(least) <= available else None


def _layouts(columns: Sequence[_Column], beneath: Sequence[tuple[str, str]], terminal_width: int) -> Iterator[_Layout]:
    yield _Layout(columns, _with_whole_names)
    if terminal_width < FEWEST_COLUMNS_TO_STACK:
        return
    for upper, lower in beneath:
        columns = _stacked(columns, upper, lower)
        yield _Layout(columns, _with_whole_names)
    yield _Layout(columns, _longest_word)
    yield _Layout(columns, _longest_part)


def _stacked(columns: Sequence[_Column], upper: str, lower: str) -> Sequence[_Column]:
    """Put the column of one name beneath that of another, whatever stands there already."""
    above = next((one for one in columns if upper in (head for head, _ in one.heads)), None)
    below = next((one for one in columns if one.name == lower), None)
    if above is None or below is None or above is below:
        return columns
    both = _Column(
        (*above.heads, *below.heads), [(*one, *two) for one, two in zip(above.cells, below.cells, strict=True)]
    )
    return [both if column is above else column for column in columns if column is not below]


def _without_the_same(terminal: Console, columns: Sequence[_Column]) -> list[_Column]:
    """Print what is the same in every row, and return the columns that are left."""
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


def _turned(
    columns: Mapping[str, Kind], rows: Sequence[Sequence[str]]
) -> Iterator[tuple[str, Kind, Sequence[Sequence[str]]]]:
    for number, (name, kind) in enumerate(columns.items()):
        yield name, kind, [[row[number]] for row in rows]


def _plain(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
    return (" " * GAP).join(padded).rstrip()


def _in_columns(columns: Sequence[_Column], widths: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        heads = [head for head, _ in column.heads]
        table.add_column(_cell(heads, width, "bold"), width=width, overflow="fold")
    for number in range(len(columns[0].cells)):
        table.add_row(
            *(_cell(column.cells[number], width) for column, width in zip(columns, widths, strict=True)),
        )
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


def _shrunk(widths: Sequence[int], least: Sequence[int], available: int) -> list[int]:
    """Return widths that fit: cell by cell, the widest of those that may still shrink gives one away."""
    now = list(widths)
    while sum(now) > available:
        widest = max((number for number in range(len(now)) if now[number] > least[number]), key=now.__getitem__)
        now[widest] -= 1
    return now


def _with_whole_names(text: str, kind: Kind) -> int:
    return _longest_word(text, kind) if kind is Kind.PROSE else cell_len(text)


def _longest_word(text: str, kind: Kind) -> int:
    if kind is Kind.EXACT:
        return cell_len(text)
    return min(LONGEST_WORD, max((cell_len(word) for word in text.split()), default=0))


def _longest_part(text: str, kind: Kind) -> int:
    if kind is Kind.EXACT:
        return cell_len(text)
    parts = (part for word in text.split() for part in _AFTER_A_HYPHEN.split(word))
    return min(LONGEST_WORD, max(map(cell_len, parts), default=0))


def _broken(text: str, width: int) -> str:
    """The text with each word that is too long broken after its hyphens, if it has some."""
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

"""The parts that both comments have: texts from outside as Markdown, and as many rows as there is room for.

The name of a token or of a deployment is chosen by its owner and is shown in a comment on a pull request. `shown.py`
replaces its characters without a visible shape; here the rest becomes a code span, in which Markdown, HTML, mentions and
links have no effect. `pages.py` has the same for HTML.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence

from astro_provider.access.model import Word
from astro_provider.access.rules import Verdict
from astro_provider.messages import shown

LEAST_LENGTH = 2000  # characters; what a comment needs that has room for no row
MOST_VERDICTS = 50
FEW_VERDICTS = 5  # if there is not even room for all rows
_BACKSLASHES = re.compile(r"\\+(?=\|)")


def in_code(text: str) -> str:
    """Return a text as a code span of Markdown outside a table."""
    return _span(shown.line(text))


def in_cell(text: str) -> str:
    """Return a text as a code span within a table, in which a pipe ends the cell unless a backslash is before it."""
    # Parsers differ about two backslashes before a pipe.
    line = _BACKSLASHES.sub(lambda found: shown.REPLACEMENT * len(found[0]), shown.line(text))
    return _span(line.replace("|", r"\|"))


def _span(line: str) -> str:
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line or ' '}{pad}{fence}"


def named(name: str | None, identifier: str | None) -> str:
    """Return a token or a deployment as a cell: its name, then its id, as far as they are known."""
    return " ".join(in_cell(text) for text in (name, identifier) if text) or "*not known yet*"


def table(head: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a table, given its head as a line and its cells as Markdown."""
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *(f"| {' | '.join(cells)} |" for cells in rows)])


def rows_left_out(number: int) -> str:
    """Return the sentence about rows that there was no room for; empty if there are none."""
    return f"**{number} more {'row is' if number == 1 else 'rows are'} left out for want of room.**" if number else ""


def rules(verdicts: Sequence[Verdict], most: int) -> str:
    """Return the sentences of the rules as a list that counts those beyond `most`; empty if there are none."""
    lines = first([in_code(one.text) for one in verdicts], most, "and {} more")
    return titled("Rules", lines)


def first(lines: Sequence[str], most: int, more: str) -> list[str]:
    """Return the first lines, at most so many, and one that counts the others: `more` with their number in it."""
    left_out = len(lines[most:])
    return [*lines[:most], *([more.format(left_out)] if left_out else [])]


def titled(title: str, lines: Iterable[str]) -> str:
    """Return a list below its title; empty if it has no line."""
    items = "\n".join(f"- {line}" for line in lines)
    return f"**{title}**\n\n{items}" if items else ""


def folded(title: str, lines: Iterable[str]) -> str:
    """Return a list that a reader unfolds; empty if it has no line."""
    items = "\n".join(f"- {line}" for line in lines)
    return f"<details><summary>{title}</summary>\n\n{items}\n\n</details>" if items else ""


def explained(title: str, words: Iterable[Word], there: Iterable[Word]) -> str:
    """Return a folded list of those of the words that are there, with their meanings."""
    found = set(there)
    return folded(title, (f"**{word}**: {word.meaning}." for word in words if word in found))


def comment(*parts: str) -> str:
    """Return the parts of a comment as one text; a part may be empty."""
    return "\n\n".join(filter(None, parts)) + "\n"


def most_rows(write: Callable[[int], str], rows: int, max_length: int) -> str | None:
    """Return the longest text that fits; None if not even the one with a single row does.

    A text is never cut, because half a code span is none, and the markup in it would have an effect. `write` makes the text
    with so many of the rows; more rows never make it shorter.
    """
    numbers = range(min(1, rows), rows + 1)
    fitting = bisect(numbers, max_length, key=lambda number: len(write(number)))
    return write(numbers[fitting - 1]) if fitting else None

"""The parts that both comments have: texts from outside as Markdown, and as many rows as there is room for.

The name of a token or of a deployment is chosen by its owner and is shown in a comment on a pull request. `shown.py`
replaces its characters without a visible shape; here the rest becomes a code span, in which Markdown, HTML, mentions and
links have no effect. `pages.py` has the same for HTML.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined

from astro_provider.messages import shown

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


_TEMPLATES = Environment(  # noqa: S701  Markdown: `code` is its escaping
    loader=PackageLoader("astro_provider.access"),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["code"] = in_code


def comment(**values: object) -> str:
    """Return a comment from the values that `templates/comment.md` names."""
    return _TEMPLATES.get_template("comment.md").render(**values)


def most_rows(write: Callable[[int], str], rows: int, max_length: int) -> str | None:
    """Return the longest text that fits; None if not even the one with a single row does.

    A text is never cut, because half a code span is none, and the markup in it would have an effect. `write` makes the text
    with so many of the rows; more rows never make it shorter.
    """
    numbers = range(min(1, rows), rows + 1)
    fitting = bisect(numbers, max_length, key=lambda number: len(write(number)))
    return write(numbers[fitting - 1]) if fitting else None

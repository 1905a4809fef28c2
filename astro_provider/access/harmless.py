"""Texts from outside (names of tokens, messages of other programs) made harmless, for each place where they are shown.

Whoever may name a token or a deployment chooses text that stands in a terminal, in a comment beside a pull request, on
a page and in a spreadsheet. There it is text and nothing else.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

JOINERS = frozenset("\u200c\u200d")  # they hold scripts and emoji together
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that begins so
_BACKSLASHES = re.compile(r"\\+(?=\|)")


def one_line(text: str) -> str:
    """The text on one line, with `�` for what could move a cursor or turn the direction of writing."""
    return "".join(c if c.isprintable() or c in JOINERS else "\ufffd" for c in " ".join(text.split()))


def in_code(text: str) -> str:
    """The text as a code span of Markdown, which may stand in a table: no mention, link, markup or cell begins in it."""
    line = one_line(text)
    # A pipe ends a cell unless it is escaped, and whether `\\\\|` is one escape or two is told differently by each parser.
    line = _BACKSLASHES.sub(lambda found: "\ufffd" * len(found[0]), line).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line or ' '}{pad}{fence}"


def in_html(text: str) -> str:
    """The text for an element's content or a quoted attribute."""
    return html.escape(one_line(text), quote=True)


def in_cell(text: str) -> str:
    """The text for a cell of a CSV file."""
    line = one_line(text)
    return f"'{line}" if text.startswith(FORMULA) or line.startswith(FORMULA) else line


def as_json(document: Any) -> str:
    """The document as JSON; what a terminal could act on is escaped, and a reader gets every text back as it was."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]

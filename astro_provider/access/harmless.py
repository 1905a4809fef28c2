"""Texts from outside (names of tokens, messages of other programs) as Markdown; a page escapes them by its templates.

`shown.py` takes away what has no visible shape; here the rest becomes text and nothing else. Whoever may name a token or
a deployment chooses text that stands in a comment beside a pull request and on a page.
"""

from __future__ import annotations

import re

from astro_provider.messages import shown

_BACKSLASHES = re.compile(r"\\+(?=\|)")


def in_code(text: str) -> str:
    """The text as a code span of Markdown outside a table: no mention, link or markup begins in it."""
    return _span(shown.line(text))


def in_cell(text: str) -> str:
    """The same within a table, in which a pipe would end the cell, even in code, unless a backslash stands before it."""
    # Of two backslashes before a pipe each parser thinks otherwise.
    line = _BACKSLASHES.sub(lambda found: shown.REPLACEMENT * len(found[0]), shown.line(text))
    return _span(line.replace("|", r"\|"))


def _span(line: str) -> str:
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line or ' '}{pad}{fence}"

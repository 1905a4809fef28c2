"""Makes texts from outside fit to be shown: in messages, tables, generated files, CSV and JSON.

A token's name, a role's name or the service's words may contain anything. Shown raw, a control character moves the
reader's cursor or sets the terminal's title, a bidi override makes a name read as another one, and a zero-width character
hides the difference between two names. So each character without a visible shape is shown as `�`, and a text is one line.

Only shown texts pass through here: a name that is compared, stored or sent stays as it came.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from io import StringIO
from typing import Any

LONGEST_QUOTE = 256  # characters of a foreign text that a message repeats
REPLACEMENT = "\ufffd"
JOINERS = frozenset("\u200c\u200d")  # scripts and emoji need them
# Characters without a shape, which `str.isprintable` takes for visible: a grapheme joiner, fillers, variation selectors
# (two names may differ by one alone), and symbols that are blank by design.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U0001107f\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
_FIRST_JOINED = "\u0300"  # Latin letters, which lie before it, need no joiner; there one only hides a difference
_WHITESPACE = re.compile(r"\s+")
_BEYOND_ASCII = re.compile("[^\x00-\x7e]")
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four are the wide forms, which some spreadsheets read alike


def line(text: str, *, longest: int | None = None) -> str:
    """Return a text as one line without hidden characters; blanks at its ends go, blanks within stay.

    A line of more than `longest` characters is cut, and ends with `…`.
    """
    if longest is not None and len(text) > 2 * longest:
        # A text may be megabytes long, and only its beginning is shown.
        text = text.lstrip()[: 8 * longest]
    # Blanks within are kept as they are, all other whitespace is one blank.
    blanks = _WHITESPACE.sub(lambda found: " " if found[0].strip(" ") else found[0], text)
    whole = _visible(blanks.strip())
    return whole if longest is None or len(whole) <= longest else whole[: longest - 1] + "…"


def csv_cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula: one that starts like it gets an apostrophe."""
    cell = line(text)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def csv_text(head: Iterable[str], rows: Iterable[Iterable[str | None]]) -> str:
    """Return a table as CSV; None is an empty cell."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([csv_cell(cell or "") for cell in row] for row in rows)
    return text.getvalue()


def json_text(content: Any, *, only_ascii: bool = False) -> str:
    """Return a value as JSON with each hidden character escaped, for a terminal; a parser reads the same value."""
    text = json.dumps(content, indent=2, ensure_ascii=only_ascii)
    return _BEYOND_ASCII.sub(lambda one: json.dumps(one[0])[1:-1] if is_hidden(one[0]) else one[0], text)


def is_hidden(character: str) -> bool:
    """Return whether a character has no visible shape. A joiner counts as visible; `line` decides by the one before it."""
    return not (character.isprintable() or character in JOINERS) or _BLANK.match(character) is not None


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    characters = []
    before = ""
    for character in text:
        hidden = is_hidden(character) or (character in JOINERS and (before < _FIRST_JOINED or before in JOINERS))
        characters.append(REPLACEMENT if hidden else character)
        before = character
    return "".join(characters)

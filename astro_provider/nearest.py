"""The names that a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 3


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ` (nearest: a, b)` for a message, closest first; an empty text where nothing is near."""
    spelled = {candidate.casefold(): candidate for candidate in names}
    found = difflib.get_close_matches(name.casefold(), spelled, n=MOST)
    return f" (nearest: {', '.join(repr(spelled[match]) for match in found)})" if found else ""

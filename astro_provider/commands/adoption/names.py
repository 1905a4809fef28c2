"""Names for resources, made from the names of deployments and tokens.

A resource's name stands in every URN, so it must not change because something else was made. Therefore a name that
several have goes to the oldest of them alone, and every later one has its id beside it. Who is the oldest is asked of
everything in the organization, not of what is being taken over, so that choosing more deployments renames nothing.

The characters `~` and `.` are in no name: one stands before an id, the other between deployment and token. So two
different pairs never run together into one name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

BEFORE_ID = "~"
BETWEEN = "."
NAMELESS = "unnamed"


@dataclass(frozen=True)
class Named:
    """A deployment or a token, as far as its name goes; `made_at` is RFC 3339, empty if nobody says."""

    id: str
    name: str
    made_at: str = ""


def slug(name: str) -> str:
    """The name's letters, digits and underscores, of any script, with a hyphen for whatever stands between them."""
    return re.sub(r"\W+", "-", unicodedata.normalize("NFC", name)).strip("-")


def keys(things: Iterable[Named]) -> dict[str, str]:
    """Return for each id what the thing is called in the program: its slug, or its slug and its id."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for thing in sorted(things, key=lambda thing: (thing.made_at, thing.id)):
        plain = slug(thing.name)
        is_free = bool(plain) and plain not in taken
        found[thing.id] = plain if is_free else f"{plain or NAMELESS}{BEFORE_ID}{thing.id}"
        taken.add(plain)
    return found


def resource_name(deployment_key: str, token_key: str) -> str:
    """Return the name of the binding of the two."""
    return f"{deployment_key}{BETWEEN}{token_key}"

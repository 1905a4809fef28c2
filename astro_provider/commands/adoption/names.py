"""Names for resources, made from the names of deployments and tokens.

A resource's name is a part of its URN, so it must not change because something else was made. Therefore a name that
several have goes to the oldest of them alone, and each later one gets its id as a suffix. The oldest is the oldest of
the whole organization, not of the adopted ones, so that choosing more deployments renames nothing.

The characters `~` and `.` are in no slug: one precedes an id, the other is between deployment and token. So two
different pairs never have one name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from astro_provider.astro.api import ApiToken, Deployment

BEFORE_ID = "~"
BETWEEN = "."
NAMELESS = "unnamed"


def slug(name: str) -> str:
    """Return the name's letters, digits and underscores, of any script, with one hyphen for all that is between them."""
    return re.sub(r"\W+", "-", unicodedata.normalize("NFC", name)).strip("-")


def keys(things: Iterable[Deployment | ApiToken]) -> dict[str, str]:
    """Return the key of each thing in the program by its id: its slug, or its slug and its id."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for thing in sorted(things, key=lambda thing: (thing.created_at or "", thing.id)):
        plain = slug(thing.name)
        is_free = bool(plain) and plain not in taken
        found[thing.id] = plain if is_free else f"{plain or NAMELESS}{BEFORE_ID}{thing.id}"
        taken.add(plain)
    return found


def resource_name(deployment_key: str, token_key: str) -> str:
    """Return the name of the binding of the two."""
    return f"{deployment_key}{BETWEEN}{token_key}"

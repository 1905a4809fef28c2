"""The two spellings of our property names: snake_case in the dynamic door, camelCase in the native one.

Only names of ours are translated: the properties of a resource, never the keys of `roles` or of another map, which are
names and ids of Astro. The lifecycles, and all messages below the doors, spell in snake_case.
"""

from __future__ import annotations

import re
from dataclasses import fields

from astro_provider.lifecycle.inputs import FACTS, Inputs
from astro_provider.lifecycle.tables.values import Table
from astro_provider.names import camel

STRANGERS = "strangers"  # an output of a table that no `Table` has
INCLUDE_OTHER_SCOPES = "include_other_scopes"  # an argument of the function


_SNAKE = {
    camel(name): name
    for name in (
        *(one.name for one in fields(Inputs)),
        *FACTS,
        *(one.name for one in fields(Table)),
        STRANGERS,
        INCLUDE_OTHER_SCOPES,
    )
}
_OURS = sorted((name for name in _SNAKE.values() if "_" in name), key=len, reverse=True)
# A text between quotes is a name or an id of Astro; an apostrophe within a word is no quote.
_IN_TEXT = re.compile(rf"""(?<!\w)'[^']*'|"[^"]*"|\b({"|".join(_OURS)})\b""")


def in_camel_case(text: str) -> str:
    """Return a message with the names of properties as the native door spells them."""
    return _IN_TEXT.sub(lambda found: camel(found[1]) if found[1] else found[0], text)


def snake(name: str) -> str:
    """Return the name of a property in snake_case, from either spelling."""
    return _SNAKE.get(name, name)

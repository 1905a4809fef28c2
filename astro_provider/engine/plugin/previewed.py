"""The outputs of a resource in a preview, before its create or update.

An output that only the service knows is unknown, and so is a map of ids as long as one of its names has no id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from astro_provider.engine.plugin.properties import Properties
from astro_provider.engine.property_names import STRANGERS
from astro_provider.lifecycle.inputs import FACTS, IDENTITY, NAMES
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import UNKNOWN, Unknown
from astro_provider.names import CUID

REMOVES = "removes"  # an input that is no output


def binding_previewed(olds: Properties, news: Properties) -> Properties:
    """Return the outputs of a binding, as far as they are known; an update keeps the facts of the token.

    Args:
        olds: the stored outputs; empty for a new binding.
        news: the checked inputs.
    """
    kept = {name: value for name, value in olds.items() if name in FACTS}
    return {**dict.fromkeys((*IDENTITY, *NAMES, *FACTS), UNKNOWN), **kept, **news}


def table_previewed(news: Properties) -> Properties:
    """Return the outputs of a table, as far as they are known, from its checked inputs."""
    table = Table.stored(news)
    found = {name: value for name, value in news.items() if name != REMOVES}
    if table.exclusive is True:
        found[STRANGERS] = {}
    is_vague = isinstance(table.roles, Unknown) or any(isinstance(row, Unknown) for row in table.rows.values())
    if isinstance(table.roles, Unknown) or _has_no_id(table.rows, table.deployment_ids):
        found["deployment_ids"] = UNKNOWN
    if is_vague or _has_no_id((entry.token for entry in table.entries), table.token_ids):
        found["token_ids"] = UNKNOWN
    return found


def _has_no_id(keys: Iterable[str], ids: Mapping[str, str]) -> bool:
    return any(key not in ids and CUID.fullmatch(key) is None for key in keys)

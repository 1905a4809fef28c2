"""A table in the form in which it is examined, between the program and the state.

Two keys that mean the same thing are an error, because a token has one role in a deployment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from astro_provider.lifecycle.findings import Finding, Weight
from astro_provider.lifecycle.resolving import Asked, Examined, Found, Spelled, T
from astro_provider.lifecycle.tables.values import Names, Table
from astro_provider.lifecycle.values import Entry, known, place
from astro_provider.names import CUID


def asked_of(table: Table, state: Table, *, about_to_write: bool) -> Asked:
    """Return the wishes of a table in the form in which they are examined.

    Args:
        table: as the program asks for it.
        state: as the state has it, if that is of the same organization; otherwise an empty table.
        about_to_write: a create or update asks.
    """
    of_deployment: defaultdict[str, list[Entry]] = defaultdict(list)
    of_token: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in table.entries:
        of_deployment[entry.deployment].append(entry)
        of_token[entry.token].append(entry)
    stored_tokens = {entry.token for entry in state.entries}
    return Asked(
        table.organization_id,
        {
            key: _spelled(key, place(key), of_deployment[key], state.deployment_ids, is_stored=key in state.rows)
            for key in table.rows
        },
        {
            key: _spelled(key, _place_of(entries), entries, state.token_ids, is_stored=key in stored_tokens)
            for key, entries in of_token.items()
        },
        table.entries,
        workspace_id=table.workspace_id,
        overwrite=table.overwrite,
        must_exist=about_to_write,
        about_to_write=about_to_write,
    )


def doubles(examined: Examined) -> Iterator[Finding]:
    """Yield what is spelled twice: a deployment in the table, or a token in a deployment."""
    for first, second in _alike(examined.deployments):
        text = f"is {examined.deployments[second].in_words}, and so is {place(first)}: write all its tokens beneath one key."
        yield Finding(Weight.ERROR, place(second), text)
    alike = list(_alike(examined.tokens))
    for deployment in examined.deployments if alike else ():
        for first, second in alike:
            one, other = Entry(deployment, first), Entry(deployment, second)
            if {one, other} <= examined.roles.keys():
                text = (
                    f"is {examined.tokens[second].in_words}, and so is {one.place}: a token has one role in a deployment. "
                    "Remove one of the two."
                )
                yield Finding(Weight.ERROR, other.place, text)


def _alike(found: Mapping[str, Found[T]]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for key, one in found.items():
        if known(one.id) and first.setdefault(one.id, key) != key:
            yield first[one.id], key


def _spelled(key: str, where: str, entries: list[Entry], ids: Names, *, is_stored: bool) -> Spelled:
    by_id = key if is_stored and CUID.fullmatch(key) else None
    stored_id, stored_name = (ids[key], key) if key in ids else (by_id, None)
    return Spelled(
        where, where, name=key, is_key=True, stored_id=stored_id, stored_name=stored_name, entries=tuple(entries)
    )


def _place_of(entries: list[Entry]) -> str:
    """Return the place of a finding about a token: its first entry, and how many more it has."""
    more = f" (and {len(entries) - 1} more of this token)" if len(entries) > 1 else ""
    return entries[0].place + more

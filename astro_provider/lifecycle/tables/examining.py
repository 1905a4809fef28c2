"""A table between the program and the state: how it is examined, and what is its own in that.

Two keys that mean the same thing are an error, because a token has one role in a deployment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import same_role
from astro_provider.lifecycle.findings import Entry, Finding, Weight, place
from astro_provider.lifecycle.preflight import examine
from astro_provider.lifecycle.resolving import Asked, Examined, Found, Spelled, Thing, Wording, look_up
from astro_provider.lifecycle.tables.values import Names, Row, Table
from astro_provider.lifecycle.values import Unknown, known
from astro_provider.names import CUID

_WORDING = Wording(
    missing="No {what} has the name or the id {name!r}",
    stays="The table stays",
    grant="Its roles stay",
    give_id="write the id as the key",
    write_name="write {name!r} as the key",
    remove="Remove it from the table, or give another one.",
)
T = TypeVar("T", bound=Thing)


@dataclass(frozen=True)
class ExaminedTable(Examined):
    """A table with what there is to say about it.

    Attributes:
        table: with the roles in Astro's spelling, and the ids of what is given by name.
    """

    table: Table


def examine_table(reader: Reader, table: Table, stored: Table | None, *, about_to_write: bool) -> ExaminedTable:
    """Look a table up and examine it, except for what is there already.

    Args:
        reader: the facts of the organization.
        table: the table.
        stored: what the state has, if that is of the same organization.
        about_to_write: nothing may be missing any more.
    """
    state = stored or Table()
    of_deployment: defaultdict[str, list[Entry]] = defaultdict(list)
    of_token: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in table.entries:
        of_deployment[entry.deployment].append(entry)
        of_token[entry.token].append(entry)
    stored_tokens = {entry.token for entry in state.entries}
    found = look_up(
        reader,
        Asked(
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
            lambda entry: entry.place,
            _WORDING,
            workspace_id=table.workspace_id,
            overwrite=table.overwrite,
            must_exist=about_to_write,
            about_to_write=about_to_write,
        ),
    )
    table = replace(table, deployment_ids=_ids_of_names(found.deployments), token_ids=_ids_of_names(found.tokens))
    missing = Weight.ERROR if about_to_write else Weight.WARNING
    examined = examine(reader, found, missing=missing, unchanged=_unchanged(table, stored) if stored else ())
    rows: dict[str, Row] = {
        deployment: row
        if isinstance(row, Unknown)
        else {token: examined.roles[Entry(deployment, token)] for token in row}
        for deployment, row in table.rows.items()
    }
    findings = [*examined.findings, *_doubles(examined)]
    return ExaminedTable(
        found.asked, found.deployments, found.tokens, examined.roles, findings, replace(table, roles=rows)
    )


def _spelled(key: str, where: str, entries: list[Entry], ids: Names, *, is_stored: bool) -> Spelled:
    by_id = key if is_stored and CUID.fullmatch(key) else None
    stored_id, stored_name = (ids[key], key) if key in ids else (by_id, None)
    return Spelled(
        where, where, name=key, is_key=True, stored_id=stored_id, stored_name=stored_name, entries=tuple(entries)
    )


def _unchanged(table: Table, stored: Table) -> set[Entry]:
    """The entries that are in the state and stay exactly as they are there."""
    if table.workspace_id != stored.workspace_id:
        return set()
    had = stored.roles_by_binding
    return {
        entry
        for binding, entry in table.bindings.items()
        if binding in had and known(role := table.entries[entry]) and same_role(role, had[binding])
    }


def _doubles(examined: Examined) -> Iterator[Finding]:
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


def _place_of(entries: list[Entry]) -> str:
    """The place of a finding about a token: its first entry, and how many more it has."""
    more = f" (and {len(entries) - 1} more of this token)" if len(entries) > 1 else ""
    return entries[0].place + more


def _ids_of_names(found: Mapping[str, Found[T]]) -> Names:
    return {key: one.id for key, one in found.items() if known(one.id) and one.id != key}

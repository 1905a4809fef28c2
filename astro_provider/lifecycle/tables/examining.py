"""What is right about a table and what contradicts, before anything is written, each finding on its place.

The rules are those of a binding by itself (`preflight.py`), asked once for each deployment, token and role instead of once
for each entry. What an unchanged entry has in the state cannot fail: errors that are about such entries only are warnings
with the remedy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from astro_provider.astro.api import ApiToken, Role
from astro_provider.astro.hints import other_workspace
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Assignment, Reader
from astro_provider.astro.roles import role_key, same_role, wrong_scope
from astro_provider.astro.writing.changes import Add
from astro_provider.errors import InputError
from astro_provider.lifecycle.preflight import no_such_role, restriction
from astro_provider.lifecycle.situation import Finding, Weight
from astro_provider.lifecycle.tables.keys import Keys
from astro_provider.lifecycle.tables.values import Entry, Row, Table, place
from astro_provider.lifecycle.values import Unknown, known
from astro_provider.messages.words import sentence

MOST_TOLD = 20  # findings of one kind; the rest is counted

About = tuple[Finding, tuple[Entry, ...]]


@dataclass(frozen=True)
class Examined:
    """A table with what there is to say about it.

    Attributes:
        table: with Astro's spelling of the roles, and the ids of what is given by name.
        keys: what its keys mean.
        findings: errors, warnings and notes.
    """

    table: Table
    keys: Keys
    findings: Sequence[Finding]

    def in_words(self, entry: Entry) -> str:
        """How a message speaks of an entry: names, then ids."""
        return f"{self.keys.tokens[entry.token].in_words} in {self.keys.deployments[entry.deployment].in_words}"

    def entry_id(self, entry: Entry) -> BindingId | None:
        """The id of an entry, or None if one of its keys means nothing yet."""
        deployment, token = self.keys.deployments[entry.deployment], self.keys.tokens[entry.token]
        if not (known(self.table.organization_id) and known(deployment.id) and known(token.id)):
            return None
        return BindingId(self.table.organization_id, deployment.id, token.id)

    @cached_property
    def bindings(self) -> dict[BindingId, Entry]:
        """The entries that have an id."""
        found = ((self.entry_id(entry), entry) for entry in self.table.entries)
        return {binding: entry for binding, entry in found if binding is not None}


def examine(reader: Reader, table: Table, keys: Keys, stored: Table | None, *, about_to_write: bool) -> Examined:
    """Say what is right about a table, except for what is there already.

    Args:
        reader: the service's facts.
        table: the table, whose organization is known.
        keys: its keys.
        stored: what the state has, if that is of the same organization.
        about_to_write: nothing may be missing any more.
    """
    roles = _look_up_roles(reader, table, certain=about_to_write)
    deployment_ids, token_ids = keys.names()
    spelled = replace(table, roles=_spelled(table, roles), deployment_ids=deployment_ids, token_ids=token_ids)
    found: list[About] = [*keys.findings]
    found += _of_deployments(table, keys)
    found += _of_tokens(table, keys)
    found += _of_roles(reader, table, keys, roles, about_to_write=about_to_write)
    unchanged = set() if about_to_write or stored is None else _unchanged(spelled, stored)
    weighed = [
        replace(finding, weight=Weight.WARNING)
        if finding.weight is Weight.ERROR and entries and unchanged.issuperset(entries)
        else finding
        for finding, entries in found
    ]
    return Examined(spelled, keys, weighed)


def examine_existing(
    examined: Examined, new: Mapping[BindingId, Entry], there: Mapping[BindingId, Assignment | None]
) -> Iterator[Finding]:
    """Say what entries that are new to the table will meet in the service."""
    for binding, entry in new.items():
        held, role = there.get(binding), examined.table.entries[entry]
        found = examined.keys.tokens[entry.token].thing
        if held is None or not known(role) or (found is not None and wrong_scope(found)):
            continue
        token, deployment = examined.keys.tokens[entry.token], examined.keys.deployments[entry.deployment]
        who = f"{sentence(token.in_words)} already has the role {held.role} in {deployment.in_words}"
        if same_role(held.role, role):
            text = (
                f"{who}. It will be adopted unchanged, and a later destroy will remove it. If it moves here from another "
                "resource of this stack, the role stays. Otherwise another stack may own it."
            )
            yield Finding(Weight.NOTE, entry.place, text)
        elif examined.table.overwrite is True:
            text = f"{who}: overwrite will change {held.role} → {role}. Another stack may own it."
            yield Finding(Weight.NOTE, entry.place, text)
        elif examined.table.overwrite is False and (
            refusal := Add(binding, role, called=examined.in_words(entry)).refusal(held.role)
        ):
            yield Finding(Weight.ERROR, entry.place, str(refusal))


def told(findings: Iterable[Finding], weights: Collection[Weight]) -> tuple[list[str], int]:
    """The texts of the findings of these weights, each with its place, at most MOST_TOLD; and how many more there are."""
    meant = [finding for finding in findings if finding.weight in weights]
    texts = [f"{finding.property_name}: {finding.text}" for finding in meant[:MOST_TOLD]]
    return texts, len(meant) - len(texts)


def as_one(problems: Sequence[InputError], property_name: str = "") -> InputError:
    """All problems of a table as one error; for the engine on no property, because it prints a property's value beside it."""
    texts = [str(one) for one in problems[:MOST_TOLD]]
    if len(problems) == 1:
        return InputError(property_name, texts[0])
    listed = " ".join(f"({number}) {text}" for number, text in enumerate(texts, start=1))
    and_more = f" And {len(problems) - len(texts)} more." if len(problems) > len(texts) else ""
    return InputError(
        property_name, f"{len(problems)} entries or keys of this table cannot be right: {listed}{and_more}"
    )


def _look_up_roles(reader: Reader, table: Table, *, certain: bool) -> dict[str, Role | None]:
    """The roles of the service by the key of each name in the table."""
    names = {role_key(role): role for role in table.entries.values() if known(role)}
    return {key: reader.role(str(table.organization_id), name, certain=certain) for key, name in names.items()}


def _spelled(table: Table, roles: Mapping[str, Role | None]) -> Mapping[str, Row]:
    def row(tokens: Row) -> Row:
        if isinstance(tokens, Unknown):
            return tokens
        return {
            token: found.name if known(role) and (found := roles.get(role_key(role))) else role
            for token, role in tokens.items()
        }

    return {deployment: row(tokens) for deployment, tokens in table.rows.items()}


def _unchanged(table: Table, stored: Table) -> set[Entry]:
    """The entries that are in the state and stay exactly as they are there."""
    if table.workspace_id != stored.workspace_id:
        return set()
    had = {binding: stored.entries[entry] for binding, entry in stored.bindings.items()}
    return {
        entry
        for binding, entry in table.bindings.items()
        if binding in had and known(role := table.entries[entry]) and same_role(role, str(had[binding]))
    }


def _of_deployments(table: Table, keys: Keys) -> Iterator[About]:
    if not known(table.workspace_id):
        return
    for spelled, key in keys.deployments.items():
        if key.thing is not None and key.thing.workspace_id != table.workspace_id:
            text = sentence(other_workspace(key.thing, table.workspace_id))
            entries = tuple(entry for entry in table.entries if entry.deployment == spelled)
            yield Finding(Weight.ERROR, place(spelled), text), entries


def _of_tokens(table: Table, keys: Keys) -> Iterator[About]:
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in table.entries:
        entries[entry.token].append(entry)
    for spelled, key in keys.tokens.items():
        if key.thing is None:
            continue
        concerned = tuple(entries[spelled])
        where = concerned[0].place
        for weight, text in _of_token(key.thing):
            yield Finding(weight, where, text), concerned


def _of_token(token: ApiToken) -> Iterator[tuple[Weight, str]]:
    named = f"Token {token.name!r} ({token.id})"
    if reason := wrong_scope(token):
        yield Weight.ERROR, sentence(reason)
    if token.has_expired(datetime.now(UTC)):
        yield Weight.WARNING, f"{named} expired on {token.end_at:%Y-%m-%d}, so its roles give no access."
    if token.kind == "DIRECT_ACCESS":
        yield (
            Weight.WARNING,
            (
                f"{named} is of kind DIRECT_ACCESS, which is made for calls to Airflow itself, and Astro does not document "
                "what a role in a deployment gives it. Try what it opens, or use a token of kind STANDARD."
            ),
        )


def _of_roles(
    reader: Reader, table: Table, keys: Keys, roles: Mapping[str, Role | None], *, about_to_write: bool
) -> Iterator[About]:
    concerned: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry, role in table.entries.items():
        if known(role):
            concerned[role_key(role)].append(entry)
    for key, entries in concerned.items():
        found = roles[key]
        if found is None:
            yield _missing_role(reader, table, entries, about_to_write=about_to_write), tuple(entries)
        elif found.restricted_workspace_ids:
            for entry in entries:
                deployment = keys.deployments[entry.deployment].thing
                if deployment and (reason := restriction(found, deployment)):
                    yield Finding(Weight.ERROR, entry.place, reason), (entry,)


def _missing_role(reader: Reader, table: Table, entries: Sequence[Entry], *, about_to_write: bool) -> Finding:
    text, can_never_be = no_such_role(reader, str(table.organization_id), str(table.entries[entries[0]]))
    more = f" (and in {len(entries) - 1} more)" if len(entries) > 1 else ""
    where = entries[0].place + more
    if can_never_be or about_to_write:
        return Finding(Weight.ERROR, where, f"{text}.")
    return Finding(Weight.WARNING, where, f"{text}. The update will fail unless this program also creates that role.")

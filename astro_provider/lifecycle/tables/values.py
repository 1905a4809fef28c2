"""A table as a program asks for it and as the state has it, as typed values instead of property bags.

`roles` is `{deployment: {token: role}}`, and each key is an id or a name. An entry is one role in it, and its place, as in
`roles["etl-production"]["ci-deployer"]`, is how every message speaks of it. A problem of an entry is never put on the
property `roles` itself, because the engine would print the whole map with it.

The names of the properties stand in users' programs and state, so changing one is a breaking change.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal

from astro_provider.astro.identity import BindingId, no_secret
from astro_provider.astro.writing.changes import Outcome
from astro_provider.errors import InputError
from astro_provider.lifecycle.resolving import Examined, Spelled, Wishes
from astro_provider.lifecycle.values import (
    A_ROLE,
    ROLES,
    UNKNOWN,
    Entry,
    Flag,
    Parser,
    Text,
    Unknown,
    flag_or_false,
    known,
    place,
    text_or_none,
)
from astro_provider.messages.words import in_words
from astro_provider.names import CUID, UNFINISHED, UNFINISHED_ROLE, hidden_key

Row = Mapping[str, Text] | Literal[Unknown.UNKNOWN]
Names = Mapping[str, str]
Removes = Mapping[str, Mapping[str, Text]]


@dataclass(frozen=True)
class Table:
    """A table, as the program asks for it or as the state has it."""

    # By deployment and token; UNKNOWN as a whole, by deployment or by token, in previews only.
    roles: Mapping[str, Row] | Literal[Unknown.UNKNOWN] = field(default_factory=dict)
    exclusive: Flag = False
    workspace_id: Text | None = None  # each deployment must belong to it
    organization_id: Text | None = None
    overwrite: Flag = False  # a new entry may take over what is there with another role
    deployment_ids: Names = field(default_factory=dict)  # of those that are given by name
    token_ids: Names = field(default_factory=dict)  # of those that are given by name
    removes: Removes = field(default_factory=dict)  # what this run takes from tokens that are not in the table
    # Entries that a run has left, of which it is not known whether they stand, in outputs only; those of the state before
    # that run stand in `roles` as well.
    unfinished: frozenset[Entry] = frozenset()

    @classmethod
    def parse(cls, properties: Mapping[str, Any], parser: Parser | None = None) -> Table:
        """Read a property bag of a program, or what `check` made of it, without keys that are malformed.

        Args:
            properties: the bag.
            parser: collects the problems, each with its place; without one, they are raised as InvalidInputs.
        """
        read = parser or Parser(None)
        table = replace(
            cls.stored(properties),
            roles=_roles(read, properties.get(ROLES)),
            exclusive=read.flag("exclusive", properties.get("exclusive")),
            workspace_id=read.id(
                "workspace_id", properties.get("workspace_id"), "the id of the workspace of all deployments"
            ),
            organization_id=read.id("organization_id", properties.get("organization_id"), "the id of the organization"),
            overwrite=read.flag("overwrite", properties.get("overwrite")),
            unfinished=frozenset(),
        )
        if parser is None:
            read.require_none()
        return table

    @classmethod
    def stored(cls, properties: Mapping[str, Any]) -> Table:
        """Read a property bag of the state or of a check, without judgement."""
        roles, unfinished = _stored_roles(properties)
        return cls(
            roles=roles,
            exclusive=flag_or_false(properties.get("exclusive")),
            workspace_id=text_or_none(properties.get("workspace_id")),
            organization_id=text_or_none(properties.get("organization_id")),
            overwrite=flag_or_false(properties.get("overwrite")),
            deployment_ids=_names(properties.get("deployment_ids")),
            token_ids=_names(properties.get("token_ids")),
            removes={key: _names(row) for key, row in _mapping(properties.get("removes")).items()},
            unfinished=unfinished,
        )

    def properties(self) -> dict[str, Any]:
        """Return the property bag: what is given, nothing that is not; `removes` only for an exclusive table."""
        found = {field_.name: getattr(self, field_.name) for field_ in fields(self)}
        left_out = {UNFINISHED, "removes"} if self.exclusive is False else {UNFINISHED}
        return {name: value for name, value in found.items() if value is not None and name not in left_out}

    @property
    def rows(self) -> Mapping[str, Row]:
        """Return the roles by deployment, as far as they are known."""
        return {} if isinstance(self.roles, Unknown) else self.roles

    @cached_property
    def entries(self) -> dict[Entry, Text]:
        """Return the roles by entry, without those of a deployment whose tokens are unknown."""
        return {
            Entry(deployment, token): role
            for deployment, row in self.rows.items()
            if not isinstance(row, Unknown)
            for token, role in row.items()
        }

    @property
    def is_known(self) -> bool:
        """Return whether no role and no token is unknown."""
        return not isinstance(self.roles, Unknown) and not any(
            isinstance(row, Unknown) or any(isinstance(role, Unknown) for role in row.values())
            for row in self.rows.values()
        )

    def deployment_id(self, key: str) -> str:
        """Return the id of a deployment of the table: that of its name, or the key itself."""
        return self.deployment_ids.get(key, key)

    def token_id(self, key: str) -> str:
        """Return the id of a token of the table: that of its name, or the key itself."""
        return self.token_ids.get(key, key)

    def binding(self, entry: Entry) -> BindingId | None:
        """Return the id of an entry, or None while the organization is unknown."""
        if not known(self.organization_id):
            return None
        return BindingId(self.organization_id, self.deployment_id(entry.deployment), self.token_id(entry.token))

    def binding_by_spelling(self, entry: Entry) -> BindingId | None:
        """Return the id of an entry, if its keys are ids, or names whose ids are known without the service."""
        means_an_id = (
            key in ids or CUID.fullmatch(key)
            for key, ids in zip(entry, (self.deployment_ids, self.token_ids), strict=True)
        )
        return self.binding(entry) if all(means_an_id) else None

    @property
    def claimed(self) -> list[BindingId | Entry]:
        """Return what a check claims that asks nothing of Astro: each binding, or its spelling if an id is missing."""
        return [self.binding_by_spelling(entry) or entry for entry in self.entries]

    def claimed_as(self, entry: Entry) -> list[Entry]:
        """Return the spelling by which a check may have claimed an entry."""
        return [entry]

    @cached_property
    def bindings(self) -> dict[BindingId, Entry]:
        """Return the entries by their ids, those that may stand among them."""
        found = ((self.binding(entry), entry) for entry in (*self.entries, *sorted(self.unfinished)))
        return {binding: entry for binding, entry in found if binding is not None}

    @cached_property
    def roles_by_binding(self) -> dict[BindingId, Text]:
        """Return the roles by the ids of the entries, without those that may stand, whose role is not known."""
        found = self.bindings.items()
        return {binding: self.entries[entry] for binding, entry in found if entry not in self.unfinished}

    def wishes(self, stored: Table | None, *, about_to_write: bool, unchecked: bool) -> Wishes:
        """Return the table in the form in which it is examined; `stored` is the state's of the same organization."""
        if about_to_write and not self.is_known:  # a row that is not known must not read like one that left the table
            raise AssertionError("the engine asked for a write while a value was unknown")
        state = stored or Table()
        of_deployment: defaultdict[str, list[Entry]] = defaultdict(list)
        of_token: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            of_deployment[entry.deployment].append(entry)
            of_token[entry.token].append(entry)
        stored_tokens = {entry.token for entry in state.entries}
        return Wishes(
            self.organization_id,
            {
                key: _spelled(key, place(key), of_deployment[key], state.deployment_ids, is_stored=key in state.rows)
                for key in self.rows
            },
            {
                key: _spelled(key, _place_of(entries), entries, state.token_ids, is_stored=key in stored_tokens)
                for key, entries in of_token.items()
            },
            self.entries,
            workspace_id=self.workspace_id,
            overwrite=self.overwrite,
            must_exist=about_to_write,
            about_to_write=about_to_write,
            unchecked=unchecked,
        )

    def incomplete(self, _identifier: str) -> str:
        """Return the warning about outputs that have lost the organization of the resource's id."""
        return (
            "The state of this table is incomplete: its outputs have lost the organization. The update writes them again; a "
            "role that the outputs have lost and the program does not have stays in Astro."
        )

    def done(self, *, is_delete: bool) -> str:
        """Return the sentence of a write that did all."""
        return "All roles of this table are gone." if is_delete else "All changes of this table were made."

    def new_id(self) -> str:
        """Return an id for the table that is created: `<organization>/` and a random part."""
        return f"{self.organization_id}/{uuid.uuid4().hex}"

    def written(self, _outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Return the outputs after a write."""
        return self.outputs()

    def spellings(self, entry: Entry) -> list[Entry]:
        """Return what a program may write for an entry: the deployment and the token each by key or id."""
        deployments = {entry.deployment, self.deployment_id(entry.deployment)}
        tokens = {entry.token, self.token_id(entry.token)}
        return [Entry(deployment, token) for deployment in deployments for token in tokens]

    def has(self, binding: BindingId, entry: Entry) -> bool:
        """Return whether an entry is there: by its ids, or as it is spelled, if the checks were off and lack the ids."""
        return binding in self.bindings or (entry in self.entries and self.binding_by_spelling(entry) is None)

    def of(self, identifier: str) -> Table:
        """Return the same with the organization of the resource's id, for a state that has lost it.

        Raises:
            InputError: it has lost it, and it is the id of a resource of another kind.
        """
        organization_id, slash, _ = identifier.partition("/")
        if self.organization_id is None and not slash:
            raise InputError("id", f"{identifier!r} is no id of a table.")
        return replace(self, organization_id=self.organization_id or organization_id)

    def completed(self, examined: Examined) -> Table:
        """Return the table with what was found: the ids of what is given by name, and the roles in Astro's spelling."""
        rows: dict[str, Row] = {
            deployment: row
            if isinstance(row, Unknown)
            else {token: examined.roles[Entry(deployment, token)] for token in row}
            for deployment, row in self.rows.items()
        }
        deployment_ids, token_ids = (
            {key: one.id for key, one in found.items() if known(one.id) and one.id != key}
            for found in (examined.deployments, examined.tokens)
        )
        return replace(self, roles=rows, deployment_ids=deployment_ids, token_ids=token_ids)

    def deployment_in_words(self, key: str) -> str:
        """Return the words of a message for a deployment of the state: name, then id."""
        id_ = self.deployment_id(key)
        return in_words("deployment", None if key == id_ else key, id_)

    def token_in_words(self, key: str) -> str:
        """Return the words of a message for a token of the state: name, then id."""
        id_ = self.token_id(key)
        return in_words("token", None if key == id_ else key, id_)

    def in_words(self, entry: Entry) -> str:
        """Return the words of a message for an entry of the state: names, then ids."""
        return f"{self.token_in_words(entry.token)} in {self.deployment_in_words(entry.deployment)}"

    def outputs(self, strangers: Removes | None = None) -> dict[str, Any]:
        """Return the property bag of the table as it exists; what is to be removed is no longer there.

        Args:
            strangers: the roles that an exclusive table has still to remove.
        """
        found = {name: value for name, value in self.properties().items() if name != "removes"}
        if self.unfinished:
            marked: dict[str, list[str]] = {}
            for deployment, token in sorted(self.unfinished):
                marked.setdefault(deployment, []).append(token)
            found[UNFINISHED] = marked
        if self.exclusive is True:
            found["strangers"] = strangers or {}
        return found

    def with_unfinished(self, asked: Table, may_stand: Collection[BindingId]) -> Table:
        """Return the table of a state with, as unfinished, each entry of which it is not known whether it stands.

        So the next run shows it, and writes it or takes it away, whatever the program says then.

        Args:
            asked: the table as it was to be.
            may_stand: bindings that may stand, or may be missing; those of strangers are no entries.
        """
        names = [dict(self.deployment_ids), dict(self.token_ids)]
        unfinished = set(self.unfinished)
        for binding in may_stand:
            entry = self.bindings.get(binding) or asked.bindings.get(binding)
            if entry is not None:
                ids = (binding.deployment_id, binding.token_id)
                # A name that means another thing in the state, which was made anew since, gives way to the id.
                keys = [
                    key if known_as.setdefault(key, id_) == id_ else id_
                    for known_as, key, id_ in zip(names, entry, ids, strict=True)
                ]
                unfinished.add(Entry(*keys))
        deployment_ids, token_ids = ({key: id_ for key, id_ in found.items() if key != id_} for found in names)
        table = self if self.organization_id else replace(asked, roles={})
        return replace(table, deployment_ids=deployment_ids, token_ids=token_ids, unfinished=frozenset(unfinished))


def _roles(read: Parser, value: Any) -> Mapping[str, Row] | Literal[Unknown.UNKNOWN]:
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, Mapping) or not value:
        what = "is empty" if isinstance(value, Mapping) else "is missing" if value is None else "must be a map"
        return read.refuse(ROLES, f"{what}: write {{deployment: {{token: role}}}}, with at least one deployment.")
    return {key: _row(read, key, row) for key, row in value.items() if _is_key(read, "deployment", ROLES, key)}


def _row(read: Parser, deployment: str, row: Any) -> Row:
    if isinstance(row, Unknown):
        return row
    where = place(deployment)
    if read.is_secret(row):
        return read.refuse(where, "must be a map {token: role}, not the secret value of a token.", is_secret=True)
    if not isinstance(row, Mapping):
        return read.refuse(where, f"must be a map {{token: role}}, not {row!r}.")
    return {
        token: read.text(place(deployment, token), "" if role is None else role, A_ROLE, trimmed=True) or UNKNOWN
        for token, role in row.items()
        if _is_key(read, "token", where, token)
    }


def _is_key(read: Parser, what: str, where: str, key: str) -> bool:
    if read.is_secret(key):
        read.refuse(where, f"a key {no_secret(f'the name or the id of the {what}')}", is_secret=True)
    elif reason := f"is blank: write the name or the id of the {what}." if not key.strip() else hidden_key(key, what):
        read.refuse(f"{where}{place(key)[len(ROLES) :]}", reason)
    else:
        return True
    return False


def _stored_roles(
    properties: Mapping[str, Any],
) -> tuple[Mapping[str, Row] | Literal[Unknown.UNKNOWN], frozenset[Entry]]:
    """Return the roles, and the entries that a run has left; version 0.1.0 marked those by a role of their own."""
    value = properties.get(ROLES)
    unfinished = {
        Entry(deployment, token)
        for deployment, row in _mapping(properties.get(UNFINISHED)).items()
        for token in (row if isinstance(row, list | tuple) else ())
    }
    if isinstance(value, Unknown):
        return value, frozenset(unfinished)
    roles: dict[str, Row] = {}
    for key, row in _mapping(value).items():
        texts = row if isinstance(row, Unknown) else dict(_texts(_mapping(row)))
        if not isinstance(texts, Unknown):
            marked = [token for token, role in texts.items() if role == UNFINISHED_ROLE]
            unfinished |= {Entry(key, token) for token in marked}
            texts = {token: role for token, role in texts.items() if token not in marked}
        roles[key] = texts
    return roles, frozenset(unfinished)


def _texts(row: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    for key, value in row.items():
        if isinstance(value, str | Unknown):
            yield key, value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: Any) -> dict[str, str]:
    return {key: name for key, name in _mapping(value).items() if isinstance(name, str)}


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

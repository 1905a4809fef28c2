"""What a table is asked to be and what the state has of it, as typed values instead of property bags.

`roles` is `{deployment: {token: role}}`, and each key is an id or a name. An entry is one role in it, and its place, as in
`roles["etl-production"]["ci-deployer"]`, is how every message speaks of it. A problem of an entry is never put on the
property `roles` itself, because the engine would print the whole map beside it.

The names of the properties stand in users' programs and state, so changing one is a breaking change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr

from astro_provider.astro.identity import BindingId, holds_secret, is_identifier, no_secret
from astro_provider.errors import InputError, InvalidInputs
from astro_provider.lifecycle.values import UNKNOWN, Text, Unknown, known

Flag = bool | Literal[Unknown.UNKNOWN]
Row = Mapping[str, Text] | Literal[Unknown.UNKNOWN]
Names = Mapping[str, str]
Roles = Mapping[str, Mapping[str, str]]

ROLES = "roles"


class Entry(NamedTuple):
    """The keys of one role in a table, as the program spells them."""

    deployment: str
    token: str

    @property
    def place(self) -> str:
        """How a message speaks of the entry."""
        return place(self.deployment, self.token)


def place(*keys: str) -> str:
    """How a message speaks of a deployment of a table, or of a token in it."""
    return ROLES + "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in keys)


@dataclass(frozen=True)
class Table:
    """A table, as the program asks for it or as the state has it.

    Attributes:
        roles: the roles by deployment and token; UNKNOWN as a whole, by deployment or by token, in previews only.
        exclusive: whether nobody else may have a role in the deployments.
        workspace_id: the workspace that each deployment must belong to.
        organization_id: the organization.
        overwrite: whether a create may take over what is there with another role.
        deployment_ids: the ids of the deployments that are given by name.
        token_ids: the ids of the tokens that are given by name.
        removes: what this run takes from whoever is not in the table.
    """

    roles: Mapping[str, Row] | Literal[Unknown.UNKNOWN] = field(default_factory=dict)
    exclusive: Flag = False
    workspace_id: Text | None = None
    organization_id: Text | None = None
    overwrite: Flag = False
    deployment_ids: Names = field(default_factory=dict)
    token_ids: Names = field(default_factory=dict)
    removes: Roles = field(default_factory=dict)

    @classmethod
    def stored(cls, properties: Mapping[str, Any]) -> Table:
        """Read a property bag of the state or of a check, without judgement."""
        return cls(
            roles=_stored_roles(properties.get(ROLES)),
            exclusive=_flag(properties.get("exclusive")),
            workspace_id=_text(properties.get("workspace_id")),
            organization_id=_text(properties.get("organization_id")),
            overwrite=_flag(properties.get("overwrite")),
            deployment_ids=_names(properties.get("deployment_ids")),
            token_ids=_names(properties.get("token_ids")),
            removes={key: _names(row) for key, row in _mapping(properties.get("removes")).items()},
        )

    def properties(self) -> dict[str, Any]:
        """The property bag: what is given, nothing that is not; `removes` only for an exclusive table."""
        found = {field_.name: getattr(self, field_.name) for field_ in fields(self)}
        left_out = {"removes"} if self.exclusive is False else set()
        return {name: value for name, value in found.items() if value is not None and name not in left_out}

    @property
    def rows(self) -> Mapping[str, Row]:
        """The roles by deployment, as far as they are known."""
        return {} if isinstance(self.roles, Unknown) else self.roles

    @cached_property
    def entries(self) -> dict[Entry, Text]:
        """The roles by entry; those of a deployment whose tokens are unknown are left out."""
        return {
            Entry(deployment, token): role
            for deployment, row in self.rows.items()
            if not isinstance(row, Unknown)
            for token, role in row.items()
        }

    @property
    def is_known(self) -> bool:
        """Whether no role and no token is unknown."""
        return not isinstance(self.roles, Unknown) and not any(
            isinstance(row, Unknown) or any(isinstance(role, Unknown) for role in row.values())
            for row in self.rows.values()
        )

    def deployment_id(self, key: str) -> str:
        """The id of a deployment of the table: beside its name, or the key itself."""
        return self.deployment_ids.get(key, key)

    def token_id(self, key: str) -> str:
        """The id of a token of the table: beside its name, or the key itself."""
        return self.token_ids.get(key, key)

    def binding(self, entry: Entry) -> BindingId | None:
        """The id of an entry, or None while the organization is unknown."""
        if not known(self.organization_id):
            return None
        return BindingId(self.organization_id, self.deployment_id(entry.deployment), self.token_id(entry.token))

    @cached_property
    def bindings(self) -> dict[BindingId, Entry]:
        """The entries by their ids."""
        found = ((self.binding(entry), entry) for entry in self.entries)
        return {binding: entry for binding, entry in found if binding is not None}


def parse_table(properties: Mapping[str, Any], *, credential: SecretStr | None = None) -> Table:
    """Read a property bag of a program, or what `check` made of it.

    Args:
        properties: the bag.
        credential: what must not stand in it, nor in a message about it.

    Raises:
        InvalidInputs: one or more values are missing or malformed; each problem tells its place.
    """
    table, problems = read_table(properties, credential=credential)
    if problems:
        raise InvalidInputs(problems)
    return table


def read_table(properties: Mapping[str, Any], *, credential: SecretStr | None = None) -> tuple[Table, list[InputError]]:
    """As `parse_table`, but what is missing or malformed is UNKNOWN, so that the rest can be examined all the same.

    Returns:
        The table without keys that are malformed, and a problem for each malformed value, with its place.
    """
    parser = _Parser(credential)
    table = replace(
        Table.stored(properties),
        roles=parser.roles(properties.get(ROLES)),
        exclusive=parser.flag("exclusive", properties),
        workspace_id=parser.identifier("workspace_id", "the id of the workspace of all deployments", properties),
        organization_id=parser.identifier("organization_id", "the id of the organization", properties),
        overwrite=parser.flag("overwrite", properties),
    )
    return table, parser.problems


class _Parser:
    """Takes values apart and collects what is wrong with them."""

    def __init__(self, credential: SecretStr | None) -> None:
        self.problems: list[InputError] = []
        self._credential = credential

    def flag(self, name: str, properties: Mapping[str, Any]) -> Flag:
        value = properties.get(name)
        if value is not None and not isinstance(value, bool | Unknown):
            self._tell(name, f"must be true or false, not {value!r}.")
            return UNKNOWN
        return _flag(value)

    def identifier(self, name: str, what: str, properties: Mapping[str, Any]) -> Text | None:
        value = properties.get(name)
        if value is None or isinstance(value, Unknown):
            return value
        if isinstance(value, str) and holds_secret(value, self._credential):
            self._tell_of_secret(name, no_secret(what))
        elif not isinstance(value, str) or not is_identifier(value):
            self._tell(name, f"{value!r} is no id: write {what}, without slashes and blanks.")
        else:
            return value
        return UNKNOWN

    def roles(self, value: Any) -> Mapping[str, Row] | Literal[Unknown.UNKNOWN]:
        if isinstance(value, Unknown):
            return UNKNOWN
        if not isinstance(value, Mapping) or not value:
            what = "is empty" if isinstance(value, Mapping) else "is missing" if value is None else "must be a map"
            self._tell(ROLES, f"{what}: write {{deployment: {{token: role}}}}, with at least one deployment.")
            return UNKNOWN
        return {
            deployment: self._row(deployment, row)
            for deployment, row in value.items()
            if self._is_key("deployment", ROLES, deployment)
        }

    def _row(self, deployment: str, row: Any) -> Row:
        if isinstance(row, Unknown):
            return UNKNOWN
        where = place(deployment)
        if not isinstance(row, Mapping):
            if self._is_secret(row):
                self._tell_of_secret(where, "must be a map {token: role}, not the secret value of a token.")
            else:
                self._tell(where, f"must be a map {{token: role}}, not {row!r}.")
            return UNKNOWN
        return {
            token: self._role(Entry(deployment, token), role)
            for token, role in row.items()
            if self._is_key("token", where, token)
        }

    def _role(self, entry: Entry, role: Any) -> Text:
        if isinstance(role, Unknown):
            return UNKNOWN
        what = "DEPLOYMENT_ADMIN, or the name of another deployment role"
        if self._is_secret(role):
            self._tell_of_secret(entry.place, no_secret(what))
        elif not isinstance(role, str):
            self._tell(entry.place, f"must be text ({what}), not {role!r}.")
        elif not role.strip():
            self._tell(entry.place, f"is blank: write {what}.")
        elif role != role.strip():
            self._tell(entry.place, f"{role!r} has blanks around it: write {role.strip()!r}.")
        else:
            return role
        return UNKNOWN

    def _is_key(self, what: str, where: str, key: str) -> bool:
        if self._is_secret(key):
            self._tell_of_secret(where, f"a key {no_secret(f'the name or the id of the {what}')}")
        elif not key.strip():
            self._tell(
                place(key) if where == ROLES else f"{where}{place(key)[len(ROLES) :]}", "is blank: " + _key(what)
            )
        else:
            return True
        return False

    def _is_secret(self, value: Any) -> bool:
        return isinstance(value, str) and holds_secret(value, self._credential)

    def _tell(self, where: str, reason: str) -> None:
        self.problems.append(InputError(where, reason))

    def _tell_of_secret(self, where: str, reason: str) -> None:
        """On no property, because the engine would print what stands there, keys and all."""
        self.problems.append(InputError(where, reason, is_secret=True))


def _key(what: str) -> str:
    return f"write the name or the id of the {what}."


def _stored_roles(value: Any) -> Mapping[str, Row] | Literal[Unknown.UNKNOWN]:
    if isinstance(value, Unknown):
        return value
    return {
        key: row if isinstance(row, Unknown) else dict(_texts(_mapping(row))) for key, row in _mapping(value).items()
    }


def _texts(row: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    for key, value in row.items():
        if isinstance(value, str | Unknown):
            yield key, value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: Any) -> dict[str, str]:
    return {key: name for key, name in _mapping(value).items() if isinstance(name, str)}


def _flag(value: Any) -> Flag:
    return value if isinstance(value, bool | Unknown) else False


def _text(value: Any) -> Text | None:
    return value if isinstance(value, str | Unknown) else None

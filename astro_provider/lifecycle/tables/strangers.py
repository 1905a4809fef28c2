"""Strangers: tokens that have a role in an exclusive table's deployments and are not in the table; a run takes it.

Only organization tokens count: tokens of a workspace or a deployment are left alone.

`removes` is an input that `check` fills in, so the engine stores it, and prints how it differs from what the next `check`
says. A row that the last run has taken must then not read like another removal, so it says that it is taken; and a stranger
who is back must differ from the stored row, or the engine would take the two for the same. A refresh empties `removes`.

    row of the state   the stranger is there   row of the next check   is a change
    -----------------  ----------------------  ----------------------  -----------
    none               no                      none                    no
    none               with role R             R                       yes
    R                  no                      already removed         no
    R                  with role R             R (again)               yes
    any other          with role R             R                       yes
    already removed    no                      already removed         no
    any                perhaps                 unknown                 yes

A preview that cannot know yet whether a token is a stranger has the row with an unknown role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from astro_provider.astro.api import Deployment
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.assignments import assigned_tokens
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.rows import DeploymentOrgToken
from astro_provider.lifecycle.findings import Finding, Weight
from astro_provider.lifecycle.resolving import Examined
from astro_provider.lifecycle.tables.values import Removes, Table
from astro_provider.lifecycle.values import UNKNOWN, Entry, Text, Unknown, known
from astro_provider.messages.words import in_words, sentence
from astro_provider.names import AGAIN, ALREADY_REMOVED, removed_role


@dataclass(frozen=True)
class Stranger:
    """A role of a token that is not in the table, and where it stands in `removes` and `strangers`."""

    binding: BindingId
    entry: Entry
    role: str
    token_in_words: str = ""
    deployment_in_words: str = ""
    perhaps: str = ""  # why it is not known whether the token is in the table; empty: it is not
    unless: str = ""  # what would make the token one of the table

    @property
    def in_words(self) -> str:
        """Return the words of a message for it: names, then ids."""
        return f"{self.token_in_words} in {self.deployment_in_words}"

    @property
    def note(self) -> str:
        """Return the note of a preview about it."""
        loses = f"lose the role {self.role} in {self.deployment_in_words}"
        if self.perhaps:
            return f"{sentence(self.token_in_words)} may {loses}: {self.perhaps}."
        return f"{sentence(self.token_in_words)} will {loses}, because it is not in this table{self.unless}."


def strangers_of(reader: Reader, examined: Examined, table: Table) -> list[Stranger]:
    """Find the tokens outside a table that the program declares, each with what is not known yet about it.

    Raises:
        RolesUnknown: the service left a token's roles out.
    """
    deployments = {key: found.thing for key, found in examined.deployments.items() if found.thing is not None}
    found = _find(reader, deployments, examined.bindings.keys())
    if isinstance(table.exclusive, Unknown):
        return [replace(one, perhaps="it is not known yet whether this table is exclusive") for one in found]
    names: defaultdict[str, list[str]] = defaultdict(list)
    for entry in examined.roles:
        if examined.tokens[entry.token].id is None:
            names[entry.deployment].append(repr(entry.token))
    return [
        replace(one, perhaps="the tokens of this table there are not known yet")
        if isinstance(table.rows[key := one.entry.deployment], Unknown)
        else replace(one, unless=f", unless this run gives it the name {' or '.join(names[key])}")
        if key in names
        else one
        for one in found
    ]


def strangers_of_state(reader: Reader, table: Table) -> list[Stranger]:
    """Find the tokens outside a table that the state has; errors as above."""
    listed = reader.deployments()
    deployments = {key: listed[id_] for key in table.rows if (id_ := table.deployment_id(key)) in listed}
    return _find(reader, deployments, table.bindings.keys())


def _find(reader: Reader, deployments: Mapping[str, Deployment], ours: Collection[BindingId]) -> list[Stranger]:
    """Find the tokens outside a table in these deployments, which are by the table's keys for them."""
    by_id = {deployment.id: key for key, deployment in deployments.items()}
    found = []
    for row in assigned_tokens(reader, list(deployments.values())):
        binding = BindingId(reader.organization_id, row.deployment_id, row.id)
        if binding not in ours:
            entry = Entry(by_id[row.deployment_id], _called(reader, row))
            token = in_words("token", row.name, row.id)
            deployment = in_words("deployment", row.deployment_name, row.deployment_id)
            found.append(Stranger(binding, entry, row.deployment_role, token, deployment))
    return found


def unnamed(table: Table, deployments: Sequence[str]) -> Iterable[Finding]:
    """Yield that a preview cannot name all tokens that an exclusive table takes roles from."""
    if table.exclusive is not False and deployments:
        whether = "is exclusive" if table.exclusive is True else "may be exclusive"
        text = (
            f"This table {whether}, and {', '.join(deployments)} cannot be named yet: the update takes the roles of all "
            "organization tokens there that are not in the table, and its own check names them."
        )
        yield Finding(Weight.NOTE, "exclusive", text)


def as_roles(strangers: Collection[Stranger]) -> dict[str, dict[str, str]]:
    """Return the strangers as `{deployment: {token: role}}`."""
    found: dict[str, dict[str, str]] = {}
    for one in strangers:
        found.setdefault(one.entry.deployment, {})[one.entry.token] = one.role
    return found


def removes(strangers: Collection[Stranger], stored: Removes) -> Removes:
    """Return what the run takes, and the rows that earlier runs took; the module's docstring has a table of them."""
    found: dict[str, dict[str, Text]] = {key: dict.fromkeys(row, ALREADY_REMOVED) for key, row in stored.items()}
    for one in strangers:
        deployment, token = one.entry
        role = removed_role(one.role)
        is_again = stored.get(deployment, {}).get(token) == role
        found.setdefault(deployment, {})[token] = UNKNOWN if one.perhaps else role + AGAIN if is_again else role
    return found


def to_take(removes_: Removes) -> frozenset[tuple[Entry, str]]:
    """Return the rows of `removes` that are yet to be taken, or if they are stored, that the last run took."""
    return frozenset(
        (Entry(deployment, token), role)
        for deployment, row in removes_.items()
        for token, role in row.items()
        if known(role) and role != ALREADY_REMOVED
    )


def _called(reader: Reader, row: DeploymentOrgToken) -> str:
    """Return the name of the token, or its id if another token has that name."""
    tokens = reader.tokens()
    alone = len(tokens.by_name.get(row.name, [])) == 1 and row.name not in tokens.by_id
    return row.name if alone and row.name.strip() else row.id

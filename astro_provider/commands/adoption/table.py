"""The adopted assignments as one table: the program that declares it, and its state for `pulumi import --file`.

A key is the name of a deployment or a token, because people review names; the id if several have the name.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from astro_provider.astro.api import Deployment
from astro_provider.astro.identity import holds_secret
from astro_provider.commands.adoption.find import Adoption
from astro_provider.commands.adoption.import_file import TABLE, entry, text_of
from astro_provider.commands.adoption.program import literal, marks_of
from astro_provider.commands.adoption.project import Door
from astro_provider.lifecycle.tables.values import Table

NAME = "access"  # of the resource, if no module gives it another one

_OPENING = '''\
"""The roles of organization API tokens in Astro deployments.

`astro-provider adopt` wrote this from what it found. It is yours now: change it as you like.
"""

from {module} import DeploymentOrgTokenBindings
'''


@dataclass(frozen=True)
class AdoptedTable:
    """Assignments as one table.

    Attributes:
        name: the resource's name.
        adoptions: its entries, by deployment and token.
        organization_id: the organization.
        exclusive: no other organization token may have a role in its deployments.
        empty: deployments in which no organization token has a role, each with true if its name is unique; an exclusive
            table has an empty row for each.
        ids: all ids of the organization's deployments and tokens; a name that is spelled like one is no key.
        door: the door through which the program declares it.
    """

    name: str
    adoptions: Sequence[Adoption]
    organization_id: str
    exclusive: bool
    empty: Sequence[tuple[Deployment, bool]]
    ids: Collection[str]
    door: Door = Door.DYNAMIC

    def program(self, organization_id: str | None) -> str:
        """Return the program's text.

        Args:
            organization_id: the organization, if the program has to name it, because no setting does.
        """
        return "\n".join([_OPENING.format(module=self.door.value), *self._declaration(organization_id)]) + "\n"

    def _declaration(self, organization_id: str | None) -> Iterator[str]:
        names: dict[str, str] = {}
        comments: dict[str, str] = {}
        for one in self.adoptions:
            names[self._deployment(one)] = one.deployment.name
            if self._token(one) == one.token.id:
                comments[one.token.id] = ", ".join(
                    part for part in (literal(one.token.name), marks_of(one.token)) if part
                )
        yield "# The role of each token in each deployment, both by name; by id if several have the name."
        yield "ROLES = {"
        for deployment, row in self._roles().items():
            comment = f"  # {literal(names[deployment])}" if names.get(deployment, deployment) != deployment else ""
            if not row:
                yield f"    {literal(deployment)}: {{}},{comment}"
                continue
            yield f"    {literal(deployment)}: {{{comment}"
            for token, role in row.items():
                why = f"  # {comments[token]}" if token in comments else ""
                yield f"        {literal(token)}: {literal(role)},{why}"
            yield "    },"
        yield "}"
        yield ""
        yield "DeploymentOrgTokenBindings("
        yield f"    {literal(self.name)},"
        if organization_id:
            yield f"    organization_id={literal(organization_id)},"
        yield "    roles=ROLES,"
        if self.exclusive:
            yield "    # No other token keeps a role in these deployments; a preview names each one that loses a role."
            yield "    exclusive=True,"
        yield ")"

    def import_file(self) -> str:
        """Return the text of the import file: the state that a refresh would leave."""
        table = Table(
            roles=self._roles(),
            exclusive=self.exclusive,
            organization_id=self.organization_id,
            deployment_ids=_ids_of_names(
                [
                    *((self._deployment(one), one.deployment.id) for one in self.adoptions),
                    *((key, deployment.id) for key, deployment in self._empty().items()),
                ]
            ),
            token_ids=_ids_of_names((self._token(one), one.token.id) for one in self.adoptions),
        )
        return text_of(
            [
                entry(
                    TABLE,
                    self.door,
                    name=self.name,
                    identifier=f"{self.organization_id}/{uuid.uuid4().hex}",
                    inputs=table.properties(),
                    outs=table.outputs(),
                )
            ]
        )

    def _roles(self) -> dict[str, dict[str, str]]:
        roles: dict[str, dict[str, str]] = {}
        for one in self.adoptions:
            roles.setdefault(self._deployment(one), {})[self._token(one)] = one.role
        return roles | {key: {} for key in self._empty()}

    def _empty(self) -> dict[str, Deployment]:
        if not self.exclusive:
            return {}
        return {self._key(one.name, one.id, is_alone=is_alone): one for one, is_alone in self.empty}

    def _deployment(self, one: Adoption) -> str:
        return self._key(one.deployment.name, one.deployment.id, is_alone=one.deployment_by_name)

    def _token(self, one: Adoption) -> str:
        return self._key(one.token.name, one.token.id, is_alone=one.token_by_name)

    def _key(self, name: str, identifier: str, *, is_alone: bool) -> str:
        is_key = is_alone and name.strip() and name not in self.ids and not holds_secret(name)
        return name if is_key else identifier


def _ids_of_names(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {key: identifier for key, identifier in pairs if key != identifier}

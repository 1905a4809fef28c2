"""The adopted assignments as one table: the program that declares it, and its state for `pulumi import --file`.

A key is the name of a deployment or a token, because people review names; the id if several have the name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.identity import holds_secret
from astro_provider.commands.adoption.find import Found
from astro_provider.commands.adoption.import_file import text_of
from astro_provider.commands.adoption.program import CLASS_OF_TABLES, literal, marks_of, written
from astro_provider.commands.adoption.project import Door
from astro_provider.lifecycle.tables.values import Table
from astro_provider.provider import DeploymentOrgTokenBindingsProvider

NAME = "access"  # of the resource, if no module gives it another one


def table(  # noqa: PLR0913  what the two texts say
    name: str, found: Found, organization_id: str, *, exclusive: bool, door: Door, elsewhere: str | None
) -> tuple[str, str]:
    """Return the texts of the program and of the import file: the state that a refresh would leave.

    Args:
        name: the resource's name.
        found: the assignments.
        organization_id: the organization.
        exclusive: the table has an empty row for each deployment in which no organization token has a role.
        door: the door through which the program declares it.
        elsewhere: the organization, if the program has to name it, because no setting does.
    """

    def key(thing: Deployment | ApiToken, *, is_alone: bool) -> str:
        # A name that is spelled like an id is no key.
        is_key = is_alone and thing.name.strip() and thing.name not in found.ids and not holds_secret(thing.name)
        return thing.name if is_key else thing.id

    roles: dict[str, dict[str, str]] = {}
    deployment_ids, token_ids = {}, {}
    for one in found.adoptions:
        deployment = key(one.deployment, is_alone=one.deployment_by_name)
        token = key(one.token, is_alone=one.token_by_name)
        roles.setdefault(deployment, {})[token] = one.role
        deployment_ids[deployment], token_ids[token] = one.deployment.id, one.token.id
    for empty, is_alone in found.empty if exclusive else ():
        deployment = key(empty, is_alone=is_alone)
        roles[deployment], deployment_ids[deployment] = {}, empty.id
    state = Table(
        roles=roles,
        exclusive=exclusive,
        organization_id=organization_id,
        deployment_ids=_of_names(deployment_ids),
        token_ids=_of_names(token_ids),
    )
    identifier = f"{organization_id}/{uuid.uuid4().hex}"
    resources = [(name, identifier, state.properties(), state.outputs())]
    declaration = written(
        "table.jinja",
        module=door.value,
        name=CLASS_OF_TABLES,
        resource=name,
        organization_id=elsewhere,
        roles=roles,
        exclusive=exclusive,
        names=_names(found),
    )
    return declaration, text_of(DeploymentOrgTokenBindingsProvider, door, resources)


def _of_names(ids: Mapping[str, str]) -> dict[str, str]:
    return {key: identifier for key, identifier in ids.items() if key != identifier}


def _names(found: Found) -> dict[str, str]:
    """Return the name of each deployment, and the name and the marks of each token, by their ids."""
    names = {one.deployment.id: literal(one.deployment.name) for one in found.adoptions}
    for one in found.adoptions:
        names[one.token.id] = ", ".join(filter(None, (literal(one.token.name), marks_of(one.token))))
    return names

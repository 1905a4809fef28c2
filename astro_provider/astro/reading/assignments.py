"""The assignments of deployments: tokens, each with the role that it holds there.

They are what `astro deployment token organization-token list` prints, for one deployment or for many, in as few calls as
possible: one list for each deployment, or one read for each token, whichever is fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.reading.choosing import deployment_meant, token_facts
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION, held_roles, require_roles, role_shown
from astro_provider.astro.rows import DeploymentOrgToken
from astro_provider.errors import NotFound

BUILT_IN = frozenset(("DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"))  # roles of deployments that every organization has
FEWEST_TO_COUNT_TOKENS = 2  # to count the tokens costs a call, so it saves none if there are no more deployments


def assigned_tokens(
    reader: Reader,
    deployments: Sequence[Deployment],
    *,
    include_other_scopes: bool = False,
    tokens: Sequence[ApiToken] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[DeploymentOrgToken]:
    """Return the roles that tokens hold in the deployments, by deployment as given, then by token name and id.

    With `include_other_scopes`, also those of a workspace's or a deployment's tokens. `tokens` are all that may be
    assigned, if the caller has read them; otherwise they are listed. `progress` is called after each call with the
    number of those done, and of all.

    Raises:
        RolesUnknown: the service left a token's roles out.
    """

    def is_wanted(token: ApiToken) -> bool:
        return include_other_scopes or token.scope == ORGANIZATION

    calls = [partial(_of_deployment, reader, one, is_wanted) for one in deployments]
    if len(deployments) > FEWEST_TO_COUNT_TOKENS:
        wanted = list(filter(is_wanted, reader.tokens().listed if tokens is None else tokens))
        if len(wanted) < len(deployments):
            calls = [partial(_of_token, reader, one, deployments) for one in wanted]
    found: list[DeploymentOrgToken] = []
    for done, rows in enumerate(in_parallel(calls), start=1):
        progress(done, len(calls))
        found += rows
    order = {deployment.id: number for number, deployment in enumerate(deployments)}
    return sorted(found, key=lambda row: (order[row.deployment_id], row.name, row.id))


def tokens_in(
    reader: Reader,
    *,
    deployment_id: str | None = None,
    deployment_name: str | None = None,
    workspace_id: str | None = None,
    include_other_scopes: bool = False,
) -> list[DeploymentOrgToken]:
    """Return the tokens that hold a role in a deployment, given as for `deployment_meant`, by name, as it is now.

    Roles are read anew, because the program itself may have changed them. With `include_other_scopes`, also tokens of a
    workspace or of a deployment.

    Raises:
        InputError: neither id nor name is given, no deployment or several fit, or it belongs to another workspace.
        RolesUnknown: the service left a token's roles out.
    """
    deployment = deployment_meant(
        reader, deployment_id=deployment_id, deployment_name=deployment_name, workspace_id=workspace_id
    )
    return assigned_tokens(reader.anew(), [deployment], include_other_scopes=include_other_scopes)


def _of_deployment(
    reader: Reader, deployment: Deployment, is_wanted: Callable[[ApiToken], bool]
) -> list[DeploymentOrgToken]:
    rows = []
    for token in filter(is_wanted, reader.tokens_of_deployment(deployment.id).values()):
        role = role_shown(token, deployment.id)
        if role is not None:
            rows.append(_row(reader, token, deployment, role))
        else:  # a list may leave roles out, so only the token itself shows that it has none
            rows += _of_token(reader, token, [deployment])
    return rows


def _of_token(reader: Reader, listed: ApiToken, deployments: Sequence[Deployment]) -> list[DeploymentOrgToken]:
    try:
        token = reader.whole_token(listed.id)
    except NotFound:
        return []  # deleted since the list was read
    held = held_roles(require_roles(token))
    return [_row(reader, token, one, held[one.id]) for one in deployments if one.id in held]


def _row(reader: Reader, token: ApiToken, deployment: Deployment, role: str) -> DeploymentOrgToken:
    return DeploymentOrgToken(
        **token_facts(token),
        scope=token.scope or "",
        # Astro writes built-in roles in capitals, whatever a list shows; custom ones it shows as they were written.
        deployment_role=role.upper() if role.upper() in BUILT_IN else role,
        deployment_id=deployment.id,
        deployment_name=deployment.name,
        workspace_id=deployment.workspace_id,
        organization_id=reader.organization_id,
    )

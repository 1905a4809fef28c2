"""What is assigned: the tokens that hold a role in deployments, as people and programs ask for it.

It answers what `astro deployment token organization-token list` answers, for one deployment or for many, in as few
calls as possible: one list for each deployment, or one read for each token, whichever is fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.hints import nearest_names, no_deployment, other_workspace
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION, held_roles, require_roles, role_told
from astro_provider.errors import InputError, NotFound

BUILT_IN = frozenset(("DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"))  # roles of deployments that every organization has
FEWEST_TO_COUNT_TOKENS = 2  # to count the tokens costs a call, so it saves none if there are no more deployments


@dataclass(frozen=True)
class DeploymentOrgToken:
    """A token's role in a deployment.

    Attributes:
        id: the token's id.
        name: the token's name.
        description: the token's description; may be empty.
        scope: ORGANIZATION; WORKSPACE or DEPLOYMENT only if other scopes are asked for.
        deployment_role: the role that it holds in the deployment.
        created_at: when the token was made (RFC 3339).
        created_by: who made it: full name, else token name, else user name, else id; None if nobody says.
        deployment_id: the deployment.
        deployment_name: its name.
        workspace_id: its workspace.
        organization_id: the organization.
        expires_at: when the token ends (RFC 3339); None: never, or the service did not tell.
        last_used_at: when the token was used last (RFC 3339); None: the service did not tell, which does not mean never.
        kind: STANDARD or DIRECT_ACCESS; None: the service did not tell.
    """

    id: str
    name: str
    description: str
    scope: str
    deployment_role: str
    created_at: str | None
    created_by: str | None
    deployment_id: str
    deployment_name: str
    workspace_id: str | None
    organization_id: str
    expires_at: str | None = None
    last_used_at: str | None = None
    kind: str | None = None


def choose_deployments(
    reader: Reader, organization_id: str, *, deployment_ids: Sequence[str] = (), workspace_id: str | None = None
) -> list[Deployment]:
    """Return the deployments that are meant, by name.

    Args:
        reader: the service's facts.
        organization_id: the organization.
        deployment_ids: the deployments; none: all of them.
        workspace_id: a guard, if deployments are given; else all deployments of that workspace.

    Raises:
        InputError: a deployment does not exist, or belongs to another workspace; a workspace has no deployments.
    """
    if not deployment_ids:
        everywhere = reader.deployments(organization_id).values()
        meant = [found for found in everywhere if workspace_id in (None, found.workspace_id)]
        if workspace_id is not None and not meant:
            workspaces = {found.workspace_id for found in everywhere if found.workspace_id}
            raise InputError(
                "workspace_id",
                f"No deployment of organization {organization_id} belongs to workspace "
                f"{workspace_id}{nearest_names(workspace_id, workspaces)}.",
            )
        return sorted(meant, key=lambda found: (found.name, found.id))
    chosen = []
    for deployment_id in dict.fromkeys(deployment_ids):
        found = reader.deployment(organization_id, deployment_id)
        if found is None:
            raise InputError(
                "deployment_id",
                no_deployment(reader.deployments(organization_id).values(), organization_id, deployment_id),
            )
        if workspace_id not in (None, found.workspace_id):
            raise InputError("workspace_id", other_workspace(found, str(workspace_id)))
        chosen.append(found)
    return chosen


def assigned_tokens(  # noqa: PLR0913  every option is a keyword
    reader: Reader,
    organization_id: str,
    deployments: Sequence[Deployment],
    *,
    include_other_scopes: bool = False,
    tokens: Sequence[ApiToken] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[DeploymentOrgToken]:
    """Return the roles that tokens hold in the deployments, by deployment as given, then by token name and id.

    Args:
        reader: the service's facts.
        organization_id: the organization.
        deployments: where to look.
        include_other_scopes: also tokens of a workspace or of a deployment.
        tokens: all tokens that may be assigned, if the caller has read them; else they are listed.
        progress: told how many calls are done, of how many.

    Raises:
        RolesUnknown: the service left a token's roles out.
    """
    wanted = _Wanted(include_other_scopes, tokens)
    found = list(_found(reader, organization_id, deployments, wanted, progress))
    order = {deployment.id: number for number, deployment in enumerate(deployments)}
    return sorted(found, key=lambda row: (order[row.deployment_id], row.name, row.id))


def tokens_in(
    reader: Reader,
    organization_id: str,
    deployment_id: str,
    *,
    workspace_id: str | None = None,
    include_other_scopes: bool = False,
) -> list[DeploymentOrgToken]:
    """Return the tokens that hold a role in a deployment, by name, as it is now.

    Args:
        reader: what is known about deployments. What is assigned is read anew, because the program itself may have
            changed it meanwhile.
        organization_id: the organization.
        deployment_id: the deployment.
        workspace_id: a guard: the deployment must belong to this workspace.
        include_other_scopes: also tokens of a workspace or of a deployment.

    Raises:
        InputError: the deployment does not exist, or belongs to another workspace.
        RolesUnknown: the service left a token's roles out.
    """
    deployments = choose_deployments(reader, organization_id, deployment_ids=[deployment_id], workspace_id=workspace_id)
    return assigned_tokens(reader.anew(), organization_id, deployments, include_other_scopes=include_other_scopes)


@dataclass(frozen=True)
class _Wanted:
    """Which tokens are asked for."""

    include_other_scopes: bool
    known: Sequence[ApiToken] | None

    def __call__(self, token: ApiToken) -> bool:
        return self.include_other_scopes or token.scope == ORGANIZATION

    def all(self, reader: Reader, organization_id: str) -> list[ApiToken]:
        """All of them, wherever they are assigned."""
        listed = reader.tokens(organization_id).listed if self.known is None else self.known
        return [token for token in listed if self(token)]


def _found(
    reader: Reader,
    organization_id: str,
    deployments: Sequence[Deployment],
    wanted: _Wanted,
    progress: Callable[[int, int], None],
) -> Iterator[DeploymentOrgToken]:
    if len(deployments) > FEWEST_TO_COUNT_TOKENS:
        tokens = wanted.all(reader, organization_id)
        if len(tokens) < len(deployments):
            calls = [lambda t=token: _of_token(reader, organization_id, t, deployments) for token in tokens]
            yield from _counted(calls, progress)
            return
    calls = [lambda d=deployment: _of_deployment(reader, organization_id, d, wanted) for deployment in deployments]
    yield from _counted(calls, progress)


def _counted(
    calls: Sequence[Callable[[], list[DeploymentOrgToken]]], progress: Callable[[int, int], None]
) -> Iterator[DeploymentOrgToken]:
    for done, rows in enumerate(in_parallel(calls), start=1):
        progress(done, len(calls))
        yield from rows


def _of_deployment(
    reader: Reader, organization_id: str, deployment: Deployment, is_wanted: Callable[[ApiToken], bool]
) -> list[DeploymentOrgToken]:
    rows = []
    for token in filter(is_wanted, reader.tokens_of_deployment(organization_id, deployment.id).values()):
        role = role_told(token, deployment.id)
        if role is not None:
            rows.append(_row(organization_id, token, deployment, role))
        else:  # a list that does not tell the role is not trusted
            rows += _of_token(reader, organization_id, token, [deployment])
    return rows


def _of_token(
    reader: Reader, organization_id: str, listed: ApiToken, deployments: Sequence[Deployment]
) -> list[DeploymentOrgToken]:
    try:
        token = reader.whole_token(organization_id, listed.id)
    except NotFound:
        return []  # deleted since the list was read
    held = held_roles(require_roles(token))
    return [
        _row(organization_id, token, deployment, held[deployment.id])
        for deployment in deployments
        if deployment.id in held
    ]


def _row(organization_id: str, token: ApiToken, deployment: Deployment, role: str) -> DeploymentOrgToken:
    return DeploymentOrgToken(
        id=token.id,
        name=token.name,
        description=token.description or "",
        scope=token.scope or "",
        deployment_role=as_astro_spells(role),
        created_at=token.created_at,
        created_by=token.created_by.display_name if token.created_by else None,
        deployment_id=deployment.id,
        deployment_name=deployment.name,
        workspace_id=deployment.workspace_id,
        organization_id=organization_id,
        expires_at=_rfc3339(token.end_at),
        last_used_at=_text_or_none((token.model_extra or {}).get("lastUsedAt")),
        kind=token.kind,
    )


def as_astro_spells(role: str) -> str:
    """The role as Astro spells it, as far as that can be told without a call: the built-in ones in capitals.

    Custom roles come from the service as somebody wrote them there.
    """
    return role.upper() if role.upper() in BUILT_IN else role


def _rfc3339(moment: datetime | None) -> str | None:
    """A time without a zone is UTC, like all times of the service."""
    if moment is None:
        return None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None

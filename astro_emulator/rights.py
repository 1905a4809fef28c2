"""The rights of a credential, as the published API names them: each operation asks for one permission.

A credential that is the secret of a token has the permissions of that token's roles at the moment of the call: those of
a role in the organization hold everywhere, those of a role in a workspace hold there and in its deployments, those of a
role in a deployment hold there. A credential of no token has the rights that it was made with: all, to read, or to
write.

Published are the operations' permissions. The permissions of each built-in role are inferred from the roles'
descriptions (`state.py`). A list of workspaces is never refused but cut to those that the credential sees
(astro-cli#1206); for the other lists Astro's behaviour is unknown: 403 here, or cut as well, by a setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from astro_emulator.answers import ApiError
from astro_emulator.identity import parsed
from astro_emulator.state import Record, State

ACCESS = "organization.apiTokens.access"
PERMISSIONS: Mapping[str, str] = {
    "GetOrganization": "organization.get",
    "ListWorkspaces": "organization.workspaces.get",
    "GetWorkspace": "workspace.get",
    "ListDeployments": "organization.deployments.get",
    "GetDeployment": "deployment.get",
    "UpdateDeployment": "deployment.update",
    "DeleteDeployment": "deployment.delete",
    "ListRoles": "organization.customRoles.get",
    "GetCustomRole": "organization.customRoles.get",  # inferred, like the operation itself
    "CreateCustomRole": "organization.customRoles.create",
    "UpdateCustomRole": "organization.customRoles.update",
    "DeleteCustomRole": "organization.customRoles.delete",
    "ListApiTokens": ACCESS,
    "GetApiToken": ACCESS,
    "CreateApiToken": ACCESS,
    "UpdateApiToken": ACCESS,
    "UpdateApiTokenRoles": ACCESS,
    "RotateApiToken": ACCESS,
    "DeleteApiToken": ACCESS,
}
ALWAYS_CUT = "ListWorkspaces"
CUT_ON_REQUEST = ("ListDeployments", "GetDeployment", "GetWorkspace", "ListApiTokens", "GetApiToken")


@dataclass(frozen=True)
class Sight:
    """The sight of a credential: everything, or what its token's roles show it.

    Attributes:
        everywhere: permissions that hold in the whole organization; None: all that there are.
        workspaces: permissions by workspace.
        deployments: permissions by deployment.
        own_token_id: the token that the credential is of.
    """

    everywhere: frozenset[str] | None
    workspaces: Mapping[str, frozenset[str]]
    deployments: Mapping[str, frozenset[str]]
    own_token_id: str

    def may(self, permission: str, *, workspace_id: str | None = None, deployment_id: str | None = None) -> bool:
        """Return whether a permission holds in the organization, or in that workspace or deployment."""
        return (
            self.everywhere is None
            or permission in self.everywhere
            or permission in self.workspaces.get(workspace_id or "", ())
            or permission in self.deployments.get(deployment_id or "", ())
        )

    def sees_workspace(self, workspace: Record) -> bool:
        """Return whether a list of workspaces shows this one."""
        listed = self.may("organization.workspaces.get")
        return listed or self.may("workspace.get", workspace_id=workspace["id"])

    def sees_deployment(self, deployment: Record) -> bool:
        """Return whether a list of deployments shows this one."""
        listed = self.may("organization.deployments.get")
        place = {"workspace_id": deployment["workspaceId"], "deployment_id": deployment["id"]}
        return listed or self.may("deployment.get", **place)

    def sees_token(self, token: Record) -> bool:
        """Return whether a list of tokens shows this one: itself, and tokens of workspaces that it owns (inferred)."""
        if self.may(ACCESS) or token["id"] == self.own_token_id:
            return True
        return token["scope"] == "WORKSPACE" and any(
            held["entityType"] == "WORKSPACE" and self.may("workspace.apiTokens.access", workspace_id=held["entityId"])
            for held in token["roles"]
        )


def sight(state: State, credential: Record) -> Sight:
    """Return what a credential sees now."""
    token = state.tokens.get(credential["api_token_id"])
    if token is None:
        return Sight(None, {}, {}, credential["api_token_id"])
    everywhere: set[str] = set()
    workspaces: dict[str, set[str]] = {}
    deployments: dict[str, set[str]] = {}
    for kind, entity_id, permissions in _granted(state, token):
        if kind == "ORGANIZATION":
            everywhere |= permissions
        else:
            (workspaces if kind == "WORKSPACE" else deployments).setdefault(entity_id, set()).update(permissions)
    return Sight(
        frozenset(everywhere),
        {key: frozenset(found) for key, found in workspaces.items()},
        {key: frozenset(found) for key, found in deployments.items()},
        token["id"],
    )


def require_right(  # noqa: PLR0913 the state, who calls, and what
    state: State, credential: Record, operation: str | None, ids: Mapping[str, str], verb: str, *, lists_are_cut: bool
) -> None:
    """Refuse a call for which a credential lacks the permission.

    Args:
        state: the records.
        credential: a credential's record, as `effective` returns it.
        operation: the operationId; None: no operation of the API.
        ids: the ids of the path, by the names of its parameters.
        verb: the HTTP method.
        lists_are_cut: a list is cut and a single object is not found, instead of a 403.

    Raises:
        ApiError: 403 with the permission, or 404.
    """
    permission = PERMISSIONS.get(operation or "")
    refusal = ApiError(403, f"You do not have the permission {permission or ACCESS}.")
    if not credential["can_read" if verb == "GET" else "can_write"]:
        raise refusal
    if permission is None or operation == ALWAYS_CUT:
        return
    seen = sight(state, credential)
    deployment = state.deployments.get(ids.get("deployment_id", ""))
    workspace_id = deployment["workspaceId"] if deployment else ids.get("workspace_id")
    if seen.may(permission, workspace_id=workspace_id, deployment_id=ids.get("deployment_id")):
        return
    if not (lists_are_cut and operation in CUT_ON_REQUEST):
        raise refusal
    if token := state.tokens.get(ids.get("token_id", "")):
        if not seen.sees_token(token):
            raise state.not_found("API token", token["id"])
    elif deployment is not None and operation == "GetDeployment":
        raise state.not_found("Deployment", deployment["id"])
    elif operation == "GetWorkspace" and ids["workspace_id"] in state.workspaces:
        raise state.not_found("Workspace", ids["workspace_id"])


def may_write(state: State, token: Record) -> bool:
    """Return whether a role that the token holds in its organization has the permission to write roles."""
    return any(kind == "ORGANIZATION" and ACCESS in permissions for kind, _, permissions in _granted(state, token))


def effective(state: State, bearer: str) -> Record | None:
    """Return a copy of a credential's record as it counts now, or None for an unknown one."""
    record = state.credentials.get(bearer)
    if record is None:
        return None
    token = state.tokens.get(record["api_token_id"])
    return {**record, "expired": record["expired"] or (token is not None and _has_ended(token))}


def _granted(state: State, token: Record) -> Iterator[tuple[str, str, frozenset[str]]]:
    for held in token["roles"]:
        kind = held["entityType"]
        if kind in ("ORGANIZATION", "WORKSPACE", "DEPLOYMENT"):
            role = state.role(token["organizationId"], kind, held["role"] or "")
            if role is not None:
                yield kind, held["entityId"], frozenset(role.get("permissions", ()))


def _has_ended(token: Record) -> bool:
    end = parsed(token.get("endAt"))
    return end is not None and end <= datetime.now(UTC)

"""The rows of answers to a program that asks for deployments, tokens and roles, through either door.

They are plain values in a module of their own, because the native door's classes for Python must not load an HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeploymentOrgToken:
    """A token's role in a deployment.

    Attributes:
        id: the token's id, and so are name and description the token's; the description may be empty.
        scope: ORGANIZATION; WORKSPACE or DEPLOYMENT only if other scopes are asked for.
        created_at: when the token was made (RFC 3339).
        created_by: full name, otherwise token name, otherwise user name, otherwise id of the creator; None: not shown.
        expires_at: when the token ends (RFC 3339); None: never, or the service did not show it.
        last_used_at: when the token was used last (RFC 3339); None: the service did not show it, which does not mean never.
        kind: STANDARD or DIRECT_ACCESS; None: the service did not show it.
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


@dataclass(frozen=True)
class OrganizationDeployment:
    """A deployment of the organization, named uniquely in its workspace, which is None if the service did not show it."""

    id: str
    name: str
    workspace_id: str | None
    workspace_name: str | None
    organization_id: str


@dataclass(frozen=True)
class OrganizationToken:
    """An organization API token; several may share a name. Its attributes are described at `DeploymentOrgToken`."""

    id: str
    name: str
    description: str
    organization_id: str
    created_at: str | None = None
    created_by: str | None = None
    expires_at: str | None = None
    last_used_at: str | None = None
    kind: str | None = None

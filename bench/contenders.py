"""The three providers that are compared. Each is started by the engine from its pickled name, as in real life."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from astro_provider import DeploymentOrgTokenBinding

DEPLOYMENT = "DEPLOYMENT"
ROLE = "DEPLOYMENT_ADMIN"


class NoOpProvider(ResourceProvider):
    """The floor: what the engine itself takes."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make nothing."""
        return CreateResult(f"{props['deployment_id']}/{props['org_token_id']}", dict(props))


class NaiveProvider(NoOpProvider):
    """What one writes in an afternoon: read the list, change it, write it back."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Read, add, write."""
        entry = {"entityType": DEPLOYMENT, "entityId": props["deployment_id"], "role": ROLE}
        _replace(props, lambda roles: [*roles, entry])
        return super().create(props)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Read, remove, write."""
        _replace(_props, lambda roles: [entry for entry in roles if entry["entityId"] != _props["deployment_id"]])


def _replace(props: dict[str, Any], change: Any) -> None:
    path = f"{os.environ['ASTRO_API_HOST']}/v1/organizations/{os.environ['ASTRO_ORGANIZATION_ID']}/tokens"
    headers = {"Authorization": f"Bearer {os.environ['ASTRO_API_TOKEN']}"}
    with httpx.Client(headers=headers) as client:
        roles = client.get(f"{path}/{props['org_token_id']}").raise_for_status().json()["roles"]
        answer = client.post(f"{path}/{props['org_token_id']}/roles", json={"roles": change(roles)})
        answer.raise_for_status()


class NoOp(Resource, module="bench", name="NoOp"):
    """A resource that does nothing."""

    provider: type[ResourceProvider] = NoOpProvider

    def __init__(self, name: str, deployment_id: str, org_token_id: str) -> None:
        super().__init__(self.provider(), name, {"deployment_id": deployment_id, "org_token_id": org_token_id})


class Naive(NoOp, module="bench", name="Naive"):
    """A binding without any protection."""

    provider = NaiveProvider


def ours(name: str, deployment_id: str, org_token_id: str) -> pulumi.Resource:
    """A binding of this project."""
    return DeploymentOrgTokenBinding(name, deployment_id=deployment_id, org_token_id=org_token_id, role=ROLE)


CONTENDERS = {"ours": ours, "naive": Naive, "no-op": NoOp}

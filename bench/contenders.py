"""The providers that are compared. Each is started by the engine from its pickled name, as in real life."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, ReadResult, Resource, ResourceProvider

from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings, native
from astro_provider.program.binding import OneBinding

DEPLOYMENT = "DEPLOYMENT"
ROLE = "DEPLOYMENT_ADMIN"

# What our check fills in and what our create adds, of the usual lengths: the engine's time grows with what it carries.
FILLED_IN = {"organization_id": "clk2v5d8n000108mk4g7bz1qf", "org_token_name": "token-0", "overwrite": False}
FACTS = {
    "description": "",
    "scope": "ORGANIZATION",
    "created_at": "2026-11-24T00:00:00.000Z",
    "created_by": "Ada Lovelace",
}


class BareProvider(ResourceProvider):
    """Does nothing for a resource of two properties."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make nothing."""
        return CreateResult(f"{props['deployment_id']}/{props['org_token_id']}", dict(props))


class NoOpProvider(BareProvider):
    """Does nothing for a resource that holds what a binding holds: what the engine itself takes."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Fill in what ours finds."""
        return CheckResult({**FILLED_IN, **news}, [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make nothing, and tell as much as ours."""
        return super().create({**props, **FACTS})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Find everything as it was; the inputs must be told too, or no drift would show."""
        return ReadResult(id_, props, {name: value for name, value in props.items() if name not in FACTS})


class NaiveProvider(BareProvider):
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
    import httpx  # noqa: PLC0415  the providers that do nothing must not wait for it

    path = f"{os.environ['ASTRO_API_HOST']}/v1/organizations/{os.environ['ASTRO_ORGANIZATION_ID']}/tokens"
    headers = {"Authorization": f"Bearer {os.environ['ASTRO_API_TOKEN']}"}
    with httpx.Client(headers=headers) as client:
        roles = client.get(f"{path}/{props['org_token_id']}").raise_for_status().json()["roles"]
        answer = client.post(f"{path}/{props['org_token_id']}/roles", json={"roles": change(roles)})
        answer.raise_for_status()


class Bare(Resource, module="bench", name="Bare"):
    """A resource of two properties that does nothing."""

    provider: type[ResourceProvider] = BareProvider

    def __init__(self, name: str, deployment_id: str, org_token_id: str, **more: Any) -> None:
        properties = {**more, "deployment_id": deployment_id, "org_token_id": org_token_id}
        super().__init__(self.provider(), name, properties)


class Naive(Bare, module="bench", name="Naive"):
    """A binding without any protection."""

    provider = NaiveProvider


class NoOp(Bare, module="bench", name="NoOp"):
    """A resource with the properties of a binding that does nothing."""

    provider = NoOpProvider

    def __init__(self, name: str, deployment_id: str, org_token_id: str) -> None:
        outputs: dict[str, Any] = dict.fromkeys(OneBinding.__annotations__)
        inputs = {"deployment_id": deployment_id, "org_token_id": org_token_id, "role": ROLE}
        super().__init__(name, **{**outputs, **inputs})


def ours(name: str, deployment_id: str, org_token_id: str) -> pulumi.Resource:
    """A binding of this project."""
    return DeploymentOrgTokenBinding(name, deployment_id=deployment_id, org_token_id=org_token_id, role=ROLE)


def through_native_door(name: str, deployment_id: str, org_token_id: str) -> pulumi.Resource:
    """A binding of this project, by its native provider."""
    return native.DeploymentOrgTokenBinding(name, deployment_id=deployment_id, org_token_id=org_token_id, role=ROLE)


def table(deployment_ids: Sequence[str], org_token_ids: Sequence[str]) -> pulumi.Resource:
    """Each token bound to each deployment, as one resource of this project."""
    row = dict.fromkeys(org_token_ids, ROLE)
    return DeploymentOrgTokenBindings("access", roles=dict.fromkeys(deployment_ids, row))


TABLE = "table"
CONTENDERS = {"ours": ours, "native": through_native_door, "naive": Naive, "no-op": NoOp, "bare no-op": Bare}

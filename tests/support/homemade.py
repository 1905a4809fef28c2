"""What teams have before they move here: a dynamic resource of their own that calls the API, as one would write it."""

from __future__ import annotations

import os
from typing import Any

import httpx
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class HomeMadeProvider(ResourceProvider):
    """Adds, changes and removes a role with three calls, and with as little care as such scripts take."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what was asked."""
        changed = [name for name in ("token", "deployment", "role") if _olds.get(name) != _news.get(name)]
        return DiffResult(bool(changed), replaces=[name for name in changed if name != "role"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Give the role."""
        _write(props, props["role"])
        return CreateResult(f"{props['deployment']}:{props['token']}", props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Change the role."""
        _write(_news, _news["role"])
        return UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take the role away."""
        _write(_props, None)


class HomeMade(Resource):
    """A grant without a type of its own, so `pulumi-python:dynamic:Resource`."""

    def __init__(self, name: str, *, token: str, deployment: str, role: str, **options: Any) -> None:
        super().__init__(HomeMadeProvider(), name, {"token": token, "deployment": deployment, "role": role}, **options)


def _write(props: dict[str, Any], role: str | None) -> None:
    organization = os.environ["ASTRO_ORGANIZATION_ID"]
    token = f"{os.environ['ASTRO_API_HOST']}/v1/organizations/{organization}/tokens/{props['token']}"
    headers = {"Authorization": f"Bearer {os.environ['ASTRO_API_TOKEN']}"}
    roles = httpx.get(token, headers=headers).raise_for_status().json()["roles"]
    kept = [one for one in roles if one["entityId"] != props["deployment"]]
    given = [{"entityType": "DEPLOYMENT", "entityId": props["deployment"], "role": role}] if role else []
    httpx.post(f"{token}/roles", headers=headers, json={"roles": kept + given}).raise_for_status()

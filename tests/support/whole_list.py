"""A stand-in for a provider whose one resource owns a token with its whole role list, as `pulumi-astronomer` does.

Its calls are those of that provider's code: an update writes the role list of its plan, whatever the update is about, and
then name and description; a read takes the roles of Astro into the state.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

ASKED = ("token_name", "description", "roles", "generation")


class WholeListProvider(ResourceProvider):
    """Makes, reads, changes and deletes a token."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what is asked; another generation is another token, because nothing there rotates one."""
        changed = [name for name in ASKED if _olds.get(name) != _news.get(name)]
        return DiffResult(bool(changed), replaces=[name for name in changed if name == "generation"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the token, then write its roles."""
        made = {"name": props["token_name"], "role": props["roles"][0]["role"], "scope": "ORGANIZATION"}
        identifier = _call("POST", "tokens", {**made, "description": props["description"]})["id"]
        _call("POST", f"tokens/{identifier}/roles", {"roles": _entries(props)})
        return CreateResult(identifier, props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Take what Astro shows."""
        found = _call("GET", f"tokens/{id_}")
        now = {**props, "roles": found["roles"], "description": found["description"]}
        return ReadResult(id_, now, {name: now[name] for name in (*ASKED, "__provider") if name in now})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Write the planned role list, then name and description."""
        _call("POST", f"tokens/{_id}/roles", {"roles": _entries(_news)})
        _call("POST", f"tokens/{_id}", {"name": _news["token_name"], "description": _news["description"]})
        return UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the token."""
        _call("DELETE", f"tokens/{_id}")


class WholeListToken(Resource, module="test", name="ApiToken"):
    """A token with its whole role list."""

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        generation: int = 1,
        roles: list[dict[str, str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        organization = {
            "entityType": "ORGANIZATION",
            "entityId": os.environ["ASTRO_ORGANIZATION_ID"],
            "role": "ORGANIZATION_MEMBER",
        }
        asked = {
            "token_name": f"{name}-{generation}",
            "description": description,
            "roles": roles or [organization],
            "generation": generation,
        }
        super().__init__(WholeListProvider(), name, asked, opts)


def _entries(props: dict[str, Any]) -> list[dict[str, str]]:
    return [{key: one[key] for key in ("entityType", "entityId", "role")} for one in props["roles"]]


def _call(verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
    base = f"{os.environ['ASTRO_API_HOST']}/v1/organizations/{os.environ['ASTRO_ORGANIZATION_ID']}"
    headers = {"Authorization": f"Bearer {os.environ['ASTRO_API_TOKEN']}"}
    answer = httpx.request(verb, f"{base}/{path}", headers=headers, json=body).raise_for_status()
    return answer.json() if answer.content else None

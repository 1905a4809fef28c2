"""A resource of another provider in the same program: it makes a token, a deployment or a role in the emulator."""

from __future__ import annotations

from typing import Any

import httpx
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class Makes(ResourceProvider):
    """Makes a token, a deployment or a role in the emulator, as another provider of the same program would."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        state = httpx.get(f"{props['url']}/_emulator/state").json()
        made = {**state[props["kind"]][0], **props["fields"]}
        state[props["kind"]].append(made)
        httpx.put(f"{props['url']}/_emulator/state", json=state).raise_for_status()
        return CreateResult(str(made["id"]), {**props, "made_id": made["id"], "made_name": made["name"]})


class Made(Resource, module="test", name="Made"):
    """Something that this program makes in Astro."""

    made_id: pulumi.Output[str]
    made_name: pulumi.Output[str]

    def __init__(self, resource: str, url: str, kind: str, opts: pulumi.ResourceOptions, **fields: Any) -> None:
        properties = {"url": url, "kind": kind, "fields": fields, "made_id": None, "made_name": None}
        super().__init__(Makes(), resource, properties, opts)

"""A resource of another provider in the same program: it makes a token, a deployment or a role, or stands in for that."""

from __future__ import annotations

from typing import Any

import httpx
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class _Makes(ResourceProvider):
    """Knows its result only once it has run, as every resource does that makes something."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=_olds.get("asked") != _news["asked"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        asked = props["asked"]
        if asked["url"]:
            _make(asked["url"], asked["kind"], asked["fields"])
        return CreateResult("made", {**props, **_results(asked)})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, **_results(_news["asked"])})


class Made(Resource, module="test", name="Made"):
    """Something that this program makes; a preview knows neither its id nor its name.

    Args:
        resource: the name of the resource.
        made_id: the id that it will have in Astro. It stands in for something that is there already, unless `made_in` is told.
        opts: options of the resource.
        version: another one is an update of it.
        made_in: the address of the Astro in which it is really made.
        kind: what is made: `tokens`, `deployments` or `roles`.
        fields: of what is made, `name` at least.
    """

    made_id: pulumi.Output[str]
    made_name: pulumi.Output[str]

    def __init__(  # noqa: PLR0913  each is another thing
        self,
        resource: str,
        made_id: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        version: int = 1,
        made_in: str = "",
        kind: str = "tokens",
        **fields: Any,
    ) -> None:
        asked = {"url": made_in, "kind": kind, "fields": {**fields, "id": made_id}, "version": version}
        super().__init__(_Makes(), resource, {"asked": asked, "made_id": None, "made_name": None}, opts)


def _make(url: str, kind: str, fields: dict[str, Any]) -> None:
    state = httpx.get(f"{url}/_emulator/state").json()
    state[kind].append({**state[kind][0], **fields})
    httpx.put(f"{url}/_emulator/state", json=state).raise_for_status()


def _results(asked: dict[str, Any]) -> dict[str, str]:
    return {"made_id": asked["fields"]["id"], "made_name": asked["fields"].get("name", "")}

"""Programs for a stack under test, and a resource that stands in for one that makes tokens."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from astro_provider import DeploymentOrgTokenBinding
from tests.support.stack import Program


def bindings(**declared: dict[str, Any]) -> Program:
    """The program that declares a binding of each name with these arguments."""

    def program() -> None:
        for name, arguments in declared.items():
            DeploymentOrgTokenBinding(name, **arguments)

    return program


class _ForgetfulProvider(ResourceProvider):
    """Knows its result only once it has run, as every resource does that makes something."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=_olds.get("asked") != _news["asked"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("made", {**props, "made": props["asked"]["made"]})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, "made": _news["asked"]["made"]})


class Made(Resource, module="test", name="Made"):
    """A resource with an output `made` that a preview does not know."""

    made: pulumi.Output[str]

    def __init__(self, resource_name: str, *, made: str, version: int = 1) -> None:
        asked = {"made": made, "version": version}
        super().__init__(_ForgetfulProvider(), resource_name, {"asked": asked, "made": None})

"""Programs for a stack under test that declare tables and bindings by themselves."""

from __future__ import annotations

from typing import Any

from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings
from tests.support.stack import Program


def declaring(**declared: dict[str, Any]) -> Program:
    """The program that declares a resource of each name in this order: a table if it has `roles`, else a binding."""

    def program() -> None:
        for name, arguments in declared.items():
            kind: Any = DeploymentOrgTokenBindings if "roles" in arguments else DeploymentOrgTokenBinding
            kind(name, **arguments)

    return program

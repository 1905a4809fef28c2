"""Programs for a stack under test that use the native door."""

from __future__ import annotations

from typing import Any

from astro_provider import native
from tests.support.stack import Program


def natively(**declared: dict[str, Any]) -> Program:
    """The program that declares a resource of each name in this order: a table if it has `roles`, else a binding."""

    def program() -> None:
        for name, arguments in declared.items():
            kind: Any = native.DeploymentOrgTokenBindings if "roles" in arguments else native.DeploymentOrgTokenBinding
            kind(name, **arguments)

    return program

"""Programs for a stack under test."""

from __future__ import annotations

from typing import Any

from astro_provider import DeploymentOrgTokenBinding
from tests.support.stack import Program


def bindings(**declared: dict[str, Any]) -> Program:
    """The program that declares a binding of each name with these arguments."""

    def program() -> None:
        for name, arguments in declared.items():
            DeploymentOrgTokenBinding(name, **arguments)

    return program

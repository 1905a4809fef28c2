"""Programs for a stack under test that declare tables and bindings by themselves."""

from __future__ import annotations

from typing import Any

from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings
from tests.support.programs import Declares


def declaring(**declared: dict[str, Any]) -> Declares:
    """The program that declares a resource of each name in this order: a table if it has `roles`, else a binding."""
    return Declares(
        {
            name: (DeploymentOrgTokenBindings if "roles" in arguments else DeploymentOrgTokenBinding, arguments)
            for name, arguments in declared.items()
        }
    )

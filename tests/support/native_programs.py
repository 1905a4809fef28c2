"""Programs for a stack under test that use the native door."""

from __future__ import annotations

from typing import Any

from astro_provider import native
from tests.support.programs import Declares


def natively(**declared: dict[str, Any]) -> Declares:
    """The program that declares a resource of each name in this order: a table if it has `roles`, else a binding."""
    return Declares(
        {
            name: (
                native.DeploymentOrgTokenBindings if "roles" in arguments else native.DeploymentOrgTokenBinding,
                arguments,
            )
            for name, arguments in declared.items()
        }
    )

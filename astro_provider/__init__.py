"""Astro organization API tokens bound to Deployments, as a Pulumi resource.

Names are imported when they are first asked for, so that a program pays only for what it uses, and the command
`astro-provider` does not load Pulumi to print its help.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from astro_provider.version import __version__

if TYPE_CHECKING:
    from astro_provider.astro.rows import DeploymentOrgToken, OrganizationDeployment, OrganizationToken
    from astro_provider.program.arguments import (
        DeploymentOrgTokenBindingArgs,
        DeploymentOrgTokenBindingArgsDict,
        DeploymentOrgTokenBindingsArgs,
        DeploymentOrgTokenBindingsArgsDict,
    )
    from astro_provider.program.dynamic import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings
    from astro_provider.program.functions import (
        get_deployments,
        get_deployments_output,
        get_organization_tokens,
        get_organization_tokens_output,
        list_deployment_org_tokens,
        list_deployment_org_tokens_output,
    )

__all__ = [
    "DeploymentOrgToken",
    "DeploymentOrgTokenBinding",
    "DeploymentOrgTokenBindingArgs",
    "DeploymentOrgTokenBindingArgsDict",
    "DeploymentOrgTokenBindings",
    "DeploymentOrgTokenBindingsArgs",
    "DeploymentOrgTokenBindingsArgsDict",
    "OrganizationDeployment",
    "OrganizationToken",
    "__version__",
    "get_deployments",
    "get_deployments_output",
    "get_organization_tokens",
    "get_organization_tokens_output",
    "list_deployment_org_tokens",
    "list_deployment_org_tokens_output",
]

_HOMES = {
    "DeploymentOrgToken": "astro.rows",
    "DeploymentOrgTokenBinding": "program.dynamic",
    "DeploymentOrgTokenBindingArgs": "program.arguments",
    "DeploymentOrgTokenBindingArgsDict": "program.arguments",
    "DeploymentOrgTokenBindings": "program.dynamic",
    "DeploymentOrgTokenBindingsArgs": "program.arguments",
    "DeploymentOrgTokenBindingsArgsDict": "program.arguments",
    "OrganizationDeployment": "astro.rows",
    "OrganizationToken": "astro.rows",
    "get_deployments": "program.functions",
    "get_deployments_output": "program.functions",
    "get_organization_tokens": "program.functions",
    "get_organization_tokens_output": "program.functions",
    "list_deployment_org_tokens": "program.functions",
    "list_deployment_org_tokens_output": "program.functions",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

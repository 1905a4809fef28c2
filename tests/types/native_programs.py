"""What a type checker makes of programs that use the native door; read `programs.py` first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_type

import pulumi

from astro_provider import native
from astro_provider.native import DeploymentOrgTokenBinding, DeploymentOrgTokenBindingArgs, Provider


def what_is_taken(later: pulumi.Output[str], provider: Provider) -> None:
    options = pulumi.ResourceOptions(provider=provider)
    DeploymentOrgTokenBinding("a", deployment_id="d", org_token_name="t", role="R", opts=options)
    DeploymentOrgTokenBinding("a", deployment_name=later, org_token_id=later, role=later, overwrite=True)
    DeploymentOrgTokenBinding("a", DeploymentOrgTokenBindingArgs(deployment_id="d", org_token_name="t", role="R"))
    native.DeploymentOrgTokenBindings("t", roles={"etl": {"ci": later}}, exclusive=True)
    Provider("p", token=later, organization_id="o", host=later, timeout_seconds=5, settle_seconds=0.5)


def what_is_refused() -> None:
    DeploymentOrgTokenBinding("a", deployment_id="d", role="R")  # type: ignore[call-overload]
    DeploymentOrgTokenBinding("a", org_token_id="t", role="R")  # type: ignore[call-overload]
    DeploymentOrgTokenBinding("a", deploymentId="d", org_token_name="t", role="R")  # type: ignore[call-overload]
    Provider("p", timeout_seconds="soon")  # type: ignore[arg-type]
    Provider("p", credential="x")  # type: ignore[call-arg]


def what_comes_out(binding: DeploymentOrgTokenBinding, table: native.DeploymentOrgTokenBindings) -> None:
    assert_type(binding.org_token_id, pulumi.Output[str])
    assert_type(binding.created_by, pulumi.Output[str | None])
    assert_type(table.roles, pulumi.Output[Mapping[str, Mapping[str, str]]])
    assert_type(DeploymentOrgTokenBinding.get("a", "o/d/t"), DeploymentOrgTokenBinding)

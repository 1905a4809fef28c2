"""What a type checker makes of programs: what it takes, and what it refuses before anything runs.

Nothing here is ever called. A line with `type: ignore` is one that both mypy and pyright must refuse: mypy complains about
an ignore that nothing needs, and `test_type_checkers.py` holds pyright against the same lines.
"""

from __future__ import annotations

from typing import Any, assert_type

import pulumi

from astro_provider import (
    DeploymentOrgTokenBinding,
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindingArgsDict,
    DeploymentOrgTokenBindings,
    DeploymentOrgTokenBindingsArgs,
    DeploymentOrgTokenBindingsArgsDict,
)

Binding = DeploymentOrgTokenBinding
Args = DeploymentOrgTokenBindingArgs


def keywords_that_say_everything(
    later: pulumi.Output[str], options: pulumi.ResourceOptions, row: dict[str, str]
) -> None:
    Binding("a", deployment_id="d", org_token_name="t", role="R")
    Binding("a", deployment_id="d", org_token_id="t", role="R")
    Binding("a", deployment_name="d", org_token_name="t", role="R")
    Binding("a", deployment_name="d", org_token_id="t", role="R", workspace_id="w", organization_id="o", overwrite=True)
    Binding("a", deployment_id=later, org_token_name=later, org_token_id=later, role=later, workspace_id=None)
    Binding("a", deployment_id="d", deployment_name="n", org_token_id="t", org_token_name="n", role="R")
    Binding(
        "a", deployment_name="d", deployment_id=row.get("d"), org_token_name="t", org_token_id=row.get("t"), role="R"
    )
    Binding("a", None, options, deployment_id="d", org_token_name="t", role="R")
    Binding("a", opts=options, deployment_id="d", org_token_name="t", role="R", overwrite=later.apply(bool))


def keywords_that_leave_something_out(row: dict[str, str | None]) -> None:
    Binding("a")  # type: ignore[call-overload]
    Binding("a", org_token_name="t", role="R")  # type: ignore[call-overload]
    Binding("a", deployment_id="d", role="R")  # type: ignore[call-overload]
    Binding("a", deployment_name="d", org_token_id="t")  # type: ignore[call-overload]
    Binding("a", deployment_id=None, org_token_name="t", role="R")  # type: ignore[call-overload]
    Binding("a", deployment_id=row["d"], org_token_name="t", role="R")  # type: ignore[arg-type]
    Binding("a", deployment_id="d", org_token_name="t", role=7)  # type: ignore[call-overload]
    Binding("a", deployment_id="d", org_token_name="t", role="R", overwrite="yes")  # type: ignore[call-overload]
    Binding("a", deployment_id="d", org_token_name="t", role="R", deployment="d")  # type: ignore[call-overload]
    Binding("a", "d", org_token_name="t", role="R")  # type: ignore[call-overload]


def one_object_that_says_everything(others: list[str]) -> None:
    args = Args(deployment_id="d", org_token_name="t", role="R")
    Binding("a", args)
    Binding("a", args, role="S", overwrite=True)
    Binding("a", Args("d", "R", "t"))
    Binding("a", Args("d", "R", org_token_id="t"))
    Binding("a", Args(deployment_name="d", org_token_id="t", role="R", workspace_id="w"))
    Binding("a", Args(deployment_name="d", org_token_name="t", org_token_id="i", role="R"))
    Binding("a", Args(deployment_name="n", deployment_id="d", org_token_name="t", role="R"))
    for other in others:
        Binding(other, args, deployment_id=other)


def one_object_that_leaves_something_out() -> None:
    Args()  # type: ignore[call-overload]
    Args(org_token_name="t", role="R")  # type: ignore[call-overload]
    Args(deployment_id="d", role="R")  # type: ignore[call-overload]
    Args(deployment_name="d", org_token_name="t")  # type: ignore[call-overload]
    Binding("a", Args(deployment_id="d", role="R"), org_token_name="t")  # type: ignore[call-overload]


def dictionaries_that_say_everything(later: pulumi.Output[str]) -> None:
    by_ids: DeploymentOrgTokenBindingArgsDict = {"deployment_id": "d", "org_token_id": later, "role": "R"}
    by_names: DeploymentOrgTokenBindingArgsDict = {"deployment_name": later, "org_token_name": "t", "role": "R"}
    both: DeploymentOrgTokenBindingArgsDict = {
        "deployment_id": "d",
        "deployment_name": "n",
        "org_token_name": "t",
        "org_token_id": "i",
        "role": later,
        "workspace_id": None,
        "overwrite": True,
    }
    for args in (by_ids, by_names, both):
        Binding("a", args)
    Binding("a", {"deployment_id": "d", "org_token_id": "t", "role": "R"})
    Binding("a", {"deployment_name": "d", "org_token_name": "t", "role": "R", "workspace_id": "w"}, role="S")


def dictionaries_that_leave_something_out() -> None:
    Binding("a", {})  # type: ignore[call-overload]
    Binding("a", {"org_token_name": "t", "role": "R"})  # type: ignore[call-overload]
    Binding("a", {"deployment_id": "d", "role": "R"})  # type: ignore[call-overload]
    Binding("a", {"deployment_name": "d", "org_token_name": "t"})  # type: ignore[call-overload]
    _: DeploymentOrgTokenBindingArgsDict
    _ = {"org_token_name": "t", "role": "R"}  # type: ignore[assignment]
    _ = {"deployment_id": "d", "role": "R"}  # type: ignore[assignment]
    _ = {"deployment_id": "d", "org_token_name": "t"}  # type: ignore[assignment]
    _ = {"deployment_id": "d", "org_token_name": "t", "role": "R", "deployment": "d"}  # type: ignore[assignment]


def values_that_a_checker_cannot_know(anything: dict[str, Any]) -> None:
    Binding("a", **anything)
    Binding("a", None, **anything)
    Binding("a", deployment_id="d", role="R", **anything)
    DeploymentOrgTokenBindingArgs(**anything)


def outputs_and_attributes(binding: DeploymentOrgTokenBinding) -> None:
    assert_type(binding.deployment_id, pulumi.Output[str])
    assert_type(binding.deployment_name, pulumi.Output[str | None])
    assert_type(binding.org_token_id, pulumi.Output[str])
    assert_type(binding.org_token_name, pulumi.Output[str])
    assert_type(binding.organization_id, pulumi.Output[str])
    assert_type(binding.role, pulumi.Output[str])
    assert_type(binding.workspace_id, pulumi.Output[str | None])
    assert_type(binding.overwrite, pulumi.Output[bool])
    assert_type(binding.description, pulumi.Output[str | None])
    assert_type(binding.scope, pulumi.Output[str])
    assert_type(binding.created_at, pulumi.Output[str])
    assert_type(binding.created_by, pulumi.Output[str | None])
    assert_type(DeploymentOrgTokenBinding.get("a", "o/d/t"), DeploymentOrgTokenBinding)


class Admin(DeploymentOrgTokenBinding):
    def __init__(self, name: str, *, deployment: pulumi.Input[str], token: pulumi.Input[str]) -> None:
        super().__init__(name, deployment_name=deployment, org_token_name=token, role="DEPLOYMENT_ADMIN")


class Nobody(DeploymentOrgTokenBinding):
    def __init__(self, name: str, deployment: str) -> None:
        super().__init__(name, deployment_id=deployment, role="R")  # type: ignore[call-overload]


def subclasses(later: pulumi.Output[str]) -> None:
    assert_type(Admin("a", deployment="d", token=later).role, pulumi.Output[str])
    assert_type(Admin.get("a", "o/d/t"), Admin)
    Admin("a", deployment="d")  # type: ignore[call-arg]


def tables(later: pulumi.Output[str], options: pulumi.ResourceOptions) -> None:
    DeploymentOrgTokenBindings("a", roles={"d": {"t": "R", "u": later}, "e": {}}, exclusive=True)
    DeploymentOrgTokenBindings("a", roles=later.apply(lambda token: {"d": {token: "R"}}), overwrite=later.apply(bool))
    DeploymentOrgTokenBindings("a", roles={"d": later.apply(lambda token: {token: "R"})}, opts=options)
    DeploymentOrgTokenBindings("a", DeploymentOrgTokenBindingsArgs(roles={"d": {"t": "R"}}, workspace_id="w"))
    args: DeploymentOrgTokenBindingsArgsDict = {"roles": {"d": {"t": "R"}}, "organization_id": later}
    table = DeploymentOrgTokenBindings("a", args, exclusive=None)
    assert_type(table.exclusive, pulumi.Output[bool])


def tables_that_are_none() -> None:
    DeploymentOrgTokenBindings("a", roles={"d": "R"})  # type: ignore[dict-item]
    DeploymentOrgTokenBindings("a", roles={"d": {"t": 7}})  # type: ignore[dict-item]
    DeploymentOrgTokenBindings("a", roles={"d": {"t": "R"}}, exclusive="yes")  # type: ignore[arg-type]
    DeploymentOrgTokenBindingsArgs()  # type: ignore[call-arg]
    args: DeploymentOrgTokenBindingsArgsDict = {"exclusive": True}  # type: ignore[typeddict-item]
    DeploymentOrgTokenBindings("a", args)

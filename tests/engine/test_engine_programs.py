"""What programs build around the resource: subclasses, components, transforms, aliases, `ignore_changes`."""

from __future__ import annotations

from typing import Any

import pulumi

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import BINDING_TYPE, Stack
from tests.support.writes import writes


class Admin(DeploymentOrgTokenBinding):
    def __init__(self, name: str, *, deployment: str, token: str, team: str = "payments") -> None:
        super().__init__(name, deployment_id=deployment, org_token_name=token, role="DEPLOYMENT_ADMIN")
        self.team = team


class TeamAccess(pulumi.ComponentResource):
    """A component of a house, as a platform team writes it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **arguments: Any) -> None:
        super().__init__("house:access:Team", name, {}, opts)
        self.binding = DeploymentOrgTokenBinding(
            f"{name}-access", opts=pulumi.ResourceOptions(parent=self), **arguments
        )
        self.register_outputs({"role": self.binding.role})


def test_a_subclass_takes_the_place_of_the_class_without_a_change(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    def program() -> None:
        binding = Admin("orders", deployment=deployment_id, token="nightly-loads")
        pulumi.export(
            "facts", [binding.org_token_id, binding.role, binding.description, binding.overwrite, binding.team]
        )

    begin_with(stack, astro, bindings(orders=wanted))
    stack.program = program
    preview = stack.preview()
    up = stack.up()
    facts = stack.outputs()["facts"]
    destroy = stack.destroy()

    assert {"same": 2} == preview.changes == up.changes
    assert [token_id, "DEPLOYMENT_ADMIN", "Loads what came in over night", False, "payments"] == facts
    assert not destroy.failed
    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert writes(astro) == 1


def test_a_binding_in_a_component_has_the_components_type_in_its_urn_and_follows_it(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    def program() -> None:
        pulumi.export("role", TeamAccess("payments", **wanted).binding.role)

    stack.program = program
    up = stack.up()
    urn = stack.resources()["payments-access"]["urn"]
    role, exported = astro.store.deployment_role(token_id, deployment_id), stack.outputs()
    stack.program = bindings()
    removed = stack.up()

    assert up.changes == {"create": 3}
    assert f"urn:pulumi:test::bindings::house:access:Team${BINDING_TYPE}::payments-access" == urn
    assert role == "DEPLOYMENT_ADMIN"
    assert exported == {"role": "DEPLOYMENT_ADMIN"}
    # The engine's own provider has no place in that order.
    assert [step for step in removed.steps if step != "delete default"] == ["delete payments-access", "delete payments"]
    assert astro.store.deployment_role(token_id, deployment_id) is None


def test_bindings_that_move_into_a_component_with_an_alias_are_no_change(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    class Moved(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("house:access:Team", name)
            aliases = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]
            DeploymentOrgTokenBinding("orders", opts=pulumi.ResourceOptions(parent=self, aliases=aliases), **wanted)

    begin_with(stack, astro, bindings(orders=wanted))

    def program() -> None:
        Moved("payments")

    stack.program = program
    up = stack.up()

    assert up.changes == {"create": 1, "same": 2}
    assert up.steps == ["create payments"]
    assert up.notices == []
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 0


def test_bindings_that_move_into_a_component_without_an_alias_keep_their_role(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(**{"payments-access": wanted}))

    def program() -> None:
        TeamAccess("payments", **wanted)

    stack.program = program
    up = stack.up()
    later = stack.up()

    assert up.steps == ["create payments", "create payments-access", "delete payments-access"]
    assert later.changes == {"same": 3}
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 0


def test_a_transform_of_the_stack_reaches_the_binding(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    def lower(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != BINDING_TYPE:
            return None
        protected = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
        return pulumi.ResourceTransformResult({**args.props, "role": "DEPLOYMENT_ACCESSOR"}, protected)

    def program() -> None:
        pulumi.runtime.register_resource_transform(lower)
        DeploymentOrgTokenBinding("orders", **wanted)

    stack.program = program
    up = stack.up()
    again = stack.up()
    destroy = stack.destroy()

    assert not up.failed, up.text
    assert again.changes == {"same": 2}
    assert stack.resources()["orders"]["protect"] is True
    assert stack.resources()["orders"]["outputs"]["role"] == "DEPLOYMENT_ACCESSOR"
    assert destroy.failed
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"


def test_a_binding_that_ignores_changes_of_the_tokens_other_spelling_stays_unchanged(
    stack: Stack, astro: Emulator, token_id: str
) -> None:
    cases: dict[str, tuple[dict[str, str], list[str]]] = {
        "by-name": ({"org_token_name": "nightly-loads"}, ["org_token_id"]),
        "by-id": ({"org_token_id": token_id}, ["org_token_name"]),
        "and-others": ({"org_token_name": "nightly-loads"}, ["org_token_id", "deployment_name", "organization_id"]),
    }
    deployments = {name: astro.store.add_deployment(name) for name in cases}
    stack.program = bindings(
        **{
            name: {
                **token,
                "deployment_id": deployments[name],
                "role": "DEPLOYMENT_ADMIN",
                "opts": pulumi.ResourceOptions(ignore_changes=ignored),
            }
            for name, (token, ignored) in cases.items()
        }
    )

    first = stack.up()
    astro.clear_calls()
    second = stack.up()
    third = stack.preview()

    assert first.changes == {"create": 4}, first.text
    assert {"same": 4} == second.changes == third.changes, second.text
    assert second.notices == []
    assert {astro.store.deployment_role(token_id, one) for one in deployments.values()} == {"DEPLOYMENT_ADMIN"}
    assert writes(astro) == 0


def test_a_role_whose_changes_are_ignored_is_left_as_it_is(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    def program(role: str) -> None:
        options = pulumi.ResourceOptions(ignore_changes=["role"])
        DeploymentOrgTokenBinding("orders", opts=options, **{**wanted, "role": role})

    stack.program = lambda: program("DEPLOYMENT_ADMIN")
    stack.up()
    stack.program = lambda: program("DEPLOYMENT_ACCESSOR")
    up = stack.up()

    assert up.changes == {"same": 2}
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 1

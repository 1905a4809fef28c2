"""A resource renamed without an alias is created first and its old name deleted afterwards; both have one id."""

from __future__ import annotations

from typing import Any

import pulumi

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import Stack
from tests.support.writes import writes


def _kept(token_id: str, deployment_id: str) -> str:
    return (
        f"astro: note: Token 'nightly-loads' ({token_id}) in deployment 'orders' ({deployment_id}) keeps its role: another "
        "resource of this program binds the two (a move, or a rename?)."
    )


def test_a_rename_without_an_alias_keeps_the_grant_and_says_so(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))

    stack.program = bindings(sales=wanted)
    up = stack.up()
    held = astro.store.deployment_role(token_id, deployment_id)
    destroy = stack.destroy()

    assert up.steps == ["create sales", "delete orders"]
    assert _kept(token_id, deployment_id) in up.notices
    assert held == "DEPLOYMENT_ADMIN"
    assert not destroy.failed
    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert writes(astro) == 1


def test_a_rename_whose_delete_is_left_to_a_later_run_keeps_the_grant(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    other_id = astro.store.add_deployment("billing")

    def program() -> None:
        sales = DeploymentOrgTokenBinding("sales", **wanted)
        after = pulumi.ResourceOptions(depends_on=[sales])
        doomed = {**wanted, "deployment_id": other_id, "role": "Nobody Has Made It"}
        DeploymentOrgTokenBinding("doomed", opts=after, **doomed)

    stack.program = program
    failed = stack.up()
    in_between = set(stack.resources())
    stack.program = bindings(sales=wanted)
    later = stack.up()

    assert failed.failed
    assert in_between == {"orders", "sales"}
    assert later.steps == ["delete orders"]
    assert later.notices == [_kept(token_id, deployment_id)]
    assert set(stack.resources()) == {"sales"}
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 0


def test_a_rename_with_an_alias_is_no_change(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))

    def program() -> None:
        aliased = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="orders")])
        DeploymentOrgTokenBinding("sales", opts=aliased, **wanted)

    stack.program = program
    up = stack.up()

    assert up.changes == {"same": 2}
    assert up.notices == []
    assert set(stack.resources()) == {"sales"}
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 0


def test_two_bindings_that_swap_their_deployments_both_stay(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    other = {**wanted, "deployment_id": astro.store.add_deployment("billing")}
    begin_with(stack, astro, bindings(one=wanted, two=other))

    stack.program = bindings(one=other, two=wanted)
    swap = stack.up()
    held = [astro.store.deployment_role(token_id, d) for d in (deployment_id, other["deployment_id"])]
    after = stack.refresh()

    assert not swap.failed, swap.text
    assert swap.changes == {"replace": 2, "same": 1}
    assert held == ["DEPLOYMENT_ADMIN", "DEPLOYMENT_ADMIN"]
    assert after.changes == {"same": 3}


def test_a_list_by_position_that_loses_its_head_loses_the_right_binding(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str
) -> None:
    deployments = [astro.store.add_deployment(f"orders-{number}") for number in range(4)]
    listed = [{**wanted, "deployment_id": deployment} for deployment in deployments]
    begin_with(stack, astro, bindings(**{f"binding-{position}": one for position, one in enumerate(listed)}))

    stack.program = bindings(**{f"binding-{position}": one for position, one in enumerate(listed[1:])})
    up = stack.up()
    held = [astro.store.deployment_role(token_id, deployment) for deployment in deployments]
    after = stack.refresh()
    destroy = stack.destroy()

    assert not up.failed, up.text
    assert held == [None, "DEPLOYMENT_ADMIN", "DEPLOYMENT_ADMIN", "DEPLOYMENT_ADMIN"]
    assert after.changes == {"same": 4}
    assert not destroy.failed
    assert {astro.store.deployment_role(token_id, deployment) for deployment in deployments} == {None}


def test_a_list_by_position_that_shifts_onto_another_role_is_refused_with_the_reason(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    second = {**wanted, "deployment_id": astro.store.add_deployment("billing")}
    begin_with(stack, astro, bindings(**{"binding-0": wanted, "binding-1": second}))
    astro.clear_calls()

    stack.program = bindings(**{"binding-0": {**second, "role": "DEPLOYMENT_ACCESSOR"}})
    preview = stack.preview()
    up = stack.up()

    assert (
        preview.errors
        == up.errors
        == [
            (
                "error: pulumi-python:dynamic/astro:DeploymentOrgTokenBinding resource 'binding-0': property role value "
                f"{{DEPLOYMENT_ACCESSOR}} has a problem: Token 'nightly-loads' ({token_id}) in deployment 'billing' "
                f"({second['deployment_id']}) already has the role DEPLOYMENT_ADMIN, and DEPLOYMENT_ACCESSOR is asked for. Set "
                "overwrite to true to change it. Another resource of this stack may have it (if resources are named by list "
                "index, removing the first entry renames all others; name them by deployment and token), another stack, or a "
                "person."
            )
        ]
    )
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(token_id, second["deployment_id"]) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 0

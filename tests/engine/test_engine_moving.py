"""Moving here from a resource that a team made itself; the ways of docs/moving.md, and the trap that it warns of."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings
from tests.support.homemade import HomeMade
from tests.support.programs import bindings
from tests.support.stack import Program, Stack
from tests.support.writes import writes


@pytest.fixture
def home_made(stack: Stack, astro: Emulator, token_id: str, deployment_id: str) -> Program:
    """The program of before; its resource exists."""
    stack.set_environment(ASTRO_ORGANIZATION_ID=astro.organization_id)

    def program(**options: Any) -> None:
        HomeMade("grant", token=token_id, deployment=deployment_id, role="DEPLOYMENT_ADMIN", **options)

    stack.program = program
    up = stack.up()
    assert not up.failed, up.text
    return program


@pytest.mark.usefixtures("home_made")
def test_without_a_precaution_the_old_resource_takes_the_role_with_it(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], deployment_id: str
) -> None:
    stack.program = bindings(orders=wanted)
    preview = stack.preview()
    up = stack.up()
    held = astro.store.deployment_role(stack.resources()["orders"]["outputs"]["org_token_id"], deployment_id)
    mended = stack.up(refresh=True)

    assert "It will be adopted unchanged" in preview.text
    assert up.steps[:2] == ["create orders", "delete grant"]
    assert held is None
    assert not mended.failed


def test_a_resource_that_is_retained_first_leaves_its_role_to_the_binding(
    stack: Stack, astro: Emulator, home_made: Any, wanted: dict[str, Any], token_id: str
) -> None:
    deployment_id = wanted["deployment_id"]
    stack.program = lambda: home_made(opts=pulumi.ResourceOptions(retain_on_delete=True))
    first = stack.up()
    stack.program = bindings(orders=wanted)
    moved = stack.up()
    after = stack.up(refresh=True)

    assert not first.failed, first.text
    assert "create orders" in moved.steps
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert after.changes == {"same": 2}
    assert writes(astro) == 1


@pytest.mark.usefixtures("home_made")
def test_an_alias_of_the_old_type_replaces_the_resource_and_the_role_is_there_afterwards(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str
) -> None:
    deployment_id = wanted["deployment_id"]

    def program() -> None:
        alias = pulumi.Alias(name="grant", type_="pulumi-python:dynamic:Resource")
        DeploymentOrgTokenBinding("orders", opts=pulumi.ResourceOptions(aliases=[alias]), **wanted)

    stack.program = program
    up = stack.up()
    after = stack.up(refresh=True)

    assert not up.failed, up.text
    assert up.steps == ["delete-replaced grant", "replace orders", "create-replacement orders"]
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert after.changes == {"same": 2}
    assert writes(astro) == 3  # the old grant, its end, and the new one: in between the token had no role


@pytest.mark.usefixtures("home_made")
def test_an_alias_of_the_old_type_becomes_a_table_which_has_the_role_afterwards(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str
) -> None:
    deployment_id = wanted["deployment_id"]

    def program() -> None:
        alias = pulumi.Alias(name="grant", type_="pulumi-python:dynamic:Resource")
        roles = {deployment_id: {token_id: "DEPLOYMENT_ADMIN"}}
        DeploymentOrgTokenBindings("access", roles=roles, opts=pulumi.ResourceOptions(aliases=[alias]))

    stack.program = program
    up = stack.up()
    after = stack.up(refresh=True)

    assert not up.failed, up.text
    assert up.steps == ["delete-replaced grant", "replace access", "create-replacement access"]
    assert "is incomplete" not in up.text
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert stack.resources()["access"]["outputs"]["roles"] == {deployment_id: {token_id: "DEPLOYMENT_ADMIN"}}
    assert after.changes == {"same": 2}
    assert writes(astro) == 3  # as above

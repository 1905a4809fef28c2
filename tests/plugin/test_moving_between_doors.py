"""From the dynamic door to the native one and back: no write to Astro, no replacement, one update at most.

Each test begins with the stack that an earlier run through a door has left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings, native
from tests.support.beginnings import begin_after
from tests.support.cast import OBSERVABILITY, PRODUCTION, STAGING
from tests.support.stack import BINDING_TYPE, NATIVE_BINDING_TYPE, Program, Stack
from tests.support.writes import writes

DOORS: dict[str, tuple[Any, Any]] = {
    "dynamic": (DeploymentOrgTokenBinding, DeploymentOrgTokenBindings),
    "native": (native.DeploymentOrgTokenBinding, native.DeploymentOrgTokenBindings),
}
KINDS = {"dynamic": BINDING_TYPE, "native": NATIVE_BINDING_TYPE}
ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
TABLE = {"roles": {"ml-training": {"observability": ACCESSOR}}, "exclusive": True}
# Bindings of the name, each with a token and a deployment of the same name.
BINDINGS = ("b", "role", "place", "drifted", "old", "aliased")
COUNT = 1 + 1 + len(BINDINGS)  # the stack and the table
WAYS = pytest.mark.parametrize(("first", "second"), [("dynamic", "native"), ("native", "dynamic")])


def arguments(name: str) -> dict[str, Any]:
    return {"deployment_name": name, "org_token_name": name, "role": ADMIN}


def through(door: str) -> Program:
    """The program that declares all bindings and a table through a door, and exports what it is told of two of them."""
    binding, table = DOORS[door]

    def program() -> None:
        made = {name: binding(name, **arguments(name)) for name in BINDINGS}["b"]
        set_ = table("t", **TABLE)
        pulumi.export("binding", [made.org_token_id, made.deployment_id, made.scope, made.created_by])
        pulumi.export("table", [set_.roles, set_.token_ids])

    return program


@pytest.fixture
def moved(stack: Stack, astro: Emulator) -> Callable[[str, str], Stack]:
    """Lends a stack whose resources were made through one door, and whose program uses the other now."""
    for name in BINDINGS:
        astro.store.add_token(name, id=name)
        astro.store.add_deployment(name, id=name)

    def move(first: str, second: str) -> Stack:
        stack.program = through(first)
        begin_after(stack, astro, first, stack.up)
        stack.program = through(second)
        return stack

    return move


def role(astro: Emulator, name: str = "b") -> str | None:
    """The role of the token of that name in the deployment of that name."""
    return astro.store.deployment_role(name, name)


@WAYS
def test_a_move_is_one_update_that_writes_nothing_and_whose_next_commands_find_all(
    moved: Callable[[str, str], Stack], astro: Emulator, first: str, second: str
) -> None:
    stack = moved(first, second)
    told = stack.outputs()

    preview, up = stack.preview(), stack.up()
    refresh, shown, kind = stack.refresh(), stack.outputs(), stack.resources()["b"]["type"]
    again, after = stack.up(), stack.preview()

    assert preview.changes == up.changes == {"same": 1, "update": COUNT - 1}
    assert [one.changes for one in (refresh, again, after)] == [{"same": COUNT}] * 3
    assert shown == told
    assert shown.keys() == {"binding", "table"}
    assert writes(astro) == 0
    assert role(astro) == ADMIN
    assert kind == KINDS[second]

    assert stack.destroy().changes == {"delete": COUNT}
    assert role(astro) is None


@WAYS
def test_a_command_between_the_change_of_the_program_and_its_update_goes_through_the_old_door(
    moved: Callable[[str, str], Stack], astro: Emulator, first: str, second: str
) -> None:
    stack = moved(first, second)

    refresh, there = stack.refresh(), role(astro)
    destroy = stack.destroy()

    assert (refresh.changes, there) == ({"same": COUNT}, ADMIN)
    assert (destroy.changes, role(astro)) == ({"delete": COUNT}, None)


def test_there_and_back_and_there_again(moved: Callable[[str, str], Stack], astro: Emulator) -> None:
    stack = moved("dynamic", "native")

    for door in ("native", "dynamic", "native"):
        stack.program = through(door)
        assert not stack.up().failed

    assert writes(astro) == 0
    assert stack.destroy().changes == {"delete": COUNT}
    assert role(astro) is None


def and_changes(door: str, before: str) -> Program:
    """The program that uses another door than before, and changes each binding that is named after a change."""
    alias = pulumi.Alias(name="aliased", type_=KINDS[before])

    def program() -> None:
        binding, table = DOORS[door]
        table("t", **TABLE)
        binding("b", **arguments("b"))
        binding("role", **{**arguments("role"), "role": ACCESSOR})
        binding("place", **{**arguments("place"), "deployment_name": "etl-staging"})
        binding("drifted", **arguments("drifted"))
        binding("new", **arguments("old"))
        binding("under-an-alias", **arguments("aliased"), opts=pulumi.ResourceOptions(aliases=[alias]))

    return program


@WAYS
def test_a_move_that_changes_more_in_the_same_run_does_that_alone(
    moved: Callable[[str, str], Stack], astro: Emulator, first: str, second: str
) -> None:
    stack = moved(first, second)
    astro.store.bind("drifted", "drifted", ACCESSOR)
    stack.refresh()
    stack.program = and_changes(second, first)

    up = stack.up()
    roles = {name: role(astro, name) for name in BINDINGS}
    written = {call["path"].split("/")[-2] for call in astro.calls()["log"] if call["verb"] == "POST"}

    assert not up.failed, up.text
    assert {*up.steps} == {
        *("update b", "update t", "update role", "update drifted", "update under-an-alias"),
        *("delete-replaced place", "replace place", "create-replacement place"),
        *("create default", "create new", "delete old", "delete default"),
    }
    # What README's Limits say: claims do not cross processes, so a rename without an alias loses the grant.
    assert roles == {"b": ADMIN, "role": ACCESSOR, "place": None, "drifted": ADMIN, "old": None, "aliased": ADMIN}
    assert astro.store.deployment_role("place", STAGING) == ADMIN
    assert written == {"role", "place", "drifted", "old"}

    assert not stack.up(refresh=True).failed
    assert role(astro, "old") == ADMIN  # until the next run


def test_both_doors_may_stand_in_one_program(stack: Stack, astro: Emulator) -> None:
    def program() -> None:
        DOORS["dynamic"][0]("one", deployment_id=STAGING, org_token_id=OBSERVABILITY, role=ADMIN)
        DOORS["native"][0]("two", deployment_id=PRODUCTION, org_token_id=OBSERVABILITY, role=ACCESSOR)

    stack.program = program

    assert stack.up().changes == {"create": 3}
    assert stack.preview().changes == {"same": 3}
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == ADMIN
    assert stack.destroy().changes == {"delete": 3}

"""From the dynamic door to the native one and back: no write to Astro, no replacement, one update at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings, native
from tests.support.cast import OBSERVABILITY, PRODUCTION, STAGING
from tests.support.stack import BINDING_TYPE, NATIVE_BINDING_TYPE, Program, Stack
from tests.support.writes import writes

DOORS: dict[str, tuple[Any, Any]] = {
    "dynamic": (DeploymentOrgTokenBinding, DeploymentOrgTokenBindings),
    "native": (native.DeploymentOrgTokenBinding, native.DeploymentOrgTokenBindings),
}
BINDING = {"deployment_name": "etl-staging", "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
TABLE = {"roles": {"ml-training": {"observability": "DEPLOYMENT_ACCESSOR"}}, "exclusive": True}
WAYS = [("dynamic", "native"), ("native", "dynamic")]


def through(door: str, **arguments: Any) -> Program:
    """The program that declares a binding and a table through a door, and exports what it is told of them."""
    binding, table = DOORS[door]

    def program() -> None:
        made = binding("b", **{**BINDING, **arguments})
        set_ = table("t", **TABLE)
        pulumi.export("binding", [made.org_token_id, made.deployment_id, made.scope, made.created_by])
        pulumi.export("table", [set_.roles, set_.token_ids])

    return program


@pytest.fixture
def moved(stack: Stack, astro: Emulator) -> Callable[[str, str], Stack]:
    """A stack whose resources were made through one door, and whose program uses the other now."""

    def move(first: str, second: str) -> Stack:
        stack.program = through(first)
        assert not stack.up().failed
        stack.program = through(second)
        astro.clear_calls()
        return stack

    return move


def _stands(astro: Emulator) -> bool:
    return astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


@pytest.mark.parametrize(("first", "second"), WAYS)
def test_a_move_is_one_update_that_writes_nothing(
    moved: Callable[[str, str], Stack], astro: Emulator, first: str, second: str
) -> None:
    stack = moved(first, second)
    before = stack.outputs()

    preview, up = stack.preview(), stack.up()
    shown, again, refresh, after = stack.outputs(), stack.up(), stack.refresh(), stack.preview()

    assert (preview.changes, up.changes) == ({"same": 1, "update": 2}, {"same": 1, "update": 2})
    assert [one.changes for one in (again, refresh, after)] == [{"same": 3}] * 3
    assert before == shown
    assert writes(astro) == 0
    assert _stands(astro)
    kind = NATIVE_BINDING_TYPE if second == "native" else BINDING_TYPE
    assert {"b": kind} == {"b": stack.resources()["b"]["type"]}

    assert not stack.destroy().failed
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None


@pytest.mark.parametrize(("first", "second"), WAYS)
@pytest.mark.parametrize("command", ["refresh", "destroy"])
def test_a_command_between_the_change_of_the_program_and_its_update_goes_through_the_old_door(
    moved: Callable[[str, str], Stack], astro: Emulator, command: str, first: str, second: str
) -> None:
    stack = moved(first, second)

    ended = stack.refresh() if command == "refresh" else stack.destroy()

    assert ended.changes == ({"same": 3} if command == "refresh" else {"delete": 3})
    assert _stands(astro) == (command == "refresh")


@pytest.mark.parametrize(("first", "second"), WAYS)
@pytest.mark.parametrize("command", ["refresh", "destroy"])
def test_a_command_right_after_the_move_finds_all(
    moved: Callable[[str, str], Stack], astro: Emulator, command: str, first: str, second: str
) -> None:
    stack = moved(first, second)
    stack.up()

    ended = stack.refresh() if command == "refresh" else stack.destroy()

    assert ended.changes == ({"same": 3} if command == "refresh" else {"delete": 3})
    assert _stands(astro) == (command == "refresh")


def test_there_and_back_and_there_again(stack: Stack, astro: Emulator) -> None:
    stack.program = through("dynamic")
    stack.up()
    astro.clear_calls()

    for door in ("native", "dynamic", "native"):
        stack.program = through(door)
        assert not stack.up().failed

    assert writes(astro) == 0
    assert stack.destroy().changes == {"delete": 3}
    assert not _stands(astro)


@pytest.mark.parametrize(("first", "second"), WAYS)
def test_a_move_that_changes_the_role_as_well_writes_that_alone(
    moved: Callable[[str, str], Stack], astro: Emulator, first: str, second: str
) -> None:
    stack = moved(first, second)
    stack.program = through(second, role="DEPLOYMENT_ACCESSOR")

    up = stack.up()

    assert up.changes == {"same": 1, "update": 2}
    assert writes(astro) == 1
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"


@pytest.mark.parametrize(("first", "second"), WAYS)
def test_a_move_to_another_deployment_as_well_is_a_replacement_of_that_alone(
    moved: Callable[[str, str], Stack], astro: Emulator, first: str, second: str
) -> None:
    stack = moved(first, second)
    stack.program = through(second, deployment_name="finance-close")

    up = stack.up()

    assert up.changes == {"same": 1, "update": 1, "replace": 1}
    assert not _stands(astro)
    assert not stack.refresh().failed
    assert not stack.destroy().failed


def test_drift_that_a_refresh_found_before_the_move_is_mended_by_it(
    moved: Callable[[str, str], Stack], astro: Emulator
) -> None:
    stack = moved("dynamic", "native")
    astro.store.bind(OBSERVABILITY, STAGING, "DEPLOYMENT_ACCESSOR")
    stack.refresh()

    up = stack.up()

    assert up.changes == {"same": 1, "update": 2}
    assert _stands(astro)


@pytest.mark.parametrize(("first", "second"), WAYS)
def test_a_move_under_another_name_in_one_run_loses_the_grant_until_the_next_run(
    stack: Stack, astro: Emulator, first: str, second: str
) -> None:
    stack.program = lambda: DOORS[first][0]("old", **BINDING)
    stack.up()
    stack.program = lambda: DOORS[second][0]("new", **BINDING)

    up = stack.up()

    # What README's Limits say: claims do not cross processes.
    assert up.steps == ["create default", "create new", "delete old", "delete default"]
    assert not _stands(astro)
    assert not stack.up(refresh=True).failed
    assert _stands(astro)


@pytest.mark.parametrize(("first", "second"), WAYS)
def test_a_move_under_another_name_with_an_alias_keeps_the_grant(
    stack: Stack, astro: Emulator, first: str, second: str
) -> None:
    kinds = {"dynamic": BINDING_TYPE, "native": NATIVE_BINDING_TYPE}
    stack.program = lambda: DOORS[first][0]("old", **BINDING)
    stack.up()
    alias = pulumi.Alias(name="old", type_=kinds[first])
    stack.program = lambda: DOORS[second][0]("new", **BINDING, opts=pulumi.ResourceOptions(aliases=[alias]))
    astro.clear_calls()

    up = stack.up()

    assert up.changes == {"same": 1, "update": 1}
    assert writes(astro) == 0
    assert _stands(astro)


def test_both_doors_may_stand_in_one_program(stack: Stack, astro: Emulator) -> None:
    def program() -> None:
        DOORS["dynamic"][0]("one", **BINDING)
        native.DeploymentOrgTokenBinding(
            "two", deployment_id=PRODUCTION, org_token_id=OBSERVABILITY, role="DEPLOYMENT_ACCESSOR"
        )

    stack.program = program

    assert stack.up().changes == {"create": 3}
    assert stack.preview().changes == {"same": 3}
    assert _stands(astro)
    assert stack.destroy().changes == {"delete": 3}

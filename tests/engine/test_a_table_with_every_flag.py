"""A table that leaves is gone from Astro and from the state, whichever command takes it; and where it may stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBindings
from tests.support.beginnings import begin_with
from tests.support.programs import declaring
from tests.support.stack import Outcome, Stack, led_to
from tests.support.tables import ACCESSOR, ADMIN, POST, Town, make_town

GRID = {"d-0": {"t-0": ADMIN, "t-1": ACCESSOR}, "d-1": {"t-0": ACCESSOR}}
OTHERS = {"d-2": {"t-3": ADMIN}}


@pytest.fixture
def town(astro: Emulator) -> Town:
    return make_town(astro)


def _left_out(stack: Stack, **options: Any) -> Outcome:
    stack.program = declaring()
    return stack.up(**options)


def _aimed_at(stack: Stack) -> dict[str, list[str]]:
    return {"target": [stack.resources()["access"]["urn"]]}


COMMANDS: dict[str, Callable[[Stack], Outcome]] = {
    "up": _left_out,
    "up --refresh": lambda stack: _left_out(stack, refresh=True),
    "up --target": lambda stack: _left_out(stack, **_aimed_at(stack)),
    "destroy": lambda stack: stack.destroy(),
    "destroy --refresh": lambda stack: stack.destroy(refresh=True),
    "destroy --refresh --continue-on-error": lambda stack: stack.destroy(refresh=True, continue_on_error=True),
    "destroy --run-program": lambda stack: stack.destroy(run_program=True),
    "destroy --target": lambda stack: stack.destroy(**_aimed_at(stack)),
}
CASES = [(command, "warn") for command in COMMANDS] + [("up --refresh", "off"), ("destroy --refresh", "off")]


@pytest.mark.parametrize(("command", "checks"), CASES)
def test_a_table_that_leaves_takes_its_roles_along_and_no_others(
    stack: Stack, town: Town, command: str, checks: str
) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    town.bind("d-2", "t-3", ADMIN)

    ended = COMMANDS[command](stack)

    assert not ended.failed, ended.text
    assert town.held() == OTHERS
    assert "access" not in stack.resources()


def test_a_protected_table_keeps_its_roles(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID, "opts": pulumi.ResourceOptions(protect=True)}))

    failed = [_left_out(stack).failed, stack.destroy(refresh=True).failed]

    assert failed == [True, True]
    assert town.held() == GRID
    assert "access" in stack.resources()


def test_a_subclass_that_moves_into_a_component_by_an_alias_writes_nothing(stack: Stack, town: Town) -> None:
    class OfATeam(DeploymentOrgTokenBindings):
        def __init__(self, name: str, **options: Any) -> None:
            super().__init__(name, roles=GRID, opts=pulumi.ResourceOptions(ignore_changes=["roles"], **options))

    class Team(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("my:team:Team", "team")
            OfATeam("access", parent=self, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])

    def program() -> None:
        Team()

    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    town.astro.clear_calls()
    stack.program = program
    moved = stack.up(refresh=True)
    writes = town.calls(POST)
    town.unbind("d-0", "t-1")
    ignored = stack.up(refresh=True)
    held = town.held()
    destroyed = stack.destroy(refresh=True)

    assert [one.failed for one in (moved, ignored, destroyed)] == [False, False, False]
    assert writes == 0
    assert held == {"d-0": {"t-0": ADMIN}, "d-1": {"t-0": ACCESSOR}}
    assert town.held() == {}


def test_two_stacks_that_each_keep_everybody_else_out_say_so_before_they_do(
    stack: Stack, town: Town, engine: PulumiCommand, tmp_path: Path
) -> None:
    directory = tmp_path / "theirs"
    directory.mkdir()
    theirs = Stack(engine, directory, led_to(town.astro))
    begin_with(stack, town.astro, declaring(access={"roles": {"d-0": {"t-0": ADMIN}}, "exclusive": True}))
    theirs.program = declaring(access={"roles": {"d-0": {"t-1": ADMIN}}, "exclusive": True})

    warned = theirs.preview()
    theirs.up()
    held = town.held()
    mine = stack.preview()

    will_lose = "Token {name!r} ({id}) will lose the role DEPLOYMENT_ADMIN in deployment 'd-0'"
    assert will_lose.format(name="t-0", id=town.tokens["t-0"]) in warned.text
    assert held == {"d-0": {"t-1": ADMIN}}
    assert will_lose.format(name="t-1", id=town.tokens["t-1"]) in mine.text

"""A table on the real engine: what a preview shows, what a run costs, and what stands afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBindings
from tests.support.beginnings import begin_with
from tests.support.made import Made
from tests.support.programs import declaring
from tests.support.stack import TABLE_TYPE, Stack
from tests.support.tables import ACCESSOR, ADMIN, GET_TOKEN, POST, Town, make_town

GRID = {"d-0": {"t-0": ADMIN, "t-1": ACCESSOR}, "d-1": {"t-0": ACCESSOR}}


@pytest.fixture
def town(astro: Emulator) -> Town:
    return make_town(astro)


def test_a_table_is_made_kept_changed_and_destroyed(stack: Stack, town: Town) -> None:
    stack.program = declaring(access={"roles": GRID})
    up = stack.up()
    made = town.held()
    identifier = stack.resources()["access"]["id"]
    town.astro.clear_calls()
    again = stack.up()
    unchanged = town.calls()
    stack.program = declaring(access={"roles": {"d-0": {"t-0": ACCESSOR}, "d-2": {"t-1": ADMIN}}})
    preview = stack.preview()
    changed = stack.up()
    held = town.held()
    kept = stack.resources()["access"]["id"]
    destroy = stack.destroy()

    assert up.steps[-1] == "create access"
    assert made == GRID
    assert again.changes == {"same": 2}
    assert unchanged <= 12
    shown = preview.text.partition("[urn=urn:pulumi:test::bindings::pulumi-python")[2].partition("Resources:")[0]
    assert {line.strip() for line in shown.splitlines()[1:]} - {"}"} == {
        "~ deployment_ids: {",
        f'- d-1: "{town.deployments["d-1"]}"',
        f'+ d-2: "{town.deployments["d-2"]}"',
        "~ roles         : {",
        "~ d-0: {",
        '~ t-0: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"',
        '- t-1: "DEPLOYMENT_ACCESSOR"',
        "- d-1: {",
        '- t-0: "DEPLOYMENT_ACCESSOR"',
        "+ d-2: {",
        '+ t-1: "DEPLOYMENT_ADMIN"',
    }
    assert changed.steps == ["update access"]
    assert held == {"d-0": {"t-0": ACCESSOR}, "d-2": {"t-1": ADMIN}}
    assert identifier == kept
    assert not destroy.failed
    assert town.held() == {}


def test_a_refresh_shows_drift_in_the_roles_and_the_next_run_mends_it(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    quiet = stack.refresh()
    town.bind("d-0", "t-0", ACCESSOR)
    town.unbind("d-1", "t-0")

    refresh = stack.refresh()
    preview = stack.preview()
    stack.up()

    assert quiet.changes == {"same": 2}
    assert refresh.changes == {"same": 1, "update": 1}
    assert preview.steps == ["update access"]
    assert '~ t-0: "DEPLOYMENT_ACCESSOR" => "DEPLOYMENT_ADMIN"' in preview.lines
    assert '+ t-0: "DEPLOYMENT_ACCESSOR"' in preview.lines
    assert town.held() == GRID


def test_problems_are_told_without_the_map_and_nothing_is_written(stack: Stack, town: Town) -> None:
    wrong = {f"clm00000000000000000000{number:02}": {"t-0": ADMIN} for number in range(30)}
    stack.program = declaring(access={"roles": {**GRID, **wrong}})

    preview = stack.preview()

    [error] = preview.errors
    assert preview.failed
    assert "30 entries or keys of this table cannot be right: (1) roles[" in error
    assert "And 10 more." in error
    assert len(error) < 6000
    assert town.calls(POST) == 0


@pytest.mark.parametrize("where", ["a role", "a row"])
def test_what_an_output_makes_none_is_an_error_and_nothing_is_revoked(stack: Stack, town: Town, where: str) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))

    def program() -> None:
        none: Any = Made("nothing", "nothing").made_id.apply(lambda _: None)
        row = {"t-0": ADMIN, "t-1": none} if where == "a role" else none
        DeploymentOrgTokenBindings("access", roles={**GRID, "d-0": row})

    stack.program = program
    ended = stack.up()

    told = {
        "a role": 'roles["d-0"]["t-1"]: is blank: write ',
        "a row": "roles[\"d-0\"]: must be a map {token: role}, not ''.",
    }
    assert ended.failed
    assert told[where] in ended.text
    assert town.held() == GRID


def test_an_update_that_fails_halfway_leaves_all_as_it_was_and_may_be_repeated_or_put_back(
    stack: Stack, town: Town
) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    town.astro.fault(status=403, operation=POST, path=max(town.tokens["t-0"], town.tokens["t-1"]))
    stack.program = declaring(access={"roles": {"d-0": {"t-0": ACCESSOR, "t-1": ADMIN}, "d-2": {"t-1": ADMIN}}})

    failed = stack.up()
    in_between = town.held()
    town.astro.clear_faults()
    stack.program = declaring(access={"roles": GRID})
    put_back = stack.up()

    assert failed.failed
    assert any("all is as it was before" in error for error in failed.errors)
    assert "Traceback" not in failed.text
    assert in_between == GRID
    assert put_back.changes == {"same": 2}
    assert town.held() == GRID


def test_a_rename_without_an_alias_keeps_every_role(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    town.astro.clear_calls()

    stack.program = declaring(renamed={"roles": GRID})
    up = stack.up()

    assert up.steps == ["create renamed", "delete access"]
    assert town.held() == GRID
    assert town.calls(POST) == 0
    assert sum("keeps its role" in notice for notice in up.notices) == 3


def test_an_entry_leaves_a_table_that_is_renamed_without_a_moment_without_its_role(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    town.astro.clear_calls()

    single = {"deployment_name": "d-1", "org_token_name": "t-0", "role": ACCESSOR}
    stack.program = declaring(renamed={"roles": {"d-0": GRID["d-0"]}}, single=single)
    up = stack.up()

    assert not up.failed, up.text
    assert town.held() == GRID
    assert town.calls(POST) == 0


def test_a_table_replaced_by_force_is_deleted_and_made_again(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": GRID}))
    before = stack.resources()["access"]

    up = stack.up(replace=[stack.urn("access", TABLE_TYPE)])

    after = stack.resources()["access"]
    assert not up.failed, up.text
    assert up.steps == ["delete-replaced access", "replace access", "create-replacement access"]
    assert not [notice for notice in up.notices if "keeps its role" in notice]
    assert town.held() == GRID
    assert (after["inputs"], after["outputs"]) == (before["inputs"], before["outputs"])
    assert after["id"] != before["id"]


def test_a_table_that_is_replaced_for_another_role_has_that_role_and_its_checks_say_nothing(
    stack: Stack, town: Town
) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS="strict")
    options = {"opts": pulumi.ResourceOptions(replace_on_changes=["roles"])}
    begin_with(stack, town.astro, declaring(access={"roles": GRID, **options}))

    changed = {**GRID, "d-0": {**GRID["d-0"], "t-0": ACCESSOR}}
    stack.program = declaring(access={"roles": changed, **options})
    up = stack.up()

    assert not up.failed, up.text
    assert up.steps == ["delete-replaced access", "replace access", "create-replacement access"]
    assert town.held() == changed
    assert stack.resources()["access"]["outputs"]["roles"] == changed


DEPTHS = ("whole", "row", "role", "key")


def test_what_another_resource_makes_is_unknown_in_the_preview_and_given_in_the_update(
    stack: Stack, astro: Emulator
) -> None:
    """Four tables side by side, each with a deployment that it leaves and one to which it comes."""
    town = make_town(astro, deployments=2 * len(DEPTHS))
    places = {depth: (f"d-{number}", f"d-{number + len(DEPTHS)}") for number, depth in enumerate(DEPTHS)}
    begin_with(
        stack, astro, declaring(**{depth: {"roles": {left: {"t-0": ACCESSOR}}} for depth, (left, _) in places.items()})
    )

    def program() -> None:
        role, token = Made("role", made_id=ADMIN), Made("token", made_id=town.tokens["t-1"])
        made = {depth: come for depth, (_, come) in places.items()}
        roles: dict[str, Any] = {
            "whole": role.made_id.apply(lambda is_made: {made["whole"]: {"t-0": is_made}}),
            "row": {made["row"]: role.made_id.apply(lambda is_made: {"t-0": is_made})},
            "role": {made["role"]: {"t-0": role.made_id}},
            "key": {made["key"]: token.made_id.apply(lambda is_made: {is_made: ADMIN})},
        }
        for depth in DEPTHS:
            DeploymentOrgTokenBindings(depth, roles=roles[depth])

    stack.program = program
    preview = stack.preview()
    up = stack.up()
    again = stack.up()

    assert {step for step in preview.steps if step.startswith("update ")} == {f"update {depth}" for depth in DEPTHS}
    assert not up.failed, up.text
    assert again.changes == {"same": 3 + len(DEPTHS)}
    assert town.held() == {come: {"t-1" if depth == "key" else "t-0": ADMIN} for depth, (_, come) in places.items()}


def test_secret_roles_are_given_and_stay_secret(stack: Stack, town: Town) -> None:
    def program() -> None:
        DeploymentOrgTokenBindings("access", roles={"d-0": {"t-0": pulumi.Output.secret(ADMIN)}})

    stack.program = program
    up = stack.up()
    again = stack.up()

    assert not up.failed, up.text
    assert again.changes == {"same": 2}
    assert town.held() == {"d-0": {"t-0": ADMIN}}
    assert ADMIN not in stack.state_text()


@pytest.mark.usefixtures("town")
def test_what_the_program_spells_twice_is_refused_by_name(stack: Stack) -> None:
    single = {"deployment_name": "d-0", "org_token_name": "t-0", "role": ADMIN}
    stack.program = declaring(access={"roles": GRID}, single=single)

    preview = stack.preview()

    assert preview.failed
    assert "The resources 'access' and 'single' both bind token 't-0' to deployment d-0." in preview.text


def test_what_is_spelled_differently_is_refused_in_the_preview(stack: Stack, town: Town) -> None:
    single = {"deployment_id": town.deployments["d-0"], "org_token_id": town.tokens["t-0"], "role": ADMIN}
    stack.program = declaring(access={"roles": GRID}, single=single)

    preview = stack.preview()

    assert preview.failed
    assert "Two resources of this program bind token 't-0'" in preview.text


def test_with_the_checks_off_a_preview_asks_nothing_and_a_run_does_the_same(stack: Stack, town: Town) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS="off")
    stack.program = declaring(access={"roles": GRID})

    stack.preview()
    asked = town.calls()
    up = stack.up()
    again = stack.up()
    stack.program = declaring(access={"roles": {"d-0": {"t-0": ADMIN, "t-2": ADMIN}}})
    changed = stack.up()

    assert asked == 0
    assert not up.failed, up.text
    assert again.changes == {"same": 2}
    assert not changed.failed, changed.text
    assert town.held() == {"d-0": {"t-0": ADMIN, "t-2": ADMIN}}


def test_a_thousand_deployments_of_one_token_cost_a_handful_of_calls(stack: Stack, town: Town) -> None:
    many = [town.astro.store.add_deployment(f"m-{number}") for number in range(1000)]
    stack.set_environment(ASTRO_SETTLE_SECONDS="1")
    stack.program = declaring(access={"roles": {id_: {"t-0": ADMIN} for id_ in many}})

    town.astro.clear_calls()
    stack.preview()
    preview = town.calls()
    town.astro.clear_calls()
    up = stack.up()
    made, looked = town.calls(POST), town.calls(GET_TOKEN)
    town.astro.clear_calls()
    again = stack.up()
    unchanged = town.calls()
    town.astro.clear_calls()
    stack.refresh()
    refreshed = town.calls()
    town.astro.clear_calls()
    destroy = stack.destroy()

    assert not up.failed, up.text
    assert again.changes == {"same": 2}
    assert not destroy.failed, destroy.text
    assert preview <= 8
    assert made <= 2
    assert looked <= 8
    assert unchanged <= 12
    assert refreshed <= 6
    assert town.calls(POST) <= 2
    assert {entry["entityType"] for entry in town.astro.store.token(town.tokens["t-0"])["roles"]} == {"ORGANIZATION"}


@pytest.fixture
def astro_with_limits(astro: Emulator) -> Iterator[Emulator]:
    astro.settings(latency_ms=50, rate_limits=True)
    yield astro
    astro.settings(latency_ms=0, rate_limits=False)


def test_a_grid_costs_one_write_for_each_token(stack: Stack, astro_with_limits: Emulator) -> None:
    town = make_town(astro_with_limits, deployments=20, tokens=20)
    stack.set_environment(ASTRO_SETTLE_SECONDS="1")
    grid = {deployment: dict.fromkeys(town.tokens, ADMIN) for deployment in town.deployments}
    stack.program = declaring(access={"roles": grid})

    up = stack.up()
    held, made = town.held(), _answered_writes(town)
    town.astro.clear_calls()
    destroy = stack.destroy()

    assert not up.failed, up.text
    assert not destroy.failed, destroy.text
    assert held == grid
    assert made == 20
    assert _answered_writes(town) == 20
    assert town.held() == {}


def _answered_writes(town: Town) -> int:
    """Writes that the service has made. One that came too early for its limit, and was refused, is none."""
    log = town.astro.calls()["log"]
    return sum(call["operation"] == POST and call["status"] != 429 for call in log)

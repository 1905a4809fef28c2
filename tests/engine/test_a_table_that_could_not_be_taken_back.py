"""A table of which a run has left something that it could neither finish nor take back, as in an outage that stays.

The next run has to see it, whatever its program says: the state tells what may stand.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBindings
from tests.support.beginnings import begin_after, begin_with
from tests.support.engine_process import wait_until
from tests.support.programs import declaring
from tests.support.stack import Outcome, Stack
from tests.support.tables import ACCESSOR, ADMIN, GET_TOKEN, POST, Town, make_town

BEFORE = {"d-0": {"t-0": ADMIN, "t-1": ACCESSOR}, "d-1": {"t-0": ACCESSOR, "t-1": ACCESSOR}}
AFTER = {"d-0": {"t-0": ACCESSOR, "t-1": ADMIN}, "d-2": {"t-0": ADMIN, "t-1": ADMIN}}


@pytest.fixture
def town(astro: Emulator) -> Town:
    return make_town(astro)


def fails_halfway(stack: Stack, town: Town) -> Outcome:
    """An `up` that writes one of the two tokens, and can neither write the other nor take the first one back."""
    first, second = sorted([town.tokens["t-0"], town.tokens["t-1"]])
    town.astro.fault(status=403, operation=POST, path=second)
    town.astro.fault(status=403, operation=POST, path=first, skip=1)
    up = stack.up()
    town.astro.clear_faults()
    return up


def half_done(town: Town) -> dict[str, dict[str, str]]:
    first = min(["t-0", "t-1"], key=lambda token: town.tokens[token])
    found: dict[str, dict[str, str]] = {}
    for roles, tokens in ((BEFORE, {"t-0", "t-1"} - {first}), (AFTER, {first})):
        for deployment, row in roles.items():
            for token in tokens & row.keys():
                found.setdefault(deployment, {})[token] = row[token]
    return found


def begin_half_done(stack: Stack, town: Town) -> None:
    """After an update from BEFORE to AFTER that fails halfway."""

    def arrange() -> None:
        begin_with(stack, town.astro, declaring(access={"roles": BEFORE}))
        stack.program = declaring(access={"roles": AFTER})
        assert fails_halfway(stack, town).failed

    begin_after(stack, town.astro, "an update that fails halfway", arrange)
    assert town.held() == half_done(town)


def test_an_update_that_fails_halfway_names_what_may_stand(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": BEFORE}))
    stack.program = declaring(access={"roles": AFTER})

    failed = fails_halfway(stack, town)

    [error] = [error for error in failed.errors if "could not be taken back, and may stand: roles[" in error]
    assert failed.failed
    assert "token c" not in error.partition("may stand: ")[2]  # what left the table has its place, too
    assert town.held() == half_done(town)


@pytest.mark.parametrize(
    ("then", "refresh"),
    [("put back", True), *((then, False) for then in ("put back", "repeated", "another one", "nothing", "destroyed"))],
)
def test_what_an_update_has_left_is_a_change_whatever_the_program_says_then(
    stack: Stack, town: Town, then: str, *, refresh: bool
) -> None:
    begin_half_done(stack, town)
    asked: dict[str, Any] = {
        "put back": BEFORE,
        "repeated": AFTER,
        "another one": {"d-1": {"t-1": ADMIN}, "d-3": {"t-0": ADMIN}},
    }
    roles = asked.get(then, {})
    stack.program = declaring(access={"roles": roles}) if roles else declaring()

    preview = stack.preview(refresh=refresh)
    ended = stack.destroy() if then == "destroyed" else stack.up(refresh=refresh)
    held = town.held()
    again = stack.up() if roles else None

    assert ("update access" if roles else "delete access") in preview.steps
    assert not ended.failed, ended.text
    assert held == roles
    assert again is None or again.changes == {"same": 2}


@pytest.mark.parametrize("then", ["repeated", "another one", "nothing"])
def test_what_a_create_has_left_is_in_the_state(stack: Stack, town: Town, then: str) -> None:
    def create() -> None:
        stack.program = declaring(access={"roles": AFTER})
        assert fails_halfway(stack, town).failed

    begin_after(stack, town.astro, "a create that fails halfway", create)
    left = town.held()
    roles: dict[str, Any] = {"repeated": AFTER, "another one": BEFORE}.get(then, {})
    stack.program = declaring(access={"roles": roles}) if roles else declaring()

    ended = stack.up()

    assert left
    assert ("update access" if roles else "delete access") in ended.steps
    assert not ended.failed, ended.text
    assert town.held() == roles


def test_a_second_failure_forgets_nothing(stack: Stack, town: Town) -> None:
    begin_half_done(stack, town)
    stack.program = declaring(access={"roles": AFTER})
    failed = []
    for operation in (GET_TOKEN, POST):
        town.astro.fault(status=403, operation=operation)
        failed.append(stack.up())
        town.astro.clear_faults()

    stack.program = declaring(access={"roles": BEFORE})
    put_back = stack.up()

    assert [one.failed for one in failed] == [True, True]
    assert put_back.steps == ["update access"]
    assert town.held() == BEFORE


def test_an_entry_that_may_have_moved_in_is_not_taken_where_it_was(stack: Stack, town: Town) -> None:
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    single = {"deployment_id": town.deployments["d-1"], "org_token_name": first, "role": ADMIN}
    begin_with(stack, town.astro, declaring(single=single, access={"roles": {"d-0": {second: ADMIN}}}))
    moved = {"d-0": {second: ACCESSOR}, "d-1": {first: ACCESSOR}}
    stack.program = declaring(access={"roles": moved, "overwrite": True})
    failed = fails_halfway(stack, town)

    up = stack.up()

    assert failed.failed
    assert not up.failed, up.text
    assert town.held() == moved


def test_an_exclusive_table_puts_right_what_a_run_has_left(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={"roles": BEFORE, "exclusive": True}))
    stack.program = declaring(access={"roles": AFTER, "exclusive": True})
    fails_halfway(stack, town)
    town.bind("d-0", "t-2", ADMIN)
    stack.program = declaring(access={"roles": BEFORE, "exclusive": True})

    up = stack.up()
    again = stack.up()

    assert not up.failed, up.text
    assert town.held() == BEFORE
    assert again.changes == {"same": 2}


def test_what_a_run_has_left_is_as_secret_as_the_roles(stack: Stack, town: Town) -> None:
    def program() -> None:
        DeploymentOrgTokenBindings("access", roles=pulumi.Output.secret(AFTER))

    stack.program = program
    failed = fails_halfway(stack, town)
    kept = stack.resources()["access"]["outputs"]
    text = stack.state_text()
    up = stack.up()

    assert failed.failed
    assert list(kept["roles"]) == ["4dabf18193072939515e22adb298388d", "ciphertext"]  # how the engine stores a secret
    assert kept["unfinished"]
    assert ADMIN not in text
    assert not up.failed, up.text
    assert town.held() == AFTER


def test_a_write_that_had_no_answer_and_is_carried_out_later_is_taken_by_the_destroy_of_the_table(
    stack: Stack, town: Town
) -> None:
    # A read takes half of the bound, so that the write alone is no outage, in which nothing would be taken back.
    stack.set_environment(ASTRO_TIMEOUT_SECONDS="6")
    stack.program = declaring(access={"roles": {"d-0": {"t-0": ADMIN}}})
    town.astro.fault(kind="delay", operation=GET_TOKEN, delay_ms=3000, skip=1, times=1)  # after the one of the check
    town.astro.fault(kind="delay", operation=POST, delay_ms=10_000, times=1)

    failed = stack.up()
    wait_until(lambda: town.held() == {"d-0": {"t-0": ADMIN}}, "the write is carried out after all")
    stack.set_environment(ASTRO_TIMEOUT_SECONDS="60")
    stored = stack.resources()["access"]["outputs"]
    destroy = stack.destroy()

    assert failed.failed
    assert "as it was before" not in failed.text
    assert 'a write had no answer, and Astro may carry it out later: roles["d-0"]["t-0"]' in failed.text
    assert (stored["roles"], stored["unfinished"]) == ({}, {"d-0": ["t-0"]})
    assert not destroy.failed
    assert town.held() == {}


def test_what_had_no_answer_and_could_not_be_taken_back_is_named_once(stack: Stack, town: Town) -> None:
    stack.set_environment(ASTRO_TIMEOUT_SECONDS="4", ASTRO_SETTLE_SECONDS="20")  # no list is too old to be written
    stack.program = declaring(access={"roles": {"d-0": {"t-0": ADMIN}}})
    town.astro.fault(kind="delay", operation=POST, delay_ms=6000, times=1)
    town.astro.fault(status=403, operation=GET_TOKEN, skip=2)  # after those of the check and before the write

    failed = stack.up()
    town.astro.clear_faults()

    [problem] = [one for one in failed.problems if "could not be made" in one]
    assert problem.count('may stand: roles["d-0"]["t-0"]. ') == 1

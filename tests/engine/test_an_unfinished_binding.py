"""A binding whose write was sent and had no answer, through both doors: the state has it, and so has the next preview."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.beginnings import begin_after
from tests.support.engine_process import wait_until
from tests.support.stack import Outcome, led_to
from tests.support.writes import writes
from tests.walk.doors import Door, DynamicStack, NativeStack

ACCESSOR, ADMIN = "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"
POST, GET = "UpdateApiTokenRoles", "GetApiToken"
EitherStack = DynamicStack | NativeStack


@pytest.fixture(params=[Door.DYNAMIC, Door.NATIVE])
def either(request: pytest.FixtureRequest, engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> EitherStack:
    """A stack of the dynamic resources, and one of the native ones."""
    stack: EitherStack = request.param.stack(engine, tmp_path, led_to(astro))
    return stack


class Place:
    """A token and a deployment, and what a program says of the two."""

    def __init__(self, astro: Emulator, stack: EitherStack) -> None:
        self.astro, self.stack = astro, stack
        self.deployment, self.token = astro.store.add_deployment("d"), astro.store.add_token("t")

    def declares(self, role: str | None) -> None:
        row = {"deployment_id": self.deployment, "org_token_name": "t", "role": role}
        self.stack.declare({"binding": row} if role else {})

    def begin_with(self, role: str) -> None:
        """The program says so, and has been run."""

        def up() -> None:
            self.declares(role)
            assert not self.stack.up().failed

        self.begin_after(role, up)
        self.declares(role)

    def begin_after(self, what: str, arrange: Callable[[], None]) -> None:
        begin_after(self.stack, self.astro, what, arrange)

    @property
    def role(self) -> str | None:
        role: str | None = self.astro.store.deployment_role(self.token, self.deployment)
        return role

    @property
    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.resources()["binding"]["outputs"]
        return found

    def loses_the_answer(self, command: str = "up") -> Outcome:
        """A run whose write is carried out and not answered, after which no token can be read."""
        self.stack.set_environment(ASTRO_TIMEOUT_SECONDS="5")
        self.astro.clear_calls()
        self.astro.fault(kind="drop_after", operation=POST, times=1)
        after_it = threading.Thread(target=self._refuse_reads_after_the_write, daemon=True)
        after_it.start()
        outcome: Outcome = getattr(self.stack, command)()
        after_it.join()
        self.astro.clear_faults()
        self.stack.set_environment(ASTRO_TIMEOUT_SECONDS="60")
        return outcome

    def _refuse_reads_after_the_write(self) -> None:
        wait_until(lambda: writes(self.astro) > 0, "a write is sent")
        self.astro.fault(status=503, operation=GET)


@pytest.fixture
def place(astro: Emulator, either: EitherStack) -> Place:
    return Place(astro, either)


def test_an_update_that_may_stand_is_shown_and_written_anew_when_the_program_goes_back(place: Place) -> None:
    place.begin_with(ACCESSOR)
    place.declares(ADMIN)

    failed = place.loses_the_answer()
    stands, marked = place.role, dict(place.outputs)
    place.declares(ACCESSOR)
    preview = place.stack.preview()
    back = place.stack.up()
    again = place.stack.up()

    assert failed.failed
    assert stands == ADMIN
    assert (marked["role"], marked["unfinished"]) == (ACCESSOR, True)
    assert any("was sent, and Astro has not shown since whether it stands" in one for one in failed.problems), (
        failed.text
    )
    assert preview.steps == ["update binding"]
    assert not back.failed, back.text
    assert back.steps == ["update binding"]
    assert place.role == ACCESSOR
    assert "unfinished" not in place.outputs
    assert again.steps == []


@pytest.mark.parametrize("then", ["repeated", "refreshed", "left out", "destroyed"])
def test_a_create_that_may_stand_is_in_the_state_whatever_comes_then(place: Place, then: str) -> None:
    def create() -> None:
        place.declares(ADMIN)
        assert place.loses_the_answer().failed

    place.begin_after("a create that may stand", create)
    stands, marked = place.role, dict(place.outputs)
    place.declares(None if then == "left out" else ADMIN)
    commands = {"repeated": "up", "refreshed": "refresh", "left out": "up", "destroyed": "destroy"}
    ended: Outcome = getattr(place.stack, commands[then])()

    assert stands == ADMIN
    assert (marked["role"], marked["unfinished"]) == (ADMIN, True)
    assert not ended.failed, ended.text
    if then in ("repeated", "refreshed"):
        assert place.role == ADMIN
        assert "unfinished" not in place.outputs
        assert place.stack.up().steps == []
    else:
        assert place.role is None
        assert place.stack.resources() == {}


def test_a_delete_that_may_be_done_says_to_refresh_before_the_binding_is_declared_again(place: Place) -> None:
    place.begin_with(ADMIN)

    failed = place.loses_the_answer("destroy")
    place.declares(ADMIN)
    again = place.stack.up(refresh=True)

    assert failed.failed
    assert any("before you declare it again, run `pulumi refresh`" in one for one in failed.problems), failed.text
    assert not again.failed, again.text
    assert place.role == ADMIN


def test_a_destroy_that_is_refused_ends_with_one_sentence_and_no_traceback(place: Place) -> None:
    place.begin_with(ADMIN)
    place.astro.fault(operation=POST, status=403)

    failed = place.stack.destroy()
    [sentence] = failed.problems

    assert failed.failed
    assert re.fullmatch(r"binding: [^\n]*403[^\n]*", sentence), sentence
    assert "Traceback" not in failed.text
    assert place.role == ADMIN
    assert place.outputs["role"] == ADMIN

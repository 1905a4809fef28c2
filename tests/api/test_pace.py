"""The pace of a process's calls, on a clock that stands still unless somebody sleeps."""

from __future__ import annotations

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import ApiTokenRole, pace
from astro_provider.astro.api.pace import WRITES_IN_A_WINDOW, Pace
from tests.support.clients import Connect

LIMITS = {"GET": 25, "POST": 10}  # calls a second, as published


class Clock:
    """The clock that `Pace` looks at; to sleep on it takes no time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.now += max(0.0, seconds)
        return True

    def is_cancelled(self) -> bool:
        return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(pace, "cancelling", clock)
    return clock


def turns(of: Pace, clock: Clock, verb: str, calls: int) -> list[float]:
    """When each of so many calls goes out."""
    found = []
    for _ in range(calls):
        of.wait(verb)
        found.append(clock.now)
    return found


@pytest.mark.parametrize("verb", LIMITS)
def test_no_second_holds_more_calls_than_the_service_allows_and_few_less(clock: Clock, verb: str) -> None:
    went_out = turns(Pace(), clock, verb, 100)

    fullest = max(sum(start <= at < start + 1 for at in went_out) for start in went_out)
    assert 0.8 * LIMITS[verb] <= fullest <= LIMITS[verb]


def test_the_verbs_have_turns_of_their_own(clock: Clock) -> None:
    of = Pace()
    of.wait("POST")

    assert turns(of, clock, "GET", 1) == [1000.0]


def test_a_refusal_for_the_limit_halves_the_pace_and_calls_that_get_through_bring_it_back(clock: Clock) -> None:
    of = Pace()
    first, second = turns(of, clock, "POST", 2)
    of.limited("POST")
    turns(of, clock, "POST", 1)
    before, after = turns(of, clock, "POST", 2)
    for _ in range(60):
        of.passed("POST")
    turns(of, clock, "POST", 1)
    again = turns(of, clock, "POST", 2)

    assert after - before == pytest.approx(2 * (second - first))
    assert again[1] - again[0] == pytest.approx(second - first)


def test_many_refusals_do_not_stop_it(clock: Clock) -> None:
    of = Pace()
    for _ in range(20):
        of.limited("GET")
    turns(of, clock, "GET", 1)

    before, after = turns(of, clock, "GET", 2)

    assert after - before == pytest.approx(8 / 22)


def test_a_write_that_would_crowd_its_second_because_an_earlier_one_came_late_is_held_back(clock: Clock) -> None:
    of, went_out = Pace(), []
    for number in range(25):
        clock.now = max(clock.now, 1000 + number / 9 + (0.12 if number in (0, 9, 12) else 0.0))
        of.hold_write_back()
        went_out.append(clock.now)

    closest = min(after - before for before, after in zip(went_out, went_out[10:], strict=False))
    assert closest == pytest.approx(1.05)
    assert went_out[-1] == 1000 + 24 / 9


def test_writes_in_their_turn_are_not_held_back(clock: Clock) -> None:
    of = Pace()
    for _ in range(100):
        [at] = turns(of, clock, "POST", 1)
        of.hold_write_back()
        assert clock.now == at


def test_no_write_is_held_back_for_long_because_what_was_read_grows_old(clock: Clock) -> None:
    of = Pace()
    for _ in range(11):
        of.hold_write_back()

    assert clock.now == pytest.approx(1000.1)


def test_writes_that_come_at_once_leave_the_service_s_second_in_peace(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WINDOW_SECONDS", 2.0)  # a slow machine may take its time with the first of them
    monkeypatch.setattr(pace, "LONGEST_HELD_BACK_SECONDS", 9.0)
    with Emulator.running(rate_limits=True) as astro:
        token_id = astro.store.add_token("ci")
        client = connect(astro.url, credential=astro.credential)
        member = ApiTokenRole(entity_type="ORGANIZATION", entity_id=astro.organization_id, role="ORGANIZATION_MEMBER")

        for _ in range(WRITES_IN_A_WINDOW + 2):
            client.of(astro.organization_id).set_roles(token_id, [member])

        assert "429" not in astro.calls()["by_status"]

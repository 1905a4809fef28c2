"""Who is written next, and how long company is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing import queues as module
from astro_provider.astro.writing.changes import Outcome, Remove
from astro_provider.astro.writing.queues import Queue, Queues, Ticket
from astro_provider.errors import Unavailable
from tests.support.engine_process import wait_until

SOON = 30.0  # seconds; a busy machine has them


class Pace:
    """A pace that lets the test say when the service can take a write, and what the wait for it raises."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self._free = threading.Semaphore(0)

    def free(self, error: Exception | None = None) -> None:
        """Let one wait end."""
        self.raises = error
        self._free.release()

    @property
    def all_used(self) -> bool:
        """Whether no wait could end now."""
        return not self._free.acquire(blocking=False)

    def __call__(self) -> None:
        assert self._free.acquire(timeout=SOON)
        if self.raises:
            raise self.raises


@pytest.fixture
def queues() -> Queues:
    return Queues(threading.Condition(), 4)


def tickets(token: str, count: int) -> list[Ticket]:
    return [Ticket(Remove(BindingId("o", f"d{number}", token)), object()) for number in range(count)]


def fill(queues: Queues, token: str, count: int) -> Queue:
    for ticket in tickets(token, count):
        queues.enter(ticket)
    return queues[TokenKey("o", token)]


def in_threads(queues: Queues, pace: Callable[[], None], **led: Queue) -> list[str]:
    """Have each token wait for its turn in a thread of its own, one after the other; the list shows who had it."""
    order: list[str] = []

    def wait(token: str, queue: Queue) -> None:
        try:
            with operation(SOON):
                queues.await_turn(queue, pace)
            order.append(token)
        except Unavailable:
            order.append(f"{token} failed")

    for token, queue in led.items():
        threading.Thread(target=wait, args=(token, queue), daemon=True).start()
        wait_until(partial(queues._wait_since.__contains__, queue), "it waits")  # noqa: SLF001  nobody else tells
    return order


def give_turn(pace: Pace, order: list[str]) -> None:
    """Let the service take one more write, and wait until a token has that turn."""
    given = len(order)
    pace.free()
    wait_until(lambda: len(order) > given, "a turn was given")


def test_the_token_that_most_changes_wait_for_comes_first(queues: Queues) -> None:
    pace = Pace()
    order = in_threads(queues, pace, a=fill(queues, "a", 1), b=fill(queues, "b", 3), c=fill(queues, "c", 2))

    for _ in range(3):
        give_turn(pace, order)

    assert order == ["b", "c", "a"]


def test_changes_that_come_while_a_token_waits_count(queues: Queues) -> None:
    pace = Pace()
    order = in_threads(queues, pace, a=fill(queues, "a", 1), b=fill(queues, "b", 2))

    fill(queues, "a", 3)
    for _ in range(2):
        give_turn(pace, order)

    assert order == ["a", "b"]


def test_a_lone_change_that_has_waited_for_long_comes_before_longer_queues(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_SECONDS", 0.0)
    pace = Pace()
    order = in_threads(queues, pace, a=fill(queues, "a", 1), b=fill(queues, "b", 3))

    for _ in range(2):
        give_turn(pace, order)

    assert order == ["a", "b"]


def test_a_wait_that_fails_takes_the_turn_from_nobody(queues: Queues) -> None:
    pace = Pace()
    order = in_threads(queues, pace, a=fill(queues, "a", 1), b=fill(queues, "b", 3))

    pace.free(Unavailable("too late"))
    wait_until(lambda: order == ["a failed"], "the first has failed")
    pace.free()
    wait_until(lambda: len(order) == 2, "the second has its turn")

    assert order == ["a failed", "b"]
    assert pace.all_used


def test_a_thread_whose_time_is_over_asks_the_pace_for_itself(queues: Queues) -> None:
    slow = Pace()
    in_threads(queues, slow, a=fill(queues, "a", 1))

    def too_late() -> None:
        raise Unavailable("too late")

    with operation(0.0), pytest.raises(Unavailable):
        queues.await_turn(fill(queues, "b", 1), too_late)
    slow.free()


def test_a_turn_is_asked_for_once_and_is_lost_with_the_lead(queues: Queues) -> None:
    pace = Pace()
    queue = fill(queues, "a", 1)
    pace.free()
    with operation(SOON):
        queues.await_turn(queue, pace)

        queues.await_turn(queue, pace)  # would wait for the pace
    queue.end_lead()

    assert not queue.has_turn


def test_nobody_waits_for_company_once_all_are_here(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 1e6)
    monkeypatch.setattr(module, "GATHER_IN_BATCH_SECONDS", 1e6)
    monkeypatch.setattr(module, "LONGEST_GATHER_SECONDS", 1e6)

    fill(queues, "a", 4)
    queues.gather()


def test_company_is_waited_for_again_after_somebody_has_come(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", SOON)
    monkeypatch.setattr(module, "GATHER_IN_BATCH_SECONDS", SOON)
    monkeypatch.setattr(module, "LONGEST_GATHER_SECONDS", SOON)
    fill(queues, "a", 1)

    def come() -> None:
        for number in range(3):
            time.sleep(0.1)
            fill(queues, f"other {number}", 1)

    threading.Thread(target=come, daemon=True).start()
    queues.gather()

    assert len(queues[TokenKey("o", "other 2")].waiting) == 1


def test_company_is_waited_for_no_longer_than_a_moment(queues: Queues) -> None:
    queue = fill(queues, "a", 3)

    queues.gather()

    assert len(queue.waiting) == 3


def test_company_is_not_waited_for_without_an_end(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 1e6)
    monkeypatch.setattr(module, "GATHER_IN_BATCH_SECONDS", 1e6)
    monkeypatch.setattr(module, "LONGEST_GATHER_SECONDS", 0.01)

    fill(queues, "a", 3)
    queues.gather()


def test_a_change_that_was_given_up_is_counted_once(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 1e6)
    monkeypatch.setattr(module, "GATHER_IN_BATCH_SECONDS", 1e6)
    monkeypatch.setattr(module, "LONGEST_GATHER_SECONDS", 1e6)
    [first] = tickets("a", 1)
    queues.enter(first)
    for _ in range(2):
        queues.end(first, Outcome(first.change))

    fill(queues, "b", 4)
    queues.gather()  # would wait for one more

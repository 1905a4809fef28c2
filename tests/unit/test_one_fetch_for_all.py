"""Who asks for the same fact at the same time waits for one fetch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from astro_provider.astro.api import deadline
from astro_provider.astro.single_flight import SingleFlight
from astro_provider.errors import Unavailable

THREADS = 8
PATIENCE_SECONDS = 10.0


def test_threads_that_ask_at_once_make_one_fetch() -> None:
    flights = SingleFlight()
    start = threading.Barrier(THREADS)
    fetches: list[int] = []

    def fetch() -> str:
        fetches.append(1)
        time.sleep(0.05)
        return "fact"

    def ask(_: int) -> str:
        start.wait(PATIENCE_SECONDS)
        return flights.get("key", fetch, not_before=0.0)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, range(THREADS)))

    assert answers == ["fact"] * THREADS
    assert len(fetches) == 1


def test_an_error_goes_to_those_who_waited_and_to_nobody_else() -> None:
    flights = SingleFlight()
    fetching, fail = threading.Event(), threading.Event()
    asked: list[int] = []

    def fetch() -> str:
        fetching.set()
        assert fail.wait(PATIENCE_SECONDS)
        raise RuntimeError("outage")

    def ask_meanwhile() -> str:
        asked.append(1)
        return flights.get("key", lambda: "must not be fetched", not_before=0.0)

    with ThreadPoolExecutor(THREADS) as pool:
        first = pool.submit(flights.get, "key", fetch, not_before=0.0)
        assert fetching.wait(PATIENCE_SECONDS)
        waiting = [pool.submit(ask_meanwhile) for _ in range(3)]
        while len(asked) < 3:
            time.sleep(0.001)
        time.sleep(0.2)  # from there to the closed door
        fail.set()
        outcomes = [future.exception(PATIENCE_SECONDS) for future in (first, *waiting)]

    assert [str(outcome) for outcome in outcomes] == ["outage"] * 4
    assert flights.get("key", lambda: "well again", not_before=0.0) == "well again"


def test_a_fact_is_kept() -> None:
    flights = SingleFlight()

    flights.get("key", lambda: "old", not_before=0.0)

    assert flights.get("key", lambda: "new", not_before=0.0) == "old"


def test_who_needs_a_younger_fact_gets_a_new_fetch() -> None:
    flights = SingleFlight()
    flights.get("key", lambda: "old", not_before=0.0)

    later = time.monotonic() + 0.0001
    while time.monotonic() < later:
        pass

    assert flights.get("key", lambda: "new", not_before=later) == "new"
    assert flights.get("key", lambda: "newer", not_before=0.0) == "new"


def test_a_fetch_that_began_too_early_does_not_count_even_while_it_is_on_its_way() -> None:
    flights = SingleFlight()
    fetching, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        fetching.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return "old"

    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(flights.get, "key", slow, not_before=0.0)
        assert fetching.wait(PATIENCE_SECONDS)
        time.sleep(0.001)
        younger = flights.get("key", lambda: "new", not_before=time.monotonic())
        go_on.set()

        assert younger == "new"
        assert early.result(PATIENCE_SECONDS) == "old"
    assert flights.get("key", lambda: "newest", not_before=0.0) == "new"


def test_an_early_fetch_that_fails_does_not_take_the_younger_fact_away() -> None:
    flights = SingleFlight()
    fetching, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        fetching.set()
        assert go_on.wait(PATIENCE_SECONDS)
        raise RuntimeError("outage")

    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(flights.get, "key", slow, not_before=0.0)
        assert fetching.wait(PATIENCE_SECONDS)
        time.sleep(0.001)
        flights.get("key", lambda: "new", not_before=time.monotonic())
        go_on.set()
        assert early.exception(PATIENCE_SECONDS) is not None

    assert flights.get("key", lambda: "newest", not_before=0.0) == "new"


def test_facts_of_different_keys_are_fetched_apart() -> None:
    flights = SingleFlight()

    assert flights.get("one", lambda: 1, not_before=0.0) == 1
    assert flights.get("two", lambda: 2, not_before=0.0) == 2


def test_a_fact_is_there_until_it_is_too_old() -> None:
    flights = SingleFlight(oldest_seconds=60.0)

    assert not flights.has("key")
    flights.get("key", lambda: 1)
    assert flights.has("key")
    assert flights.get("key", lambda: 2) == 1
    flights._oldest_seconds = -1.0  # noqa: SLF001  a minute has passed
    assert not flights.has("key")
    assert flights.get("key", lambda: 3) == 3


def test_what_was_learnt_in_another_way_is_found() -> None:
    flights = SingleFlight()
    flights.get("key", lambda: "old", not_before=0.0)

    flights.put("key", "written")

    assert flights.get("key", lambda: "fetched", not_before=0.0) == "written"


@pytest.mark.parametrize(("seconds", "outcome"), [(60.0, "fetched again"), (20.0, "no answer in time")])
def test_only_a_caller_with_more_time_than_a_fetch_that_got_no_answer_fetches_again(
    seconds: float, outcome: str
) -> None:
    flights = SingleFlight()
    fetching, go_on = threading.Event(), threading.Event()

    def unanswered() -> str:
        fetching.set()
        assert go_on.wait(PATIENCE_SECONDS)
        raise Unavailable("no answer in time")

    def ask(fetch: Callable[[], str], seconds: float) -> str:
        with deadline.operation(seconds):
            try:
                return flights.get("key", fetch, not_before=0.0)
            except Unavailable as error:
                return str(error)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, unanswered, 40.0)
        assert fetching.wait(PATIENCE_SECONDS)
        second = pool.submit(ask, lambda: "fetched again", seconds)
        time.sleep(0.1)  # from there to the first one's answer
        go_on.set()

        assert first.result(PATIENCE_SECONDS) == "no answer in time"
        assert second.result(PATIENCE_SECONDS) == outcome


def test_a_fetch_that_is_interrupted_lets_nobody_wait_for_ever() -> None:
    flights = SingleFlight()

    def interrupted() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flights.get("key", interrupted, not_before=0.0)

    assert flights.get("key", lambda: "fact", not_before=0.0) == "fact"


def test_nobody_waits_for_another_thread_longer_than_its_own_operation_may_take() -> None:
    flights = SingleFlight()
    fetching, go_on = threading.Event(), threading.Event()

    def never_ends() -> str:
        fetching.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return "too late"

    def ask_in_an_operation() -> str:
        with deadline.operation(0.05):
            return flights.get("key", lambda: "must not be fetched", not_before=0.0)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.get, "key", never_ends, not_before=0.0)
        assert fetching.wait(PATIENCE_SECONDS)
        error = pool.submit(ask_in_an_operation).exception(PATIENCE_SECONDS)
        go_on.set()

    assert isinstance(error, Unavailable)
    assert str(error) == (
        "What another resource of this run has asked Astro for was not answered within timeoutSeconds. Run again; "
        "ASTRO_TRACE=<file> records each call."
    )
    assert first.result() == "too late"

"""One fetch for all threads that ask for the same fact at the same time, and for a while after it.

An answer is as old as the start of its fetch. A caller that needs a younger one gives the moment, and a new fetch starts. An
error goes to the threads that waited for it, and to no later one. A caller never waits past its own deadline; and if a fetch
ended without an answer because its operation had less time left, the callers that have more fetch again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from astro_provider.astro.api import deadline
from astro_provider.errors import ONCE, Unavailable

_Fact = TypeVar("_Fact")

_NO_ANSWER = (
    "What another resource of this run has asked Astro for was not answered within timeoutSeconds. Run again; "
    "ASTRO_TRACE=<file> records each call."
)


@dataclass
class _Flight:
    started: float
    ends: float  # when the operation that fetches gives up
    answer: Future[Any] = field(default_factory=Future)


class SingleFlight:
    """A store of facts, each fetched once by the first thread that asks, and again at an age; safe between threads."""

    def __init__(self, oldest_seconds: float = math.inf) -> None:
        self._oldest_seconds = oldest_seconds
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def get(self, key: Hashable, fetch: Callable[[], _Fact], *, not_before: float | None = None) -> _Fact:
        """Return the fact of a key, which belongs to one kind of fact.

        `not_before` is the earliest start of its fetch, in seconds of the monotonic clock; None: `oldest_seconds` ago.

        Raises:
            Unavailable: another thread fetches it, and has no answer when the operation of this one must end.
            Exception: what `fetch` raised, also in another thread.
        """
        until = deadline.current()
        earliest = self._earliest if not_before is None else not_before
        while True:
            with self._lock:
                flight = self._flights.get(key)
                is_mine = flight is None or flight.started < earliest
                if flight is None or is_mine:
                    flight = self._flights[key] = _Flight(time.monotonic(), until.at)
            if is_mine:
                try:
                    flight.answer.set_result(fetch())
                except BaseException as error:  # noqa: BLE001  the waiting threads must get it, whatever it is
                    with self._lock:
                        if self._flights.get(key) is flight:
                            del self._flights[key]
                    flight.answer.set_exception(error)
            try:
                fact: _Fact = flight.answer.result(None if is_mine else until.remaining)
            except TimeoutError:
                raise Unavailable(_NO_ANSWER, patience=ONCE) from None
            except Unavailable:
                # The thread that fetched may have had less time than this one, which then fetches by itself.
                if is_mine or flight.ends >= until.at or not until.remaining:
                    raise
            else:
                return fact

    def has(self, key: Hashable) -> bool:
        """Return whether `get` would find the fact here, or on its way."""
        with self._lock:
            flight = self._flights.get(key)
            return flight is not None and flight.started >= self._earliest

    def put(self, key: Hashable, fact: Any) -> None:
        """Store a fact that was learnt in another way, as of now."""
        flight = _Flight(time.monotonic(), math.inf)
        flight.answer.set_result(fact)
        with self._lock:
            self._flights[key] = flight

    @property
    def _earliest(self) -> float:
        return time.monotonic() - self._oldest_seconds

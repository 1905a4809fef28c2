"""One fetch for all who ask for the same fact at the same time, and for a while after it.

An answer is as old as the start of its fetch. Whoever needs a younger one says so, and a new fetch starts. An error
goes to those who waited for it and to nobody else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

_Fact = TypeVar("_Fact")


@dataclass
class _Flight:
    started: float
    answer: Future[Any] = field(default_factory=Future)


class SingleFlight:
    """A store of facts, each fetched once by whoever asks first; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def get(self, key: Hashable, fetch: Callable[[], _Fact], *, not_before: float) -> _Fact:
        """Return the fact, fetched no earlier than `not_before` (seconds of the monotonic clock).

        Raises:
            Whatever `fetch` raised, also to all who waited for it.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None and flight.started >= not_before:
                mine = False
            else:
                flight = self._flights[key] = _Flight(time.monotonic())
                mine = True
        if mine:
            try:
                flight.answer.set_result(fetch())
            except BaseException as error:  # noqa: BLE001  whoever waits must hear of it
                self._drop(key, flight)
                flight.answer.set_exception(error)
        fact: _Fact = flight.answer.result()  # a key belongs to one kind of fact
        return fact

    def has(self, key: Hashable, *, not_before: float) -> bool:
        """Tell whether `get` would find the fact here, or on its way."""
        with self._lock:
            flight = self._flights.get(key)
            return flight is not None and flight.started >= not_before

    def put(self, key: Hashable, fact: Any) -> None:
        """Store a fact that was learnt in another way, as of now."""
        flight = _Flight(time.monotonic())
        flight.answer.set_result(fact)
        with self._lock:
            self._flights[key] = flight

    def _drop(self, key: Hashable, flight: _Flight) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

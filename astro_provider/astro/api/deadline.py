"""When an operation gives up, and which operation a thread is in.

A check or a create makes several calls, and waits for calls that other threads make. All of it together ends by one
deadline, which therefore belongs to the operation and not to a call; a thread that gets a copy of its context helps it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from astro_provider.astro.api import cancelling

_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@dataclass(frozen=True)
class Deadline:
    """The moment, on the monotonic clock, at which an operation gives up."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @classmethod
    def of_operation(cls, seconds: float) -> Deadline:
        """The deadline of the operation that this thread is in; if it is in none, that many seconds from now."""
        return current() or cls.after(seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - time.monotonic())


@contextmanager
def operation(seconds: float) -> Iterator[None]:
    """Let all that this thread does in the block end that many seconds from now, or when the run is cancelled."""
    before = _current.set(Deadline.after(seconds))
    try:
        with cancelling.operation():
            yield
    finally:
        _current.reset(before)


def current() -> Deadline | None:
    """The deadline of the operation that this thread is in, or None."""
    return _current.get()

"""When an operation gives up.

A check or a create makes several calls, and waits for calls that other threads make. All of it together ends by one
deadline, which therefore belongs to the operation and not to a call. It stands in a context variable, the one way in which
every wait learns it; a thread that gets a copy of its context helps the operation.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

from astro_provider.astro.api import cancelling

LONGEST_SECONDS = threading.TIMEOUT_MAX / 2  # half of what a lock can wait, so that what is added does not exceed it


@dataclass(frozen=True)
class Deadline:
    """The moment, on the monotonic clock, at which an operation gives up."""

    at: float

    @property
    def remaining(self) -> float:
        """Seconds left; never negative, and never more than a lock can wait."""
        return min(LONGEST_SECONDS, max(0.0, self.at - time.monotonic()))


_NONE = Deadline(math.inf)
_current: ContextVar[Deadline] = ContextVar("deadline", default=_NONE)


def current() -> Deadline:
    """The deadline of the operation that this thread is in; an endless one outside of all operations."""
    return _current.get()


@contextmanager
def ending_in(seconds: float) -> Iterator[None]:
    """Let all that this thread does in the block end that many seconds from now."""
    before = _current.set(Deadline(time.monotonic() + seconds))
    try:
        yield
    finally:
        _current.reset(before)


def within(seconds: float) -> AbstractContextManager[None]:
    """Let the block end by the deadline of this thread's operation; outside of all operations, that many seconds from now."""
    return ending_in(seconds) if current() is _NONE else nullcontext()


@contextmanager
def operation(seconds: float) -> Iterator[None]:
    """Let the block be an operation, which ends that many seconds from now, or when the run is cancelled."""
    with ending_in(seconds), cancelling.operation():
        yield

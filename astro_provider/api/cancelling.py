"""Whether this process was told to stop, which every wait of this room looks at.

Then nothing more is written, and what waits or would try again ends with an error. Only an operation that has sent a write
goes on, by calls that are made at once and once: what it sent must be read, or nobody knows whether it stands.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_told = threading.Event()
_thread = threading.local()


def cancel() -> None:
    """Let everything stop, for as long as this process lives."""
    _told.set()


def is_cancelled() -> bool:
    """Tell whether nothing may be written any more."""
    return _told.is_set()


def is_stopped() -> bool:
    """Tell whether this thread may make no call any more, because its operation has sent no write."""
    return _told.is_set() and getattr(_thread, "in_operation", False) and not getattr(_thread, "has_sent", False)


def pause(seconds: float) -> bool:
    """Wait so long, and tell whether it was so long: a process that is told to stop waits no longer."""
    return not _told.wait(max(0.0, seconds))


@contextmanager
def operation() -> Iterator[None]:
    """Let the block be one operation, which has sent nothing yet. A thread that is in none helps one that has."""
    before = getattr(_thread, "in_operation", False), getattr(_thread, "has_sent", False)
    _thread.in_operation, _thread.has_sent = True, False
    try:
        yield
    finally:
        _thread.in_operation, _thread.has_sent = before


def sending() -> None:
    """Note that this thread sends a write now."""
    _thread.has_sent = True

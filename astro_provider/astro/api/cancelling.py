"""The cancellation of a run, at which every wait of `api/` looks.

After a cancel nothing more is written, and what waits or would try again ends with an error. Only an operation that has
sent a write may still read the token once, without waiting or retrying, to learn whether the write took effect.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class _Operation:
    """The writes of one operation, shared by all its threads."""

    has_sent: bool = False


_told = threading.Event()
# None: a thread of the writer, which helps operations that have sent writes.
_operation: ContextVar[_Operation | None] = ContextVar("operation", default=None)


def cancel() -> None:
    """Let everything stop, for as long as this process lives."""
    _told.set()


def is_cancelled() -> bool:
    """Return whether nothing may be written any more."""
    return _told.is_set()


def is_stopped() -> bool:
    """Return whether this thread may make no call any more, because its operation has sent no write."""
    operation_ = _operation.get()
    return _told.is_set() and operation_ is not None and not operation_.has_sent


def pause(seconds: float) -> bool:
    """Wait so long, and return whether it was so long: a cancelled run waits no longer."""
    return not _told.wait(max(0.0, seconds))


@contextmanager
def operation() -> Iterator[None]:
    """Let the block, and the threads that get a copy of its context, be one operation, which has sent nothing yet."""
    before = _operation.set(_Operation())
    try:
        yield
    finally:
        _operation.reset(before)


def sending() -> None:
    """Note that this thread's operation sends a write now."""
    operation_ = _operation.get()
    if operation_ is not None:
        operation_.has_sent = True

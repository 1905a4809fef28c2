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

    told: threading.Event
    has_sent: bool = False


_told = threading.Event()
# None: a thread of the writer, which helps operations that have sent writes.
_operation: ContextVar[_Operation | None] = ContextVar("operation", default=None)


def cancel() -> None:
    """Let everything that is under way stop, and whatever begins before `begin_anew`."""
    _told.set()


def begin_anew() -> None:
    """Let a process that serves several runs serve another one; what was told to stop stays so."""
    global _told  # noqa: PLW0603  one for the process
    _told = threading.Event()


def _event() -> threading.Event:
    operation_ = _operation.get()
    return _told if operation_ is None else operation_.told


def is_cancelled() -> bool:
    """Return whether nothing may be written any more."""
    return _event().is_set()


def is_stopped() -> bool:
    """Return whether this thread may make no call any more, because its operation has sent no write."""
    operation_ = _operation.get()
    return operation_ is not None and operation_.told.is_set() and not operation_.has_sent


def pause(seconds: float) -> bool:
    """Wait so long, and return whether it was so long: a cancelled run waits no longer."""
    return not _event().wait(max(0.0, seconds))


@contextmanager
def operation() -> Iterator[None]:
    """Let the block, and the threads that get a copy of its context, be one operation, which has sent nothing yet."""
    before = _operation.set(_Operation(_told))
    try:
        yield
    finally:
        _operation.reset(before)


def sending() -> None:
    """Note that this thread's operation sends a write now."""
    operation_ = _operation.get()
    if operation_ is not None:
        operation_.has_sent = True

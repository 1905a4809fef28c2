"""The cancellation of a run, which every wait of `api/` looks for.

After a cancel no write begins, and each wait and each retry ends with an error. Only an operation that has sent a write may
still read the token once, without waiting or retrying, to learn whether the write took effect.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class _Operation:
    """The run that an operation belongs to, and whether it has sent a write; shared by all its threads."""

    cancelled: threading.Event
    has_sent: bool = False


_cancelled = threading.Event()  # of the run that this process serves now
# None: outside of all operations, as the thread is that looks at what was written; it may read, also after a cancel.
_operation: ContextVar[_Operation | None] = ContextVar("operation", default=None)


def cancel() -> None:
    """Cancel the run: all that is under way, and all that begins before `begin_anew`."""
    _cancelled.set()


def begin_anew() -> None:
    """Begin another run, in a process that serves several; operations of the cancelled run stay cancelled."""
    global _cancelled  # noqa: PLW0603  one for the process
    _cancelled = threading.Event()


def _current() -> _Operation:
    return _operation.get() or _Operation(_cancelled, has_sent=True)


def is_cancelled() -> bool:
    """Return whether no write may begin any more."""
    return _current().cancelled.is_set()


def is_stopped() -> bool:
    """Return whether this thread may make no call any more, because its operation has sent no write."""
    return is_cancelled() and not _current().has_sent


def pause(seconds: float) -> bool:
    """Wait that many seconds, or until the run is cancelled; return False if it was."""
    return not _current().cancelled.wait(max(0.0, seconds))


@contextmanager
def operation() -> Iterator[None]:
    """Let the block, and the threads that get a copy of its context, be one operation, which has sent nothing yet."""
    before = _operation.set(_Operation(_cancelled))
    try:
        yield
    finally:
        _operation.reset(before)


def sending() -> None:
    """Note that this thread's operation sends a write now."""
    _current().has_sent = True

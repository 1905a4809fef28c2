"""Several reads at once, as one operation."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CALLS_AT_ONCE = 4  # the client's pace keeps them within the service's limits

_T = TypeVar("_T")


def in_parallel(calls: Sequence[Callable[[], _T]]) -> Iterator[_T]:
    """Make the calls a few at a time, as parts of this thread's operation, and yield what they return, in order.

    An interrupted caller does not wait for calls in flight, which may have their retries before them.
    """
    # Each call has a copy of its own, because a context is one thread's at a time.
    contexts = [contextvars.copy_context() for _ in calls]
    pool = ThreadPoolExecutor(CALLS_AT_ONCE)
    try:
        yield from pool.map(contextvars.Context.run, contexts, calls)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

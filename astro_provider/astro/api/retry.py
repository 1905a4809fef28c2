"""When a failed call is tried again, and when it is over.

A plain loop: its pauses end when the run is cancelled, its error is that of the last attempt that was really made, and an
attempt after a lost write is allowed; a library for retries was bent around each of these.

408, 425, 429, 5xx, a broken connection and an answer that is no JSON are tried again with growing, jittered pauses until
the deadline of the operation. What cannot get better by waiting is tried once, or a few times (`Patience`). A cancelled
run tries nothing again; only after a write whose answer was lost there is one more attempt, to read what stands.

`Retry-After` is obeyed as a minimum, with jitter on top, so that many waiting processes do not come back at the same
moment; if it lies behind the deadline, the call fails at once instead of waiting in vain. So does an attempt whose turn
at the pace of the service would come after the deadline: it is not made, and the error is what the attempt before it met.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

from astro_provider.astro.api import cancelling
from astro_provider.astro.api.deadline import current
from astro_provider.errors import (
    NOT_MADE,
    UNTIL_DEADLINE,
    AstroProviderError,
    Cancelled,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
JITTER_SECONDS = 0.5
MOST_DOUBLINGS = 20  # of the first pause; the longest one is reached long before
TRACE_HINT = "ASTRO_TRACE=<file> records each call."

T = TypeVar("T")


def retried(call: Callable[[int], T]) -> T:
    """Return what a call returns, once an attempt at it succeeds; none begins after the deadline of this thread.

    Args:
        call: one attempt; it gets its number, from 1.

    Raises:
        ServiceError: the error of the last attempt that was made; its text says that it was tried more than once. If none
            was made, the error that says so.
        Cancelled: the run was cancelled after a failed attempt.
    """
    tries = _Tries()
    for number in itertools.count(1):
        try:
            return call(number)
        except ServiceError as error:
            if not tries.go_on_after(error):
                raise tries.result(error) from None
    raise AssertionError("an attempt succeeds, or the last one raises")


class _Tries:
    """The attempts of one call: how many were made, and what the last of them failed with."""

    def __init__(self) -> None:
        self._deadline = current()
        self._started = time.monotonic()
        self._made = 0
        self._failure: ServiceError | None = None
        self._is_last = False

    def go_on_after(self, error: ServiceError) -> bool:
        """Wait as long as a failed attempt asks for; return False if no other attempt is worth making."""
        # An attempt that was given up before it was sent says nothing about the service.
        if error.patience != NOT_MADE:
            self._made += 1
            self._failure = error
        if not isinstance(error, (Unavailable, UnexpectedAnswer)) or not self._deadline.remaining:
            return False
        if self._made >= error.patience.tries or time.monotonic() - self._started > error.patience.seconds:
            return False
        if error.retry_after is not None and error.retry_after >= self._deadline.remaining:
            return False
        jitter = random.uniform(0, JITTER_SECONDS)  # noqa: S311  spreads load, guards nothing
        growing = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._made - 1, MOST_DOUBLINGS) + jitter)
        if not cancelling.pause(growing if error.retry_after is None else error.retry_after + jitter):
            # Cancelled: only an operation that has sent a write makes one more attempt, to read whether it stands.
            if cancelling.is_stopped() or self._is_last:
                return False
            self._is_last = True
        return bool(self._deadline.remaining)

    def result(self, error: ServiceError) -> AstroProviderError:
        """The error of all attempts together, when the last of them failed with `error`."""
        failure = self._failure or error
        if cancelling.is_cancelled():
            return Cancelled(f"The run was cancelled, so nothing was tried again after this: {failure}")
        if self._made > 1:
            seconds = time.monotonic() - self._started
            hint = f" {TRACE_HINT}" if failure.patience == UNTIL_DEADLINE else ""
            failure.args = (f"{failure}{hint} Given up after {self._made} attempts in {seconds:.1f} s.",)
        return failure


def parse_retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a `Retry-After` of either form (RFC 9110: seconds or an HTTP date); None if unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None

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


def retried(call: Callable[[int], T], failed: Callable[[ServiceError], None] = lambda _: None) -> T:
    """Return what a call returns, once an attempt at it succeeds; none begins after the deadline of this thread.

    Each attempt gets its number, from 1; `failed` gets the error of each that fails.

    Raises:
        ServiceError: the error of the last attempt that was made; its text says that it was tried more than once. If none
            was made, the error that says so.
        Cancelled: the run was cancelled after a failed attempt.
    """
    until, started = current(), time.monotonic()
    number = made = 0
    failure: ServiceError | None = None  # of the last attempt that was made
    is_last = False
    while True:
        number += 1
        try:
            return call(number)
        except ServiceError as error:
            failed(error)
            # An attempt that was given up before it was sent says nothing about the service.
            if error.patience != NOT_MADE:
                made, failure = made + 1, error
            pause = _pause(error, made, time.monotonic() - started, until.remaining)
            goes_on = pause is not None
            if pause is not None and not cancelling.pause(pause):
                # Cancelled: only an operation that has sent a write makes one more attempt, to read whether it stands.
                goes_on = not cancelling.is_stopped() and not is_last
                is_last = True
            if not goes_on or not until.remaining:
                raise _given_up(failure or error, made, time.monotonic() - started) from None


def _pause(error: ServiceError, made: int, passed: float, remaining: float) -> float | None:
    """The seconds to wait after a failed attempt; None if no other one is worth making."""
    if not isinstance(error, (Unavailable, UnexpectedAnswer)) or not remaining:
        return None
    if made >= error.patience.tries or passed > error.patience.seconds:
        return None
    jitter = random.uniform(0, JITTER_SECONDS)  # noqa: S311  spreads load, guards nothing
    if error.retry_after is not None:
        return None if error.retry_after >= remaining else error.retry_after + jitter
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(made - 1, MOST_DOUBLINGS) + jitter)


def _given_up(failure: ServiceError, made: int, passed: float) -> AstroProviderError:
    """The error of all attempts together."""
    if cancelling.is_cancelled():
        return Cancelled(f"The run was cancelled, so nothing was tried again after this: {failure}")
    if made > 1:
        hint = f" {TRACE_HINT}" if failure.patience == UNTIL_DEADLINE else ""
        failure.args = (f"{failure}{hint} Given up after {made} attempts in {passed:.1f} s.",)
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

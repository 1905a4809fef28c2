"""When a failed call is tried again, and when it is over.

408, 425, 429, 5xx, a broken connection and an answer that is no JSON are tried again with growing, jittered pauses until
the deadline of the operation. What cannot get better by waiting (`lasting`) is not. `Retry-After` is obeyed as a minimum, with jitter on top, so that many waiting processes do
not come back at the same moment; where it lies behind the deadline, the call fails at once instead of waiting in vain.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import stamina

from astro_provider.errors import ServiceError, Unavailable, UnexpectedAnswer

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
JITTER_SECONDS = 0.5

# Without a handler of its own, every retry would be printed to stderr, which Pulumi shows as a diagnostic.
logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Deadline:
    """The moment, on the monotonic clock, at which an operation gives up."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - time.monotonic())


def attempts(deadline: Deadline) -> Iterator[stamina.Attempt]:
    """Yield attempts (context managers) until one succeeds, fails for good, or the deadline passes.

    Raises:
        The last attempt's error; its text tells that it was tried more than once.
    """
    started = time.monotonic()
    number = 0
    try:
        for attempt in stamina.retry_context(
            on=_pause_before_retry(deadline),
            attempts=None,
            timeout=max(deadline.remaining, 0.001),  # stamina takes 0 for a mistake
            wait_initial=FIRST_PAUSE_SECONDS,
            wait_max=LONGEST_PAUSE_SECONDS,
            wait_jitter=JITTER_SECONDS,
        ):
            number = attempt.num
            yield attempt
    except ServiceError as error:
        if number > 1:
            error.args = (f"{error} Given up after {number} attempts in {time.monotonic() - started:.1f} s.",)
        raise


def _pause_before_retry(deadline: Deadline) -> Callable[[Exception], bool | float]:
    def pause(error: Exception) -> bool | float:
        if not isinstance(error, (Unavailable, UnexpectedAnswer)) or error.lasting or not deadline.remaining:
            return False
        if error.retry_after is None:
            return True
        if error.retry_after >= deadline.remaining:
            return False
        return error.retry_after + random.uniform(0, JITTER_SECONDS)  # noqa: S311  spreads load, guards nothing

    return pause


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

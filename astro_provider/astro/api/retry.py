"""When a failed call is tried again, and when it is over.

408, 425, 429, 5xx, a broken connection and an answer that is no JSON are tried again with growing, jittered pauses until
the deadline of the operation. What cannot get better by waiting is tried once, or a few times (`Patience`). A process that
is told to stop tries nothing again; only after a write whose answer was lost there is one more attempt, to read what stands.

`Retry-After` is obeyed as a minimum, with jitter on top, so that many waiting processes do not come back at the same
moment; if it lies behind the deadline, the call fails at once instead of waiting in vain. So does an attempt whose turn
at the pace of the service would come after the deadline: it is not made, and the error is what the attempt before it met.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import stamina
import stamina.instrumentation

from astro_provider.astro.api import cancelling
from astro_provider.astro.api.deadline import Deadline
from astro_provider.errors import NOT_MADE, UNTIL_DEADLINE, Cancelled, ServiceError, Unavailable, UnexpectedAnswer

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
JITTER_SECONDS = 0.5
MOST_DOUBLINGS = 20  # of the first pause; the longest one is reached long before
TRACE_HINT = "ASTRO_TRACE=<file> records each call."

_thread = threading.local()
_hooks_lock = threading.Lock()
_hooks_are_filtered = False


def attempts(deadline: Deadline) -> Iterator[stamina.Attempt]:
    """Yield attempts (context managers) until one succeeds, fails for good, or the deadline passes.

    Raises:
        The error of the last attempt that was made; its text tells that it was tried more than once. If none was made,
        the error that says so.
    """
    started = time.monotonic()
    before = attempt_number()
    tries = _Tries(deadline)
    try:
        for attempt in stamina.retry_context(
            on=tries.pause_after,
            attempts=None,
            timeout=max(deadline.remaining, 0.001),  # stamina takes 0 for a mistake
        ):
            _thread.number = attempt.num
            yield attempt
    except ServiceError as error:
        told = tries.failure or error
        if cancelling.is_cancelled():
            raise Cancelled(f"The run was cancelled, so nothing was tried again after this: {told}") from None
        if tries.made > 1:
            seconds = time.monotonic() - started
            hint = f" {TRACE_HINT}" if told.patience == UNTIL_DEADLINE else ""
            told.args = (f"{told}{hint} Given up after {tries.made} attempts in {seconds:.1f} s.",)
        raise told from None
    finally:
        _thread.number = before
        _thread.is_ours = False


def attempt_number() -> int:
    """The number of this thread's attempt; 1 for the first, and outside of `attempts`."""
    number: int = getattr(_thread, "number", 1)
    return number


class _Tries:
    """What the attempts of one call have met.

    Attributes:
        made: how many were made.
        failure: what the last one that was made failed with, or None.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.made = 0
        self.failure: ServiceError | None = None
        self._deadline = deadline
        self._started = time.monotonic()
        self._is_last = False

    def pause_after(self, error: Exception) -> bool | float:
        """Wait as long as a failed attempt asks for, and return 0 for the next one, or False if there is none."""
        if isinstance(error, ServiceError) and error.patience != NOT_MADE:
            self.made += 1
            self.failure = error
        if not isinstance(error, (Unavailable, UnexpectedAnswer)) or not self._deadline.remaining:
            return False
        if self.made >= error.patience.tries or time.monotonic() - self._started > error.patience.seconds:
            return False
        if error.retry_after is not None and error.retry_after >= self._deadline.remaining:
            return False
        _be_silent()
        jitter = random.uniform(0, JITTER_SECONDS)  # noqa: S311  spreads load, guards nothing
        growing = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self.made - 1, MOST_DOUBLINGS) + jitter)
        # Waited for here, because stamina's own pause cannot be interrupted.
        if not cancelling.pause(growing if error.retry_after is None else error.retry_after + jitter):
            if cancelling.is_stopped() or self._is_last:
                return False
            self._is_last = True
        return 0.0


def _be_silent() -> None:
    """Keep stamina from printing the retry that comes now: with structlog installed, it goes to standard output.

    The hooks are shared with whoever else uses stamina in this process, so they are filtered and not taken away.
    """
    global _hooks_are_filtered  # noqa: PLW0603  stamina's hooks are the process's, too
    with _hooks_lock:
        if not _hooks_are_filtered:
            hooks = stamina.instrumentation.get_on_retry_hooks()

            def unless_ours(details: stamina.instrumentation.RetryDetails) -> None:
                if not getattr(_thread, "is_ours", False):
                    for hook in hooks:
                        hook(details)

            stamina.instrumentation.set_on_retry_hooks([unless_ours])
            _hooks_are_filtered = True
    _thread.is_ours = True


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

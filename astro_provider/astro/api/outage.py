"""The state of the service as the calls so far have met it, for the calls after them.

An outage costs each call its whole bound, and a run of 300 bindings has 300 calls. So when the service has not answered
for a whole bound, the calls that wait and those that come fail at once with the same sentence. Every few
seconds one call is let through to see whether the service is back; when it is, all go on as before.
"""

from __future__ import annotations

import threading
import time

from astro_provider.errors import ONCE, Unavailable

SECONDS_BETWEEN_TRIALS = 5.0
LONGEST_SILENCE_SECONDS = 10.0  # between two calls; after that it is unknown whether the service was away all the time


class Outage:
    """The state of the service: away if it has not answered for so many seconds; safe to share between threads."""

    def __init__(self, host: str, bound_seconds: float) -> None:
        self._host = host
        self._bound_seconds = bound_seconds
        self._lock = threading.Lock()
        self._since: float | None = None  # when the first call of an unanswered row was sent
        self._last_failure_at = 0.0
        self._sentence: str | None = None  # set while calls fail at once
        self._next_trial_at = 0.0

    def require_none(self) -> None:
        """Raise Unavailable if the service is known to be away, unless this call is to try whether it is back."""
        with self._lock:
            if self._sentence is None:
                return
            now = time.monotonic()
            if now < self._next_trial_at:
                raise Unavailable(self._sentence, patience=ONCE, sent=False)
            self._next_trial_at = now + SECONDS_BETWEEN_TRIALS

    def answered(self) -> None:
        """Learn that the service answered, whatever it said about the call."""
        with self._lock:
            self._since = self._sentence = None

    def failed(self, sent_at: float, error: Exception) -> None:
        """Learn that a call, sent at that time of the monotonic clock, was not answered, or by a gateway only."""
        with self._lock:
            now = time.monotonic()
            if self._since is None or sent_at - self._last_failure_at > LONGEST_SILENCE_SECONDS:
                self._since = sent_at
            self._last_failure_at = now
            if now - self._since >= self._bound_seconds and self._sentence is None:
                self._sentence = (
                    f"{self._host} has not answered for {self._bound_seconds:g} s (timeoutSeconds), so this call was not "
                    f"made. Run again when it answers. The last failure was: {error}"
                )
                self._next_trial_at = now + SECONDS_BETWEEN_TRIALS

"""A pace for the calls of one process, just below what the service allows.

The service counts calls per second, verb and credential. Calls are spaced evenly instead of being let through in
bursts, so that no second holds too many of them, and nobody waits long after having read what is to be written. After
a 429 (another process shares the credential) the pace halves, and recovers with every call that gets through.
"""

from __future__ import annotations

import math
import threading
import time

from astro_provider.api import cancelling

CALLS_PER_SECOND = {
    "GET": 22.0,
    "POST": 9.0,
}  # published: 25 and 10; some are delayed on their way, and come closer together
SLOWEST = 8.0  # times the normal interval
RECOVERY = 0.9  # of the slowdown is left after a call that got through


class Pace:
    """When the next call of each verb may go out; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = dict.fromkeys(CALLS_PER_SECOND, 0.0)
        self._slowdown = dict.fromkeys(CALLS_PER_SECOND, 1.0)

    def wait(self, verb: str, latest: float = math.inf) -> bool:
        """Return when a call may go out: True. Return False at once if that would be after `latest` (monotonic).

        A process that is told to stop keeps no pace: the few calls that it still makes go out at once.
        """
        if cancelling.is_cancelled():
            return True
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next[verb])
            if turn > max(now, latest):
                return False
            self._next[verb] = turn + self._slowdown[verb] / CALLS_PER_SECOND[verb]
        cancelling.pause(turn - now)
        return True

    def passed(self, verb: str) -> None:
        """Learn that a call got through."""
        with self._lock:
            self._slowdown[verb] = max(1.0, self._slowdown[verb] * RECOVERY)

    def limited(self, verb: str) -> None:
        """Learn that a call was refused with 429."""
        with self._lock:
            self._slowdown[verb] = min(SLOWEST, self._slowdown[verb] * 2)

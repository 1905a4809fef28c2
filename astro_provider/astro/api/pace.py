"""A pace for the calls of one process, just below what the service allows.

The service counts calls per second, verb and credential. Calls are spaced evenly instead of being let through in
bursts, so that no second holds too many of them, and no writer waits long after it has read the list. After
a 429 (another process shares the credential) the pace halves, and recovers with every call that gets through.

A write goes out after its read, which takes now longer and now shorter. On a busy machine eleven writes in turn may
therefore come within a second, and the last of them be refused. Such a write is held back for a moment.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from astro_provider.astro.api import cancelling, deadline

# Less than is published, because some are delayed on their way, and come closer together.
CALLS_PER_SECOND = {"GET": 22.0, "POST": 9.0}
WRITES_IN_A_WINDOW = 10  # as published
WINDOW_SECONDS = 1.05  # a second of the service, and what calls may come closer together on their way
LONGEST_HELD_BACK_SECONDS = 0.1  # what was read must not grow old; beyond that, a 429 has it read again
SLOWEST = 8.0  # times the normal interval
RECOVERY = 0.9  # of the slowdown is left after a call that got through


class Pace:
    """When the next call of each verb may go out; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = dict.fromkeys(CALLS_PER_SECOND, 0.0)
        self._slowdown = dict.fromkeys(CALLS_PER_SECOND, 1.0)
        self._written = deque[float](maxlen=WRITES_IN_A_WINDOW)  # when the last writes went out

    def wait(self, verb: str) -> bool:
        """Return True when a call may go out; return False at once if that would be after the deadline of this thread.

        A cancelled run keeps no pace: the few calls that it still makes go out at once.
        """
        if cancelling.is_cancelled():
            return True
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next[verb])
            if turn > max(now, deadline.current().at):
                return False
            self._next[verb] = turn + self._slowdown[verb] / CALLS_PER_SECOND[verb]
        cancelling.pause(turn - now)
        return True

    def hold_write_back(self) -> None:
        """Return when a write that has had its turn goes out: at once, unless its second holds too many others."""
        with self._lock:
            now = at = time.monotonic()
            if len(self._written) == WRITES_IN_A_WINDOW:
                at = max(now, min(self._written[0] + WINDOW_SECONDS, now + LONGEST_HELD_BACK_SECONDS))
            self._written.append(at)
        cancelling.pause(at - now)

    def passed(self, verb: str) -> None:
        """Learn that a call got through."""
        with self._lock:
            self._slowdown[verb] = max(1.0, self._slowdown[verb] * RECOVERY)

    def limited(self, verb: str) -> None:
        """Learn that a call was refused with 429."""
        with self._lock:
            self._slowdown[verb] = min(SLOWEST, self._slowdown[verb] * 2)

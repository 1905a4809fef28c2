"""Reports a call that is still waiting after five seconds, then every thirty.

One thread of the process looks after all calls, so that a call costs no thread of its own, and an outage that many calls
meet is reported once. It reports to the function that `listen` was given: `api/` knows neither terminals nor engines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from astro_provider.astro.api import deadline
from astro_provider.errors import ServiceError

FIRST_SECONDS = 5.0
AGAIN_SECONDS = 30.0


@dataclass(eq=False)
class Wait:
    """A call that is under way, with all its tries; times are of the monotonic clock."""

    what: str  # for example `ListDeployments (organization clk…)`
    ends: float  # when it gives up
    failure: str = ""  # what the last try met; blank: it has not been answered
    since: float = field(default_factory=time.monotonic)

    def failed(self, error: ServiceError) -> None:
        """Keep what a try has met, so that it can be reported."""
        self.failure = str(error)

    def __str__(self) -> str:
        now = time.monotonic()
        why = self.failure or f"{self.what}: no answer yet."
        return f"Still trying after {now - self.since:.0f} s, for {max(0.0, self.ends - now):.0f} s more: {why}"


_changed = threading.Condition()
_waits: list[Wait] = []
_listener: Callable[[str], None] | None = None
_is_watched = False
_reported_at = float("-inf")


def listen(report: Callable[[str], None]) -> None:
    """Choose what is called with each sentence, from a thread of its own."""
    global _listener  # noqa: PLW0603 one for the process, like its standard error
    _listener = report


@contextmanager
def reported(what: str) -> Iterator[Wait]:
    """Watch over a call until it ends; the caller notes the failures of its tries in the `Wait`."""
    global _is_watched  # noqa: PLW0603 as above
    wait = Wait(what, deadline.current().at)
    with _changed:
        _waits.append(wait)
        if not _is_watched:
            # If no thread can be started now, the call needs none, and the next one tries again.
            with suppress(RuntimeError):
                threading.Thread(target=_watch, daemon=True).start()
                _is_watched = True
        if len(_waits) == 1:
            _changed.notify()
    try:
        yield wait
    finally:
        with _changed:
            _waits.remove(wait)


def _watch() -> None:
    global _reported_at  # noqa: PLW0603 as above
    while True:
        with _changed:
            while not _waits:
                _changed.wait()
            oldest = min(_waits, key=lambda one: one.since)
            due = max(oldest.since + FIRST_SECONDS, _reported_at + AGAIN_SECONDS)
            left = due - time.monotonic()
            if left > 0:
                _changed.wait(left)
                continue
            sentence = str(oldest)
        _reported_at = time.monotonic()
        if _listener is not None:
            _listener(sentence)

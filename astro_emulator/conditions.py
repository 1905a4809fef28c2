"""The conditions of all calls, whatever they ask for: settings, rate limits, faults, the call log.

Everything here is off at the start. Nothing here changes a record.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from email.utils import formatdate
from threading import Lock
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from astro_emulator.answers import ApiError
from astro_emulator.faults import Faults

CALLS_PER_SECOND = {"POST": 10, "GET": 25, "DELETE": 5}
WINDOW_SECONDS = 1.0
LOG_LENGTH = 20_000

RetryAfter = Annotated[str, StringConstraints(pattern=r"^\d{1,4}$")] | Literal["http-date"] | None


class Settings(BaseModel):
    """The service's behaviour towards every call.

    Attributes:
        latency_ms: waited in two halves, before and after a call is handled, so that races are real.
        rate_limits: the limits of Astro are on. A 429 is a text, because clients of the service could not read one as
            the API's error.
        rate_limits_per: the calls that are counted together. Astronomer's documents say those of a token; the authors
            of the Terraform provider met one limit for all.
        lists_are_cut: a credential with fewer permissions gets shorter lists, with 200, and 404 for the objects that
            they lack, instead of a 403. Astro's behaviour is unknown.
        retry_after: the header of a 429: none, a number of seconds, or `http-date` for the time a second later.
        updated_at_moves: `updatedAt` and `updatedBy` of a token change when its roles are written. Astro's behaviour is
            unknown; a writer that works without these changes works with them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_ms: Annotated[float, Field(ge=0)] = 0
    rate_limits: bool = False
    rate_limits_per: Literal["credential", "organization"] = "credential"
    lists_are_cut: bool = False
    retry_after: RetryAfter = None
    updated_at_moves: bool = False


class RateLimits:
    """Calls of the last second, per caller and verb; a call that was turned away does not count."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: dict[tuple[str, str], deque[float]] = {}

    def admit(self, caller: str, verb: str, retry_after: str | None) -> None:
        """Count a call of a credential or of an organization; ApiError 429 if its second is used up."""
        allowed = CALLS_PER_SECOND.get(verb)
        if allowed is None:
            return
        with self._lock:
            moment = time.monotonic()
            taken = self._taken.setdefault((caller, verb), deque())
            while taken and taken[0] <= moment - WINDOW_SECONDS:
                taken.popleft()
            if len(taken) < allowed:
                taken.append(moment)
                return
        headers = {}
        if retry_after == "http-date":
            headers["Retry-After"] = formatdate(math.ceil(time.time()) + 1, usegmt=True)
        elif retry_after is not None:
            headers["Retry-After"] = retry_after
        raise ApiError(
            429, f"Rate limit exceeded: {allowed} {verb} requests per second.", headers=headers, as_text=True
        )

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._taken.clear()


class CallLog:
    """The calls under `/v1` that were answered or dropped, in that order; the counts go back to the last clearing."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._counts: dict[str, Counter[str]] = {}
        self.clear()

    def add(self, call: dict[str, Any]) -> None:
        """Log a call that ended."""
        with self._lock:
            self._log.append(call)
            for name, counter in self._counts.items():
                if call[name] is not None:
                    counter[str(call[name])] += 1

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._log.clear()
            self._counts = {name: Counter() for name in ("verb", "operation", "status")}

    def shown(self) -> dict[str, Any]:
        """Return totals and the newest calls, the shape of `/_emulator/calls`."""
        with self._lock:
            counts = {f"by_{name}": dict(counter) for name, counter in self._counts.items()}
            return {"total": self._counts["verb"].total(), **counts, "log": [dict(call) for call in self._log]}


@dataclass
class Conditions:
    """Everything that decides how a call is treated; `settings` is replaced whole, never changed."""

    settings: Settings = field(default_factory=Settings)
    faults: Faults = field(default_factory=Faults)
    limits: RateLimits = field(default_factory=RateLimits)
    calls: CallLog = field(default_factory=CallLog)

    def change(self, changes: dict[str, object]) -> Settings:
        """Change some settings and return all of them; pydantic's ValidationError for unknown or malformed ones."""
        self.settings = Settings.model_validate({**self.settings.model_dump(), **changes})
        return self.settings

    def clear(self) -> None:
        """Forget faults, calls and used-up seconds; the settings stay."""
        self.faults.clear()
        self.limits.clear()
        self.calls.clear()

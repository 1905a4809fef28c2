"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from astro_provider.messages import shown


class Status(StrEnum):
    """How a check came out.

    `ok`: seen to be well. `warning`: well today. `unknown`: cannot be seen from here. `failed`: has to be mended.
    """

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        name: what was looked at; stable.
        status: how it came out.
        found: what was seen, as a sentence.
        advice: what to do; empty if there is nothing to do, or if `found` says it.
    """

    name: str
    status: Status
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Keep what a name, a path or another program's output may hold from reaching the terminal raw."""
        object.__setattr__(self, "found", shown.line(self.found))
        object.__setattr__(self, "advice", shown.line(self.advice))

"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
        advice: what to do; empty where there is nothing to do, or where `found` says it.
    """

    name: str
    status: Status
    found: str
    advice: str = ""

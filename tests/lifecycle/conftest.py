"""The fixtures of `tests/support/processes.py`, and those that they stand on."""

from __future__ import annotations

from tests.support.clients import short_pauses
from tests.support.processes import start

__all__ = ["short_pauses", "start"]

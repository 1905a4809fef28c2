"""The fixtures of `tests/support/processes.py`, and those that they stand on."""

from __future__ import annotations

from tests.support.clients import astro, closed_clients, running_astro, short_pauses
from tests.support.processes import start
from tests.support.tables import town

__all__ = ["astro", "closed_clients", "running_astro", "short_pauses", "start", "town"]

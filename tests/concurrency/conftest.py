"""The fixtures of `tests/support/writers.py` and `clients.py`."""

from __future__ import annotations

from tests.support.clients import short_pauses
from tests.support.writers import make_writer, no_pace, scene

__all__ = ["make_writer", "no_pace", "scene", "short_pauses"]

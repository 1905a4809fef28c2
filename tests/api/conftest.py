"""The fixtures of `tests/support/clients.py`."""

from __future__ import annotations

from tests.support.clients import connect, serve, short_pauses

__all__ = ["connect", "serve", "short_pauses"]

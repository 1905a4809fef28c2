"""The fixtures of `tests/support/clients.py`."""

from __future__ import annotations

from tests.support.clients import astro, closed_clients, connect, running_astro, serve, short_pauses

__all__ = ["astro", "closed_clients", "connect", "running_astro", "serve", "short_pauses"]

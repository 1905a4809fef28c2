"""Fixtures of the tests that talk to a service: clients and servers that end with the test, and pauses that are short.

A directory's conftest.py imports what its tests ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from astro_provider import writer
from astro_provider.api import AstroClient, pace, retry
from tests.support.raw_server import RawServer, Reply, Request

CREDENTIAL = "very-secret-credential"


class Connect(Protocol):
    """Makes a client that is closed after the test."""

    def __call__(self, url: str, *, credential: str = ..., bound_seconds: float = ...) -> AstroClient: ...


Serve = Callable[[Callable[[Request], Reply]], RawServer]


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries, paces and gatherings of milliseconds, so that a test takes no longer than what it shows."""
    monkeypatch.setattr(retry, "FIRST_PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(retry, "JITTER_SECONDS", 0.005)
    monkeypatch.setattr(writer, "GATHER_SECONDS", 0.0)
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "GET", 10_000.0)
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "POST", 10_000.0)


@pytest.fixture
def connect(short_pauses: None) -> Iterator[Connect]:  # noqa: ARG001  a client of a test waits for nothing
    """A maker of clients."""
    with ExitStack() as opened:

        def make(url: str, *, credential: str = CREDENTIAL, bound_seconds: float = 10.0) -> AstroClient:
            client = AstroClient(url, lambda: credential, bound_seconds=bound_seconds)
            opened.callback(client.close)
            return client

        yield make


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A maker of raw servers."""
    with ExitStack() as opened:
        yield lambda answer: opened.enter_context(RawServer(answer))

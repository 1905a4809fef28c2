"""Fixtures of the tests that talk to a service: clients and servers that end with the test, and pauses that are short.

A directory's conftest.py imports what its tests ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import AstroClient, pace, retry
from astro_provider.astro.writing import queues
from tests.support.raw_server import RawServer, Reply, Request

CREDENTIAL = "very-secret-credential"


class Connect(Protocol):
    """Makes a client that is closed after the test."""

    def __call__(self, url: str, *, credential: str = ..., bound_seconds: float = ...) -> AstroClient: ...


Serve = Callable[[Callable[[Request], Reply]], RawServer]


@pytest.fixture(scope="session")
def running_astro() -> Iterator[Emulator]:
    """One Astro for all tests of a directory in one process, because starting one takes longer than most tests."""
    with Emulator.running() as emulator:
        yield emulator


@pytest.fixture
def astro(running_astro: Emulator) -> Emulator:
    """That Astro as new: the organization that it starts with, no faults, no calls."""
    running_astro.reset()
    return running_astro


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries, paces and gatherings of milliseconds, so that a test takes no longer than what it shows."""
    monkeypatch.setattr(retry, "FIRST_PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(retry, "JITTER_SECONDS", 0.005)
    monkeypatch.setattr(queues, "GATHER_SECONDS", 0.0)
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "GET", 10_000.0)
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "POST", 10_000.0)


@pytest.fixture
def closed_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients that end with the test, whoever made them; a provider process keeps its own until it ends."""
    made: list[AstroClient] = []
    make = AstroClient.__init__

    def remembered(self: AstroClient, *args: Any, **keywords: Any) -> None:
        make(self, *args, **keywords)
        made.append(self)

    monkeypatch.setattr(AstroClient, "__init__", remembered)
    yield
    for client in made:
        client.close()


@pytest.fixture
def connect(short_pauses: None, closed_clients: None) -> Connect:  # noqa: ARG001  fixtures that are only set up
    """A maker of clients."""

    def make(url: str, *, credential: str = CREDENTIAL, bound_seconds: float = 10.0) -> AstroClient:
        return AstroClient(url, lambda: credential, bound_seconds=bound_seconds)

    return make


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A maker of raw servers."""
    with ExitStack() as opened:
        yield lambda answer: opened.enter_context(RawServer(answer))

"""Who stops when the process is told to: each operation that has sent no write, in whichever threads it runs."""

from __future__ import annotations

import threading
import time

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import cancelling
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.api.pace import CALLS_PER_SECOND, Pace
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.errors import Cancelled
from tests.support.clients import Connect
from tests.support.raw_server import RawServer, Reply, Request
from tests.support.writes import writes

LONG_SECONDS = 600.0


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was not told yet, and is again none after the test."""
    monkeypatch.setattr(cancelling, "_cancelled", threading.Event())


def test_all_threads_of_an_operation_stop_until_it_has_sent_a_write() -> None:
    def stopped() -> list[bool]:
        return [cancelling.is_stopped(), *in_parallel([cancelling.is_stopped] * 3)]

    with operation(LONG_SECONDS):
        before = stopped()
        cancelling.cancel()
        told = stopped()
        list(in_parallel([cancelling.sending]))
        after = stopped()
    with operation(LONG_SECONDS):
        another = stopped()

    assert (before, told, after, another) == ([False] * 4, [True] * 4, [False] * 4, [True] * 4)


def test_a_thread_that_helps_with_writes_may_go_on_reading() -> None:
    cancelling.cancel()

    assert not cancelling.is_stopped()


def test_a_pause_and_a_turn_end_as_soon_as_the_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS_PER_SECOND, "POST", 0.1)
    pace = Pace()
    for _ in range(20):  # the next call would wait for more than three minutes
        threading.Thread(target=pace.wait, args=("POST",), daemon=True).start()
    threading.Timer(0.2, cancelling.cancel).start()
    before = time.monotonic()

    was_whole = cancelling.pause(LONG_SECONDS)
    pace.wait("POST")

    assert was_whole is False
    assert time.monotonic() - before < LONG_SECONDS / 10


def test_no_write_is_sent_any_more(connect: Connect, astro: Emulator) -> None:
    token = astro.store.add_token("ci")
    client = connect(astro.url, credential=astro.credential)
    cancelling.cancel()

    with pytest.raises(Cancelled) as raised:
        client.of(astro.organization_id).set_roles(token, [])

    assert str(raised.value) == (
        f"The run was cancelled, so UpdateApiTokenRoles (organization {astro.organization_id}, token {token}) was not called. "
        "Run again."
    )
    assert writes(astro) == 0


def test_what_waits_for_an_answer_in_pieces_stops_between_them(connect: Connect) -> None:
    def answer(_request: Request) -> Reply:
        cancelling.cancel()
        return Reply(body=[{"id": "o"}] * 100, drip=0.5)

    with RawServer(answer) as server, operation(LONG_SECONDS), pytest.raises(Cancelled):
        connect(server.url).list_organizations()

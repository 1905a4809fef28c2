"""An outage costs all calls one bound, not each of them its own, and is over with the first call that gets through."""

from __future__ import annotations

import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from astro_provider.astro.api import AstroClient, outage, pace
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.api.outage import Outage
from astro_provider.errors import NotFound, ServiceError, Unavailable
from tests.support.clients import Connect, Serve
from tests.support.raw_server import Reply, Request, in_turn

MINUTE = 60.0
GOOD = Reply(body={"id": "t", "name": "ci"})
TIRED = Reply(503, {"message": "tired", "requestId": "r1"})
AWAY = re.compile(
    r"127\.0\.0\.1 has not answered for 0\.5 s \(timeoutSeconds\), so this call was not made\. "
    r"Run again when it answers\. The last failure was: GetApiToken \(organization o, token t\): HTTP 503 "
    r"Service Unavailable: tired \(requestId r1\)\."
)


def failure(client: AstroClient) -> str:
    with operation(0.5), pytest.raises(ServiceError) as error:
        client.of("o").get_token("t")
    return str(error.value)


def is_away(client: AstroClient) -> bool:
    """Call until the service is known to be away; the first call may fail just before a whole bound is over."""
    return any(AWAY.fullmatch(failure(client)) for _ in range(5))


def test_three_hundred_calls_into_an_outage_cost_two_bounds_at_most(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: TIRED)
    client = connect(server.url, bound_seconds=0.5)

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: failure(client), range(300)))

    assert len({text for text in texts if AWAY.fullmatch(text)}) == 1
    assert sum(bool(AWAY.fullmatch(text)) for text in texts) >= 290
    asked = len(server.requests)
    assert asked < 60


def test_while_the_service_is_away_a_write_is_not_sent(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: TIRED)
    client = connect(server.url, bound_seconds=0.5)
    assert is_away(client)
    asked = len(server.requests)

    with pytest.raises(Unavailable, match=AWAY):
        client.of("o").set_roles("t", [])

    assert len(server.requests) == asked


def test_the_first_call_that_gets_through_ends_it(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = threading.Event()
    server = serve(lambda _: GOOD if healthy.is_set() else TIRED)
    client = connect(server.url, bound_seconds=0.5)
    assert is_away(client)

    healthy.set()
    monkeypatch.setattr(outage, "SECONDS_BETWEEN_TRIALS", 0.0)
    client._outage._next_trial_at = 0.0  # noqa: SLF001  five seconds later

    assert [client.of("o").get_token("t").name for _ in range(3)] == ["ci"] * 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {"message": "gone", "requestId": "r1", "statusCode": 404}),
        Reply(429, {"message": "slow down"}, {"Retry-After": "60"}),
    ],
    ids=["404", "429"],
)
def test_a_service_that_refuses_is_not_away(connect: Connect, serve: Serve, reply: Reply) -> None:
    def answer(request: Request) -> Reply:
        return reply if request.path.endswith("refused") else TIRED

    server = serve(answer)
    client = connect(server.url, bound_seconds=0.5)
    state = Outage("host", 0.5)
    client._outage = state  # noqa: SLF001  what is looked at
    failure(client)

    state._next_trial_at = 0.0  # noqa: SLF001  five seconds later
    with pytest.raises((NotFound, Unavailable), match=r"gone|slow down"):
        client.of("o").get_token("refused")

    state.require_none()


def test_failures_far_apart_are_no_outage() -> None:
    state = Outage("host", 100.0)
    state.failed(time.monotonic(), Unavailable("once"))
    state._since = state._last_failure_at = time.monotonic() - 1000  # noqa: SLF001  nobody has asked since

    state.failed(time.monotonic(), Unavailable("and again"))

    state.require_none()


def test_a_call_whose_turn_comes_after_the_deadline_is_not_made(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "GET", 0.005)
    server = serve(in_turn(GOOD))
    client = connect(server.url)
    client.of("o").get_token("t")
    began = time.monotonic()

    with operation(MINUTE), pytest.raises(Unavailable) as error:
        client.of("o").get_token("t")

    assert str(error.value) == (
        "GetApiToken (organization o, token t): the service allows so many calls a second, and this call's turn would come "
        "after timeoutSeconds, so it was not made. Run again."
    )
    assert time.monotonic() - began < MINUTE
    assert len(server.requests) == 1


def test_an_attempt_whose_turn_comes_after_the_deadline_leaves_the_error_that_the_one_before_met(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "GET", 0.01)
    server = serve(lambda _: TIRED)

    with pytest.raises(Unavailable) as error:
        connect(server.url, bound_seconds=60.0).of("o").get_token("t")

    assert str(error.value) == (
        "GetApiToken (organization o, token t): HTTP 503 Service Unavailable: tired (requestId r1)."
    )
    assert error.value.status == 503
    assert len(server.requests) == 1


def test_an_attempt_that_was_not_made_does_not_count(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tired(_: Request) -> Reply:
        if len(server.requests) == 2:
            monkeypatch.setitem(client._pace._next, "GET", math.inf)  # noqa: SLF001  the third turn never comes
        return TIRED

    server = serve(tired)
    client = connect(server.url, bound_seconds=60.0)

    with pytest.raises(Unavailable, match=r"tired \(requestId r1\)\. .* Given up after 2 attempts in [\d.]+ s\.$"):
        client.of("o").get_token("t")

    assert len(server.requests) == 2

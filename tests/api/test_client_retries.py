"""What passes by is waited for, within a bound; what does not pass is told at once."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.api.retry import parse_retry_after
from astro_provider.errors import (
    CallRefused,
    CredentialRefused,
    Forbidden,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
)
from tests.support.clients import Connect, Serve
from tests.support.raw_server import Reply, free_port, in_turn
from tests.support.writes import writes

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
MINUTE = 60.0  # what is to end at once would take longer
GOOD = Reply(body={"id": "t", "name": "ci"})

HUGE_YEAR = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"

PASSING = {
    "408": Reply(408, {"message": "too slow", "requestId": "r1", "statusCode": 408}),
    "425": Reply(425, "too early"),
    "429 without Retry-After": Reply(429, {"message": "slow down"}),
    "429 with a body that is no JSON": Reply(429, "slow down"),
    "429 with Retry-After 0": Reply(429, {"message": "slow down"}, {"Retry-After": "0"}),
    "429 with Retry-After in the past": Reply(
        429, {"message": "slow down"}, {"Retry-After": formatdate(0, usegmt=True)}
    ),
    "429 with an unreadable Retry-After": Reply(429, {"message": "slow down"}, {"Retry-After": "soon"}),
    "500": Reply(500, {"message": "oops", "requestId": "r1", "statusCode": 500}),
    "502 with HTML": Reply(502, HTML),
    "503 with nothing": Reply(503, ""),
    "504 with HTML": Reply(504, HTML),
    "200 with HTML": Reply(200, HTML),
    "200 with nothing": Reply(200, ""),
    "cut JSON": Reply(200, '{"id": "t", "na'),
    "a body cut by a broken connection": Reply(200, '{"id": "t", "na', cut=100),
    "a reset": Reply(reset=True),
}


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING)
def test_what_passes_by_is_tried_again(connect: Connect, serve: Serve, reply: Reply) -> None:
    server = serve(in_turn(reply, reply, GOOD))

    token = connect(server.url).of("o").get_token("t")

    assert token.name == "ci"
    assert len(server.requests) == 3


REFUSING: dict[int, type[ServiceError]] = {
    400: CallRefused,
    401: CredentialRefused,
    403: Forbidden,
    404: NotFound,
    409: CallRefused,
    422: CallRefused,
}


@pytest.mark.parametrize(("status", "kind"), REFUSING.items())
def test_what_does_not_pass_is_told_at_once(
    connect: Connect, serve: Serve, status: int, kind: type[ServiceError]
) -> None:
    server = serve(in_turn(Reply(status, {"message": "no", "requestId": "r1", "statusCode": status}), GOOD))

    with pytest.raises(ServiceError) as error:
        connect(server.url).of("o").get_token("t")

    assert type(error.value) is kind
    assert (error.value.status, error.value.request_id) == (status, "r1")
    assert len(server.requests) == 1


def test_retry_after_in_seconds_is_waited_for(connect: Connect, serve: Serve) -> None:
    server = serve(in_turn(Reply(429, {"message": "slow down"}, {"Retry-After": "0.3"}), GOOD))
    began = time.monotonic()

    connect(server.url).of("o").get_token("t")

    assert time.monotonic() - began >= 0.3


def test_retry_after_as_a_date_is_waited_for(connect: Connect, serve: Serve) -> None:
    moment = int(time.time()) + 2
    limited = Reply(429, {"message": "slow down"}, {"Retry-After": formatdate(moment, usegmt=True)})
    server = serve(in_turn(limited, GOOD))

    connect(server.url).of("o").get_token("t")

    assert time.time() >= moment - 0.01


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["60", formatdate(2_000_000_000, usegmt=True), "inf"])
def test_a_retry_after_beyond_the_deadline_fails_at_once(
    connect: Connect, serve: Serve, status: int, value: str
) -> None:
    server = serve(lambda _: Reply(status, {"message": "come back later"}, {"Retry-After": value}))
    client = connect(server.url, bound_seconds=20)
    errors: list[Exception] = []

    def call() -> None:
        try:
            client.of("o").get_token("t")
        except Unavailable as error:
            errors.append(error)

    # In a thread that may be left behind: obeying such a Retry-After would take years.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(10)

    assert ["come back later" in str(error) for error in errors] == [True]
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [Reply(503, ""), Reply(200, HTML), Reply(reset=True)], ids=["503", "HTML", "reset"])
def test_an_outage_that_stays_is_given_up_within_the_bound(connect: Connect, serve: Serve, reply: Reply) -> None:
    server = serve(lambda _: reply)
    began = time.monotonic()

    with pytest.raises((Unavailable, UnexpectedAnswer)):
        connect(server.url, bound_seconds=1.0).of("o").get_token("t")

    assert time.monotonic() - began < MINUTE
    assert len(server.requests) > 1


def test_a_service_that_never_answers_is_given_up_within_the_bound(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(200, GOOD.body, delay=10 * MINUTE))
    began = time.monotonic()

    with pytest.raises(Unavailable, match=r"^GetApiToken \(organization o, token t\): no answer from 127\.0\.0\.1"):
        connect(server.url, bound_seconds=0.3).of("o").get_token("t")

    assert time.monotonic() - began < MINUTE


def test_a_deadline_bounds_all_calls_of_an_operation(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(503, ""))
    client = connect(server.url, bound_seconds=MINUTE)
    began = time.monotonic()

    with operation(0.2):
        for _ in range(3):
            with pytest.raises(Unavailable):
                client.of("o").get_token("t")

    assert time.monotonic() - began < MINUTE


def test_the_deadline_of_an_operation_ends_with_it(connect: Connect, serve: Serve) -> None:
    server = serve(in_turn(Reply(503, ""), GOOD))
    client = connect(server.url)

    with operation(0.0):
        pass

    assert client.of("o").get_token("t").name == "ci"


def test_a_refused_connection_is_tried_again_and_then_told(connect: Connect) -> None:
    client = connect(f"http://127.0.0.1:{free_port()}", bound_seconds=10 * MINUTE)
    began = time.monotonic()

    with pytest.raises(Unavailable) as error:
        client.of("o").get_token("t")

    assert str(error.value).startswith(
        "GetApiToken (organization o, token t): no answer from 127.0.0.1 ([Errno 111] Connection refused). Is the emulator "
        "running? Given up after "
    )
    assert error.value.status is None
    assert 1 < time.monotonic() - began < MINUTE


def test_every_call_but_the_write_is_tried_again(astro: Emulator, connect: Connect) -> None:
    client = connect(astro.url, credential=astro.credential)
    organization_id = astro.organization_id
    (deployment, *_), (token, *_) = (
        client.of(organization_id).list_deployments(),
        client.of(organization_id).list_tokens(),
    )
    astro.clear_calls()

    for call in (
        client.list_organizations,
        lambda: client.of(organization_id).list_tokens(),
        lambda: client.of(organization_id).list_tokens(deployment_id=deployment.id),
        lambda: client.of(organization_id).get_token(token.id),
        lambda: client.of(organization_id).list_deployments(),
        lambda: client.of(organization_id).get_deployment(deployment.id),
        lambda: client.of(organization_id).list_deployment_roles(),
    ):
        astro.fault(status=503, times=1)
        call()

    assert astro.calls()["by_status"] == {"503": 7, "200": 7}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 503}, Unavailable),
        ({"status": 429, "headers": {"Retry-After": "0"}}, Unavailable),
        ({"kind": "truncated"}, UnexpectedAnswer),
        ({"kind": "html"}, UnexpectedAnswer),
        ({"kind": "drop_after"}, Unavailable),
        ({"kind": "drop_before"}, Unavailable),
    ],
)
def test_a_write_is_never_tried_again_by_the_client(
    astro: Emulator, connect: Connect, fault: dict[str, object], kind: type[ServiceError]
) -> None:
    client = connect(astro.url, credential=astro.credential)
    token = client.of(astro.organization_id).get_token("clo8g1x4m000f08l6t9c3z6vl")
    astro.fault(operation="UpdateApiTokenRoles", times=1, **fault)

    with pytest.raises(kind):
        client.of(astro.organization_id).set_roles(token.id, token.roles or ())

    assert writes(astro) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("soon", None),
        ("Mon, 99 Foo 2026", None),
        (HUGE_YEAR, None),
    ],
)
def test_retry_after_is_read_where_it_can_be(value: str | None, expected: float | None) -> None:
    assert expected == parse_retry_after(value)


def test_a_date_of_retry_after_is_read_as_seconds_from_now() -> None:
    seconds = parse_retry_after(formatdate(time.time() + 30, usegmt=True))

    assert seconds is not None
    assert 25 < seconds <= 31

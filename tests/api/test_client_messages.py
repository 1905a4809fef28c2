"""What a failed call says: operation, ids, status, the service's words, the request id, what to do. No credential."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from astro_provider.astro.api import AstroClient
from astro_provider.astro.api.retry import TRACE_HINT
from astro_provider.errors import Forbidden, ServiceError, SettingsError
from tests.support.clients import CREDENTIAL, Connect, Serve
from tests.support.raw_server import Reply, in_turn


def text_of(connect: Connect, serve: Serve, reply: Reply) -> str:
    """The message that a failed reading of token t has, without the count of attempts that may follow it."""
    server = serve(lambda _: reply)
    with pytest.raises(ServiceError) as error:
        connect(server.url, bound_seconds=0.05).of("o").get_token("t")
    return str(error.value).partition(f" {TRACE_HINT}")[0]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            Reply(401, {"message": "Token expired.", "requestId": "r1", "statusCode": 401}),
            "GetApiToken (organization o, token t): HTTP 401 Unauthorized: Token expired (requestId r1). Check that "
            "ASTRO_API_TOKEN (or astro:token) holds a valid token that has not expired.",
            id="401",
        ),
        pytest.param(
            Reply(401, "Jwt is missing"),
            "GetApiToken (organization o, token t): HTTP 401 Unauthorized: Jwt is missing. Check that ASTRO_API_TOKEN "
            "(or astro:token) holds a valid token that has not expired.",
            id="401 of a gateway",
        ),
        pytest.param(
            Reply(403, {"message": "No access", "requestId": "r2", "statusCode": 403}),
            "GetApiToken (organization o, token t): HTTP 403 Forbidden: No access (requestId r2). The credential needs "
            "the permission organization.apiTokens.access (the role Organization Owner has it).",
            id="403",
        ),
        pytest.param(
            Reply(404, {"message": "Not found", "requestId": "r3", "statusCode": 404}),
            "GetApiToken (organization o, token t): HTTP 404 Not Found: Not found (requestId r3).",
            id="404",
        ),
        pytest.param(
            Reply(404, "<html>nothing here</html>"),
            "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: HTTP 404, but not in the service's "
            "own words: <html>nothing here</html>. Check ASTRO_API_HOST (or astro:host) if this goes on.",
            id="404 of somebody else",
        ),
        pytest.param(
            Reply(404, {"message": "no Route matched with those values"}),
            "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: HTTP 404, but not in the service's "
            'own words: {"message": "no Route matched with those values"}. Check ASTRO_API_HOST (or astro:host) if this '
            "goes on.",
            id="404 of a gateway that speaks JSON",
        ),
        pytest.param(
            Reply(404, {"message": "gone", "requestId": "", "statusCode": 404}),
            "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: HTTP 404, but not in the service's "
            'own words: {"message": "gone", "requestId": "", "statusCode": 404}. Check ASTRO_API_HOST (or astro:host) if '
            "this goes on.",
            id="404 without a request id",
        ),
        pytest.param(
            Reply(
                400,
                {
                    "message": "Invalid request.",
                    "requestId": "r4",
                    "statusCode": 400,
                    "fieldErrors": [
                        {"code": "min", "field": "roles", "message": "at least 1"},
                        {"code": "type", "field": "roles[0].role", "message": "must be a string"},
                    ],
                },
            ),
            "GetApiToken (organization o, token t): HTTP 400 Bad Request: Invalid request; roles: at least 1; "
            "roles[0].role: must be a string (requestId r4).",
            id="400 with field errors",
        ),
        pytest.param(
            Reply(400, {"message": "Invalid request", "fieldErrors": ["strange", None, 7]}),
            "GetApiToken (organization o, token t): HTTP 400 Bad Request: Invalid request.",
            id="400 with strange field errors and no request id",
        ),
        pytest.param(
            Reply(400, {"message": "Invalid request", "fieldErrors": 7}),
            "GetApiToken (organization o, token t): HTTP 400 Bad Request: Invalid request.",
            id="400 with field errors that are no list",
        ),
        pytest.param(
            Reply(400, {"error": "other shape"}),
            'GetApiToken (organization o, token t): HTTP 400 Bad Request: {"error": "other shape"}.',
            id="400 of another shape",
        ),
        pytest.param(Reply(400, ""), "GetApiToken (organization o, token t): HTTP 400 Bad Request.", id="400, empty"),
        pytest.param(
            Reply(502, "<html>\n  <h1>502 Bad Gateway</h1>\n</html>\n"),
            "GetApiToken (organization o, token t): HTTP 502 Bad Gateway: <html> <h1>502 Bad Gateway</h1> </html>.",
            id="502 with HTML",
        ),
        pytest.param(
            Reply(599, {"message": "?"}), "GetApiToken (organization o, token t): HTTP 599 unknown status: ?.", id="599"
        ),
        pytest.param(
            Reply(200, "<html>Sign in</html>"),
            "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: the answer is no JSON (text/html; "
            "charset=utf-8): <html>Sign in</html>. Check ASTRO_API_HOST (or astro:host) if this goes on.",
            id="200 with HTML",
        ),
        pytest.param(
            Reply(302, "", {"Location": "https://login.example.com/"}),
            "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: HTTP 302, a redirect. Check "
            "ASTRO_API_HOST (or astro:host) if this goes on.",
            id="a redirect",
        ),
    ],
)
def test_a_message_tells_what_failed_on_what_in_whose_words(
    connect: Connect, serve: Serve, reply: Reply, expected: str
) -> None:
    assert expected == text_of(connect, serve, reply)


@pytest.mark.parametrize("body", [[1, 2], "text", 7, None, [{"id": "t"}]], ids=str)
def test_json_that_is_no_token_is_an_unexpected_answer(connect: Connect, serve: Serve, body: Any) -> None:
    raw = Reply(200, json.dumps(body), {"Content-Type": "application/json"})

    assert text_of(connect, serve, raw).startswith(
        "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: the object of the ApiToken: "
    )


def test_a_message_ends_with_the_attempts_that_were_made(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(503, {"message": "tired", "requestId": "r1"}))

    with pytest.raises(ServiceError) as error:
        connect(server.url, bound_seconds=1.0).of("o").get_token("t")

    assert re.fullmatch(
        r"GetApiToken \(organization o, token t\): HTTP 503 Service Unavailable: tired \(requestId r1\)\. "
        rf"ASTRO_TRACE=<file> records each call\. Given up after {len(server.requests)} attempts in \d+\.\d s\.",
        str(error.value),
    )


def test_a_message_of_the_only_attempt_counts_nothing(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(400, {"message": "wrong"}))

    with pytest.raises(ServiceError, match=r": HTTP 400 Bad Request: wrong\.$"):
        connect(server.url).of("o").get_token("t")


LONG = "x" * 5000


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, LONG),
        Reply(500, {"message": LONG}),
        Reply(400, {"message": "no", "fieldErrors": [{"field": "roles", "message": LONG}] * 9}),
        Reply(400, {LONG: LONG}),
        Reply(200, LONG),
        Reply(302, LONG),
    ],
    ids=["500", "500 message", "400 fields", "400 other", "200", "302"],
)
def test_at_most_256_characters_of_an_answer_are_quoted(connect: Connect, serve: Serve, reply: Reply) -> None:
    text = text_of(connect, serve, reply)

    assert 100 < text.count("x") <= 256 + len("unexpected")
    assert "…" in text


def test_a_body_of_just_256_characters_is_quoted_whole(connect: Connect, serve: Serve) -> None:
    text = text_of(connect, serve, Reply(500, "y" * 256))

    assert "y" * 256 in text
    assert "…" not in text


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {"message": f"bad token {CREDENTIAL}", "requestId": CREDENTIAL}),
        Reply(401, f"bad token {CREDENTIAL}"),
        Reply(400, {"message": "no", "fieldErrors": [{"field": CREDENTIAL, "message": CREDENTIAL}]}),
        Reply(500, "x" * 250 + CREDENTIAL),
        Reply(200, f"<html>Bearer {CREDENTIAL}</html>"),
        Reply(200, "<html></html>", {"Content-Type": f"text/html; token={CREDENTIAL}"}),
        Reply(302, f"Bearer {CREDENTIAL}", {"Location": f"https://x/?{CREDENTIAL}"}),
        Reply(200, json.dumps([CREDENTIAL]), {"Content-Type": "application/json"}),
        Reply(200, {"id": CREDENTIAL, "name": "ci"}),
        Reply(200, {"id": "t", "name": "ci", "roles": [{CREDENTIAL: CREDENTIAL}]}),
    ],
)
def test_an_echoed_credential_is_in_no_message(connect: Connect, serve: Serve, reply: Reply) -> None:
    text = text_of(connect, serve, reply)

    assert CREDENTIAL not in text
    assert "very-secret" not in text


@pytest.mark.parametrize(
    "echo",
    [
        quote("se/cr+et=", safe=""),
        quote("se/cr+et=", safe="").lower(),
        "".join(f"%{byte:02X}" for byte in b"se/cr+et="),
        r"se\/cr+et=",
        r"se/cr\u002bet\u003D",
        "se/cr&#43;et&#x3d;",
        "se%2Fcr+et%3d",
    ],
)
def test_a_credential_that_comes_back_encoded_is_in_no_message(connect: Connect, serve: Serve, echo: str) -> None:
    server = serve(lambda _: Reply(400, f"bad: {echo}!"))

    with pytest.raises(ServiceError, match=r": bad: \*\*\*!\.$"):
        connect(server.url, credential="se/cr+et=").of("o").get_token("t")


def test_the_page_that_is_quoted_holds_no_credential(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body={"echo": CREDENTIAL}))

    with pytest.raises(ServiceError, match=r"the answer has no list of tokens: .*\*\*\*") as error:
        connect(server.url, bound_seconds=0.05).of("o").list_tokens()

    assert CREDENTIAL not in str(error.value)


def test_the_credential_is_asked_for_at_the_first_call_and_its_lack_is_told_without_one(
    connect: Connect, serve: Serve
) -> None:
    server = serve(in_turn(Reply(200, {})))
    client = connect(server.url)

    def none() -> str:
        raise SettingsError("No credential.")

    client._credential = none  # noqa: SLF001  what the settings would do

    with pytest.raises(SettingsError, match=r"^No credential\.$"):
        client.of("o").get_token("t")

    assert server.requests == []


TOKENS_ACCESS = "organization.apiTokens.access"


@pytest.mark.parametrize(
    ("right", "call"),
    [
        (TOKENS_ACCESS, lambda client: client.of("o").list_tokens()),
        (TOKENS_ACCESS, lambda client: client.of("o").get_token("t")),
        (TOKENS_ACCESS, lambda client: client.of("o").set_roles("t", [])),
        ("organization.deployments.get", lambda client: client.of("o").list_deployments()),
        ("deployment.get", lambda client: client.of("o").get_deployment("d")),
        ("organization.customRoles.get", lambda client: client.of("o").list_deployment_roles()),
    ],
)
def test_a_403_names_the_right_of_its_own_call(
    connect: Connect, serve: Serve, right: str, call: Callable[[AstroClient], object]
) -> None:
    server = serve(lambda _: Reply(403, {"message": "No access", "requestId": "r", "statusCode": 403}))

    with pytest.raises(Forbidden) as error:
        call(connect(server.url))

    assert str(error.value).endswith(
        f"The credential needs the permission {right} (the role Organization Owner has it)."
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_list_of_organizations_is_not_blamed_on_the_credential_alone(
    connect: Connect, serve: Serve, status: int
) -> None:
    server = serve(lambda _: Reply(status, {"message": "No", "requestId": "r", "statusCode": status}))

    with pytest.raises(ServiceError) as error:
        connect(server.url).list_organizations()

    assert (
        "(requestId r). Set ASTRO_ORGANIZATION_ID (or astro:organizationId): then this call, which Astro documents for "
        "personal tokens, is not made."
    ) in str(error.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("slow down", ": slow down."),
        ("", "."),
        ("<html><h1>429</h1></html>", ": <html><h1>429</h1></html>."),
    ],
)
def test_a_429_may_be_a_text_nothing_or_html(connect: Connect, serve: Serve, body: str, said: str) -> None:
    text = text_of(connect, serve, Reply(429, body))

    assert text == f"GetApiToken (organization o, token t): HTTP 429 Too Many Requests{said}"

"""An answer about something else, without an end, or larger than memory is an error, and nothing is written."""

from __future__ import annotations

import gzip
import json
import re
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from astro_provider.astro.api import ApiTokenRole, answers
from astro_provider.astro.api.deadline import operation
from astro_provider.errors import Unavailable, UnexpectedAnswer
from tests.support.clients import Connect, Serve
from tests.support.raw_server import DrippingServer, Reply, Request, in_turn

MINUTE = 60.0  # the whole answer would take four
GOOD = Reply(body={"id": "t", "name": "ci"})
TOO_LARGE = (
    "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: the answer is larger than 16 MiB, or has more "
    "values than any page of the API. Check ASTRO_API_HOST (or astro:host) if this goes on."
)


def test_the_answer_about_another_token_is_an_error(connect: Connect, serve: Serve) -> None:
    server = serve(in_turn(Reply(body={"id": "other", "name": "ci"}), GOOD))

    with pytest.raises(UnexpectedAnswer) as error:
        connect(server.url).of("o").get_token("t")

    assert str(error.value) == (
        "GetApiToken (organization o, token t): unexpected answer from 127.0.0.1: t was asked for, and the answer is about "
        "other. Check ASTRO_API_HOST (or astro:host) if this goes on."
    )
    assert len(server.requests) == 1


def test_the_answer_about_another_deployment_is_an_error(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body={"id": "other", "name": "etl"}))

    with pytest.raises(UnexpectedAnswer, match=r"127\.0\.0\.1: d was asked for, and the answer is about other\."):
        connect(server.url).of("o").get_deployment("d")


def test_an_answer_that_drips_ends_soon_after_the_bound(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body={"id": "t", "name": "x" * 500}, drip=0.5))
    began = time.monotonic()

    with pytest.raises(Unavailable, match=r"no answer from 127\.0\.0\.1 \("):
        connect(server.url, bound_seconds=1.0).of("o").get_token("t")

    assert time.monotonic() - began < MINUTE


def test_an_answer_to_a_write_that_drips_ends_soon_after_the_deadline(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body={"deploymentRoles": [{"deploymentId": "d", "role": "x" * 500}]}, drip=0.5))
    client = connect(server.url)
    began = time.monotonic()

    with operation(1.0), pytest.raises(Unavailable, match=r"^UpdateApiTokenRoles .*: no answer from 127\.0\.0\.1 \("):
        client.of("o").set_roles("t", [ApiTokenRole(entity_type="ORGANIZATION")])

    assert time.monotonic() - began < MINUTE


def test_an_answer_whose_headers_drip_ends_soon_after_the_bound(connect: Connect) -> None:
    with DrippingServer(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500, 0.5) as url:
        began = time.monotonic()

        with pytest.raises(Unavailable, match=r"^GetApiToken .*: no answer from 127\.0\.0\.1 \("):
            connect(url, bound_seconds=1.0).of("o").get_token("t")

    assert time.monotonic() - began < MINUTE


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_is_unpacked(connect: Connect, serve: Serve, encoding: str) -> None:
    raw = json.dumps({"id": "t", "name": "ci " * 100_000}).encode()
    packed = gzip.compress(raw) if encoding == "gzip" else zlib.compress(raw)
    server = serve(lambda _: Reply(body=packed, headers={"Content-Encoding": encoding}))

    token = connect(server.url).of("o").get_token("t")

    assert token.name == "ci " * 100_000
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_an_answer_that_unpacks_to_hundreds_of_megabytes_ends_at_the_limit(connect: Connect, serve: Serve) -> None:
    bomb = gzip.compress(b'{"id": "t", "name": "' + bytes(300 * 1024 * 1024), compresslevel=1)
    server = serve(lambda _: Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    client = connect(server.url)

    tracemalloc.start()
    with pytest.raises(UnexpectedAnswer) as error:
        client.of("o").get_token("t")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert str(error.value) == TOO_LARGE
    assert peak < 48 * 1024 * 1024
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [b'"' + b"x" * (answers.LARGEST_BYTES - 1) + b'"', b"[" + b"{}," * 500_000 + b"{}]"],
    ids=["bytes", "values"],
)
def test_an_answer_that_is_too_large_is_not_parsed(connect: Connect, serve: Serve, body: bytes) -> None:
    server = serve(lambda _: Reply(body=body))

    with pytest.raises(UnexpectedAnswer) as error:
        connect(server.url).of("o").get_token("t")

    assert str(error.value) == TOO_LARGE
    assert len(server.requests) == 1


def test_a_page_of_a_thousand_tokens_with_all_they_may_hold_is_taken(connect: Connect, serve: Serve) -> None:
    profile = {"id": "c" * 25, "subjectType": "USER", "fullName": "n" * 256, "username": "u" * 256}
    role = {"entityType": "DEPLOYMENT", "entityId": "d" * 25, "role": "r" * 256}
    tokens = [
        {"id": f"t{n}", "name": "n" * 256, "description": "d" * 500, "createdBy": profile, "updatedBy": profile}
        | {"scope": "ORGANIZATION", "roles": [role] * 40}
        for n in range(1000)
    ]
    server = serve(lambda _: Reply(body={"tokens": tokens, "totalCount": 1000}))

    assert len(connect(server.url).of("o").list_tokens()) == 1000


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("br", b"x", "it is packed as br, which was not asked for"),
        ("gzip", b"plain text", "it is not packed as gzip: Error -3 while decompressing data"),
    ],
)
def test_an_answer_that_cannot_be_unpacked_is_told(
    connect: Connect, serve: Serve, encoding: str, body: bytes, reason: str
) -> None:
    server = serve(lambda _: Reply(body=body, headers={"Content-Encoding": encoding}))

    with pytest.raises(UnexpectedAnswer, match=rf"unexpected answer from 127\.0\.0\.1: {re.escape(reason)}"):
        connect(server.url, bound_seconds=0.05).of("o").get_token("t")


def test_half_a_character_in_a_foreign_entry_goes_back_as_it_came(connect: Connect, serve: Serve) -> None:
    wire = [
        {"entityType": "DAG_TAG", "entityId": "tag \ud800", "role": "viewer \udfff", "deploymentId": "d"},
        {"entityType": "POOL", "note": "\ud83d", "role": None},
    ]

    def answer(request: Request) -> Reply:
        body: dict[str, Any] = {} if request.verb == "POST" else {"id": "t", "name": "ci", "roles": wire}
        return Reply(body=body)

    server = serve(answer)
    client = connect(server.url)

    client.of("o").set_roles("t", client.of("o").get_token("t").roles or ())

    posted = server.requests[-1]
    assert json.loads(posted.body) == {"roles": wire}
    assert posted.headers["content-type"] == "application/json"

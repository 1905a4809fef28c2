"""What goes over the wire, and where it goes."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_emulator.organization import ETL_PRODUCTION_ID, entry
from astro_provider.astro.api import ApiTokenRole
from astro_provider.astro.api.network import is_loopback
from astro_provider.errors import CallRefused, InputError
from astro_provider.version import __version__
from tests.support.clients import CREDENTIAL, Connect, Serve
from tests.support.raw_server import Reply, free_port

TOKEN = {"id": "t", "name": "ci"}


def test_every_request_names_its_sender_and_carries_the_credential(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body=TOKEN))

    connect(server.url).of("o").get_token("t")

    (request,) = server.requests
    assert request.headers["host"] == server.url.removeprefix("http://")
    assert request.headers["user-agent"] == f"pulumi-astro-provider/{__version__}"
    assert request.headers["authorization"] == f"Bearer {CREDENTIAL}"
    assert request.headers["accept"] == "application/json"
    assert request.headers["x-api-version"] == "1.0"
    assert (request.verb, request.path) == ("GET", "/v1/organizations/o/tokens/t")


def test_the_version_in_the_user_agent_is_the_package_s() -> None:
    assert version("pulumi-astro-provider") == __version__


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
def test_what_goes_to_this_machine_goes_through_no_proxy(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    server = serve(lambda _: Reply(body=TOKEN))

    assert connect(server.url, bound_seconds=0.5).of("o").get_token("t").name == "ci"


def test_what_goes_to_localhost_by_name_goes_through_no_proxy(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    server = serve(lambda _: Reply(body=TOKEN))
    url = server.url.replace("127.0.0.1", "localhost")

    assert connect(url, bound_seconds=0.5).of("o").get_token("t").name == "ci"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(connect: Connect, serve: Serve, status: int) -> None:
    elsewhere = serve(lambda _: Reply(body=TOKEN))
    server = serve(lambda _: Reply(status, "", {"Location": f"{elsewhere.url}/v1/organizations/o/tokens/t"}))

    with pytest.raises(CallRefused, match=f"HTTP {status}, a redirect"):
        connect(server.url).of("o").get_token("t")

    assert elsewhere.requests == []
    assert len(server.requests) == 1


def test_an_id_cannot_lead_to_another_path(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(404, {"message": "no"}))
    client = connect(server.url, bound_seconds=0.05)

    for identifier in ("a/b", "a?b=c", "a#b", "a%2Fb", "ü"):
        with pytest.raises(Exception, match="no"):
            client.of("o").get_token(identifier)

    assert [request.path for request in server.requests] == [
        f"/v1/organizations/o/tokens/{quoted}" for quoted in ("a%2Fb", "a%3Fb%3Dc", "a%23b", "a%252Fb", "%C3%BC")
    ]
    assert all(request.query == {} for request in server.requests)


@pytest.mark.parametrize("identifier", ["..", ".", "", " ", "a\nb", "\ufeffclorg", "\ud800"])
def test_what_is_no_id_is_refused_before_any_call(connect: Connect, serve: Serve, identifier: str) -> None:
    server = serve(lambda _: Reply(body=TOKEN))
    client = connect(server.url)

    with pytest.raises(InputError) as of_organization:
        client.of(identifier).list_tokens()
    with pytest.raises(InputError) as of_token:
        client.of("o").set_roles(identifier, [])
    with pytest.raises(InputError) as of_deployment:
        client.of("o").get_deployment(identifier)

    told = {
        name: str(error.value)
        for name, error in (
            ("organization_id", of_organization),
            ("org_token_id", of_token),
            ("deployment_id", of_deployment),
        )
    }
    assert told == {name: f"{name}: {identifier!r} is no id. Copy the id from Astro." for name in told}

    assert server.requests == []


def test_role_entries_go_back_field_for_field(connect: Connect, serve: Serve) -> None:
    wire: list[dict[str, Any]] = [
        {"entityType": "ORGANIZATION", "entityId": "o", "role": "ORGANIZATION_MEMBER", "deploymentId": None},
        {"entityType": "DEPLOYMENT", "entityId": "d", "role": "DEPLOYMENT_ADMIN"},
        {"entityType": "DAG", "entityId": "dag", "role": "DAG_VIEWER", "deploymentId": "d", "until": None},
        {"entityType": "POOL", "poolIds": ["a", "b"], "limits": {"slots": 7, "note": None}, "role": None},
    ]

    def answer(request: Any) -> Reply:
        return Reply(body={}) if request.verb == "POST" else Reply(body={**TOKEN, "roles": wire})

    server = serve(answer)
    client = connect(server.url)

    client.of("o").set_roles("t", client.of("o").get_token("t").roles or ())

    posted = server.requests[-1]
    assert (posted.verb, posted.path) == ("POST", "/v1/organizations/o/tokens/t/roles")
    assert json.loads(posted.body) == {"roles": wire}


def test_a_token_without_roles_has_none_and_one_with_none_has_no_role(connect: Connect, serve: Serve) -> None:
    left_out = serve(lambda _: Reply(body=TOKEN))
    null = serve(lambda _: Reply(body={**TOKEN, "roles": None}))
    empty = serve(lambda _: Reply(body={**TOKEN, "roles": []}))

    assert connect(left_out.url).of("o").get_token("t").roles is None
    assert connect(null.url).of("o").get_token("t").roles is None
    assert connect(empty.url).of("o").get_token("t").roles == ()


def test_a_token_with_hidden_roles_has_none(astro: Emulator, connect: Connect) -> None:
    token_id = astro.store.add_token("hidden")
    astro.store.hide_roles(token_id)

    token = connect(astro.url, credential=astro.credential).of(astro.organization_id).get_token(token_id)

    assert token.roles is None


def test_the_answer_to_a_write_tells_the_role_in_each_deployment(astro: Emulator, connect: Connect) -> None:
    token_id = astro.store.add_token("ci")
    client = connect(astro.url, credential=astro.credential)
    roles = [
        ApiTokenRole(entity_type="ORGANIZATION", entity_id=astro.organization_id, role="ORGANIZATION_MEMBER"),
        ApiTokenRole(entity_type="DEPLOYMENT", entity_id=ETL_PRODUCTION_ID, role="DEPLOYMENT_ADMIN"),
    ]

    answer = client.of(astro.organization_id).set_roles(token_id, roles)

    assert answer.roles_by_deployment.get(ETL_PRODUCTION_ID) == "DEPLOYMENT_ADMIN"
    assert answer.roles_by_deployment.get("elsewhere") is None
    assert astro.store.token(token_id)["roles"] == [
        entry("ORGANIZATION", astro.organization_id, "ORGANIZATION_MEMBER"),
        entry("DEPLOYMENT", ETL_PRODUCTION_ID, "DEPLOYMENT_ADMIN"),
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8765", True),
        ("http://127.200.1.1", True),
        ("http://localhost", True),
        ("http://LOCALHOST:1", True),
        ("http://[::1]:80", True),
        ("https://api.astronomer.io", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_localhost_or_a_loopback_address(url: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is is_loopback(url)

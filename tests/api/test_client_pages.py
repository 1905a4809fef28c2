"""Every page of a list is read, whatever the service claims about the total."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_emulator.organization import ETL_PRODUCTION_ID, FINANCE_ID
from astro_provider.astro.api import calls
from astro_provider.errors import UnexpectedAnswer
from tests.support.clients import Connect, Serve
from tests.support.raw_server import Reply, Request


def token(number: int) -> dict[str, Any]:
    return {"id": f"t{number}", "name": f"token {number}"}


class Service:
    """Pages of as many tokens as there are, with any claim about the total."""

    def __init__(self, count: int, total: object, *, largest_page: int = 1000) -> None:
        self.count, self.total, self.largest_page = count, total, largest_page

    def __call__(self, request: Request) -> Reply:
        offset, limit = request.number("offset"), min(request.number("limit"), self.largest_page)
        tokens = [token(number) for number in range(offset, min(offset + limit, self.count))]
        claim = {} if self.total is None else {"totalCount": self.total}
        return Reply(body={"tokens": tokens, "limit": limit, "offset": offset, **claim})


def test_two_and_a_half_thousand_tokens_are_read_in_three_calls(astro: Emulator, connect: Connect) -> None:
    for number in range(2500 - len(astro.store.shown()["tokens"])):
        astro.store.add_token(f"token {number}")
    client = connect(astro.url, credential=astro.credential)

    tokens = client.of(astro.organization_id).list_tokens()

    assert len({found.id for found in tokens}) == len(tokens) == 2500
    assert astro.calls()["by_operation"] == {"ListApiTokens": 3}
    assert [call["query"] for call in astro.calls()["log"]] == [
        f"sorts=createdAt%3Aasc&limit=1000&offset={offset}" for offset in (0, 1000, 2000)
    ]


@pytest.mark.parametrize(
    ("service", "calls"),
    [
        pytest.param(Service(3, 3), 1, id="right"),
        pytest.param(Service(3, 1000), 2, id="too big"),
        pytest.param(Service(1500, 7), 2, id="too small with a full page"),
        pytest.param(Service(2000, 0), 3, id="nothing, it claims"),
        pytest.param(Service(2500, None), 4, id="left out"),
        pytest.param(Service(3, "three"), 2, id="no number"),
        pytest.param(Service(25, 25, largest_page=10), 3, id="pages smaller than asked for"),
        pytest.param(Service(1000, 1000), 1, id="exactly one page"),
        pytest.param(Service(0, 0), 1, id="empty"),
        pytest.param(Service(0, 12), 1, id="empty with a claim"),
    ],
)
def test_all_pages_are_read_whatever_the_total_claims(
    connect: Connect, serve: Serve, service: Service, calls: int
) -> None:
    server = serve(service)

    tokens = connect(server.url).of("o").list_tokens()

    assert [f"t{number}" for number in range(service.count)] == [found.id for found in tokens]
    assert calls >= len(server.requests)


def test_a_page_that_comes_again_is_an_error_and_no_endless_loop(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body={"tokens": [token(1), token(2)], "totalCount": 9}))

    with pytest.raises(UnexpectedAnswer) as error:
        connect(server.url).of("o").list_tokens()

    assert str(error.value) == (
        "ListApiTokens (organization o): unexpected answer from 127.0.0.1: two pages show the same objects. Check "
        "ASTRO_API_HOST (or astro:host) if this goes on."
    )
    assert len(server.requests) == 2


def test_a_list_without_an_end_is_given_up(connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_PAGES", 5)
    server = serve(Service(10**9, 10**9, largest_page=2))

    with pytest.raises(UnexpectedAnswer, match=r"the list did not end within 5 pages\."):
        connect(server.url).of("o").list_tokens()

    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "page",
    [{}, {"tokens": None}, {"tokens": {"id": "t"}}, {"tokens": "many"}, [], None, "text", 7],
    ids=str,
)
def test_a_page_without_a_list_is_an_error_and_not_an_empty_list(connect: Connect, serve: Serve, page: object) -> None:
    server = serve(lambda _: Reply(body=page, headers={"Content-Type": "application/json"}))
    client = connect(server.url, bound_seconds=0.05)

    with pytest.raises(
        UnexpectedAnswer, match=r"^ListApiTokens \(organization o\): unexpected answer from 127\.0\.0\.1"
    ):
        client.of("o").list_tokens()


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        ({"name": None}, {"name": ""}),
        ({"name": ["a"]}, {"name": ""}),
        ({"createdAt": 17}, {"created_at": None}),
        ({"description": {}, "scope": 3, "kind": []}, {"description": None, "scope": None, "kind": None}),
        ({"createdBy": "Ada"}, {"created_by": None}),
        ({"createdBy": {"fullName": "Ada"}}, {"created_by": None}),
        ({"endAt": []}, {"end_at": None}),
        ({"roles": "many"}, {"roles": None}),
        ({"roles": [{"entityType": None}]}, {"roles": None}),
    ],
    ids=str,
)
def test_an_odd_field_of_one_token_hides_neither_the_token_nor_the_others(
    connect: Connect, serve: Serve, odd: dict[str, Any], shown: dict[str, Any]
) -> None:
    server = serve(lambda _: Reply(body={"tokens": [token(1), token(2) | odd], "totalCount": 2}))

    first, second = connect(server.url).of("o").list_tokens()

    assert (first.id, second.id) == ("t1", "t2")
    assert shown == {name: getattr(second, name) for name in shown}


@pytest.mark.parametrize("odd", [{"name": "nameless"}, {"id": None}, {"id": []}, {"id": 7}, None, "text", []], ids=str)
def test_what_has_no_id_is_left_out_of_a_list(connect: Connect, serve: Serve, odd: object) -> None:
    server = serve(lambda _: Reply(body={"tokens": [token(1), odd, token(2)], "totalCount": 3}))

    assert [found.id for found in connect(server.url).of("o").list_tokens()] == ["t1", "t2"]


def test_a_list_of_which_nothing_can_be_read_is_an_error_that_names_the_place(connect: Connect, serve: Serve) -> None:
    server = serve(lambda _: Reply(body={"tokens": [{"name": "nameless"}, {"name": "too"}], "totalCount": 2}))

    with pytest.raises(UnexpectedAnswer, match=r"127\.0\.0\.1: id of the ApiToken: Field required\."):
        connect(server.url).of("o").list_tokens()


def test_a_role_whose_restriction_cannot_be_read_is_left_out(connect: Connect, serve: Serve) -> None:
    odd = {"name": "odd", "restrictedWorkspaceIds": "all"}
    server = serve(lambda _: Reply(body={"roles": [odd, {"name": "good"}], "totalCount": 2}))

    assert [found.name for found in connect(server.url).of("o").list_deployment_roles()] == ["good"]


def test_a_token_with_odd_fields_is_read_and_one_with_odd_roles_is_not(connect: Connect, serve: Serve) -> None:
    odd = serve(lambda _: Reply(body={"id": "t", "name": None, "createdAt": 17, "roles": []}))
    unreadable = serve(lambda _: Reply(body={"id": "t", "name": "ci", "roles": [{"entityType": None}]}))

    assert connect(odd.url).of("o").get_token("t").name == ""
    with pytest.raises(UnexpectedAnswer, match=r"127\.0\.0\.1: roles\.0\.entityType of the ApiToken: "):
        connect(unreadable.url, bound_seconds=0.05).of("o").get_token("t")


def test_deployments_are_listed_with_their_workspaces(astro: Emulator, connect: Connect) -> None:
    client = connect(astro.url, credential=astro.credential)

    deployments = client.of(astro.organization_id).list_deployments()

    assert {record["id"]: record["workspaceId"] for record in astro.store.shown()["deployments"]} == {
        found.id: found.workspace_id for found in deployments
    }


def test_built_in_and_custom_roles_of_deployments_are_listed_and_no_others(astro: Emulator, connect: Connect) -> None:
    client = connect(astro.url, credential=astro.credential)

    roles = {
        found.name: found.restricted_workspace_ids for found in client.of(astro.organization_id).list_deployment_roles()
    }

    assert roles == {
        "DEPLOYMENT_ADMIN": None,
        "DEPLOYMENT_ACCESSOR": None,
        "Release Engineer": (),
        "Ledger Auditor": (FINANCE_ID,),
    }


def test_built_in_roles_are_found_on_every_page_and_told_once(connect: Connect, serve: Serve) -> None:
    def roles(request: Request) -> Reply:
        offset = request.number("offset")
        own = [
            {"id": f"r{n}", "name": f"role {n}", "scopeType": "DEPLOYMENT"} for n in range(offset, min(offset + 2, 3))
        ]
        default = [{"name": "DEPLOYMENT_ADMIN", "scopeType": "DEPLOYMENT"}, {"name": "DAG_VIEWER", "scopeType": "DAG"}]
        return Reply(body={"roles": own, "defaultRoles": default, "totalCount": 3})

    server = serve(roles)

    found = connect(server.url).of("o").list_deployment_roles()

    assert [role.name for role in found] == ["DEPLOYMENT_ADMIN", "role 0", "role 1", "role 2"]


def test_tokens_of_a_deployment_come_with_the_role_in_it(astro: Emulator, connect: Connect) -> None:
    client = connect(astro.url, credential=astro.credential)

    (found,) = client.of(astro.organization_id).list_tokens(deployment_id=ETL_PRODUCTION_ID)

    assert [entry.role for entry in found.roles or ()] == ["DEPLOYMENT_ACCESSOR"]
    assert found.name == "observability"


def test_organizations_are_listed(astro: Emulator, connect: Connect) -> None:
    client = connect(astro.url, credential=astro.credential)

    assert [(found.id, found.name) for found in client.list_organizations()] == [
        (astro.organization_id, "Example Airlines")
    ]


def test_a_token_that_moves_to_the_next_page_while_pages_are_read_is_told_once(connect: Connect, serve: Serve) -> None:
    pages = {0: [token(0), token(1)], 2: [token(1), token(2)], 4: [token(3)]}
    server = serve(lambda request: Reply(body={"tokens": pages.get(request.number("offset"), []), "totalCount": 5}))

    tokens = connect(server.url).of("o").list_tokens()

    assert [found.id for found in tokens] == ["t0", "t1", "t2", "t3"]

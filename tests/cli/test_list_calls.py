"""How few calls a list takes, counted at the service."""

from __future__ import annotations

import json

from astro_emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS
from tests.support.processes import calls_to
from tests.support.shell import run


def test_a_table_of_one_deployment_is_one_call_even_for_a_thousand_tokens(astro: Emulator) -> None:
    deployment_id = astro.store.add_deployment("big")
    for number in range(1000):
        astro.store.bind(astro.store.add_token(f"token-{number:04}"), deployment_id, "DEPLOYMENT_ADMIN")

    ended = run(astro, "list", "--deployment-id", deployment_id)

    assert calls_to(astro) == {"ListApiTokens": 1}
    assert len(ended.lines) == 1 + 1000
    assert "token-0999" in ended.lines[-1]


def test_programs_are_told_the_deployments_name_for_one_call_more(organization: Emulator) -> None:
    run(organization, "list", "--deployment-id", ORDERS, "--output", "json")

    assert calls_to(organization) == {"ListDeployments": 1, "ListApiTokens": 1}


def test_an_empty_deployment_is_told_from_one_that_does_not_exist_for_one_call_more(organization: Emulator) -> None:
    empty = organization.store.add_deployment("empty")

    run(organization, "list", "--deployment-id", empty)

    assert calls_to(organization) == {"ListDeployments": 1, "ListApiTokens": 1}


def test_few_deployments_and_many_tokens_are_read_by_deployment(organization: Emulator) -> None:
    third = organization.store.add_deployment("third")
    for number in range(10):
        organization.store.bind(organization.store.add_token(f"token-{number}"), third, "DEPLOYMENT_ADMIN")

    ended = run(organization, "list", "--all-deployments")

    assert len(ended.lines) == 1 + 4 + 10
    assert calls_to(organization) == {"ListDeployments": 1, "ListApiTokens": 1 + 3}


def test_many_deployments_and_few_tokens_are_read_by_token(organization: Emulator) -> None:
    for number in range(30):
        deployment_id = organization.store.add_deployment(f"deployment-{number:02}")
        organization.store.bind("clx1ci0000000008l6aaaaaaa", deployment_id, "DEPLOYMENT_ADMIN")

    ended = run(organization, "list", "--all-deployments")

    assert len(ended.lines) == 1 + 4 + 30
    assert calls_to(organization) == {"ListDeployments": 1, "ListApiTokens": 1, "GetApiToken": 4}


def test_tokens_of_other_scopes_are_read_only_where_they_are_asked_for(organization: Emulator) -> None:
    for number in range(30):
        organization.store.add_deployment(f"deployment-{number:02}")

    ended = run(organization, "list", "--all-deployments", "--include-other-scopes")

    assert len(ended.lines) == 1 + 5
    assert calls_to(organization) == {"ListDeployments": 1, "ListApiTokens": 1, "GetApiToken": 5}


def test_both_ways_find_the_same(organization: Emulator) -> None:
    asked = ["list", "--deployment-id", ORDERS, "--deployment-id", LEDGER]
    by_deployment = run(organization, *asked, "--output", "json")
    for number in range(30):
        organization.store.add_deployment(f"deployment-{number:02}")
    organization.clear_calls()

    by_token = run(organization, "list", "--all-deployments", "--output", "json")

    def rows(text: str) -> list[tuple[str, str, str]]:
        return sorted((row["deployment_id"], row["id"], row["deployment_role"]) for row in json.loads(text))

    assert calls_to(organization)["GetApiToken"] == 4
    assert rows(by_deployment.out) == rows(by_token.out)


def test_all_deployments_stay_within_the_limits_of_the_service(organization: Emulator) -> None:
    organization.settings(rate_limits=True)
    for number in range(40):
        deployment_id = organization.store.add_deployment(f"deployment-{number:02}")
        organization.store.bind(organization.store.add_token(f"token-{number:02}"), deployment_id, "DEPLOYMENT_ADMIN")

    ended = run(organization, "list", "--all-deployments")

    assert len(ended.lines) == 1 + 4 + 40
    assert organization.calls()["by_status"] == {"200": 1 + 1 + 42}


def test_a_list_that_leaves_roles_out_makes_the_token_be_read(organization: Emulator) -> None:
    organization.fault(kind="no_roles", operation="ListApiTokens")

    ended = run(organization, "list", "--deployment-id", ORDERS)

    assert calls_to(organization) == {"ListApiTokens": 1, "GetApiToken": 2}
    assert "  DEPLOYMENT_ADMIN  " in ended.lines[1]
    assert "  Release Engineer  " in ended.lines[2]


def test_a_token_whose_roles_nobody_may_see_is_an_error_not_an_empty_list(organization: Emulator) -> None:
    organization.store.hide_roles("clx1ci0000000008l6aaaaaaa")

    ended = run(organization, "list", "--deployment-id", ORDERS)

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Error: The service left the roles out of its answer about token 'ci' ")

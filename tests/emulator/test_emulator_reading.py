"""What the emulator shows in lists and single readings, and what it leaves out."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from astro_emulator import Emulator
from astro_emulator.organization import (
    DATA_PLATFORM_ID,
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_CLOSE_ID,
    FINANCE_ID,
    ML_TRAINING_ID,
    ORGANIZATION_ID,
)


def listed(api: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    response = api.get(path, params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def test_an_unfiltered_list_of_tokens_leaves_roles_out(api: httpx.Client) -> None:
    tokens = listed(api, "/tokens")["tokens"]

    assert len(tokens) == 9
    assert not any("roles" in token for token in tokens)


def test_a_list_by_deployment_shows_only_the_role_in_that_deployment(emulator: Emulator, api: httpx.Client) -> None:
    emulator.store.bind("clo8g1x4m000f08l6t9c3z6vl", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")

    tokens = listed(api, "/tokens", deploymentId=ETL_STAGING_ID)["tokens"]

    admin = {"entityType": "DEPLOYMENT", "entityId": ETL_STAGING_ID, "role": "DEPLOYMENT_ADMIN"}
    assert {"observability": [admin], "staging-deploys": [admin]} == {t["name"]: t["roles"] for t in tokens}


def test_a_list_by_deployment_holds_tokens_of_any_scope(api: httpx.Client) -> None:
    tokens = listed(api, "/tokens", deploymentId=FINANCE_CLOSE_ID)["tokens"]

    assert [token["scope"] for token in tokens] == ["WORKSPACE"]


def test_a_role_in_a_dag_alone_does_not_put_a_token_on_the_list_of_its_deployment(
    emulator: Emulator, api: httpx.Client
) -> None:
    emulator.store.unbind("clv9m2t3q000i08l6b8x5g4do", ML_TRAINING_ID)

    page = listed(api, "/tokens", deploymentId=ML_TRAINING_ID)

    assert page["tokens"] == []
    assert page["totalCount"] == 0


def test_a_list_by_workspace_shows_only_the_role_in_that_workspace(api: httpx.Client) -> None:
    tokens = listed(api, "/tokens", workspaceId=FINANCE_ID)["tokens"]

    operator = {"entityType": "WORKSPACE", "entityId": FINANCE_ID, "role": "WORKSPACE_OPERATOR"}
    assert {"finance-workspace": [operator]} == {token["name"]: token["roles"] for token in tokens}


def test_a_list_of_organization_tokens_shows_only_the_organization_role(api: httpx.Client) -> None:
    tokens = listed(api, "/tokens", includeOnlyOrganizationTokens="true")["tokens"]

    assert {"ORGANIZATION"} == {token["scope"] for token in tokens}
    assert {"observability", "model-trainer"} < {token["name"] for token in tokens}
    assert all([entry["entityId"] for entry in token["roles"]] == [ORGANIZATION_ID] for token in tokens)


@pytest.mark.parametrize("filter_name", ["deploymentId", "workspaceId"])
def test_a_filter_by_something_unknown_is_a_404_that_names_it(api: httpx.Client, filter_name: str) -> None:
    response = api.get("/tokens", params={filter_name: "clxnowhere"})

    assert response.status_code == 404
    assert "clxnowhere" in response.json()["message"]


def test_a_token_by_its_id_shows_all_its_roles(api: httpx.Client) -> None:
    token = api.get("/tokens/clv9m2t3q000i08l6b8x5g4do").json()

    assert [entry["entityType"] for entry in token["roles"]] == ["ORGANIZATION", "DEPLOYMENT", "DAG"]
    assert token["roles"][2]["deploymentId"] == ML_TRAINING_ID


def test_hidden_roles_are_left_out_of_every_answer(emulator: Emulator, api: httpx.Client) -> None:
    token_id = "clo8g1x4m000f08l6t9c3z6vl"
    emulator.store.hide_roles(token_id)

    whole = api.get(f"/tokens/{token_id}").json()
    (on_the_list,) = listed(api, "/tokens", deploymentId=ETL_PRODUCTION_ID)["tokens"]

    assert "roles" not in whole
    assert "roles" not in on_the_list
    assert emulator.store.token(token_id)["roles"]


def test_what_only_the_emulator_knows_is_never_shown(emulator: Emulator, api: httpx.Client) -> None:
    emulator.store.hide_roles("clo8g1x4m000f08l6t9c3z6vl")

    shown = [
        *listed(api, "/tokens")["tokens"],
        *listed(api, "/roles")["roles"],
        api.get("/tokens/clo8g1x4m000f08l6t9c3z6vl").json(),
    ]

    assert not [record for record in shown if {"organizationId", "rolesHidden"} & record.keys()]


def test_pages_join_to_the_whole_without_gap_or_overlap(emulator: Emulator, api: httpx.Client) -> None:
    for number in range(60):
        emulator.store.add_token(f"token-{number}")

    pages = [listed(api, "/tokens", limit=25, offset=offset) for offset in (0, 25, 50, 75)]

    assert [len(page["tokens"]) for page in pages] == [25, 25, 19, 0]
    assert {69} == {page["totalCount"] for page in pages}
    assert [(page["limit"], page["offset"]) for page in pages] == [(25, 0), (25, 25), (25, 50), (25, 75)]
    assert {1} == set(Counter(token["id"] for page in pages for token in page["tokens"]).values())


def test_a_page_has_twenty_items_unless_asked_otherwise(emulator: Emulator, api: httpx.Client) -> None:
    for number in range(30):
        emulator.store.add_deployment(f"deployment-{number}")

    page = listed(api, "/deployments")

    assert len(page["deployments"]) == 20
    assert page["totalCount"] == 36


def test_a_limit_of_zero_tells_the_count_alone(api: httpx.Client) -> None:
    page = listed(api, "/tokens", limit=0)

    assert page["tokens"] == []
    assert page["totalCount"] == 9


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/tokens", {"limit": "1001"}, "limit"),
        ("/tokens", {"limit": "many"}, "limit"),
        ("/tokens", {"offset": "-1"}, "offset"),
        ("/tokens", {"sorts": "colour:asc"}, "sorts"),
        ("/tokens", {"includeOnlyOrganizationTokens": "perhaps"}, "includeOnlyOrganizationTokens"),
        ("/deployments", {"limit": "-1"}, "limit"),
        ("/roles", {"scopeTypes": "PLANET"}, "scopeTypes"),
    ],
)
def test_an_invalid_parameter_is_a_400_that_names_it(
    api: httpx.Client, path: str, query: dict[str, str], field: str
) -> None:
    response = api.get(path, params=query)

    assert response.status_code == 400
    assert [field] == [fault["field"] for fault in response.json()["fieldErrors"]]


def test_tokens_are_sorted_by_several_keys(api: httpx.Client) -> None:
    tokens = listed(api, "/tokens", sorts=["name:asc", "createdAt:desc"])["tokens"]

    assert sorted(token["name"] for token in tokens) == [token["name"] for token in tokens]
    twins = [token["createdAt"] for token in tokens if token["name"] == "ci-deployer"]
    assert len(set(twins)) == 2
    assert sorted(twins, reverse=True) == twins


def test_deployments_are_filtered_by_repeated_keys(api: httpx.Client) -> None:
    by_id = listed(api, "/deployments", deploymentIds=[ETL_PRODUCTION_ID, FINANCE_CLOSE_ID])["deployments"]
    by_name = listed(api, "/deployments", names=["etl-staging", "ml-training", "nothing"])["deployments"]
    by_workspace = listed(api, "/deployments", workspaceIds=[FINANCE_ID])["deployments"]
    by_both = listed(api, "/deployments", names=["etl-staging"], workspaceIds=[FINANCE_ID])["deployments"]

    assert [one["id"] for one in by_id] == [ETL_PRODUCTION_ID, FINANCE_CLOSE_ID]
    assert [one["name"] for one in by_name] == ["etl-staging", "ml-training"]
    assert [one["name"] for one in by_workspace] == ["finance-close", "finance-reporting"]
    assert by_both == []


def test_a_deployment_by_its_id_tells_its_workspace(api: httpx.Client) -> None:
    deployment = api.get(f"/deployments/{ETL_PRODUCTION_ID}").json()

    assert deployment["name"] == "etl-production"
    assert (deployment["workspaceId"], deployment["workspaceName"]) == (DATA_PLATFORM_ID, "Data Platform")


def test_built_in_roles_are_shown_only_when_asked_for(api: httpx.Client) -> None:
    without = listed(api, "/roles", scopeTypes="DEPLOYMENT")
    with_them = listed(api, "/roles", scopeTypes="DEPLOYMENT", includeDefaultRoles="true")

    assert "defaultRoles" not in without
    assert [role["name"] for role in with_them["defaultRoles"]] == ["DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"]
    assert [role["name"] for role in with_them["roles"]] == ["Release Engineer", "Ledger Auditor"]
    assert [role["restrictedWorkspaceIds"] for role in with_them["roles"]] == [[], [FINANCE_ID]]


@pytest.mark.parametrize("path", ["/tokens/clxnowhere", "/deployments/clxnowhere", "/tokens/a%2Fb", "/planets"])
def test_what_does_not_exist_is_a_404_in_the_error_shape(api: httpx.Client, path: str) -> None:
    response = api.get(path)

    assert response.status_code == 404
    assert response.json()["statusCode"] == 404
    assert response.json()["requestId"]
    assert path.rpartition("/")[2] in response.json()["message"]


def test_a_method_that_a_path_does_not_have_is_a_405_in_the_error_shape(api: httpx.Client) -> None:
    response = api.delete("/tokens")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET"
    assert {"message", "requestId", "statusCode"} == response.json().keys()


def test_every_error_has_a_request_id_of_its_own(api: httpx.Client) -> None:
    first, second = (api.get("/tokens/clxnowhere").json()["requestId"] for _ in range(2))

    assert first != second


def test_the_initial_organization_has_a_specimen_of_every_oddity(api: httpx.Client) -> None:
    tokens = listed(api, "/tokens")["tokens"]

    assert all(re.fullmatch(r"c[a-z0-9]{24}", token["id"]) for token in tokens)
    assert 2 in Counter(token["name"] for token in tokens).values()
    assert {"ORGANIZATION", "WORKSPACE", "DEPLOYMENT"} == {token["scope"] for token in tokens}
    assert {"STANDARD", "DIRECT_ACCESS"} == {token["kind"] for token in tokens}
    assert {"USER", "SERVICEKEY"} == {token["createdBy"]["subjectType"] for token in tokens}
    assert any(token.get("endAt", "9") < datetime.now(UTC).isoformat() for token in tokens)


def test_a_page_of_a_thousand_out_of_five_thousand_takes_well_under_100_ms_of_the_processor(
    emulator: Emulator, api: httpx.Client
) -> None:
    for number in range(5000):
        emulator.store.add_token(f"token-{number}")

    elapsed = []
    for _ in range(5):
        start = time.process_time()
        response = api.get("/tokens", params={"limit": 1000, "offset": 3000, "sorts": "name:asc"})
        elapsed.append(time.process_time() - start)

    assert len(response.json()["tokens"]) == 1000
    assert min(elapsed) < 0.1

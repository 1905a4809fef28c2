"""What becomes of a role list that is posted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from astro_emulator import Emulator
from astro_emulator.organization import (
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_CLOSE_ID,
    FINANCE_ID,
    ML_TRAINING_ID,
    ORGANIZATION_ID,
    entry,
)
from tests.support.cast import OBSERVABILITY

JSON = {"Content-Type": "application/json"}
MEMBER = entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")


def post(api: httpx.Client, token_id: str, *roles: object) -> httpx.Response:
    return api.post(f"/tokens/{token_id}/roles", json={"roles": list(roles)})


def test_a_write_replaces_the_whole_list(emulator: Emulator, api: httpx.Client) -> None:
    staging = entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")

    response = post(api, OBSERVABILITY, MEMBER, staging)

    assert response.status_code == 200
    assert [MEMBER, staging] == emulator.store.token(OBSERVABILITY)["roles"]


def test_a_write_answers_the_roles_by_kind_and_not_the_token(api: httpx.Client) -> None:
    response = post(
        api,
        OBSERVABILITY,
        MEMBER,
        entry("WORKSPACE", FINANCE_ID, "WORKSPACE_MEMBER"),
        entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"),
        entry("DAG", "train", "DAG_VIEWER", deploymentId=ML_TRAINING_ID),
        entry("DAG_TAG", "nightly", "DAG Trigger", deploymentId=ML_TRAINING_ID),
    )

    assert response.json() == {
        "organizationRole": "ORGANIZATION_MEMBER",
        "workspaceRoles": [{"workspaceId": FINANCE_ID, "role": "WORKSPACE_MEMBER"}],
        "deploymentRoles": [{"deploymentId": ETL_STAGING_ID, "role": "DEPLOYMENT_ADMIN"}],
        "dagRoles": [
            {"deploymentId": ML_TRAINING_ID, "role": "DAG_VIEWER", "dagId": "train"},
            {"deploymentId": ML_TRAINING_ID, "role": "DAG Trigger", "dagTag": "nightly"},
        ],
    }


def test_a_write_of_roles_does_not_move_updated_at_unless_it_is_told_to(emulator: Emulator, api: httpx.Client) -> None:
    before = emulator.store.token(OBSERVABILITY)

    post(api, OBSERVABILITY, MEMBER)

    after = emulator.store.token(OBSERVABILITY)
    assert {**before, "roles": [MEMBER]} == after


def test_a_write_of_roles_tells_who_wrote_and_when_if_it_is_told_to(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(updated_at_moves=True)
    before = emulator.store.token(OBSERVABILITY)

    post(api, OBSERVABILITY, MEMBER)

    after = emulator.store.token(OBSERVABILITY)
    assert after["updatedAt"] > before["updatedAt"]
    assert after["updatedBy"]["apiTokenName"] == "platform-owner"
    assert after["createdBy"] == before["createdBy"]


def test_no_two_writes_share_an_updated_at_whoever_writes(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(updated_at_moves=True)
    seen = []
    for number in range(20):
        if number % 2:
            post(api, OBSERVABILITY, MEMBER)
        else:
            emulator.store.bind(OBSERVABILITY, ETL_STAGING_ID, "DEPLOYMENT_ADMIN")
        seen.append(emulator.store.token(OBSERVABILITY)["updatedAt"])

    assert sorted(set(seen)) == seen


@pytest.mark.parametrize("spelling", ["deployment_admin", "Deployment_Admin", "DEPLOYMENT_ADMIN"])
def test_a_role_name_matches_without_case_and_is_stored_as_the_service_spells_it(
    emulator: Emulator, api: httpx.Client, spelling: str
) -> None:
    response = post(api, OBSERVABILITY, MEMBER, entry("DEPLOYMENT", ETL_STAGING_ID, spelling))

    assert response.json()["deploymentRoles"][0]["role"] == "DEPLOYMENT_ADMIN"
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) == "DEPLOYMENT_ADMIN"


def test_a_custom_role_is_stored_as_it_was_defined(emulator: Emulator, api: httpx.Client) -> None:
    post(api, OBSERVABILITY, MEMBER, entry("DEPLOYMENT", ETL_STAGING_ID, "release engineer"))

    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) == "Release Engineer"


def test_an_organization_token_keeps_its_organization_role_even_if_the_list_leaves_it_out(
    emulator: Emulator, api: httpx.Client
) -> None:
    response = post(api, OBSERVABILITY, entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"))

    assert response.json()["organizationRole"] == "ORGANIZATION_MEMBER"
    assert MEMBER in emulator.store.token(OBSERVABILITY)["roles"]


def test_a_token_of_another_scope_gets_no_organization_role(emulator: Emulator, api: httpx.Client) -> None:
    token_id = emulator.store.add_token("deployment token", scope="DEPLOYMENT")

    response = post(api, token_id, entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"))

    assert "organizationRole" not in response.json()


def test_unknown_fields_of_an_entry_come_back_as_they_came(api: httpx.Client) -> None:
    extra = {**entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"), "expiresAt": None, "conditions": [{"a": 1.5}]}

    post(api, OBSERVABILITY, MEMBER, extra)

    assert [MEMBER, extra] == api.get(f"/tokens/{OBSERVABILITY}").json()["roles"]


def test_an_entry_of_an_unknown_kind_may_stay(emulator: Emulator, api: httpx.Client) -> None:
    held = {"entityType": "CLUSTER", "entityId": "cl1", "role": "CLUSTER_ADMIN", "region": "eu"}
    emulator.store.set_roles(OBSERVABILITY, [MEMBER, held])

    response = post(api, OBSERVABILITY, MEMBER, held, entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"))

    assert response.status_code == 200
    assert held in emulator.store.token(OBSERVABILITY)["roles"]


def test_an_entry_of_an_unknown_kind_may_not_change(emulator: Emulator, api: httpx.Client) -> None:
    held = {"entityType": "CLUSTER", "entityId": "cl1", "role": "CLUSTER_ADMIN", "region": "eu"}
    emulator.store.set_roles(OBSERVABILITY, [MEMBER, held])

    response = post(api, OBSERVABILITY, MEMBER, {name: held[name] for name in ("entityType", "entityId", "role")})

    assert response.status_code == 400
    assert "CLUSTER" in response.json()["message"]
    assert held in emulator.store.token(OBSERVABILITY)["roles"]


@pytest.mark.parametrize(
    ("refused", "status", "named"),
    [
        (entry("DEPLOYMENT", "clxnowhere", "DEPLOYMENT_ADMIN"), 404, "clxnowhere"),
        (entry("WORKSPACE", "clxnowhere", "WORKSPACE_MEMBER"), 404, "clxnowhere"),
        (entry("DAG", "train", "DAG_VIEWER", deploymentId="clxnowhere"), 404, "clxnowhere"),
        (entry("ORGANIZATION", "clxnowhere", "ORGANIZATION_MEMBER"), 404, "clxnowhere"),
        (entry("DEPLOYMENT", ETL_STAGING_ID, "EMPEROR"), 400, "EMPEROR"),
        (entry("DEPLOYMENT", ETL_STAGING_ID, "WORKSPACE_OWNER"), 400, "WORKSPACE_OWNER"),
        (entry("DEPLOYMENT", ETL_STAGING_ID, "ledger auditor"), 400, "Ledger Auditor"),
        (entry("PLANET", "mars", "EMPEROR"), 400, "PLANET"),
    ],
)
def test_one_invalid_entry_refuses_the_whole_list_and_is_named(
    emulator: Emulator, api: httpx.Client, refused: dict[str, Any], status: int, named: str
) -> None:
    before = emulator.store.token(OBSERVABILITY)

    response = post(api, OBSERVABILITY, entry("DEPLOYMENT", ML_TRAINING_ID, "DEPLOYMENT_ADMIN"), refused)

    assert response.status_code == status
    assert named in response.json()["message"]
    assert before == emulator.store.token(OBSERVABILITY)


def test_a_role_restricted_to_a_workspace_is_good_in_that_workspace(api: httpx.Client) -> None:
    response = post(api, OBSERVABILITY, MEMBER, entry("DEPLOYMENT", FINANCE_CLOSE_ID, "Ledger Auditor"))

    assert response.status_code == 200


def test_an_entry_for_a_deployment_that_was_deleted_refuses_the_list(emulator: Emulator, api: httpx.Client) -> None:
    emulator.store.delete_deployment(ETL_PRODUCTION_ID)
    held = emulator.store.token(OBSERVABILITY)["roles"]

    response = post(api, OBSERVABILITY, *held, entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"))

    assert response.status_code == 404
    assert ETL_PRODUCTION_ID in response.json()["message"]
    assert held == emulator.store.token(OBSERVABILITY)["roles"]


def test_an_entry_whose_custom_role_was_deleted_refuses_the_list(emulator: Emulator, api: httpx.Client) -> None:
    emulator.store.bind(OBSERVABILITY, ETL_STAGING_ID, "Release Engineer")
    emulator.store.delete_role("Release Engineer")

    response = post(api, OBSERVABILITY, *emulator.store.token(OBSERVABILITY)["roles"])

    assert response.status_code == 400
    assert "Release Engineer" in response.json()["message"]


@pytest.mark.parametrize(
    "entity",
    [
        entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"),
        entry("WORKSPACE", FINANCE_ID, "WORKSPACE_MEMBER"),
        entry("DAG", "train", "DAG_VIEWER", deploymentId=ML_TRAINING_ID),
    ],
)
def test_two_entries_for_one_entity_refuse_the_list(api: httpx.Client, entity: dict[str, Any]) -> None:
    response = post(api, OBSERVABILITY, MEMBER, entity, entity)

    assert response.status_code == 400
    assert entity["entityId"] in response.json()["message"]


def test_one_dag_name_in_two_deployments_is_two_entities(api: httpx.Client) -> None:
    twins = [entry("DAG", "train", "DAG_VIEWER", deploymentId=one) for one in (ML_TRAINING_ID, ETL_STAGING_ID)]

    response = post(api, OBSERVABILITY, MEMBER, *twins)

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "roles"),
        ({"roles": []}, "roles"),
        ({"roles": "all"}, "roles"),
        ({"roles": [7]}, "roles[0]"),
        ({"roles": [MEMBER, {"entityType": "DEPLOYMENT", "role": "DEPLOYMENT_ADMIN"}]}, "roles[1].entityId"),
        ({"roles": [{**MEMBER, "role": None}]}, "roles[0].role"),
        ({"roles": [entry("DAG", "train", "DAG_VIEWER")]}, "roles[0].deploymentId"),
        ({"roles": [entry("DAG_TAG", "nightly", "DAG_VIEWER")]}, "roles[0].deploymentId"),
    ],
)
def test_a_malformed_list_is_a_400_that_names_the_place(api: httpx.Client, body: object, field: str) -> None:
    response = api.post(f"/tokens/{OBSERVABILITY}/roles", json=body)

    assert response.status_code == 400
    assert [field] == [fault["field"] for fault in response.json()["fieldErrors"]]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_400(api: httpx.Client, body: bytes) -> None:
    response = api.post(f"/tokens/{OBSERVABILITY}/roles", content=body, headers=JSON)

    assert response.status_code == 400
    assert response.json()["statusCode"] == 400


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_json_cannot_hold_is_a_400(emulator: Emulator, api: httpx.Client, number: str) -> None:
    entity = f'"entityType": "DEPLOYMENT", "entityId": "{ETL_STAGING_ID}", "role": "DEPLOYMENT_ADMIN"'

    body = f'{{"roles": [{{{entity}, "weight": {number}}}]}}'
    response = api.post(f"/tokens/{OBSERVABILITY}/roles", content=body, headers=JSON)

    assert response.status_code == 400
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is None


def test_a_write_to_an_unknown_token_is_a_404_that_names_it(api: httpx.Client) -> None:
    response = post(api, "clxnowhere", MEMBER)

    assert response.status_code == 404
    assert "clxnowhere" in response.json()["message"]


def test_writers_that_start_from_the_same_reading_lose_all_changes_but_one(
    emulator: Emulator, api: httpx.Client
) -> None:
    emulator.settings(latency_ms=400)
    token_id = emulator.store.add_token("shared")
    deployments = [emulator.store.add_deployment(f"deployment-{number}") for number in range(6)]

    def bind(deployment_id: str) -> int:
        held = api.get(f"/tokens/{token_id}").json()["roles"]
        return post(api, token_id, *held, entry("DEPLOYMENT", deployment_id, "DEPLOYMENT_ADMIN")).status_code

    with ThreadPoolExecutor(len(deployments)) as pool:
        statuses = list(pool.map(bind, deployments))

    survivors = [one for one in deployments if emulator.store.deployment_role(token_id, one)]
    assert statuses == [200] * 6
    assert len(survivors) == 1

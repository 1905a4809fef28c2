"""Each operation asks for its published permission, and the roles of a credential's token give it or not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_emulator.organization import (
    DATA_PLATFORM_ID,
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_CLOSE_ID,
    FINANCE_ID,
    ORGANIZATION_ID,
    entry,
)
from astro_provider.astro.settings import Settings
from astro_provider.errors import AbsenceNotProven, Forbidden
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.single import Lifecycle
from tests.support.cast import DEPLOYERS, OBSERVABILITY, OF_WORKSPACE

ROLE_ID = "clr4f6w8h000a08l6s2d9q7ug"  # Release Engineer
CALLS = {
    "": "organization.get",
    "/tokens": "organization.apiTokens.access",
    f"/tokens/{OBSERVABILITY}": "organization.apiTokens.access",
    "/deployments": "organization.deployments.get",
    f"/deployments/{ETL_PRODUCTION_ID}": "deployment.get",
    f"/deployments/{FINANCE_CLOSE_ID}": "deployment.get",
    "/roles": "organization.customRoles.get",
    f"/roles/{ROLE_ID}": "organization.customRoles.get",
    f"/workspaces/{DATA_PLATFORM_ID}": "workspace.get",
    f"/workspaces/{FINANCE_ID}": "workspace.get",
}
MEMBERS = {""}
DATA = {f"/deployments/{ETL_PRODUCTION_ID}", f"/workspaces/{DATA_PLATFORM_ID}"}


def organization_role(role: str) -> dict[str, Any]:
    return {"roles": [entry("ORGANIZATION", ORGANIZATION_ID, role)]}


def workspace_role(role: str) -> dict[str, Any]:
    return {"scope": "WORKSPACE", "roles": [entry("WORKSPACE", DATA_PLATFORM_ID, role)]}


def deployment_role(role: str) -> dict[str, Any]:
    return {"scope": "DEPLOYMENT", "roles": [entry("DEPLOYMENT", ETL_PRODUCTION_ID, role)]}


def credential_of(emulator: Emulator, token: dict[str, Any]) -> dict[str, str]:
    """The header of a credential of a new token."""
    token_id = emulator.store.add_token("somebody", **token)
    bearer = emulator.store.add_credential(of=token_id)
    return {"Authorization": f"Bearer {bearer}"}


@pytest.mark.parametrize(
    ("token", "may"),
    [
        (organization_role("ORGANIZATION_OWNER"), set(CALLS)),
        (organization_role("ORGANIZATION_BILLING_ADMIN"), MEMBERS),
        (organization_role("ORGANIZATION_MEMBER"), MEMBERS),
        (organization_role("ORGANIZATION_OBSERVE_ADMIN"), MEMBERS),
        (workspace_role("WORKSPACE_OWNER"), DATA),
        (workspace_role("WORKSPACE_ACCESSOR"), {f"/workspaces/{DATA_PLATFORM_ID}"}),
        (deployment_role("DEPLOYMENT_ADMIN"), {f"/deployments/{ETL_PRODUCTION_ID}"}),
    ],
)
def test_a_credential_reads_what_its_roles_permit_and_the_403_names_the_permission(
    emulator: Emulator, api: httpx.Client, token: dict[str, Any], may: set[str]
) -> None:
    headers = credential_of(emulator, token)

    base = f"{emulator.url}/v1/organizations/{ORGANIZATION_ID}"
    answers = {path: api.get(f"{base}{path}", headers=headers) for path in CALLS}

    assert {path for path, answer in answers.items() if answer.status_code == 200} == may
    for path, answer in answers.items():
        if path not in may:
            assert answer.status_code == 403
            assert answer.json()["message"] == f"You do not have the permission {CALLS[path]}."


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        (organization_role("ORGANIZATION_OWNER"), {DATA_PLATFORM_ID, FINANCE_ID}),
        (organization_role("ORGANIZATION_MEMBER"), set()),
        (workspace_role("WORKSPACE_MEMBER"), {DATA_PLATFORM_ID}),
        (deployment_role("DEPLOYMENT_ADMIN"), set()),
    ],
)
def test_a_list_of_workspaces_is_cut_and_never_refused(
    emulator: Emulator, api: httpx.Client, token: dict[str, Any], seen: set[str]
) -> None:
    answer = api.get("/workspaces", headers=credential_of(emulator, token))

    assert answer.status_code == 200
    assert {one["id"] for one in answer.json()["workspaces"]} == seen


@pytest.mark.parametrize(
    ("token", "deployments", "scopes"),
    [
        (organization_role("ORGANIZATION_MEMBER"), 0, {"ORGANIZATION"}),
        (workspace_role("WORKSPACE_OWNER"), 4, {"WORKSPACE"}),
        (deployment_role("DEPLOYMENT_ADMIN"), 1, {"DEPLOYMENT"}),
    ],
)
def test_lists_may_be_cut_instead_of_refused(
    emulator: Emulator, api: httpx.Client, token: dict[str, Any], deployments: int, scopes: set[str]
) -> None:
    emulator.settings(lists_are_cut=True)
    headers = credential_of(emulator, token)

    tokens = api.get("/tokens", headers=headers).json()["tokens"]
    listed = api.get("/deployments", headers=headers).json()
    hidden = [
        api.get(path, headers=headers) for path in (f"/tokens/{OBSERVABILITY}", f"/deployments/{FINANCE_CLOSE_ID}")
    ]

    assert {one["scope"] for one in tokens} == scopes
    assert OF_WORKSPACE not in {one["id"] for one in tokens}
    assert listed["totalCount"] == deployments
    assert [one.status_code for one in hidden] == [404, 404]


def test_a_write_within_a_workspace_takes_the_right_of_that_workspace(emulator: Emulator, api: httpx.Client) -> None:
    headers = credential_of(emulator, workspace_role("WORKSPACE_OPERATOR"))

    mine = api.post(f"/deployments/{ETL_STAGING_ID}", json={"name": "renamed"}, headers=headers)
    other = api.delete(f"/deployments/{FINANCE_CLOSE_ID}", headers=headers)

    assert (mine.status_code, other.status_code) == (200, 403)
    assert other.json()["message"] == "You do not have the permission deployment.delete."


def test_a_permission_of_a_custom_role_counts(emulator: Emulator, api: httpx.Client) -> None:
    api.post("/roles", json={"name": "Cleaner", "scopeType": "DEPLOYMENT", "permissions": ["deployment.delete"]})
    headers = credential_of(emulator, deployment_role("Cleaner"))

    assert api.get(f"/deployments/{ETL_PRODUCTION_ID}", headers=headers).status_code == 403
    assert api.delete(f"/deployments/{ETL_PRODUCTION_ID}", headers=headers).status_code == 204


def test_a_refresh_with_a_workspaces_credential_empties_no_state_whatever_astro_answers(
    emulator: Emulator, tmp_path: Any
) -> None:
    token_id = emulator.store.add_token("of-a-workspace", **workspace_role("WORKSPACE_OWNER"))
    settings = Settings(
        credential=SecretStr(emulator.store.add_credential(of=token_id)),
        organization_id=ORGANIZATION_ID,
        host=emulator.url,
        lock_directory=str(tmp_path),
    )
    call = EngineCall(id=f"{ORGANIZATION_ID}/{ETL_PRODUCTION_ID}/{OBSERVABILITY}")
    stored = {"role": "DEPLOYMENT_ACCESSOR"}

    with pytest.raises(Forbidden, match=r"organization\.apiTokens\.access"):
        Lifecycle(Shared.of(settings, operations_at_once=1)).read(call, stored)
    emulator.settings(lists_are_cut=True)
    with pytest.raises(AbsenceNotProven, match="shows no token of the organization's scope"):
        Lifecycle(Shared.of(settings, operations_at_once=1)).read(call, stored)


# Filters, orders, and what goes with what


def test_tokens_are_found_by_kind_and_by_dag(emulator: Emulator, api: httpx.Client) -> None:
    tagged = emulator.store.add_token(
        "tagged", roles=[entry("DAG_TAG", "nightly", "DAG_VIEWER", deploymentId=ETL_PRODUCTION_ID)]
    )

    def names(**query: Any) -> list[str]:
        return [one["name"] for one in api.get("/tokens", params=query).json()["tokens"]]

    assert names(kind="DIRECT_ACCESS") == ["snowflake-direct"]
    assert names(dagId="train_demand_model") == ["model-trainer"]
    assert names(dagId="train_demand_model", deploymentId=ETL_PRODUCTION_ID) == []
    assert names(dagTags=["weekly", "nightly"]) == ["tagged"]
    (found,) = api.get("/tokens", params={"dagTags": "nightly"}).json()["tokens"]
    assert [one["entityType"] for one in found["roles"]] == ["DAG_TAG"]
    assert found["id"] == tagged


@pytest.mark.parametrize(
    ("path", "key"), [("/deployments", "deployments"), ("/roles", "roles"), ("/workspaces", "workspaces")]
)
def test_lists_are_sorted_as_asked(api: httpx.Client, path: str, key: str) -> None:
    def names(order: str) -> list[str]:
        return [one["name"] for one in api.get(path, params={"sorts": f"name:{order}"}).json()[key]]

    assert names("asc") == sorted(names("asc"))
    assert names("desc") == names("asc")[::-1]


@pytest.mark.parametrize(
    ("path", "status"), [("/tokens", 400), ("/workspaces", 400), ("/deployments", 200), ("/roles", 200)]
)
def test_a_maximum_of_limit_is_there_where_one_is_published(api: httpx.Client, path: str, status: int) -> None:
    assert api.get(path, params={"limit": 1001}).status_code == status


def test_a_deleted_deployment_takes_its_own_tokens_along(emulator: Emulator, api: httpx.Client) -> None:
    body = {"name": "own", "scope": "DEPLOYMENT", "entityId": ETL_STAGING_ID, "role": "DEPLOYMENT_ADMIN"}
    own = api.post("/tokens", json=body).json()
    emulator.store.bind(OBSERVABILITY, ETL_STAGING_ID, "DEPLOYMENT_ADMIN")

    assert api.delete(f"/deployments/{ETL_STAGING_ID}").status_code == 204

    assert api.get(f"/tokens/{own['id']}").status_code == 404
    assert api.get("/tokens", headers={"Authorization": f"Bearer {own['token']}"}).status_code == 401
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) == "DEPLOYMENT_ADMIN"


def test_a_token_takes_no_role_above_its_own_scope(api: httpx.Client) -> None:
    roles = [
        entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER"),
        entry("WORKSPACE", FINANCE_ID, "WORKSPACE_MEMBER"),
    ]

    answer = api.post(f"/tokens/{OF_WORKSPACE}/roles", json={"roles": roles})

    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid request: a token of scope WORKSPACE takes no role of ORGANIZATION"


def test_a_custom_role_that_is_renamed_has_its_new_name_in_the_lists_of_tokens(
    emulator: Emulator, api: httpx.Client
) -> None:
    emulator.store.bind(DEPLOYERS[0], ETL_STAGING_ID, "Release Engineer")

    renamed = api.post(f"/roles/{ROLE_ID}", json={"name": "Shipper", "permissions": ["deployment.get"]})

    assert renamed.json()["permissions"] == ["deployment.get"]
    assert api.get(f"/roles/{ROLE_ID}").json()["name"] == "Shipper"
    assert emulator.store.deployment_role(DEPLOYERS[0], ETL_STAGING_ID) == "Shipper"


def test_a_custom_role_that_is_deleted_stays_in_the_lists_and_is_taken_no_more(
    emulator: Emulator, api: httpx.Client
) -> None:
    emulator.store.bind(DEPLOYERS[0], ETL_STAGING_ID, "Release Engineer")

    assert [api.delete(f"/roles/{ROLE_ID}").status_code for _ in range(2)] == [204, 404]

    held = api.get(f"/tokens/{DEPLOYERS[0]}").json()["roles"]
    assert emulator.store.deployment_role(DEPLOYERS[0], ETL_STAGING_ID) == "Release Engineer"
    assert api.post(f"/tokens/{DEPLOYERS[0]}/roles", json={"roles": held}).status_code == 400


def test_a_name_that_is_taken_is_a_400(api: httpx.Client) -> None:
    role = api.post(
        "/roles", json={"name": "release engineer", "scopeType": "DEPLOYMENT", "permissions": ["deployment.get"]}
    )
    deployment = api.post(f"/deployments/{ETL_STAGING_ID}", json={"name": "etl-production"})

    assert (role.status_code, deployment.status_code) == (400, 400)
    assert role.json()["message"] == "Invalid request: a role named release engineer exists already"
    assert "a deployment named etl-production exists already in the workspace" in deployment.json()["message"]

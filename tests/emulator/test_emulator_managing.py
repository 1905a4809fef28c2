"""The API's own calls that make, change, rotate and delete tokens and deployments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from astro_emulator import Emulator
from astro_emulator.organization import (
    DATA_PLATFORM_ID,
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_ID,
    ORGANIZATION_ID,
    OWNER_TOKEN_ID,
    entry,
)
from tests.support.cast import OBSERVABILITY

CI_DEPLOYER = "cln7c3v5p000d08l6q4h8w2aj"
MEMBER = {"name": "nightly", "role": "ORGANIZATION_MEMBER", "scope": "ORGANIZATION"}
OWNER = {"name": "second-owner", "role": "ORGANIZATION_OWNER", "scope": "ORGANIZATION"}


def statuses(api: httpx.Client, bearer: str) -> tuple[int, int]:
    """What a credential gets for a read and for a write."""
    headers = {"Authorization": f"Bearer {bearer}"}
    written = api.post(f"/deployments/{ETL_STAGING_ID}", json={"name": "written"}, headers=headers)
    return api.get("/tokens", headers=headers).status_code, written.status_code


def test_a_token_is_made_and_shown_with_its_secret_this_once(api: httpx.Client) -> None:
    made = api.post("/tokens", json={**MEMBER, "description": "Loads at night"}).json()

    secret = made.pop("token")
    assert made == api.get(f"/tokens/{made['id']}").json()
    assert secret not in api.get("/tokens", params={"limit": 1000}).text
    assert {"nightly", "Loads at night", "ORGANIZATION", "STANDARD"} <= {str(value) for value in made.values()}
    assert made["roles"] == [entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")]
    assert made["createdBy"] == {"id": OWNER_TOKEN_ID, "subjectType": "SERVICEKEY", "apiTokenName": "platform-owner"}
    assert "endAt" not in made


@pytest.mark.parametrize(
    ("new", "held"),
    [
        ({"scope": "WORKSPACE", "entityId": FINANCE_ID, "role": "workspace_member"}, "WORKSPACE_MEMBER"),
        ({"scope": "DEPLOYMENT", "entityId": ETL_STAGING_ID, "role": "Release Engineer"}, "Release Engineer"),
    ],
)
def test_a_token_of_a_workspace_or_deployment_holds_its_role_there(
    api: httpx.Client, new: dict[str, str], held: str
) -> None:
    made = api.post("/tokens", json={"name": "one", **new}).json()

    assert made["roles"] == [entry(new["scope"], new["entityId"], held)]


def test_a_token_may_end_and_be_of_another_kind(api: httpx.Client) -> None:
    made = api.post("/tokens", json={**MEMBER, "kind": "DIRECT_ACCESS", "tokenExpiryPeriodInDays": 30}).json()

    assert (made["kind"], made["expiryPeriodInDays"]) == ("DIRECT_ACCESS", 30)
    assert datetime.fromisoformat(made["endAt"]) == datetime.fromisoformat(made["createdAt"]) + timedelta(days=30)


def test_making_a_token_twice_makes_two(api: httpx.Client) -> None:
    first, second = (api.post("/tokens", json=MEMBER).json() for _ in range(2))

    assert first["id"] != second["id"]
    assert first["token"] != second["token"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 257}, "name"),
        ({"name": None}, "name"),
        ({"description": "d" * 501}, "description"),
        ({"scope": "PLANET"}, "scope"),
        ({"kind": "ODD"}, "kind"),
        ({"tokenExpiryPeriodInDays": 0}, "tokenExpiryPeriodInDays"),
        ({"tokenExpiryPeriodInDays": 3651}, "tokenExpiryPeriodInDays"),
        ({"scope": "WORKSPACE"}, "entityId"),
    ],
)
def test_a_malformed_order_for_a_token_is_a_400_that_names_the_field(
    emulator: Emulator, api: httpx.Client, change: dict[str, Any], field: str
) -> None:
    before = emulator.store.shown()

    response = api.post("/tokens", json={**MEMBER, **change})

    assert response.status_code == 400
    assert [field] == [fault["field"] for fault in response.json()["fieldErrors"]]
    assert before == emulator.store.shown()


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"role": "EMPEROR"}, 400, "EMPEROR"),
        ({"role": "DEPLOYMENT_ADMIN"}, 400, "DEPLOYMENT_ADMIN"),
        ({"scope": "DEPLOYMENT", "entityId": "clxnowhere", "role": "DEPLOYMENT_ADMIN"}, 404, "clxnowhere"),
        ({"scope": "DEPLOYMENT", "entityId": ETL_STAGING_ID, "role": "Ledger Auditor"}, 400, "Ledger Auditor"),
    ],
)
def test_a_token_with_a_role_that_cannot_be_held_is_not_made(
    emulator: Emulator, api: httpx.Client, change: dict[str, Any], status: int, named: str
) -> None:
    before = emulator.store.shown()

    response = api.post("/tokens", json={**MEMBER, **change})

    assert response.status_code == status
    assert named in response.json()["message"]
    assert before == emulator.store.shown()


def test_a_secret_has_the_rights_of_its_token_as_they_are_now(emulator: Emulator, api: httpx.Client) -> None:
    made = api.post("/tokens", json=OWNER).json()
    as_owner = statuses(api, made["token"])
    emulator.store.set_roles(made["id"], [entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")])

    assert as_owner == (200, 200)
    assert statuses(api, made["token"]) == (403, 403)


def test_the_secret_of_a_token_that_has_ended_is_refused(emulator: Emulator, api: httpx.Client) -> None:
    made = api.post("/tokens", json={**OWNER, "tokenExpiryPeriodInDays": 1}).json()
    with emulator.store.locked() as state:
        state.tokens[made["id"]]["endAt"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()

    response = api.get("/tokens", headers={"Authorization": f"Bearer {made['token']}"})

    assert response.status_code == 401
    assert "expired" in response.json()["message"]


@pytest.mark.parametrize("end", ["soon", 17, None])
def test_times_that_are_no_times_do_not_break_the_calls(emulator: Emulator, api: httpx.Client, end: object) -> None:
    made = api.post("/tokens", json=OWNER).json()
    with emulator.store.locked() as state:
        state.tokens[made["id"]].update(endAt=end, updatedAt="17")

    rotated = api.post(f"/tokens/{made['id']}/rotate")

    assert rotated.status_code == 200
    assert statuses(api, rotated.json()["token"]) == (200, 200)


def test_after_a_rotation_the_new_secret_works_and_the_old_one_is_refused(api: httpx.Client) -> None:
    made = api.post("/tokens", json=OWNER).json()

    first = api.post(f"/tokens/{made['id']}/rotate").json()
    second = api.post(f"/tokens/{made['id']}/rotate").json()

    assert (made["id"], made["roles"]) == (second["id"], second["roles"])
    assert statuses(api, made["token"]) == (401, 401)
    assert statuses(api, first["token"]) == (401, 401)
    assert statuses(api, second["token"]) == (200, 200)
    assert second["lastRotatedAt"] > made["createdAt"]


def test_a_rotation_starts_the_expiry_period_anew(emulator: Emulator, api: httpx.Client) -> None:
    with emulator.store.locked() as state:
        state.tokens[CI_DEPLOYER]["expiryPeriodInDays"] = 90

    rotated = api.post(f"/tokens/{CI_DEPLOYER}/rotate").json()

    assert rotated["startAt"] == rotated["lastRotatedAt"]
    assert timedelta(days=90) == datetime.fromisoformat(rotated["endAt"]) - datetime.fromisoformat(rotated["startAt"])


def test_who_rotates_its_own_secret_needs_the_new_one(emulator: Emulator, api: httpx.Client) -> None:
    rotated = api.post(f"/tokens/{OWNER_TOKEN_ID}/rotate").json()

    assert statuses(api, emulator.credential) == (401, 401)
    assert statuses(api, rotated["token"]) == (200, 200)


def test_a_deleted_token_is_gone_with_its_secret_and_a_second_deletion_is_a_404(api: httpx.Client) -> None:
    made = api.post("/tokens", json=OWNER).json()

    first = api.delete(f"/tokens/{made['id']}")
    second = api.delete(f"/tokens/{made['id']}")

    assert (first.status_code, first.content) == (204, b"")
    assert (second.status_code, second.json()["message"]) == (404, f"API token {made['id']} not found.")
    assert statuses(api, made["token"]) == (401, 401)
    assert made["id"] not in api.get("/tokens", params={"limit": 1000}).text


def test_a_change_of_a_token_sets_name_and_description(emulator: Emulator, api: httpx.Client) -> None:
    before = emulator.store.token(OBSERVABILITY)

    both = api.post(f"/tokens/{OBSERVABILITY}", json={"name": "metrics", "description": "Reads"}).json()
    name = api.post(f"/tokens/{OBSERVABILITY}", json={"name": "metrics-2"}).json()

    assert (both["name"], both["description"]) == ("metrics", "Reads")
    assert (name["name"], name["description"]) == ("metrics-2", "Reads")
    assert name["roles"] == before["roles"]
    assert before["updatedAt"] < both["updatedAt"] < name["updatedAt"]
    assert name == api.get(f"/tokens/{OBSERVABILITY}").json()
    assert "token" not in name


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "n" * 257}, {"name": "n", "description": "d" * 501}, []])
def test_a_malformed_change_of_a_token_is_a_400_and_changes_nothing(
    emulator: Emulator, api: httpx.Client, body: object
) -> None:
    before = emulator.store.token(OBSERVABILITY)

    response = api.post(f"/tokens/{OBSERVABILITY}", json=body)

    assert response.status_code == 400
    assert response.json()["fieldErrors"]
    assert before == emulator.store.token(OBSERVABILITY)


def test_a_deployment_gets_another_name(api: httpx.Client) -> None:
    changed = api.post(f"/deployments/{ETL_PRODUCTION_ID}", json={"name": "etl", "isHighAvailability": True}).json()

    assert (changed["id"], changed["name"], changed["workspaceId"]) == (ETL_PRODUCTION_ID, "etl", DATA_PLATFORM_ID)
    assert changed == api.get(f"/deployments/{ETL_PRODUCTION_ID}").json()


def test_a_deployment_needs_a_name(api: httpx.Client) -> None:
    response = api.post(f"/deployments/{ETL_PRODUCTION_ID}", json={"name": ""})

    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["fieldErrors"]] == ["name"]


def test_a_deleted_deployment_is_gone_and_roles_in_it_stay_in_the_lists(emulator: Emulator, api: httpx.Client) -> None:
    first = api.delete(f"/deployments/{ETL_PRODUCTION_ID}")
    second = api.delete(f"/deployments/{ETL_PRODUCTION_ID}")

    assert (first.status_code, second.status_code) == (204, 404)
    assert api.get("/deployments").json()["totalCount"] == 5
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_PRODUCTION_ID) == "DEPLOYMENT_ACCESSOR"


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/tokens"),
        ("POST", f"/tokens/{OBSERVABILITY}"),
        ("POST", f"/tokens/{OBSERVABILITY}/roles"),
        ("POST", f"/tokens/{OBSERVABILITY}/rotate"),
        ("DELETE", f"/tokens/{OBSERVABILITY}"),
        ("POST", f"/deployments/{ETL_PRODUCTION_ID}"),
        ("DELETE", f"/deployments/{ETL_PRODUCTION_ID}"),
    ],
)
def test_the_second_credential_gets_a_403_for_every_write(
    emulator: Emulator, api: httpx.Client, verb: str, path: str
) -> None:
    before = emulator.store.shown()
    headers = {"Authorization": f"Bearer {emulator.preview_credential}"}

    response = api.request(verb, path, json=MEMBER if verb == "POST" else None, headers=headers)

    assert response.status_code == 403
    wanted = "organization.apiTokens.access" if "/tokens" in path else "deployment."
    assert wanted in response.json()["message"]
    assert before == emulator.store.shown()

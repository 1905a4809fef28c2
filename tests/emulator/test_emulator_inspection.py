"""The inspection under `/_emulator`, by which other processes set a scene and look at it."""

from __future__ import annotations

import time

import httpx
import pytest

from astro_emulator import Emulator
from astro_emulator.organization import ETL_PRODUCTION_ID, ETL_STAGING_ID, ORGANIZATION_ID
from tests.support.cast import OBSERVABILITY


def test_the_state_shows_everything_with_all_roles(inspection: httpx.Client) -> None:
    state = inspection.get("/state").json()

    counts = {kind: len(records) for kind, records in state.items()}
    assert counts == {
        "organizations": 1,
        "workspaces": 2,
        "deployments": 6,
        "roles": 3,
        "tokens": 9,
        "credentials": 2,
    }
    assert all(token["roles"] for token in state["tokens"])


def test_a_state_that_was_read_can_be_put_back(emulator: Emulator, inspection: httpx.Client) -> None:
    emulator.store.bind(OBSERVABILITY, ETL_STAGING_ID, "DEPLOYMENT_ADMIN")
    state = inspection.get("/state").json()
    emulator.reset()

    response = inspection.put("/state", json=state)

    assert response.status_code == 200
    assert state == inspection.get("/state").json()
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) == "DEPLOYMENT_ADMIN"


def test_a_state_that_is_put_replaces_everything(
    emulator: Emulator, api: httpx.Client, inspection: httpx.Client
) -> None:
    state = inspection.get("/state").json()
    state["tokens"] = state["tokens"][:1]
    state["organizations"][0]["name"] = "Another Airline"

    inspection.put("/state", json=state)

    assert api.get("/tokens").json()["totalCount"] == 1
    assert emulator.store.shown()["organizations"][0]["name"] == "Another Airline"


@pytest.mark.parametrize("kind", ["organizations", "workspaces", "deployments", "roles", "tokens", "credentials"])
def test_an_incomplete_state_is_refused_and_nothing_changes(inspection: httpx.Client, kind: str) -> None:
    before = inspection.get("/state").json()
    broken = [{**before, kind: None}, {**before, kind: [7]}, {**before, kind: [{}]}]
    broken.append({name: records for name, records in before.items() if name != kind})

    responses = [inspection.put("/state", json=state) for state in broken]

    assert [response.status_code for response in responses] == [400] * 4
    assert all(response.json()["fieldErrors"][0]["field"].startswith(kind) for response in responses)
    assert before == inspection.get("/state").json()


def test_a_role_entry_without_its_fields_is_refused(inspection: httpx.Client) -> None:
    state = inspection.get("/state").json()
    state["tokens"][0]["roles"].append({"entityType": "DEPLOYMENT"})

    response = inspection.put("/state", json=state)

    assert response.status_code == 400
    assert response.json()["fieldErrors"][0]["field"] == "tokens[0].roles[1]"


def test_a_reset_brings_the_initial_organization_back_and_clears_faults_and_calls(
    emulator: Emulator, api: httpx.Client, inspection: httpx.Client
) -> None:
    before = inspection.get("/state").json()
    emulator.store.delete_token(OBSERVABILITY)
    emulator.fault(kind="html")
    api.get("/tokens")

    inspection.post("/reset")

    assert before == inspection.get("/state").json()
    assert inspection.get("/faults").json() == []
    assert inspection.get("/calls").json()["total"] == 0


def test_settings_change_one_by_one(inspection: httpx.Client) -> None:
    inspection.patch("/settings", json={"latency_ms": 20})

    settings = inspection.patch("/settings", json={"rate_limits": True, "retry_after": "1"}).json()

    assert settings == {
        "latency_ms": 20,
        "rate_limits": True,
        "rate_limits_per": "credential",
        "lists_are_cut": False,
        "retry_after": "1",
        "updated_at_moves": False,
    }


@pytest.mark.parametrize(
    "changes", [{"latency_ms": -1}, {"latency": 5}, {"retry_after": "soon"}, {"rate_limits": "perhaps"}, []]
)
def test_settings_that_make_no_sense_are_a_400(inspection: httpx.Client, changes: object) -> None:
    response = inspection.patch("/settings", json=changes)

    assert response.status_code == 400
    assert inspection.patch("/settings", json={}).json()["latency_ms"] == 0


def test_calls_are_counted_by_verb_operation_and_status(
    emulator: Emulator, api: httpx.Client, inspection: httpx.Client
) -> None:
    api.get("/tokens", params={"deploymentId": ETL_PRODUCTION_ID})
    api.get(f"/tokens/{OBSERVABILITY}")
    api.get("/tokens/clxnowhere")
    api.post(f"/tokens/{OBSERVABILITY}/roles", json={})
    api.get("/planets")

    calls = inspection.get("/calls").json()

    assert calls["total"] == 5
    assert calls["by_verb"] == {"GET": 4, "POST": 1}
    assert calls["by_operation"] == {"ListApiTokens": 1, "GetApiToken": 2, "UpdateApiTokenRoles": 1}
    assert calls["by_status"] == {"200": 2, "404": 2, "400": 1}
    assert emulator.calls() == calls


def test_the_log_tells_each_call(emulator: Emulator, api: httpx.Client, inspection: httpx.Client) -> None:
    start = time.time()
    api.get("/tokens", params={"deploymentId": ETL_PRODUCTION_ID})

    (call,) = inspection.get("/calls").json()["log"]

    assert start <= call.pop("at") <= time.time()
    assert call == {
        "verb": "GET",
        "path": f"/v1/organizations/{ORGANIZATION_ID}/tokens",
        "query": f"deploymentId={ETL_PRODUCTION_ID}",
        "operation": "ListApiTokens",
        "status": 200,
        "caller": emulator.credential[-6:],
    }


def test_callers_can_be_told_apart(emulator: Emulator, api: httpx.Client) -> None:
    other = emulator.store.add_credential()
    api.get("/tokens")
    api.get("/tokens", headers={"Authorization": f"Bearer {other}"})
    api.get("/tokens", headers={"Authorization": ""})

    callers = [call["caller"] for call in emulator.calls()["log"]]

    assert callers == [emulator.credential[-6:], other[-6:], ""]


def test_a_dropped_connection_is_logged_with_status_0(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="drop_before", times=1)
    with pytest.raises(httpx.TransportError):
        api.get("/tokens")

    assert emulator.calls()["by_status"] == {"0": 1}


def test_only_calls_of_the_api_are_counted(emulator: Emulator, inspection: httpx.Client) -> None:
    inspection.get("/state")
    httpx.get(f"{emulator.url}/v10/planets")

    assert emulator.calls()["total"] == 0


def test_the_log_can_be_cleared(emulator: Emulator, api: httpx.Client, inspection: httpx.Client) -> None:
    api.get("/tokens")

    inspection.delete("/calls")

    assert emulator.calls() == {"total": 0, "by_verb": {}, "by_operation": {}, "by_status": {}, "log": []}


def test_faults_are_ordered_one_or_several_at_a_time_and_show_what_remains(
    api: httpx.Client, inspection: httpx.Client
) -> None:
    inspection.post("/faults", json={"kind": "status", "status": 500, "times": 3})
    inspection.post("/faults", json=[{"kind": "html", "verb": "POST"}, {"kind": "empty_ok", "verb": "POST"}])

    api.get("/tokens")

    remaining = [(fault["kind"], fault["times"]) for fault in inspection.get("/faults").json()]
    assert remaining == [("status", 2), ("html", None), ("empty_ok", None)]


def test_a_fault_that_is_used_up_is_no_longer_shown(api: httpx.Client, inspection: httpx.Client) -> None:
    inspection.post("/faults", json={"kind": "html", "times": 1})

    api.get("/tokens")

    assert inspection.get("/faults").json() == []


def test_faults_can_be_deleted(api: httpx.Client, inspection: httpx.Client) -> None:
    inspection.post("/faults", json={"kind": "status", "status": 500})

    inspection.delete("/faults")

    assert api.get("/tokens").status_code == 200


def test_several_faults_of_which_one_makes_no_sense_are_refused_together(inspection: httpx.Client) -> None:
    response = inspection.post("/faults", json=[{"kind": "html"}, {"kind": "earthquake"}])

    assert response.status_code == 400
    assert response.json()["fieldErrors"][0]["field"] == "kind"
    assert inspection.get("/faults").json() == []


def test_the_inspection_is_neither_struck_nor_delayed(emulator: Emulator, inspection: httpx.Client) -> None:
    emulator.fault(kind="status", status=500)
    emulator.settings(latency_ms=300_000)

    start = time.monotonic()
    response = inspection.get("/state")

    assert response.status_code == 200
    assert time.monotonic() - start < 60

"""What a web page could make a browser send to the emulator."""

from __future__ import annotations

import json

import httpx
import pytest

from astro_emulator import Emulator
from astro_emulator.organization import ETL_STAGING_ID
from tests.support.cast import OBSERVABILITY

FAULT = json.dumps({"kind": "html"})
FORMS = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
]
FOREIGN = ["http://evil.example", "https://127.0.0.1", "null", "http://localhost:1", "file://"]


@pytest.mark.parametrize("content_type", FORMS)
def test_what_a_form_could_post_is_refused(inspection: httpx.Client, content_type: str) -> None:
    response = inspection.post("/faults", content=FAULT, headers={"Content-Type": content_type})

    assert response.status_code == 415
    assert response.json()["message"] == "The emulator takes JSON only: send the header Content-Type: application/json."
    assert inspection.get("/faults").json() == []


@pytest.mark.parametrize("content", [FAULT.encode(), iter([FAULT.encode()])])
def test_a_body_without_a_content_type_is_refused(inspection: httpx.Client, content: bytes) -> None:
    response = inspection.post("/faults", content=content)

    assert response.status_code == 415
    assert inspection.get("/faults").json() == []


def test_a_form_without_a_body_is_refused(emulator: Emulator, inspection: httpx.Client) -> None:
    emulator.store.rename_token(OBSERVABILITY, "renamed")

    response = inspection.post("/reset", headers={"Content-Type": "text/plain"})

    assert response.status_code == 415
    assert emulator.store.token(OBSERVABILITY)["name"] == "renamed"


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_however_it_is_spelled(inspection: httpx.Client, content_type: str) -> None:
    response = inspection.post("/faults", content=FAULT, headers={"Content-Type": content_type})

    assert response.status_code == 200


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/_emulator/reset", "/v1/organizations"])
def test_a_call_of_a_page_of_another_origin_is_refused(emulator: Emulator, path: str, origin: str) -> None:
    emulator.store.rename_token(OBSERVABILITY, "renamed")

    response = httpx.post(f"{emulator.url}{path}", headers={"Origin": origin})

    assert response.status_code == 403
    assert response.json()["message"] == (
        "The emulator does not take calls from web pages: the header Origin names another origin."
    )
    assert emulator.store.token(OBSERVABILITY)["name"] == "renamed"


def test_the_emulators_own_origin_is_taken(emulator: Emulator) -> None:
    response = httpx.post(f"{emulator.url}/_emulator/reset", headers={"Origin": emulator.url})

    assert response.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "10.0.0.1", "", "[::"])
@pytest.mark.parametrize("path", ["/_emulator/state", "/v1/organizations"])
def test_a_call_that_is_addressed_to_another_host_is_refused(emulator: Emulator, path: str, host: str) -> None:
    headers = {"Host": host, "Authorization": f"Bearer {emulator.credential}"}

    response = httpx.get(f"{emulator.url}{path}", headers=headers)

    assert response.status_code == 403
    assert response.json()["message"] == (
        "The emulator is only there for this machine: the header Host has to name 127.0.0.1."
    )
    assert emulator.calls()["total"] == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "LOCALHOST", "[::1]:80"])
def test_every_name_of_this_machine_is_taken(emulator: Emulator, host: str) -> None:
    assert httpx.get(f"{emulator.url}/_emulator/state", headers={"Host": host}).status_code == 200


def test_a_page_that_asks_beforehand_is_not_allowed(emulator: Emulator) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}

    response = httpx.options(f"{emulator.url}/_emulator/faults", headers=headers)

    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_after_a_refused_body_the_connection_goes_on(emulator: Emulator, api: httpx.Client) -> None:
    path = f"/tokens/{OBSERVABILITY}/roles"
    body = json.dumps({"roles": [{"entityType": "DEPLOYMENT", "entityId": ETL_STAGING_ID, "role": "x" * 200_000}]})

    refused = api.post(path, content=body, headers={"Content-Type": "text/plain"})
    after = api.get(f"/tokens/{OBSERVABILITY}")

    assert (refused.status_code, after.status_code) == (415, 200)
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is None

"""Every kind of fault, seen by a real client."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from astro_emulator import Emulator
from astro_emulator.organization import ETL_PRODUCTION_ID, ETL_STAGING_ID, entry
from tests.support.cast import OBSERVABILITY


def write(api: httpx.Client, **options: Any) -> httpx.Response:
    body = {"roles": [entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")]}
    return api.post(f"/tokens/{OBSERVABILITY}/roles", json=body, **options)


def is_written(emulator: Emulator) -> bool:
    return emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is not None


def test_a_status_comes_in_the_error_shape_and_nothing_is_committed(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=503)

    response = write(api)

    assert response.status_code == 503
    assert {"message", "requestId", "statusCode"} == response.json().keys()
    assert not is_written(emulator)


def test_a_status_may_carry_a_body_and_headers_of_its_own(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=502, body="<h1>Bad Gateway</h1>", headers={"Content-Type": "text/html"})
    text = api.get("/tokens")
    emulator.clear_faults()
    emulator.fault(kind="status", status=429, body={"error": "slow down"}, headers={"Retry-After": "3"})
    structured = api.get("/tokens")

    assert (text.status_code, text.text, text.headers["content-type"]) == (502, "<h1>Bad Gateway</h1>", "text/html")
    assert structured.json() == {"error": "slow down"}
    assert structured.headers["retry-after"] == "3"


def test_a_status_without_content_has_none(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=204, body="not sent")

    response = api.get("/tokens")

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["content-length"] == "0"


def test_html_comes_with_a_200_and_nothing_is_committed(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="html")

    response = write(api)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<!doctype html>")
    assert not is_written(emulator)


def test_an_empty_200_has_no_body_and_nothing_is_committed(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="empty_ok")

    response = write(api)

    assert (response.status_code, response.content) == (200, b"")
    assert not is_written(emulator)


def test_a_truncated_answer_is_committed_and_its_length_fits_the_half(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="truncated")

    response = write(api)

    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(response.content) > 0
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        response.json()
    assert is_written(emulator)


def test_a_connection_dropped_before_commits_nothing(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="drop_before", times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        write(api)

    assert not is_written(emulator)


def test_a_connection_dropped_after_has_committed(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="drop_after", times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        write(api)

    assert is_written(emulator)


def test_after_a_dropped_connection_the_next_call_works(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="drop_before", times=1)
    with pytest.raises(httpx.TransportError):
        api.get("/tokens")

    response = api.get("/tokens")

    assert response.status_code == 200


def test_dropping_a_connection_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with Emulator.running() as running:
        running.fault(kind="drop_after", times=1)

        with pytest.raises(httpx.TransportError):
            httpx.get(f"{running.url}/v1/organizations")
        httpx.get(f"{running.url}/v1/organizations")

    assert capfd.readouterr() == ("", "")


def test_a_delayed_write_commits_after_its_caller_has_given_up(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="delay", delay_ms=1000, verb="POST")

    with pytest.raises(httpx.ReadTimeout):
        write(api, timeout=0.05)
    at_once = is_written(emulator)
    deadline = time.monotonic() + 30
    while not is_written(emulator) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not at_once
    assert is_written(emulator)


def test_a_delayed_read_shows_what_holds_after_the_delay(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="delay", delay_ms=150)

    start = time.monotonic()
    response = api.get(f"/tokens/{OBSERVABILITY}")

    assert response.status_code == 200
    assert time.monotonic() - start >= 0.15


def test_roles_can_be_left_out_of_tokens_and_of_lists_of_tokens(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="no_roles")

    one = api.get(f"/tokens/{OBSERVABILITY}").json()
    some = api.get("/tokens", params={"deploymentId": ETL_PRODUCTION_ID}).json()

    assert one["name"] == "observability"
    assert "roles" not in one
    assert [token["name"] for token in some["tokens"]] == ["observability"]
    assert "roles" not in some["tokens"][0]


def test_leaving_roles_out_does_not_touch_the_list_of_roles(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="no_roles")

    assert len(api.get("/roles").json()["roles"]) == 3


@pytest.mark.parametrize(
    ("narrowed", "struck"),
    [
        ({}, {"GetApiToken", "ListApiTokens", "UpdateApiTokenRoles"}),
        ({"operation": "GetApiToken"}, {"GetApiToken"}),
        ({"verb": "post"}, {"UpdateApiTokenRoles"}),
        ({"path": r"/tokens$"}, {"ListApiTokens"}),
        ({"path": OBSERVABILITY, "verb": "GET"}, {"GetApiToken"}),
        ({"path": "/deployments"}, set()),
    ],
)
def test_a_fault_strikes_only_what_it_fits(
    emulator: Emulator, api: httpx.Client, narrowed: dict[str, str], struck: set[str]
) -> None:
    emulator.fault(kind="status", status=418, **narrowed)

    statuses = {
        "GetApiToken": api.get(f"/tokens/{OBSERVABILITY}").status_code,
        "ListApiTokens": api.get("/tokens").status_code,
        "UpdateApiTokenRoles": write(api).status_code,
    }

    assert struck == {operation for operation, status in statuses.items() if status == 418}


def test_a_fault_skips_then_strikes_then_is_used_up(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=500, skip=2, times=2)

    statuses = [api.get("/tokens").status_code for _ in range(6)]

    assert statuses == [200, 200, 500, 500, 200, 200]


def test_the_oldest_fault_that_fits_strikes_first(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=500, times=1)
    emulator.fault(kind="status", status=503, times=1)

    statuses = [api.get("/tokens").status_code for _ in range(3)]

    assert statuses == [500, 503, 200]


def test_faults_can_be_taken_back(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=500)
    emulator.clear_faults()

    assert api.get("/tokens").status_code == 200


@pytest.mark.parametrize(
    "fields", [{"kind": "earthquake"}, {"colour": "red"}, {"status": 99}, {"path": "("}, {"times": -1}]
)
def test_a_fault_that_makes_no_sense_is_refused(emulator: Emulator, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        emulator.fault(**fields)

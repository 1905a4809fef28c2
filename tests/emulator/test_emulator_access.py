"""Who may call, how often, and how long it takes."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from astro_emulator import Emulator, conditions
from astro_emulator.organization import ETL_STAGING_ID, ORGANIZATION_ID, OWNER_TOKEN_ID, entry
from tests.support.cast import OBSERVABILITY


class Clock:
    """What the rates are counted by: it stands still until it is moved, so that a slow machine reaches a rate, too."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(conditions, "time", clock)
    return clock


def claims_of(bearer: str) -> dict[str, Any]:
    payload = bearer.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def get_as(api: httpx.Client, authorization: str, path: str = "/tokens") -> httpx.Response:
    return api.get(path, headers={"Authorization": authorization})


def write(api: httpx.Client, bearer: str) -> httpx.Response:
    body = {"roles": [entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")]}
    return api.post(f"/tokens/{OBSERVABILITY}/roles", json=body, headers={"Authorization": f"Bearer {bearer}"})


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz"])
def test_without_a_known_credential_every_call_is_a_401(api: httpx.Client, authorization: str) -> None:
    response = get_as(api, authorization)

    assert response.status_code == 401
    assert {"message", "requestId", "statusCode"} == response.json().keys()
    assert str(UUID(response.json()["requestId"])) == response.json()["requestId"]


def test_an_expired_credential_is_a_401_that_says_so(emulator: Emulator, api: httpx.Client) -> None:
    expired = emulator.store.add_credential(expired=True)

    response = get_as(api, f"Bearer {expired}")

    assert response.status_code == 401
    assert "expired" in response.json()["message"]
    assert claims_of(expired)["exp"] < time.time()


def test_a_credential_that_may_not_read_gets_a_403(emulator: Emulator, api: httpx.Client) -> None:
    writer = emulator.store.add_credential(can_read=False)

    assert get_as(api, f"Bearer {writer}").status_code == 403
    assert write(api, writer).status_code == 200


def test_a_credential_that_may_not_write_gets_a_403(emulator: Emulator, api: httpx.Client) -> None:
    reader = emulator.store.add_credential(can_write=False)

    assert get_as(api, f"Bearer {reader}").status_code == 200
    assert write(api, reader).status_code == 403
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is None


def test_the_organization_of_somebody_else_is_a_403(emulator: Emulator, api: httpx.Client) -> None:
    stranger = emulator.store.add_credential(organization_id="clxelsewhere")

    response = get_as(api, f"Bearer {stranger}")

    assert response.status_code == 403
    assert ORGANIZATION_ID in response.json()["message"]


def test_a_credential_sees_its_own_organization(emulator: Emulator) -> None:
    stranger = emulator.store.add_credential(organization_id="clxelsewhere")
    url = f"{emulator.url}/v1/organizations"

    own = httpx.get(url, headers={"Authorization": f"Bearer {emulator.credential}"}).json()
    strange = httpx.get(url, headers={"Authorization": f"Bearer {stranger}"}).json()

    assert [one["id"] for one in own["organizations"]] == [ORGANIZATION_ID]
    assert strange["organizations"] == []


def test_a_credential_says_whose_organization_it_is_for(emulator: Emulator) -> None:
    claims = claims_of(emulator.credential)

    assert f"organizationId:{ORGANIZATION_ID}" in claims["permissions"]
    assert claims["apiTokenId"] == OWNER_TOKEN_ID
    assert not [claim for claim in claims["permissions"] if claim.startswith("apiTokenId:")]
    assert {"iss", "sub", "permissions", "isAstronomerGenerated", "version"} <= claims.keys()
    assert "exp" not in claims


def test_a_credential_without_claims_works_and_does_not_say_whose_it_is(emulator: Emulator, api: httpx.Client) -> None:
    silent = emulator.store.add_credential(claims=False)

    assert get_as(api, f"Bearer {silent}").status_code == 200
    assert not [claim for claim in claims_of(silent)["permissions"] if claim.startswith("organizationId:")]


def test_rate_limits_are_off_at_the_start(api: httpx.Client) -> None:
    assert {200} == {api.get("/tokens").status_code for _ in range(40)}


@pytest.mark.parametrize(("verb", "allowed"), [("GET", 25), ("POST", 10), ("DELETE", 5)])
def test_above_its_rate_a_verb_gets_a_429_that_is_a_text(
    emulator: Emulator, api: httpx.Client, verb: str, allowed: int
) -> None:
    emulator.settings(rate_limits=True)

    responses = [api.request(verb, f"/tokens/{OBSERVABILITY}") for _ in range(allowed + 1)]

    assert 429 not in {response.status_code for response in responses[:-1]}
    assert responses[-1].status_code == 429
    assert responses[-1].text == f"Rate limit exceeded: {allowed} {verb} requests per second."
    assert responses[-1].headers["content-type"] == "text/plain; charset=utf-8"
    assert "retry-after" not in responses[-1].headers


@pytest.mark.usefixtures("clock")
def test_a_rate_is_counted_per_credential_and_verb(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(rate_limits=True)
    other = emulator.store.add_credential()
    for _ in range(26):
        exhausted = api.get(f"/tokens/{OBSERVABILITY}")

    assert exhausted.status_code == 429
    assert get_as(api, f"Bearer {other}").status_code == 200
    assert write(api, emulator.credential).status_code == 200


@pytest.mark.usefixtures("clock")
def test_a_rate_may_be_counted_for_the_whole_organization(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(rate_limits=True, rate_limits_per="organization")
    other = emulator.store.add_credential()
    for _ in range(26):
        api.get(f"/tokens/{OBSERVABILITY}")

    assert get_as(api, f"Bearer {other}").status_code == 429


def test_a_second_later_the_rate_is_free_again(emulator: Emulator, api: httpx.Client, clock: Clock) -> None:
    emulator.settings(rate_limits=True)
    for _ in range(26):
        exhausted = api.get(f"/tokens/{OBSERVABILITY}")
    clock.now += 1.05

    again = api.get(f"/tokens/{OBSERVABILITY}")

    assert exhausted.status_code == 429
    assert again.status_code == 200


@pytest.mark.usefixtures("clock")
def test_a_429_may_say_when_to_come_back(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(rate_limits=True, retry_after="1")
    for _ in range(26):
        in_seconds = api.get(f"/tokens/{OBSERVABILITY}")
    emulator.settings(retry_after="http-date")
    as_date = api.get(f"/tokens/{OBSERVABILITY}")

    assert in_seconds.headers["retry-after"] == "1"
    assert 0 < parsedate_to_datetime(as_date.headers["retry-after"]).timestamp() - time.time() <= 2


def test_half_of_the_latency_lies_before_the_commit_and_half_after(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(latency_ms=2000)
    start = time.monotonic()

    with pytest.raises(httpx.ReadTimeout):
        api.post(
            f"/tokens/{OBSERVABILITY}/roles",
            json={"roles": [entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")]},
            timeout=0.1,
        )
    while emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is None and time.monotonic() < start + 5:
        time.sleep(0.005)
    committed = time.monotonic()

    assert 1.0 <= committed - start < 1.9
    assert emulator.calls()["total"] == 0


def test_every_call_takes_the_whole_latency(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(latency_ms=100)

    start = time.monotonic()
    api.get("/tokens")

    assert time.monotonic() - start >= 0.1

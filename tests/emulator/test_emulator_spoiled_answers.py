"""The faults that lie, drip, swell or undo: each leaves the service itself as it was told to."""

from __future__ import annotations

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from astro_emulator import Emulator
from astro_emulator.organization import ETL_PRODUCTION_ID, ETL_STAGING_ID, ORGANIZATION_ID, entry
from tests.support.cast import OBSERVABILITY

CI_DEPLOYER = "cln7c3v5p000d08l6q4h8w2aj"
MEMBER = entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")
STAGING = entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")


def write(api: httpx.Client) -> httpx.Response:
    return api.post(f"/tokens/{OBSERVABILITY}/roles", json={"roles": [MEMBER, STAGING]})


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("GetApiToken", f"/tokens/{OBSERVABILITY}"),
        ("GetDeployment", f"/deployments/{ETL_PRODUCTION_ID}"),
        ("ListRoles", "/roles"),
    ],
)
def test_a_404_in_the_services_own_words_says_what_a_real_one_says(
    emulator: Emulator, api: httpx.Client, operation: str, path: str
) -> None:
    real = api.get(path.rsplit("/", 1)[0] + "/clxnowhere").json()
    emulator.fault(kind="not_found", operation=operation, times=1)

    told = api.get(path)
    after = api.get(path)

    assert (told.status_code, after.status_code) == (404, 200)
    assert real.keys() == told.json().keys()
    last = path.rsplit("/", 1)[1] if path != "/roles" else ORGANIZATION_ID
    assert last in told.json()["message"]
    if path != "/roles":
        assert real["message"].replace("clxnowhere", last) == told.json()["message"]


def test_an_object_that_a_404_denies_is_still_in_the_list(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="not_found", operation="GetApiToken")

    denied = api.get(f"/tokens/{OBSERVABILITY}")
    listed = api.get("/tokens", params={"limit": 1000})

    assert denied.status_code == 404
    assert OBSERVABILITY in [token["id"] for token in listed.json()["tokens"]]


def test_a_write_that_a_404_refuses_is_not_handled(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="not_found", operation="UpdateApiTokenRoles")

    assert write(api).status_code == 404
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is None


def test_a_gateway_may_answer_404_without_the_words_of_the_service(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="status", status=404, body={"message": "no Route matched with those values"})

    answers = [
        api.get("/tokens"),
        api.get(f"/tokens/{OBSERVABILITY}"),
        write(api),
        api.delete(f"/tokens/{CI_DEPLOYER}"),
    ]

    assert {404} == {answer.status_code for answer in answers}
    assert [answer.json() for answer in answers] == [{"message": "no Route matched with those values"}] * 4


@pytest.mark.parametrize("status", [408, 425])
def test_a_status_may_come_once(emulator: Emulator, api: httpx.Client, status: int) -> None:
    emulator.fault(status=status, times=1)

    assert [status, 200] == [api.get("/tokens").status_code for _ in range(2)]


def test_an_answer_may_be_that_of_another_object_once(emulator: Emulator, api: httpx.Client) -> None:
    other = api.get(f"/tokens/{CI_DEPLOYER}").json()
    emulator.fault(kind="changed", operation="GetApiToken", change=other, times=1)

    first, second = (api.get(f"/tokens/{OBSERVABILITY}").json() for _ in range(2))

    assert (first["id"], first["roles"]) == (CI_DEPLOYER, [MEMBER])
    assert second["id"] == OBSERVABILITY


def test_one_object_of_a_list_may_be_odd(emulator: Emulator, api: httpx.Client) -> None:
    before = api.get("/tokens").json()["tokens"]
    emulator.fault(
        kind="changed", operation="ListApiTokens", only=OBSERVABILITY, change={"name": None, "createdAt": 17}
    )

    after = api.get("/tokens").json()["tokens"]

    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(one["id"], one["name"], one["createdAt"]) for one in changed] == [(OBSERVABILITY, None, 17)]


@pytest.mark.parametrize("roles", [[], [MEMBER, STAGING, {**STAGING, "role": "DEPLOYMENT_ACCESSOR"}]])
def test_a_token_may_seem_to_hold_no_role_or_two_in_one_deployment(
    emulator: Emulator, api: httpx.Client, roles: list[object]
) -> None:
    before = emulator.store.token(OBSERVABILITY)
    emulator.fault(kind="changed", only=OBSERVABILITY, change={"roles": roles})

    assert roles == api.get(f"/tokens/{OBSERVABILITY}").json()["roles"]
    assert before == emulator.store.token(OBSERVABILITY)


def test_what_is_refused_is_not_changed(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="changed", change={"message": "changed"})

    assert "clxnowhere" in api.get("/tokens/clxnowhere").json()["message"]


def test_an_answer_drips_byte_by_byte(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="drip", drip_ms=2, operation="ListOrganizations")

    start = time.monotonic()
    with api.stream("GET", f"{emulator.url}/v1/organizations") as response:
        chunks = list(response.iter_raw())
    elapsed = time.monotonic() - start

    content = b"".join(chunks)
    assert json.loads(content)["totalCount"] == 1
    assert len(content) == int(response.headers["content-length"])
    assert elapsed >= 0.002 * len(content)
    assert len(chunks) > 10


def test_no_timeout_of_a_single_read_ends_a_dripping_answer(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="drip", drip_ms=8, operation="ListOrganizations")

    response = api.get(f"{emulator.url}/v1/organizations", timeout=1)

    assert response.status_code == 200
    assert response.elapsed.total_seconds() > 1


def test_stopping_does_not_wait_for_a_dripping_answer_and_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    running = Emulator.running()
    running.fault(kind="drip", drip_ms=600_000)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(httpx.get, f"{running.url}/v1/organizations")
        time.sleep(0.3)

        start = time.monotonic()
        running.stop()
        elapsed = time.monotonic() - start

        assert elapsed < 60
        assert isinstance(pending.exception(timeout=30), httpx.TransportError)
    assert capfd.readouterr().err == ""


def test_a_caller_that_leaves_a_dripping_answer_does_no_harm(
    emulator: Emulator, api: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    emulator.fault(kind="drip", drip_ms=20, times=1)
    with api.stream("GET", "/tokens") as response:
        next(response.iter_raw())

    time.sleep(0.1)

    assert api.get("/tokens").status_code == 200
    assert capfd.readouterr().err == ""


def test_a_small_answer_unfolds_to_a_huge_one_that_is_whole_and_true(emulator: Emulator, api: httpx.Client) -> None:
    plain = api.get("/tokens").json()
    emulator.fault(kind="gzip_bomb", megabytes=64)

    with api.stream("GET", "/tokens") as response:
        packed = b"".join(response.iter_raw())
    unfolded = gzip.decompress(packed)

    assert response.headers["content-encoding"] == "gzip"
    assert len(packed) < 100_000
    assert len(unfolded) > 64 << 20
    assert plain == json.loads(unfolded)


def test_unless_it_is_told_otherwise_it_unfolds_to_700_megabytes_from_less_than_one(
    emulator: Emulator, api: httpx.Client
) -> None:
    emulator.fault(kind="gzip_bomb")

    with api.stream("GET", "/tokens") as response:
        packed = b"".join(response.iter_raw())

    assert len(packed) < 1_000_000
    assert int.from_bytes(packed[-4:], "little") >= 700 << 20


def test_a_stale_writer_undoes_a_write_before_its_answer_leaves(emulator: Emulator, api: httpx.Client) -> None:
    before = emulator.store.token(OBSERVABILITY)["roles"]
    emulator.fault(kind="stale_writer", operation="UpdateApiTokenRoles", times=1)

    undone = write(api)
    held = emulator.store.token(OBSERVABILITY)["roles"]
    write(api)

    assert undone.json()["deploymentRoles"] == [{"deploymentId": ETL_STAGING_ID, "role": "DEPLOYMENT_ADMIN"}]
    assert before == held
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) == "DEPLOYMENT_ADMIN"


def test_a_stale_writer_may_be_late(emulator: Emulator, api: httpx.Client) -> None:
    emulator.fault(kind="stale_writer", operation="UpdateApiTokenRoles", undo_ms=1500, times=1)

    write(api)
    at_once = emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID)
    deadline = time.monotonic() + 30
    while emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert at_once == "DEPLOYMENT_ADMIN"
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_STAGING_ID) is None
    assert emulator.store.deployment_role(OBSERVABILITY, ETL_PRODUCTION_ID) == "DEPLOYMENT_ACCESSOR"


def test_a_stale_writer_moves_updated_at_as_any_writer_does(emulator: Emulator, api: httpx.Client) -> None:
    emulator.settings(updated_at_moves=True)
    emulator.fault(kind="stale_writer", times=1)

    write(api)
    undone = emulator.store.token(OBSERVABILITY)["updatedAt"]
    with emulator.store.locked() as state:
        writes = state.tokens[OBSERVABILITY]["updatedBy"]["apiTokenName"]
    write(api)

    assert writes == "platform-owner"
    assert undone < emulator.store.token(OBSERVABILITY)["updatedAt"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "not_found", "times": 1},
        {"kind": "changed", "only": OBSERVABILITY, "change": {"name": None}},
        {"kind": "drip", "drip_ms": 100},
        {"kind": "gzip_bomb", "megabytes": 2},
        {"kind": "stale_writer", "undo_ms": 100},
    ],
)
def test_each_can_be_ordered_from_another_process(inspection: httpx.Client, fault: dict[str, object]) -> None:
    (ordered,) = inspection.post("/faults", json=fault).json()

    assert fault == {name: ordered[name] for name in fault}

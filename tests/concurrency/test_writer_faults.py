"""Every fault of a network, a gateway or a tired service, at the read and at the write, for add, update and remove."""

from __future__ import annotations

import math
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_emulator.organization import ORGANIZATION_ID
from astro_provider.astro.api import AstroClient, pace, unreachable
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Add, Change, Put, Remove
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.astro.writing.writer import Writer
from astro_provider.errors import CredentialRefused, Forbidden, ServiceError, Unavailable
from tests.support.engine_process import wait_until
from tests.support.writers import (
    ACCESSOR,
    ADMIN,
    EACH_KIND,
    KINDS,
    READ,
    THREADS,
    WRITE,
    Kind,
    MakeWriter,
    Scene,
    failures,
    in_background,
    make_change,
    write_all,
)

pytestmark = pytest.mark.usefixtures("short_pauses")

OBSERVABILITY_ID, PRODUCTION_ID, STAGING_ID = (
    "clo8g1x4m000f08l6t9c3z6vl",
    "clm9x2k4t000408l6c3f7h8va",
    "clm9x5p7w000508l6e1j9d2rb",
)
HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
AS_HTML = {"content-type": "text/html"}

# What the call never reached the service with; after these, it must be sent again.
BEFORE_COMMIT: dict[str, dict[str, Any]] = {
    "429": {"status": 429},
    "500": {"status": 500},
    "502 in HTML": {"status": 502, "body": HTML, "headers": AS_HTML},
    "503": {"status": 503},
    "200 in HTML": {"kind": "html"},
    "empty 200": {"kind": "empty_ok"},
    "dropped before commit": {"kind": "drop_before"},
}
# What the call was handled before; after these, a write must not be sent again.
AFTER_COMMIT: dict[str, dict[str, Any]] = {
    "dropped after commit": {"kind": "drop_after"},
    "cut JSON": {"kind": "truncated"},
}


def _converged(scene: Scene, deployment: str, role: str | None) -> None:
    assert scene.ours == ({} if role is None else {deployment: role})
    assert scene.foreign_now == scene.foreign


@EACH_KIND
@pytest.mark.parametrize("fault", BEFORE_COMMIT.values(), ids=BEFORE_COMMIT.keys())
def test_a_write_that_did_not_come_through_is_read_for_and_sent_again(
    scene: Scene, make_writer: MakeWriter, fault: dict[str, Any], kind: Kind
) -> None:
    deployment = kind.deployment(scene)
    scene.astro.fault(operation=WRITE, times=2, **fault)
    writer, _ = make_writer()

    make_change(writer, kind.make(scene, deployment))

    _converged(scene, deployment, kind.after)
    assert scene.operations == [READ, WRITE, READ, WRITE, READ, WRITE]


@EACH_KIND
@pytest.mark.parametrize("fault", AFTER_COMMIT.values(), ids=AFTER_COMMIT.keys())
def test_a_write_whose_answer_was_lost_is_looked_for_and_not_sent_again(
    scene: Scene, make_writer: MakeWriter, fault: dict[str, Any], kind: Kind
) -> None:
    deployment = kind.deployment(scene)
    scene.astro.fault(operation=WRITE, times=1, **fault)
    writer, _ = make_writer()

    make_change(writer, kind.make(scene, deployment))

    _converged(scene, deployment, kind.after)
    assert scene.operations == [READ, WRITE, READ]


@EACH_KIND
@pytest.mark.parametrize(
    "fault", [*BEFORE_COMMIT.values(), *AFTER_COMMIT.values()], ids=[*BEFORE_COMMIT, *AFTER_COMMIT]
)
def test_a_read_that_failed_is_repeated_before_anything_is_written(
    scene: Scene, make_writer: MakeWriter, fault: dict[str, Any], kind: Kind
) -> None:
    deployment = kind.deployment(scene)
    scene.astro.fault(operation=READ, times=2, **fault)
    writer, _ = make_writer()

    make_change(writer, kind.make(scene, deployment))

    _converged(scene, deployment, kind.after)
    assert scene.operations == [READ, READ, READ, WRITE]


@EACH_KIND
@pytest.mark.parametrize("struck", [READ, WRITE])
def test_a_slow_service_is_waited_for(scene: Scene, make_writer: MakeWriter, struck: str, kind: Kind) -> None:
    deployment = kind.deployment(scene)
    scene.astro.fault(kind="delay", operation=struck, delay_ms=500, times=1)
    writer, _ = make_writer()

    make_change(writer, kind.make(scene, deployment))

    _converged(scene, deployment, kind.after)
    assert scene.operations == [READ, WRITE]


@EACH_KIND
@pytest.mark.parametrize("struck", [READ, WRITE])
@pytest.mark.parametrize("form", ["seconds", "HTTP date"])
def test_a_retry_after_is_obeyed(scene: Scene, make_writer: MakeWriter, form: str, struck: str, kind: Kind) -> None:
    deployment = kind.deployment(scene)
    at = math.ceil(time.time()) + 1
    retry_after = "1" if form == "seconds" else formatdate(at, usegmt=True)
    scene.astro.fault(operation=struck, times=1, status=429, headers={"Retry-After": retry_after})
    writer, _ = make_writer()

    make_change(writer, kind.make(scene, deployment))

    _converged(scene, deployment, kind.after)
    struck_call, next_call = [call for call in scene.astro.calls()["log"] if call["operation"] == struck]
    not_before = struck_call["at"] + 1 if form == "seconds" else at
    assert next_call["at"] >= not_before - 0.05  # the log's clock is not the one that is waited by


def test_a_read_that_was_turned_away_first_is_not_taken_for_a_slow_one(scene: Scene, make_writer: MakeWriter) -> None:
    deployment = scene.deployments(1)[0]
    scene.astro.fault(operation=READ, times=1, status=429, headers={"Retry-After": "1"})
    writer, _ = make_writer(settle_seconds=3.0)

    make_change(writer, scene.add(deployment))

    _converged(scene, deployment, ADMIN)
    assert scene.operations == [READ, READ, WRITE, READ]


def test_reads_that_are_turned_away_every_other_time_do_not_fail_the_change(
    scene: Scene, make_writer: MakeWriter
) -> None:
    deployment = scene.deployments(1)[0]
    for position in range(6):
        scene.astro.fault(operation=READ, skip=position, times=1, status=429, headers={"Retry-After": "1"})
    writer, _ = make_writer(settle_seconds=1.0)

    make_change(writer, scene.add(deployment))

    _converged(scene, deployment, ADMIN)
    assert scene.calls(WRITE) == 1


@EACH_KIND
def test_whatever_fails_at_the_look_after_the_write_is_repeated_too(
    scene: Scene, make_writer: MakeWriter, kind: Kind
) -> None:
    deployment = kind.deployment(scene)
    for fault in (*BEFORE_COMMIT.values(), *AFTER_COMMIT.values()):
        scene.astro.fault(operation=READ, skip=1, times=1, **fault)
    writer, _ = make_writer(settle_seconds=1.0)

    make_change(writer, kind.make(scene, deployment))

    _converged(scene, deployment, kind.after)
    assert scene.calls(WRITE) == 1
    assert scene.calls(READ) >= 11


@EACH_KIND
def test_several_faults_under_a_burst_lose_and_double_nothing(
    scene: Scene, make_writer: MakeWriter, kind: Kind
) -> None:
    deployments = [kind.deployment(scene) for _ in range(12)]
    for position, fault in enumerate((BEFORE_COMMIT["429"], *AFTER_COMMIT.values())):
        for operation in (READ, WRITE):
            scene.astro.fault(operation=operation, skip=position, times=1, **fault)
    writer, _ = make_writer(settle_seconds=1.0)

    outcomes = write_all(writer, [kind.make(scene, deployment) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == ({} if kind.after is None else dict.fromkeys(deployments, kind.after))
    assert scene.foreign_now == scene.foreign
    assert "400" not in scene.astro.calls()["by_status"]


@EACH_KIND
def test_another_role_that_came_while_the_answer_was_lost_is_read_before_it_is_decided(
    scene: Scene, make_writer: MakeWriter, kind: Kind
) -> None:
    deployment, elsewhere = kind.deployment(scene), scene.astro.store.add_deployment("elsewhere")
    scene.astro.fault(operation=WRITE, kind="drop_before", times=1, delay_ms=600)
    writer, client = make_writer()

    writing = in_background(lambda: make_change(writer, kind.make(scene, deployment)))
    while not client.posted:
        time.sleep(0.01)
    scene.astro.store.bind(scene.token_id, elsewhere, ACCESSOR)
    writing.join(10)

    assert scene.ours == {elsewhere: ACCESSOR, **({} if kind.after is None else {deployment: kind.after})}
    assert scene.foreign_now == scene.foreign


@pytest.mark.parametrize(
    ("kind", "fault"),
    [*((KINDS[0], fault) for fault in BEFORE_COMMIT.values()), *((kind, BEFORE_COMMIT["503"]) for kind in KINDS[1:])],
    ids=[*BEFORE_COMMIT, *(f"503 of {kind}" for kind in KINDS[1:])],
)
def test_a_fault_that_outlasts_the_timeout_tells_the_attempts_and_has_changed_nothing(
    scene: Scene, make_writer: MakeWriter, fault: dict[str, Any], kind: Kind
) -> None:
    deployment = kind.deployment(scene)
    scene.astro.fault(operation=WRITE, **fault)
    writer, _ = make_writer(timeout_seconds=3.0)

    with pytest.raises(ServiceError, match=r"Given up after \d+ attempts in \d+\.\d s\.$") as raised:
        make_change(writer, kind.make(scene, deployment))

    assert f"UpdateApiTokenRoles (organization {scene.astro.organization_id}, token {scene.token_id}" in str(
        raised.value
    )
    assert f"Given up after {scene.calls(WRITE)} attempts" in str(raised.value)
    assert scene.calls(WRITE) > 1
    _converged(scene, deployment, kind.before)


@EACH_KIND
def test_an_outage_that_begins_with_the_commit_is_an_error_and_the_service_holds_what_was_wanted(
    scene: Scene, make_writer: MakeWriter, kind: Kind
) -> None:
    deployment = kind.deployment(scene)
    scene.astro.fault(operation=WRITE, kind="drop_after")
    scene.astro.fault(operation=READ, skip=1, status=503)
    writer, _ = make_writer(timeout_seconds=3.0)

    with pytest.raises(Unavailable, match=r"Given up after \d+ attempts in \d+\.\d s\.$") as raised:
        make_change(writer, kind.make(scene, deployment))

    assert str(raised.value).count("Given up") == 1
    assert scene.calls(WRITE) == 1
    _converged(scene, deployment, kind.after)


def test_a_retry_after_behind_the_deadline_is_not_waited_for(scene: Scene, make_writer: MakeWriter) -> None:
    deployment = scene.deployments(1)[0]
    scene.astro.fault(operation=WRITE, status=429, headers={"Retry-After": "3600"})
    writer, _ = make_writer(timeout_seconds=60)

    with pytest.raises(Unavailable, match="HTTP 429 Too Many Requests"):
        make_change(writer, scene.add(deployment))

    assert scene.operations == [READ, WRITE]
    _converged(scene, deployment, None)


@pytest.mark.parametrize(("status", "error"), [(401, CredentialRefused), (403, Forbidden)])
@pytest.mark.parametrize("struck", [READ, WRITE])
def test_a_refused_credential_is_not_tried_again(
    scene: Scene, make_writer: MakeWriter, struck: str, status: int, error: type[ServiceError]
) -> None:
    deployment = scene.deployments(1)[0]
    scene.astro.fault(operation=struck, status=status)
    writer, _ = make_writer()

    with pytest.raises(error, match=f"HTTP {status}"):
        make_change(writer, scene.add(deployment))

    assert scene.calls(struck) == 1
    _converged(scene, deployment, None)


def test_an_attempt_whose_turn_never_comes_leaves_the_error_that_the_one_before_met(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "POST", 0.01)
    deployment = scene.deployments(1)[0]
    scene.astro.fault(operation=WRITE, status=503)
    writer, _ = make_writer()

    with pytest.raises(Unavailable, match="HTTP 503"):
        make_change(writer, scene.add(deployment))

    assert scene.operations == [READ, WRITE]
    _converged(scene, deployment, None)


class _CountingClient(AstroClient):
    """Counts its attempts to read."""

    attempts = 0

    def await_turn(self, verb: str) -> None:
        _CountingClient.attempts += verb == "GET"
        super().await_turn(verb)


# In the initial organization, because nobody can set a scene in a service that is not there yet.
HELD = BindingId(ORGANIZATION_ID, PRODUCTION_ID, OBSERVABILITY_ID)
FREE = BindingId(ORGANIZATION_ID, STAGING_ID, OBSERVABILITY_ID)


@pytest.mark.parametrize(
    ("change", "after"),
    [(Add(FREE, ADMIN), ADMIN), (Put(HELD, ADMIN), ADMIN), (Remove(HELD), None)],
    ids=["add", "update", "remove"],
)
def test_a_service_that_refuses_connections_is_waited_for(
    tmp_path: Path, change: Change, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreachable, "SECONDS_OF_THIS_MACHINE", 30.0)  # another machine would be waited for as long
    with Emulator.running() as gone:
        url, port, credential = gone.url, int(gone.url.rsplit(":", 1)[1]), gone.credential
        others_before = _others(gone, change.binding)
    client = _CountingClient(url, lambda: credential, bound_seconds=30)
    writer = Writer(client, TokenLocks(url, str(tmp_path)), settle_seconds=0, timeout_seconds=30, most_at_once=THREADS)
    _CountingClient.attempts = 0

    writing = in_background(lambda: make_change(writer, change))
    wait_until(lambda: _CountingClient.attempts >= 3, "the writer has been refused twice")
    with Emulator.running(port=port) as back:
        writing.join(30)

        assert back.store.deployment_role(OBSERVABILITY_ID, change.binding.deployment_id) == after
        assert _others(back, change.binding) == others_before
    client.close()


def _others(astro: Emulator, binding: BindingId) -> list[dict[str, Any]]:
    roles = astro.store.token(binding.token_id)["roles"]
    return [entry for entry in roles if entry["entityId"] != binding.deployment_id]

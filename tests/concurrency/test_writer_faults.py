"""Every fault of a network, a gateway or a tired service, at the read and at the write, for add, update and remove."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from astro_provider.api import AstroClient
from astro_provider.changes import Add, Change
from astro_provider.emulator import Emulator
from astro_provider.errors import CredentialRefused, Forbidden, ServiceError, Unavailable
from astro_provider.identity import BindingId
from astro_provider.locks import TokenLocks
from astro_provider.writer import Writer
from tests.support.writers import ACCESSOR, ADMIN, READ, WRITE, MakeWriter, Scene, failures, in_background, write_all

pytestmark = pytest.mark.usefixtures("short_pauses")

HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
AS_HTML = {"content-type": "text/html"}

MakeChange = Callable[[Scene, str], Change]

# What is held before, the change, what is held after it.
CHANGES: dict[str, tuple[str | None, MakeChange, str | None]] = {
    "add": (None, lambda scene, deployment: scene.add(deployment, ADMIN), ADMIN),
    "update": (ADMIN, lambda scene, deployment: scene.put(deployment, ACCESSOR), ACCESSOR),
    "remove": (ADMIN, lambda scene, deployment: scene.remove(deployment), None),
}
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
ANY_CHANGE = pytest.mark.parametrize(("before", "make_change", "after"), CHANGES.values(), ids=CHANGES.keys())


def _scene_with(scene: Scene, role: str | None) -> str:
    """A new deployment in which the token holds that role."""
    [deployment] = scene.deployments(1)
    if role is not None:
        scene.astro.store.bind(scene.token_id, deployment, role)
    return deployment


def _converged(scene: Scene, deployment: str, role: str | None) -> None:
    assert scene.ours == ({} if role is None else {deployment: role})
    assert scene.foreign_now == scene.foreign


def _operations(scene: Scene) -> list[str]:
    return [call["operation"] for call in scene.astro.calls()["log"]]


@ANY_CHANGE
@pytest.mark.parametrize("fault", BEFORE_COMMIT.values(), ids=BEFORE_COMMIT.keys())
def test_a_write_that_did_not_come_through_is_read_for_and_sent_again(
    scene: Scene,
    make_writer: MakeWriter,
    fault: dict[str, Any],
    before: str | None,
    make_change: MakeChange,
    after: str | None,
) -> None:
    deployment = _scene_with(scene, before)
    scene.astro.fault(operation=WRITE, times=2, **fault)
    writer, _ = make_writer()

    writer.write(make_change(scene, deployment))

    _converged(scene, deployment, after)
    assert _operations(scene) == [READ, WRITE, READ, WRITE, READ, WRITE]


@ANY_CHANGE
@pytest.mark.parametrize("fault", AFTER_COMMIT.values(), ids=AFTER_COMMIT.keys())
def test_a_write_whose_answer_was_lost_is_looked_for_and_not_sent_again(
    scene: Scene,
    make_writer: MakeWriter,
    fault: dict[str, Any],
    before: str | None,
    make_change: MakeChange,
    after: str | None,
) -> None:
    deployment = _scene_with(scene, before)
    scene.astro.fault(operation=WRITE, times=1, **fault)
    writer, _ = make_writer()

    writer.write(make_change(scene, deployment))

    _converged(scene, deployment, after)
    assert _operations(scene) == [READ, WRITE, READ]


@ANY_CHANGE
@pytest.mark.parametrize(
    "fault", [*BEFORE_COMMIT.values(), *AFTER_COMMIT.values()], ids=[*BEFORE_COMMIT, *AFTER_COMMIT]
)
def test_a_read_that_failed_is_repeated_before_anything_is_written(
    scene: Scene,
    make_writer: MakeWriter,
    fault: dict[str, Any],
    before: str | None,
    make_change: MakeChange,
    after: str | None,
) -> None:
    deployment = _scene_with(scene, before)
    scene.astro.fault(operation=READ, times=2, **fault)
    writer, _ = make_writer()

    writer.write(make_change(scene, deployment))

    _converged(scene, deployment, after)
    assert _operations(scene) == [READ, READ, READ, WRITE]


@ANY_CHANGE
@pytest.mark.parametrize("struck", [READ, WRITE])
def test_a_slow_service_is_waited_for(
    scene: Scene,
    make_writer: MakeWriter,
    struck: str,
    before: str | None,
    make_change: MakeChange,
    after: str | None,
) -> None:
    deployment = _scene_with(scene, before)
    scene.astro.fault(kind="delay", operation=struck, delay_ms=500, times=1)
    writer, _ = make_writer()

    writer.write(make_change(scene, deployment))

    _converged(scene, deployment, after)
    assert _operations(scene) == [READ, WRITE]


@ANY_CHANGE
@pytest.mark.parametrize("struck", [READ, WRITE])
@pytest.mark.parametrize("form", ["seconds", "HTTP date"])
def test_a_retry_after_is_obeyed(
    scene: Scene,
    make_writer: MakeWriter,
    form: str,
    struck: str,
    before: str | None,
    make_change: MakeChange,
    after: str | None,
) -> None:
    deployment = _scene_with(scene, before)
    at = math.ceil(time.time()) + 1
    retry_after = "1" if form == "seconds" else formatdate(at, usegmt=True)
    scene.astro.fault(operation=struck, times=1, status=429, headers={"Retry-After": retry_after})
    writer, _ = make_writer()

    writer.write(make_change(scene, deployment))

    _converged(scene, deployment, after)
    struck_call, next_call = [call for call in scene.astro.calls()["log"] if call["operation"] == struck]
    not_before = struck_call["at"] + 1 if form == "seconds" else at
    assert next_call["at"] >= not_before - 0.05  # the log's clock is not the one that is waited by


@ANY_CHANGE
def test_whatever_fails_at_the_look_after_the_write_is_repeated_too(
    scene: Scene, make_writer: MakeWriter, before: str | None, make_change: MakeChange, after: str | None
) -> None:
    deployment = _scene_with(scene, before)
    for fault in (*BEFORE_COMMIT.values(), *AFTER_COMMIT.values()):
        scene.astro.fault(operation=READ, skip=1, times=1, **fault)
    writer, _ = make_writer(settle_seconds=1.0)

    writer.write(make_change(scene, deployment))

    _converged(scene, deployment, after)
    assert _operations(scene) == [READ, WRITE, *[READ] * 10]


@ANY_CHANGE
def test_every_fault_at_once_under_a_burst_loses_and_doubles_nothing(
    scene: Scene, make_writer: MakeWriter, before: str | None, make_change: MakeChange, after: str | None
) -> None:
    deployments = scene.deployments(24)
    for deployment in deployments:
        if before is not None:
            scene.astro.store.bind(scene.token_id, deployment, before)
    for position, fault in enumerate((*BEFORE_COMMIT.values(), *AFTER_COMMIT.values())):
        for operation in (READ, WRITE):
            scene.astro.fault(operation=operation, skip=position % 2, times=1, **fault)
    writer, _ = make_writer(settle_seconds=1.0)

    outcomes = write_all(writer, [make_change(scene, deployment) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == ({} if after is None else dict.fromkeys(deployments, after))
    assert scene.foreign_now == scene.foreign
    assert "400" not in scene.astro.calls()["by_status"]


@ANY_CHANGE
def test_another_role_that_came_while_the_answer_was_lost_is_read_before_it_is_decided(
    scene: Scene, make_writer: MakeWriter, before: str | None, make_change: MakeChange, after: str | None
) -> None:
    deployment, elsewhere = _scene_with(scene, before), scene.astro.store.add_deployment("elsewhere")
    scene.astro.fault(operation=WRITE, kind="drop_before", times=1, delay_ms=600)
    writer, client = make_writer()

    writing = in_background(lambda: writer.write(make_change(scene, deployment)))
    while not client.posted:
        time.sleep(0.01)
    scene.astro.store.bind(scene.token_id, elsewhere, ACCESSOR)
    writing.join(10)

    assert scene.ours == {elsewhere: ACCESSOR, **({} if after is None else {deployment: after})}
    assert scene.foreign_now == scene.foreign


@ANY_CHANGE
@pytest.mark.parametrize("fault", BEFORE_COMMIT.values(), ids=BEFORE_COMMIT.keys())
def test_a_fault_that_outlasts_the_timeout_tells_the_attempts_and_has_changed_nothing(
    scene: Scene,
    make_writer: MakeWriter,
    fault: dict[str, Any],
    before: str | None,
    make_change: MakeChange,
    after: str | None,
) -> None:
    deployment = _scene_with(scene, before)
    scene.astro.fault(operation=WRITE, **fault)
    writer, _ = make_writer(timeout_seconds=0.6)

    with pytest.raises(ServiceError, match=r"Given up after \d+ attempts in \d+\.\d s\.$") as raised:
        writer.write(make_change(scene, deployment))

    assert f"UpdateApiTokenRoles (organization {scene.astro.organization_id}, token {scene.token_id}" in str(
        raised.value
    )
    assert f"Given up after {scene.calls(WRITE)} attempts" in str(raised.value)
    assert scene.calls(WRITE) > 1
    assert before != after
    _converged(scene, deployment, before)


@ANY_CHANGE
def test_an_outage_that_begins_with_the_commit_is_an_error_and_the_service_holds_what_was_wanted(
    scene: Scene, make_writer: MakeWriter, before: str | None, make_change: MakeChange, after: str | None
) -> None:
    deployment = _scene_with(scene, before)
    scene.astro.fault(operation=WRITE, kind="drop_after")
    scene.astro.fault(operation=READ, skip=1, status=503)
    writer, _ = make_writer(timeout_seconds=0.6)

    with pytest.raises(Unavailable, match=r"Given up after \d+ attempts in \d+\.\d s\."):
        writer.write(make_change(scene, deployment))

    assert scene.calls(WRITE) == 1
    _converged(scene, deployment, after)


def test_a_retry_after_behind_the_deadline_is_not_waited_for(scene: Scene, make_writer: MakeWriter) -> None:
    deployment = _scene_with(scene, None)
    scene.astro.fault(operation=WRITE, status=429, headers={"Retry-After": "3600"})
    writer, _ = make_writer(timeout_seconds=60)

    with pytest.raises(Unavailable, match="HTTP 429 Too Many Requests"):
        writer.write(scene.add(deployment))

    assert _operations(scene) == [READ, WRITE]
    _converged(scene, deployment, None)


@pytest.mark.parametrize(("status", "error"), [(401, CredentialRefused), (403, Forbidden)])
@pytest.mark.parametrize("struck", [READ, WRITE])
def test_a_refused_credential_is_not_tried_again(
    scene: Scene, make_writer: MakeWriter, struck: str, status: int, error: type[ServiceError]
) -> None:
    deployment = _scene_with(scene, None)
    scene.astro.fault(operation=struck, status=status)
    writer, _ = make_writer()

    with pytest.raises(error, match=f"HTTP {status}"):
        writer.write(scene.add(deployment))

    assert scene.calls(struck) == 1
    _converged(scene, deployment, None)


def test_a_service_that_refuses_connections_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    client = AstroClient(f"http://127.0.0.1:{port}", lambda: "not known yet", bound_seconds=30)
    writer = Writer(client, TokenLocks("here", str(tmp_path)), settle_seconds=0, timeout_seconds=30)
    outcomes: list[object] = []

    with pytest.raises(Unavailable, match="no answer from 127.0.0.1"):
        _impatient(port, tmp_path).write(Add(BindingId("o", "d", "t"), ADMIN))
    with Emulator.running(port=port) as astro:
        credential = astro.store.add_credential()
        client._credential = lambda: credential  # noqa: SLF001  known only now
        deployment = astro.store.add_deployment("orders")
        token = astro.store.add_token("nightly-loads")
        writing = in_background(
            lambda: outcomes.append(writer.write(Add(BindingId(astro.organization_id, deployment, token), ADMIN)))
        )
        writing.join(30)

        assert len(outcomes) == 1
        assert astro.store.deployment_role(token, deployment) == ADMIN
    client.close()

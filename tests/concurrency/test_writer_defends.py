"""How long what was written is defended, and against whom: for a settle time, and never against a later decision."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import ApiToken, OrganizationClient
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing import queues
from astro_provider.astro.writing.changes import Add, Remove
from astro_provider.astro.writing.writer import Writer
from astro_provider.errors import InputError, UnexpectedAnswer, WriteNotConfirmed
from astro_provider.messages import notices
from tests.support.writers import (
    ACCESSOR,
    ADMIN,
    LIST,
    READ,
    THREADS,
    WRITE,
    MakeWriter,
    Scene,
    failures,
    in_background,
    make_change,
    write_all,
)
from tests.support.writes import writes

pytestmark = pytest.mark.usefixtures("no_pace")
SETTLE = 0.8


def keep_busy(astro: Emulator, writer: Writer, seconds: float) -> threading.Thread:
    """Have a burst of another token go on for some time."""
    token_id = astro.store.add_token("busy")
    ends = time.monotonic() + seconds

    def burst() -> None:
        while time.monotonic() < ends:
            deployment_id = astro.store.add_deployment("busy")
            make_change(writer, Add(BindingId(astro.organization_id, deployment_id, token_id), ADMIN))

    threads = [in_background(burst) for _ in range(2)]

    def wait() -> None:
        for thread in threads:
            thread.join()

    return in_background(wait)


def until_looked_at(scene: Scene) -> None:
    """Wait until the token has been read a settle time after it was written."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        calls = [call for call in scene.astro.calls()["log"] if scene.token_id in call["path"]]
        written = [number for number, call in enumerate(calls) if call["operation"] == WRITE]
        if written and any(call["operation"] == READ for call in calls[written[-1] :]):
            return
        time.sleep(0.02)
    raise AssertionError("nobody looks at it")


def test_a_revocation_by_a_person_stays_although_a_burst_goes_on_elsewhere(
    scene: Scene, make_writer: MakeWriter
) -> None:
    [deployment] = scene.deployments(1)
    writer, _ = make_writer(settle_seconds=SETTLE)
    burst = keep_busy(scene.astro, writer, 8 * SETTLE)
    make_change(writer, scene.add(deployment))
    until_looked_at(scene)  # while the burst goes on

    still_busy = burst.is_alive()
    scene.astro.store.unbind(scene.token_id, deployment)
    burst.join(30)

    assert still_busy
    assert scene.astro.store.deployment_role(scene.token_id, deployment) is None


def test_a_neighbours_grant_stays_although_a_burst_goes_on_elsewhere(
    scene: Scene, make_writer: MakeWriter, tmp_path: Path
) -> None:
    [deployment] = scene.deployments(1)
    scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    writer, _ = make_writer(settle_seconds=SETTLE)
    neighbour, _ = make_writer(settle_seconds=SETTLE, lock_directory=tmp_path / "elsewhere")
    burst = keep_busy(scene.astro, writer, 8 * SETTLE)
    make_change(writer, Remove(scene.binding(deployment)))
    until_looked_at(scene)

    still_busy = burst.is_alive()
    make_change(neighbour, scene.add(deployment))
    burst.join(30)

    assert still_busy
    assert scene.astro.store.deployment_role(scene.token_id, deployment) == ADMIN


def test_what_needed_no_write_is_not_defended(scene: Scene, make_writer: MakeWriter) -> None:
    adopted, written = scene.deployments(2)
    scene.astro.store.bind(scene.token_id, adopted, ADMIN)
    writer, client = make_writer(settle_seconds=SETTLE)
    make_change(writer, scene.add(adopted))
    client.after_write = lambda _: scene.astro.store.unbind(scene.token_id, adopted)

    make_change(writer, scene.add(written))

    assert scene.ours == {written: ADMIN}


@pytest.mark.parametrize("kind", ["given", "taken"])
def test_what_is_put_back_is_told(
    scene: Scene,
    make_writer: MakeWriter,
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    notices.forget()
    [deployment] = scene.deployments(1)
    if kind == "taken":
        scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    before = scene.roles
    writer, client = make_writer(settle_seconds=SETTLE)
    client.after_write = lambda written: scene.astro.store.set_roles(scene.token_id, before) if written == 1 else None

    called = f"token 'nightly-loads' ({scene.token_id}) in deployment 'orders' ({deployment})"
    binding = scene.binding(deployment)
    make_change(writer, Add(binding, ADMIN, called=called) if kind == "given" else Remove(binding, called=called))

    now = "the role DEPLOYMENT_ADMIN" if kind == "given" else "no role"
    assert capsys.readouterr().err == (
        f"astro: warning: Another writer undid 1 change of token {scene.token_id}, probably by a list that it had read "
        f"before, and this run put that right: {called} has {now} again.\n"
    )


def test_a_look_that_gets_a_404_once_still_puts_back_what_was_undone(scene: Scene, make_writer: MakeWriter) -> None:
    [deployment] = scene.deployments(1)
    before = scene.roles
    writer, client = make_writer(settle_seconds=3 * SETTLE)

    def undo_and_hide(written: int) -> None:
        if written == 1:
            scene.astro.store.set_roles(scene.token_id, before)
            scene.astro.fault(kind="status", operation=READ, status=404, times=1)

    client.after_write = undo_and_hide

    make_change(writer, scene.add(deployment))

    assert scene.ours == {deployment: ADMIN}


def test_a_token_that_answers_404_and_is_listed_is_not_taken_for_gone(scene: Scene, make_writer: MakeWriter) -> None:
    [deployment] = scene.deployments(1)
    scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    scene.astro.fault(kind="status", operation=READ, status=404)
    writer, _ = make_writer(settle_seconds=SETTLE, timeout_seconds=1.0)

    with pytest.raises(UnexpectedAnswer, match=f"the list of the organization's tokens shows {scene.token_id}"):
        make_change(writer, scene.remove(deployment))

    assert scene.calls(WRITE) == 0
    assert scene.ours == {deployment: ADMIN}


def test_a_change_and_its_look_end_within_one_bound(scene: Scene, make_writer: MakeWriter) -> None:
    deployment = scene.astro.store.add_deployment("orders")
    tokens = [scene.astro.store.add_token(f"ci-{number}") for number in range(24)]
    writer, client = make_writer(settle_seconds=SETTLE, timeout_seconds=4.0)

    def slow_down(written: int) -> None:
        if written == 24:
            scene.astro.settings(latency_ms=3900)

    client.after_write = slow_down
    began = time.monotonic()

    outcomes = write_all(
        writer, [Add(BindingId(scene.astro.organization_id, deployment, token), ADMIN) for token in tokens]
    )

    assert time.monotonic() - began < 60  # each read of the look had a bound of its own once: 96 s
    unseen = "could not read Astro again", "ended before Astro was read again"
    assert any(words in failure for failure in failures(outcomes) for words in unseen)


class Stopped(BaseException):
    """What ends a thread and no operation."""


def test_riders_end_with_an_error_when_the_thread_that_leads_them_is_stopped(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments = scene.deployments(THREADS)
    monkeypatch.setattr(queues, "GATHER_SECONDS", 20.0)  # all of them ride together
    writer, _ = make_writer()
    monkeypatch.setattr(OrganizationClient, "get_token", _stop)
    ends: list[str] = []

    def write(deployment: str) -> None:
        try:
            make_change(writer, scene.add(deployment))
        except BaseException as error:  # noqa: BLE001  that is what the test is about
            ends.append(f"{type(error).__name__}: {error}")

    threads = [in_background(partial(write, deployment)) for deployment in deployments]
    for thread in threads:
        thread.join(30)

    told = (
        f"WriteNotConfirmed: Token {scene.token_id} was being written when the thread that wrote it was stopped (Stopped), "
        "so it is not known what it holds now: run `pulumi refresh`, which shows what is there, and then `pulumi up`."
    )
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(ends) == ["Stopped: ", *[told] * (THREADS - 1)]


def _stop(*_: object, **__: object) -> ApiToken:
    raise Stopped


def test_a_revocation_that_is_found_too_late_to_tell_it_from_an_old_list_is_an_error_and_stays(
    scene: Scene, make_writer: MakeWriter
) -> None:
    [deployment] = scene.deployments(1)
    writer, client = make_writer(settle_seconds=SETTLE)

    def person(written: int) -> None:
        if written == 1:
            scene.astro.store.bind(scene.token_id, deployment, ACCESSOR)
            scene.astro.fault(
                kind="status", operation=READ, status=503, headers={"Retry-After": f"{3 * SETTLE}"}, times=1
            )

    client.after_write = person

    with pytest.raises(WriteNotConfirmed, match=r"which a person may have decided by then, so nothing was put back: "):
        make_change(writer, scene.add(deployment))

    assert scene.ours == {deployment: ACCESSOR}


@pytest.mark.parametrize("scope", ["WORKSPACE", "DEPLOYMENT"])
def test_a_token_that_is_not_the_organizations_is_never_written(
    astro: Emulator, make_writer: MakeWriter, scope: str
) -> None:
    token_id, deployment_id = astro.store.add_token("other", scope=scope), astro.store.add_deployment("orders")
    before = astro.store.token(token_id)["roles"]
    writer, _ = make_writer()

    with pytest.raises(InputError, match=f"is of scope {scope}: only ORGANIZATION tokens can be bound"):
        make_change(writer, Add(BindingId(astro.organization_id, deployment_id, token_id), ADMIN))

    assert astro.store.token(token_id)["roles"] == before
    assert writes(astro) == 0


def test_a_look_counts_from_when_it_was_sent_and_not_from_when_it_was_answered(
    astro: Emulator, make_writer: MakeWriter
) -> None:
    deployment_id = astro.store.add_deployment("orders")
    tokens = [astro.store.add_token(f"ci-{number}") for number in range(3)]
    writer, client = make_writer(settle_seconds=SETTLE)

    def undo(written: int) -> None:
        if written == 3:
            astro.store.unbind(tokens[0], deployment_id)
            # The list is asked for in time, and shows what was undone after more than two settle times.
            astro.fault(kind="delay", operation=LIST, delay_ms=int(3000 * SETTLE), times=1)

    client.after_write = undo

    outcomes = write_all(writer, [Add(BindingId(astro.organization_id, deployment_id, one), ADMIN) for one in tokens])

    assert failures(outcomes) == []
    assert {astro.store.deployment_role(one, deployment_id) for one in tokens} == {ADMIN}

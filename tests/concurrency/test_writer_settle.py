"""What others do to a token after our write: put back, handed over, given up, or left alone."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import AstroClient, cancelling, connection
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing import ledger
from astro_provider.astro.writing.account import Account
from astro_provider.astro.writing.changes import Add, Change
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.astro.writing.writer import Writer
from astro_provider.errors import RolesUnknown, WriteNotConfirmed
from tests.support.careless import careless_writer
from tests.support.writers import (
    ACCESSOR,
    ADMIN,
    EACH_KIND,
    LIST,
    READ,
    WRITE,
    Kind,
    MakeWriter,
    Scene,
    failures,
    in_background,
    make_change,
    write_all,
)

pytestmark = pytest.mark.usefixtures("no_pace")


@EACH_KIND
def test_what_a_careless_writer_undoes_is_put_back_and_the_change_succeeds(
    scene: Scene, make_writer: MakeWriter, kind: Kind
) -> None:
    ours, careless = kind.deployment(scene), scene.astro.store.add_deployment("of the careless")
    read_before = scene.roles
    own_of_careless = {"entityType": "DEPLOYMENT", "entityId": careless, "role": ACCESSOR}
    writer, client = make_writer(settle_seconds=3.0)
    client.after_write = lambda written: (
        scene.astro.store.set_roles(scene.token_id, [*read_before, own_of_careless]) if written == 1 else None
    )

    make_change(writer, kind.make(scene, ours))

    assert scene.astro.store.deployment_role(scene.token_id, ours) == kind.after
    assert scene.astro.store.deployment_role(scene.token_id, careless) == ACCESSOR
    assert scene.foreign_now == scene.foreign
    assert scene.operations == [READ, WRITE, READ, READ, WRITE, READ]


@EACH_KIND
def test_without_a_settle_time_nobody_looks_and_what_is_undone_stays_undone(
    scene: Scene, make_writer: MakeWriter, kind: Kind
) -> None:
    ours = kind.deployment(scene)
    read_before = scene.roles
    writer, client = make_writer(settle_seconds=0)
    client.after_write = lambda _: scene.astro.store.set_roles(scene.token_id, read_before)

    make_change(writer, kind.make(scene, ours))

    assert scene.astro.store.deployment_role(scene.token_id, ours) == kind.before != kind.after
    assert scene.operations == [READ, WRITE]


def test_what_is_undone_again_and_again_is_one_sentence_about_the_token(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_TIMES_UNDONE", 2)
    deployments = sorted(scene.deployments(5))
    theirs = scene.astro.store.add_deployment("of the other writer")
    read_before = scene.roles
    writer, client = make_writer(settle_seconds=0.6)
    client.after_write = lambda _: scene.astro.store.set_roles(
        scene.token_id, [*read_before, {"entityType": "DEPLOYMENT", "entityId": theirs, "role": ACCESSOR}]
    )

    written = writer.write_all([scene.add(deployment) for deployment in deployments])

    named = "; ".join(f"token {scene.token_id} in deployment {deployment}" for deployment in deployments[:3])
    assert written.lost.with_advice == (
        f"Another writer undid 5 changes of token {scene.token_id} 11 times, so this run stopped putting that back: "
        f"{named}; and 2 more. Another writer changed the token's role in deployment {theirs}. The state may show these "
        "changes as done: run `pulumi refresh`, which shows what Astro holds, and then `pulumi up`."
    )
    assert scene.ours == {theirs: ACCESSOR}


def test_after_an_error_the_next_change_of_the_token_is_not_burdened_with_it(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_TIMES_UNDONE", 0)
    undone, later = scene.deployments(2)
    read_before = scene.roles
    writer, client = make_writer(settle_seconds=0.8)
    client.after_write = lambda written: (
        scene.astro.store.set_roles(scene.token_id, read_before) if written == 1 else None
    )
    with pytest.raises(WriteNotConfirmed, match=undone):
        make_change(writer, scene.add(undone))
    monkeypatch.undo()

    make_change(writer, scene.add(later))

    assert scene.ours == {later: ADMIN}


def test_what_is_undone_and_cannot_be_put_back_is_an_error_with_the_reason(
    scene: Scene, make_writer: MakeWriter
) -> None:
    [deployment] = scene.deployments(1)
    scene.astro.store.add_role("Loader")
    read_before = scene.roles
    writer, client = make_writer(settle_seconds=0.8)

    def undo(written: int) -> None:
        if written == 1:
            scene.astro.store.set_roles(scene.token_id, read_before)
            scene.astro.store.delete_role("Loader")

    client.after_write = undo

    with pytest.raises(WriteNotConfirmed) as raised:
        make_change(writer, Add(scene.binding(deployment), "Loader", called="token 'ci' in deployment 'orders'"))

    text = str(raised.value)
    assert text.startswith(
        f"Another writer undid 1 change of token {scene.token_id}, and Astro refuses to have that put back: token 'ci' in "
        "deployment 'orders'. "
    )
    assert "role 'Loader' does not exist" in text
    assert "run `pulumi refresh`" in text
    assert scene.roles == read_before


def test_the_error_of_a_change_that_fails_itself_reports_what_else_of_its_burst_does_not_stand(
    scene: Scene, make_writer: MakeWriter
) -> None:
    undone, misspelled = scene.deployments(2)
    scene.astro.store.add_role("Loader")
    read_before = scene.roles
    written_first = threading.Event()
    writer, client = make_writer(settle_seconds=3.0)

    def undo(written: int) -> None:
        if written == 1:
            scene.astro.store.set_roles(scene.token_id, read_before)
            scene.astro.store.delete_role("Loader")
            written_first.set()

    client.after_write = undo
    one = in_background(lambda: make_change(writer, scene.add(undone, "Loader")))
    assert written_first.wait(10)

    with pytest.raises(WriteNotConfirmed) as raised:
        make_change(writer, scene.add(misspelled, "DEPLOYMENT_ADMN"))
    one.join(10)

    text = str(raised.value)
    assert f"token {scene.token_id} in deployment {misspelled}: role 'DEPLOYMENT_ADMN' does not exist" in text
    assert (
        f"Another writer undid 1 change of token {scene.token_id}, and Astro refuses to have that put back: "
        f"token {scene.token_id} in deployment {undone}."
    ) in text
    assert scene.roles == read_before


def test_a_change_that_comes_meanwhile_relieves_the_one_that_stays(scene: Scene, make_writer: MakeWriter) -> None:
    first, second = scene.deployments(2)
    read_before = scene.roles
    written_first = threading.Event()
    writer, client = make_writer(settle_seconds=3.0)

    def undo(written: int) -> None:
        if written == 1:
            scene.astro.store.set_roles(scene.token_id, read_before)
            written_first.set()

    client.after_write = undo
    one = in_background(lambda: make_change(writer, scene.add(first)))
    assert written_first.wait(10)

    make_change(writer, scene.add(second))
    one.join(10)

    assert scene.ours == {first: ADMIN, second: ADMIN}
    # The second change's read shows what was undone and its write puts it back; then one look for both.
    assert scene.operations == [READ, WRITE, READ, WRITE, READ]


def test_a_look_takes_no_turn_from_the_writes(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[str] = []
    await_turn = AstroClient.await_turn

    def noted(client: AstroClient, verb: str) -> None:
        turns.append(verb)
        await_turn(client, verb)

    monkeypatch.setattr(AstroClient, "await_turn", noted)
    deployment = scene.deployments(1)[0]
    writer, _ = make_writer(settle_seconds=3.0)

    make_change(writer, scene.add(deployment))

    assert scene.ours == {deployment: ADMIN}
    assert scene.operations == [READ, WRITE, READ]
    assert turns == ["POST", "GET", "GET"]


def test_a_change_of_another_token_relieves_the_one_that_stays_too(
    astro: Emulator, scene: Scene, make_writer: MakeWriter
) -> None:
    first, second = scene.deployments(2)
    other = astro.store.add_token("another")
    read_before = scene.roles
    written_first = threading.Event()
    writer, client = make_writer(settle_seconds=3.0)

    def undo(written: int) -> None:
        if written == 1:
            astro.store.set_roles(scene.token_id, read_before)
            written_first.set()

    client.after_write = undo
    one = in_background(lambda: make_change(writer, scene.add(first)))
    assert written_first.wait(10)

    make_change(writer, Add(BindingId(astro.organization_id, second, other), ADMIN))

    assert scene.ours == {first: ADMIN}
    assert astro.store.deployment_role(other, second) == ADMIN
    one.join(10)
    assert not one.is_alive()


def test_threads_that_finish_at_one_moment_look_once_and_not_each(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = Writer._stay  # noqa: SLF001  the moment in question has no other door

    def stay_late(writer: Writer, arrivals: int) -> Account:
        # A busy machine takes the processor away between a thread's change and its question whether others are at work.
        time.sleep(0.02)
        return stay(writer, arrivals)

    monkeypatch.setattr(Writer, "_stay", stay_late)
    writer, _ = make_writer(settle_seconds=0.5)
    deployments = scene.deployments(32)

    outcomes = write_all(writer, [scene.add(deployment) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.calls(READ) - scene.calls(WRITE) <= 3


@pytest.mark.parametrize("undone", [False, True])
def test_only_a_writer_whose_change_was_undone_pauses_before_it_reads_again(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, *, undone: bool
) -> None:
    asked, waited = [], []
    pause, wait = Ledger.pause, cancelling.pause

    def noted(ledger: Ledger, key: TokenKey) -> float:
        asked.append(pause(ledger, key))
        return asked[-1]

    def noted_wait(seconds: float) -> bool:
        waited.append(seconds)
        return wait(seconds)

    monkeypatch.setattr(Ledger, "pause", noted)
    monkeypatch.setattr(cancelling, "pause", noted_wait)
    [deployment] = scene.deployments(1)
    read_before = scene.roles
    writer, client = make_writer(settle_seconds=0.8)
    client.after_write = lambda written: (
        scene.astro.store.set_roles(scene.token_id, read_before) if undone and written == 1 else None
    )

    make_change(writer, scene.add(deployment))

    assert [0 < seconds <= 0.1 for seconds in asked] == ([False, True] if undone else [False])
    assert set(asked) <= set(waited)
    assert scene.ours == {deployment: ADMIN}


def test_a_pause_leaves_half_of_an_operations_time(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def noted_wait(seconds: float) -> bool:
        waited.append(seconds)
        return True

    monkeypatch.setattr(Ledger, "pause", lambda _ledger, _key: 60.0)
    monkeypatch.setattr(cancelling, "pause", noted_wait)
    writer, _ = make_writer(timeout_seconds=20.0)

    make_change(writer, scene.add(scene.deployments(1)[0]))

    assert max(waited) <= 10.0
    assert max(waited) > 5.0


def test_a_list_shows_which_of_many_tokens_was_undone_and_only_that_one_is_written(
    astro: Emulator, make_writer: MakeWriter
) -> None:
    deployment = astro.store.add_deployment("orders")
    tokens = [astro.store.add_token(f"ci-{index}") for index in range(8)]
    bindings = [BindingId(astro.organization_id, deployment, token) for token in tokens]
    writer, client = make_writer(settle_seconds=1.0)
    client.after_write = lambda written: astro.store.unbind(tokens[3], deployment) if written == 8 else None

    outcomes = write_all(writer, [Add(binding, ADMIN) for binding in bindings])

    assert failures(outcomes) == []
    assert {astro.store.deployment_role(token, deployment) for token in tokens} == {ADMIN}
    counted = astro.calls()["by_operation"]
    assert counted[WRITE] == 9
    assert counted[LIST] >= 1


def test_what_a_person_changes_later_is_not_fought(scene: Scene, make_writer: MakeWriter) -> None:
    taken_away, kept, later = scene.deployments(3)
    writer, _ = make_writer(settle_seconds=0.8)
    write_all(writer, [scene.add(taken_away), scene.add(kept)])
    scene.astro.store.unbind(scene.token_id, taken_away)
    scene.astro.store.bind(scene.token_id, kept, ACCESSOR)

    make_change(writer, scene.add(later))

    assert scene.ours == {kept: ACCESSOR, later: ADMIN}


def test_a_service_too_slow_for_the_settle_time_is_never_written_to(scene: Scene, make_writer: MakeWriter) -> None:
    [deployment] = scene.deployments(1)
    before = scene.roles
    scene.astro.settings(latency_ms=400)
    writer, _ = make_writer(settle_seconds=0.5)

    with pytest.raises(WriteNotConfirmed) as raised:
        make_change(writer, scene.add(deployment))

    text = str(raised.value)
    assert text.startswith(f"Token {scene.token_id} was not written: its roles took 0.")
    assert "a list older than half of settleSeconds (0.5) may undo what others have written since" in text
    advice = r"Set astro:settleSeconds \(or ASTRO_SETTLE_SECONDS\) to \d+ or more wherever this token is written\.$"
    assert re.search(advice, text)
    assert scene.calls(WRITE) == 0
    assert scene.calls(READ) == 5
    assert scene.roles == before


def test_one_slow_read_is_not_written_but_read_again(scene: Scene, make_writer: MakeWriter) -> None:
    [deployment] = scene.deployments(1)
    scene.astro.fault(kind="delay", operation=READ, delay_ms=1700, times=1)
    writer, _ = make_writer(settle_seconds=3.0)

    make_change(writer, scene.add(deployment))

    assert scene.ours == {deployment: ADMIN}
    assert scene.operations == [READ, READ, WRITE, READ]


@EACH_KIND
def test_a_token_without_roles_is_never_written(scene: Scene, make_writer: MakeWriter, kind: Kind) -> None:
    deployment = kind.deployment(scene)
    roles = scene.roles
    scene.astro.store.hide_roles(scene.token_id)
    writer, _ = make_writer(settle_seconds=0.5)

    with pytest.raises(RolesUnknown, match="they are unknown and nothing was written") as raised:
        make_change(writer, kind.make(scene, deployment))

    assert scene.token_id in str(raised.value)
    assert scene.calls(WRITE) == 0
    assert scene.roles == roles


def test_roles_that_are_left_out_at_the_look_are_an_error_and_nothing_is_wiped(
    scene: Scene, make_writer: MakeWriter
) -> None:
    [deployment] = scene.deployments(1)
    scene.astro.fault(kind="no_roles", operation=READ, skip=1)
    writer, _ = make_writer(settle_seconds=3.0)

    with pytest.raises(WriteNotConfirmed) as raised:
        make_change(writer, scene.add(deployment))

    text = str(raised.value)
    assert text.startswith(
        f"This run wrote 1 change of token {scene.token_id} and could not read Astro again to see whether that stands: "
    )
    assert "The service left the roles" in text
    assert f"token {scene.token_id} in deployment {deployment}" in text
    assert "run `pulumi refresh`" in text
    assert scene.calls(WRITE) == 1
    assert scene.ours == {deployment: ADMIN}
    assert scene.foreign_now == scene.foreign


def test_a_write_of_ours_that_lands_after_its_caller_gave_up_undoes_nothing_for_good(
    scene: Scene, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SLOWEST_ANSWER_SECONDS", 0.8)
    first, second = scene.deployments(2)
    writer, client = make_writer(settle_seconds=2.5)
    repeated = threading.Event()
    client.after_write = lambda written: repeated.set() if written == 2 else None
    # The first list stays on the way for longer than its caller waits, and lands after the second change was written.
    scene.astro.fault(kind="delay", operation=WRITE, delay_ms=2500, times=1)

    one = in_background(lambda: make_change(writer, scene.add(first)))
    assert repeated.wait(30)
    make_change(writer, scene.add(second))
    one.join(30)

    writes = [call for call in scene.astro.calls()["log"] if call["operation"] == WRITE]
    assert len(writes) == 4
    assert writes[2]["at"] == min(call["at"] for call in writes), "the late list landed third"
    assert scene.ours == {first: ADMIN, second: ADMIN}
    assert scene.foreign_now == scene.foreign


def test_two_machines_that_write_one_token_at_once_lose_nothing(
    scene: Scene, make_writer: MakeWriter, tmp_path: Path
) -> None:
    scene.astro.settings(latency_ms=20)
    deployments = scene.deployments(60)
    here, _ = make_writer(settle_seconds=1.0, lock_directory=tmp_path / "here")
    there, _ = make_writer(settle_seconds=1.0, lock_directory=tmp_path / "there")
    outcomes_there: list[object] = []

    other = in_background(
        lambda: outcomes_there.extend(write_all(there, [scene.add(deployment) for deployment in deployments[30:]]))
    )
    outcomes_here = write_all(here, [scene.add(deployment) for deployment in deployments[:30]])
    other.join(60)

    assert failures(outcomes_here) == []
    assert [one for one in outcomes_there if isinstance(one, Exception)] == []
    assert len(outcomes_there) == 30
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.foreign_now == scene.foreign


def test_a_careless_eight_way_writer_takes_nothing_of_ours_away(scene: Scene, make_writer: MakeWriter) -> None:
    scene.astro.settings(latency_ms=20)
    ours, careless = scene.deployments(60), scene.deployments(64)
    for deployment in ours[40:]:
        scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    adds: list[Change] = [scene.add(deployment) for deployment in ours[:40]]
    removals: list[Change] = [scene.remove(deployment) for deployment in ours[40:]]
    mixed = [change for both in zip(adds[:20], removals, strict=True) for change in both] + adds[20:]
    writer, _ = make_writer(settle_seconds=1.0)

    with careless_writer(scene.astro, scene.token_id, careless):
        outcomes = write_all(writer, mixed)

    assert failures(outcomes) == []
    assert {deployment: role for deployment, role in scene.ours.items() if deployment in ours} == dict.fromkeys(
        ours[:40], ADMIN
    )
    assert scene.foreign_now == scene.foreign

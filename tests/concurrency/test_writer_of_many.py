"""Changes that are made with one call: one list for each token, one settle time for all, each with its own outcome."""

from __future__ import annotations

import threading
import time

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import cancelling
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.account import NOTHING_LOST
from astro_provider.astro.writing.changes import Add, Change, GiveBack, Remove, TakeBack
from astro_provider.errors import Cancelled, NotFound, Unavailable, WriteRefused
from tests.support.writers import (
    ACCESSOR,
    ADMIN,
    LIST,
    READ,
    WRITE,
    MakeWriter,
    Scene,
    in_background,
    make_change,
    make_scene,
)

pytestmark = pytest.mark.usefixtures("no_pace")


def test_changes_of_a_token_are_one_list_and_one_look(scene: Scene, make_writer: MakeWriter) -> None:
    writer, client = make_writer(settle_seconds=1.0)
    deployments = scene.deployments(40)
    scene.astro.store.bind(scene.token_id, deployments[0], ADMIN)
    scene.astro.store.bind(scene.token_id, deployments[1], ADMIN)
    changes: list[Change] = [
        scene.remove(deployments[0]),
        scene.put(deployments[1], ACCESSOR),
        *(scene.add(one) for one in deployments[2:]),
    ]

    written = writer.write_all(changes)

    assert [one.error for one in written.outcomes] == [None] * 40
    assert not written.lost
    assert scene.ours == {deployments[1]: ACCESSOR, **dict.fromkeys(deployments[2:], ADMIN)}
    assert scene.foreign_now == scene.foreign
    assert len(client.posted) == 1
    assert scene.calls(READ) <= 3
    assert [one.taking_back for one in written.outcomes] == [
        GiveBack(scene.binding(deployments[0]), ADMIN, None),
        GiveBack(scene.binding(deployments[1]), ADMIN, ACCESSOR),
        *(TakeBack(scene.binding(one), ADMIN) for one in deployments[2:]),
    ]


def test_each_token_is_written_once_and_all_settle_together(astro: Emulator, make_writer: MakeWriter) -> None:
    writer, _ = make_writer(settle_seconds=1.0)
    tokens = [astro.store.add_token(f"ci-{number}") for number in range(12)]
    deployments = [astro.store.add_deployment(f"d-{number}") for number in range(5)]

    written = writer.write_all(
        [Add(BindingId(astro.organization_id, d, t), ADMIN) for t in tokens for d in deployments]
    )

    counted = astro.calls()["by_operation"]
    assert [one.error for one in written.outcomes] == [None] * 60
    assert counted[WRITE] == 12
    assert counted[LIST] <= 2 * len(deployments)
    assert {astro.store.deployment_role(t, d) for t in tokens for d in deployments} == {ADMIN}


def test_what_needed_no_write_has_nothing_to_take_back(scene: Scene, make_writer: MakeWriter) -> None:
    writer, client = make_writer()
    [deployment] = scene.deployments(1)
    scene.astro.store.bind(scene.token_id, deployment, ADMIN)

    [outcome] = writer.write_all([scene.add(deployment)]).outcomes

    assert (outcome.error, outcome.taking_back) == (None, None)
    assert client.posted == []


def test_nothing_to_change_is_nothing_to_do(scene: Scene, make_writer: MakeWriter) -> None:
    writer, _ = make_writer(settle_seconds=5.0)

    written = writer.write_all([])

    assert (list(written.outcomes), written.lost) == ([], NOTHING_LOST)
    assert scene.calls(READ, WRITE, LIST) == 0


def test_a_token_that_is_gone_fails_alone(scene: Scene, make_writer: MakeWriter) -> None:
    writer, _ = make_writer()
    other = make_scene(scene.astro, "other")
    [deployment] = scene.deployments(1)
    scene.astro.store.delete_token(other.token_id)

    found = writer.write_all([scene.add(deployment), other.add(deployment), other.remove(deployment)]).outcomes

    assert [type(one.error) for one in found] == [type(None), NotFound, NotFound]
    assert scene.ours == {deployment: ADMIN}


def test_one_bad_change_fails_its_token_in_a_handful_of_calls_and_no_other_token(
    scene: Scene, make_writer: MakeWriter
) -> None:
    writer, _ = make_writer()
    other = make_scene(scene.astro, "other")
    deployments = scene.deployments(50)
    bad = [scene.add(one, "DEPLOYMENT_ADMN" if number == 25 else ADMIN) for number, one in enumerate(deployments)]

    written = writer.write_all([*bad, other.add(deployments[0])])

    *ours, fine = written.outcomes
    assert {type(one.error) for one in ours} == {WriteRefused}
    assert {str(one.error) for one in ours} == {str(ours[0].error)}
    assert f"deployment {deployments[25]}: role 'DEPLOYMENT_ADMN' does not exist" in str(ours[0].error)
    assert fine.error is None
    assert scene.ours == {}
    assert scene.calls(WRITE) <= 4


def test_a_change_of_another_resource_that_is_written_with_a_bad_table_passes(
    scene: Scene, make_writer: MakeWriter
) -> None:
    writer, client = make_writer()
    first, *deployments = scene.deployments(6)
    scene.astro.fault(kind="delay", operation=READ, delay_ms=500, times=1)
    leading = in_background(lambda: make_change(writer, scene.add(first)))
    alone = in_background(lambda: make_change(writer, scene.add(deployments[0])))

    written = writer.write_all([scene.add(one, "DEPLOYMENT_ADMN") for one in deployments[1:]])
    leading.join()
    alone.join()

    assert {type(one.error) for one in written.outcomes} == {WriteRefused}
    assert scene.ours == {first: ADMIN, deployments[0]: ADMIN}
    assert len(client.posted) <= 6


def test_what_was_written_is_taken_back_and_what_was_changed_since_is_not(
    scene: Scene, make_writer: MakeWriter
) -> None:
    writer, _ = make_writer(settle_seconds=1.0)
    deployments = scene.deployments(4)
    scene.astro.store.bind(scene.token_id, deployments[3], ACCESSOR)
    changes: list[Change] = [*(scene.add(one) for one in deployments[:3]), Remove(scene.binding(deployments[3]))]
    written = writer.write_all(changes)
    scene.astro.store.bind(scene.token_id, deployments[0], ACCESSOR)
    scene.astro.store.unbind(scene.token_id, deployments[1])

    back = writer.write_all([one.taking_back for one in written.outcomes if one.taking_back])

    assert [one.error for one in back.outcomes] == [None] * 4
    assert not back.lost
    assert scene.ours == {deployments[0]: ACCESSOR, deployments[3]: ACCESSOR}


def adds_to_several_tokens(astro: Emulator) -> list[Add]:
    """One change for each of four tokens, so that three threads help the one that asks."""
    deployment = astro.store.add_deployment("d")
    return [
        Add(BindingId(astro.organization_id, deployment, astro.store.add_token(f"ci-{one}")), ADMIN) for one in range(4)
    ]


def test_threads_that_help_an_operation_end_by_its_deadline(astro: Emulator, make_writer: MakeWriter) -> None:
    writer, _ = make_writer(timeout_seconds=300.0)
    changes = adds_to_several_tokens(astro)
    astro.fault(kind="status", operation=READ, status=503)
    before = time.monotonic()

    with operation(0.5):
        written = writer.write_all(changes)

    assert [type(one.error) for one in written.outcomes] == [Unavailable] * 4
    assert time.monotonic() - before < 60
    assert astro.calls()["by_operation"].get(WRITE, 0) == 0


def test_threads_that_help_a_cancelled_operation_make_no_call(
    astro: Emulator, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "_cancelled", threading.Event())  # of this test alone
    writer, _ = make_writer()
    changes = adds_to_several_tokens(astro)

    with operation(60.0):
        cancelling.cancel()
        written = writer.write_all(changes)

    assert [type(one.error) for one in written.outcomes] == [Cancelled] * 4
    assert astro.calls()["log"] == []

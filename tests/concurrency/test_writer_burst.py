"""Many changes at once, from the four threads of a provider's process, against a real socket: counted, not timed."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_provider.astro.api import pace
from astro_provider.astro.identity import BindingId
from astro_provider.astro.settings import Settings
from astro_provider.astro.writing.changes import Add, Remove
from astro_provider.errors import WriteRefused
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.single import Lifecycle
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
    make_change,
    write_all,
)


def test_sixty_adds_of_one_token_are_all_there_for_a_third_of_the_calls(scene: Scene, make_writer: MakeWriter) -> None:
    scene.astro.settings(latency_ms=50)
    writer, _ = make_writer(settle_seconds=1.0)
    deployments = scene.deployments(60)

    outcomes = write_all(writer, [scene.add(deployment) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.foreign_now == scene.foreign
    assert scene.calls(WRITE) <= 20
    assert scene.calls(READ) <= 24
    assert scene.calls(LIST) == 0
    assert scene.astro.calls()["by_status"].keys() == {"200"}


def test_sixty_creates_of_a_whole_lifecycle_cost_no_more_writes(scene: Scene, tmp_path: Path) -> None:
    astro = scene.astro
    astro.settings(latency_ms=50)
    settings = Settings(SecretStr(astro.credential), astro.organization_id, astro.url, lock_directory=str(tmp_path))
    lifecycle = Lifecycle(Shared.of(settings, operations_at_once=THREADS))
    asked = [
        {"deployment_id": deployment, "org_token_name": "nightly-loads", "role": ADMIN}
        for deployment in scene.deployments(60)
    ]
    inputs = [lifecycle.check(EngineCall(), {}, one).inputs for one in asked]
    astro.clear_calls()

    with ThreadPoolExecutor(THREADS) as pool:
        created = [binding for binding, _ in pool.map(partial(lifecycle.create, EngineCall()), inputs)]

    assert created == [str(scene.binding(str(one["deployment_id"]))) for one in inputs]
    assert scene.ours == {one["deployment_id"]: ADMIN for one in asked}
    assert scene.foreign_now == scene.foreign
    assert scene.calls(WRITE) <= 20
    assert scene.calls(READ) <= 24


def test_sixty_removals_leave_nothing_of_ours_and_all_of_the_others(scene: Scene, make_writer: MakeWriter) -> None:
    deployments = scene.deployments(60)
    for deployment in deployments:
        scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    scene.astro.settings(latency_ms=50)
    writer, _ = make_writer(settle_seconds=1.0)

    outcomes = write_all(writer, [scene.remove(deployment) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == {}
    assert scene.foreign_now == scene.foreign
    assert scene.calls(WRITE) <= 20
    assert scene.calls(READ) <= 24


def test_sixty_updates_change_every_role_and_nothing_else(scene: Scene, make_writer: MakeWriter) -> None:
    deployments = scene.deployments(60)
    for deployment in deployments:
        scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    scene.astro.settings(latency_ms=50)
    writer, _ = make_writer(settle_seconds=1.0)

    outcomes = write_all(writer, [scene.put(deployment, ACCESSOR) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == dict.fromkeys(deployments, ACCESSOR)
    assert scene.foreign_now == scene.foreign
    assert scene.calls(WRITE) <= 20
    assert scene.calls(READ) <= 24


TWENTY_BY_TEN = list(product(range(20), range(10)))  # token, deployment
BY_DEPLOYMENT = sorted(TWENTY_BY_TEN, key=lambda pair: pair[::-1])
AT_RANDOM = random.Random(1).sample(TWENTY_BY_TEN, 200)


@pytest.mark.usefixtures("slow_pace")
@pytest.mark.parametrize(
    ("order", "takes", "most"),
    [(TWENTY_BY_TEN, False, 40), (BY_DEPLOYMENT, False, 75), (AT_RANDOM, True, 75)],
    ids=["given token by token", "given deployment by deployment", "taken at random"],
)
def test_a_door_that_lets_64_in_writes_a_grid_in_few_lists(
    scene: Scene, make_writer: MakeWriter, *, order: list[tuple[int, int]], takes: bool, most: int
) -> None:
    store = scene.astro.store
    tokens = [store.add_token(f"ci-{number}") for number in range(20)]
    deployments = scene.deployments(10)
    bindings = [BindingId(scene.astro.organization_id, deployments[d], tokens[t]) for t, d in order]
    for one in bindings if takes else ():
        store.bind(one.token_id, one.deployment_id, ADMIN)
    writer, client = make_writer(most_at_once=64)

    outcomes = write_all(writer, [Remove(one) if takes else Add(one, ADMIN) for one in bindings], threads=64)

    assert failures(outcomes) == []
    held = {store.deployment_role(one.token_id, one.deployment_id) for one in bindings}
    assert held == ({None} if takes else {ADMIN})
    assert len(client.posted) <= most


@pytest.fixture
def slow_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """So slow a pace of writes that a busy machine has brought the next changes by then."""
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "POST", 5.0)


def test_sixty_adds_of_one_token_that_come_at_once_are_few_lists(scene: Scene, make_writer: MakeWriter) -> None:
    writer, client = make_writer(most_at_once=64)
    deployments = scene.deployments(60)

    outcomes = write_all(writer, [scene.add(deployment) for deployment in deployments], threads=64)

    assert failures(outcomes) == []
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.foreign_now == scene.foreign
    assert len(client.posted) <= 6


@pytest.mark.usefixtures("no_pace")
def test_sixty_tokens_of_one_deployment_cost_a_write_each_and_settle_by_a_list(
    astro: Emulator, make_writer: MakeWriter
) -> None:
    astro.settings(latency_ms=20)
    deployment = astro.store.add_deployment("orders")
    tokens = [astro.store.add_token(f"ci-{index}") for index in range(60)]
    writer, _ = make_writer(settle_seconds=3.0)

    outcomes = write_all(writer, [Add(BindingId(astro.organization_id, deployment, token), ADMIN) for token in tokens])

    assert failures(outcomes) == []
    assert {astro.store.deployment_role(token, deployment) for token in tokens} == {ADMIN}
    counted = astro.calls()["by_operation"]
    assert counted[WRITE] == 60
    assert counted[READ] + counted[LIST] <= 64


@pytest.mark.usefixtures("no_pace")
def test_a_lone_change_takes_one_write_and_one_look_after_it(scene: Scene, make_writer: MakeWriter) -> None:
    writer, _ = make_writer(settle_seconds=3.0)
    [deployment] = scene.deployments(1)

    token = make_change(writer, scene.add(deployment))

    assert scene.operations == [READ, WRITE, READ]
    assert [entry.role for entry in token.roles or () if entry.entity_id == deployment] == [ADMIN]
    assert scene.ours == {deployment: ADMIN}


@pytest.mark.usefixtures("no_pace")
def test_without_a_settle_time_a_lone_change_takes_one_read_and_one_write(
    scene: Scene, make_writer: MakeWriter
) -> None:
    writer, _ = make_writer(settle_seconds=0)
    [deployment] = scene.deployments(1)

    make_change(writer, scene.add(deployment))

    assert scene.operations == [READ, WRITE]


@pytest.mark.usefixtures("no_pace")
def test_what_is_there_already_is_not_written_again(scene: Scene, make_writer: MakeWriter) -> None:
    writer, _ = make_writer(settle_seconds=0)
    [deployment] = scene.deployments(1)
    scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    before = scene.roles

    make_change(writer, scene.add(deployment, ADMIN.lower()))

    assert scene.operations == [READ]
    assert scene.roles == before


@pytest.mark.usefixtures("no_pace")
def test_a_burst_pays_one_look_however_many_changes_relieve_the_one_that_stays(
    scene: Scene, make_writer: MakeWriter
) -> None:
    scene.astro.settings(latency_ms=20)
    writer, _ = make_writer(settle_seconds=1.0)
    deployments = scene.deployments(40)

    outcomes = write_all(writer, [scene.add(deployment) for deployment in deployments])

    assert failures(outcomes) == []
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    # Each batch is a read and a write. What goes beyond is the look that settles all of them, and a read that came too
    # late on a busy machine.
    assert scene.calls(READ) - scene.calls(WRITE) <= 3


@pytest.mark.usefixtures("no_pace")
def test_changes_that_wait_for_a_token_go_out_as_one_list(scene: Scene, make_writer: MakeWriter) -> None:
    writer, client = make_writer()
    first, *others = scene.deployments(4)
    # The first one's read takes its time, so that the others have come when it is done.
    scene.astro.fault(kind="delay", operation=READ, delay_ms=600, times=1)

    outcomes = write_all(writer, [scene.add(deployment) for deployment in (first, *others)])

    assert failures(outcomes) == []
    assert scene.ours == dict.fromkeys((first, *others), ADMIN)
    assert 1 <= scene.calls(WRITE) <= 2
    assert len(client.posted[-1]) == len(scene.foreign) + 4


BAD: dict[str, tuple[str, str | None, str]] = {
    "unknown role": ("DEPLOYMENT_ADMN", None, "role 'DEPLOYMENT_ADMN' does not exist"),
    "unknown deployment": (ADMIN, "clx0000000000000000000000", "deployment clx0000000000000000000000 does not exist"),
}


@pytest.mark.usefixtures("no_pace")
@pytest.mark.parametrize("bad_entry", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("position", range(4))
def test_a_bad_change_that_rides_with_good_ones_fails_alone(
    scene: Scene, make_writer: MakeWriter, bad_entry: tuple[str, str | None, str], position: int
) -> None:
    role, unknown_deployment, reason = bad_entry
    writer, client = make_writer()
    good = scene.deployments(4)
    bad = good.pop(position)
    bad = unknown_deployment or bad
    changes: list[Add] = [scene.add(one) for one in good]
    changes.insert(position, scene.add(bad, role))
    scene.astro.fault(kind="delay", operation=READ, delay_ms=300, times=1)

    outcomes = write_all(writer, changes)

    assert [isinstance(one, Exception) for one in outcomes] == [index == position for index in range(4)]
    error = outcomes[position]
    assert isinstance(error, WriteRefused)
    assert str(error).startswith(f"Nothing was written for token {scene.token_id} in deployment {bad}: {reason}")
    assert "requestId" in str(error)
    assert scene.ours == dict.fromkeys(good, ADMIN)
    assert scene.foreign_now == scene.foreign
    assert max(len(posted) for posted in client.posted) > len(scene.foreign) + 1


@pytest.mark.usefixtures("no_pace")
def test_two_bad_changes_get_each_their_own_text(scene: Scene, make_writer: MakeWriter) -> None:
    writer, _ = make_writer()
    good, misspelled, elsewhere = scene.deployments(3)

    outcomes = write_all(
        writer, [scene.add(misspelled, "Releaser"), scene.add(good), scene.add(elsewhere, "Ledger Auditor")]
    )

    assert scene.ours == {good: ADMIN}
    first, _, last = (str(one) for one in outcomes)
    assert f"token {scene.token_id} in deployment {misspelled}: role 'Releaser' does not exist" in first
    assert f"token {scene.token_id} in deployment {elsewhere}" in last
    assert "Role Ledger Auditor may not be used in workspace" in last
    assert failures(outcomes) == [f"WriteRefused: {first}", f"WriteRefused: {last}"]


@pytest.mark.usefixtures("no_pace")
def test_threads_of_several_tokens_do_not_wait_for_each_other(astro: Emulator, make_writer: MakeWriter) -> None:
    deployment = astro.store.add_deployment("orders")
    slow, quick = (astro.store.add_token(name) for name in ("slow", "quick"))
    writer, _ = make_writer()
    astro.fault(kind="delay", operation=READ, path=slow, delay_ms=1500, times=1)
    waiting = threading.Thread(
        target=make_change, args=(writer, Add(BindingId(astro.organization_id, deployment, slow), ADMIN))
    )

    waiting.start()
    make_change(writer, Add(BindingId(astro.organization_id, deployment, quick), ADMIN))
    role_of_slow = astro.store.deployment_role(slow, deployment)
    waiting.join()

    assert role_of_slow is None
    assert astro.store.deployment_role(quick, deployment) == ADMIN
    assert astro.store.deployment_role(slow, deployment) == ADMIN

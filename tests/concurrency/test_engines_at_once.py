"""Two `pulumi up` on one token at once, on one machine and on two, and a careless writer beside one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.careless import careless_writer
from tests.support.engine_process import EngineProcess, Run, wait_until
from tests.support.rounds import play_round
from tests.support.writers import ADMIN, READ, WRITE, Scene

StartEngine = Callable[[Run], EngineProcess]


def _run(scene: Scene, directory: Path, lock_directory: Path, deployments: list[str]) -> Run:
    environment = {
        "ASTRO_API_HOST": scene.astro.url,
        "ASTRO_API_TOKEN": scene.astro.credential,
        "ASTRO_LOCK_DIR": str(lock_directory),
    }
    return Run(str(directory), environment, "nightly-loads", deployments)


def test_two_updates_of_thirty_bindings_of_one_token_at_once_on_one_machine_lose_none(
    scene: Scene, start_engine: StartEngine, tmp_path: Path
) -> None:
    scene.astro.settings(latency_ms=30)
    deployments = scene.deployments(60)

    both = [
        start_engine(_run(scene, tmp_path / f"stack-{index}", tmp_path / "locks", deployments[index::2]))
        for index in range(2)
    ]
    outcomes = [one.outcome() for one in both]

    assert [one.errors for one in outcomes] == [[], []]
    assert [one.failed for one in outcomes] == [False, False]
    assert [one.changes for one in outcomes] == [{"create": 31}, {"create": 31}]
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.foreign_now == scene.foreign


@pytest.mark.usefixtures("engine")
def test_two_runners_on_two_machines_that_write_one_token_at_the_same_pace_lose_none(tmp_path: Path) -> None:
    up, destroy = play_round(2, tmp_path, bindings=30, as_a_user=False)  # `make fuzz` plays ten larger ones

    assert (up.errors, up.present, up.foreign_is_whole) == ((), 60, True)
    assert (destroy.errors, destroy.present, destroy.foreign_is_whole) == ((), 0, True)
    # At most half a write for each, as for a lone update below.
    assert up.posts <= 30


def test_an_update_of_sixty_bindings_costs_at_most_half_a_write_for_each(
    scene: Scene, start_engine: StartEngine, tmp_path: Path
) -> None:
    scene.astro.settings(latency_ms=50)
    deployments = scene.deployments(60)

    outcome = start_engine(_run(scene, tmp_path / "stack", tmp_path / "locks", deployments)).outcome()

    assert outcome.changes == {"create": 61}
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    # 15 to 20 where the machine is idle; a busy engine hands its creates over more slowly than a lone change may wait.
    assert scene.calls(WRITE) <= 30
    assert scene.calls(READ) <= 36


def test_a_careless_eight_way_writer_meanwhile_takes_nothing_of_ours_away(
    scene: Scene, start_engine: StartEngine, tmp_path: Path
) -> None:
    scene.astro.settings(latency_ms=30)
    ours, careless = scene.deployments(40), scene.deployments(120)
    running = start_engine(_run(scene, tmp_path / "stack", tmp_path / "locks", ours))
    wait_until(lambda: scene.calls(WRITE) > 0, "the update writes")

    with careless_writer(scene.astro, scene.token_id, careless, pause_seconds=0.2):
        outcome = running.outcome()

    assert outcome.errors == []
    assert outcome.changes == {"create": 41}
    assert {deployment: role for deployment, role in scene.ours.items() if deployment in ours} == dict.fromkeys(
        ours, ADMIN
    )
    assert scene.foreign_now == scene.foreign

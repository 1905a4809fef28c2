"""SIGKILL in the middle of an update, of the provider and of the engine; then the next update makes it whole."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from tests.support.engine_process import EngineProcess, Run, wait_until
from tests.support.stack import BINDING_TYPE
from tests.support.writers import ADMIN, READ, WRITE, Scene

StartEngine = Callable[[Run], EngineProcess]
WRITES_BEFORE_THE_KILL = 3


def _run(scene: Scene, tmp_path: Path, deployments: list[str]) -> Run:
    environment = {
        "ASTRO_API_HOST": scene.astro.url,
        "ASTRO_API_TOKEN": scene.astro.credential,
        "ASTRO_LOCK_DIR": str(tmp_path / "locks"),
    }
    # A test looks for the provider among the engine's processes.
    return Run(str(tmp_path / "stack"), environment, "nightly-loads", deployments, as_a_user=True)


def test_after_the_provider_is_killed_the_next_update_makes_it_whole(
    scene: Scene, start_engine: StartEngine, tmp_path: Path
) -> None:
    scene.astro.settings(latency_ms=50)
    deployments = scene.deployments(40)
    run = _run(scene, tmp_path, deployments)

    first = start_engine(run)
    wait_until(lambda: scene.calls(WRITE) >= WRITES_BEFORE_THE_KILL, "the update has written a part")
    first.provider().send_signal(signal.SIGKILL)
    killed = first.outcome()
    there_after_the_kill = len(scene.ours)
    again = start_engine(run).outcome()

    assert killed.failed
    assert 0 < there_after_the_kill < 40
    assert again.errors == []
    assert not again.failed
    assert again.changes["create"] + again.changes.get("same", 0) == 41
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.foreign_now == scene.foreign
    assert _bindings_in_state(run) == sorted(deployments)


def test_after_the_engine_is_killed_a_cancel_and_the_next_update_make_it_whole_beside_the_orphan(
    scene: Scene, start_engine: StartEngine, tmp_path: Path
) -> None:
    scene.astro.settings(latency_ms=50)
    deployments = scene.deployments(40)
    run = _run(scene, tmp_path, deployments)
    # A write of the first update stays on the way for longer than the second needs to come to its first one.
    scene.astro.fault(kind="delay", operation=WRITE, skip=WRITES_BEFORE_THE_KILL, times=1, delay_ms=6000)

    first = start_engine(run)
    wait_until(
        lambda: scene.calls(WRITE) == WRITES_BEFORE_THE_KILL and scene.calls(READ) > WRITES_BEFORE_THE_KILL,
        "the update has written a part and holds the late write",
    )
    _await_quiet_state(run)
    orphan, engine = first.provider(), first.engine()
    engine.send_signal(signal.SIGKILL)
    psutil.wait_procs([engine], timeout=10)
    killed = first.outcome()
    orphan_was_running = orphan.is_running()
    again = start_engine(replace(run, after_cancel=True)).outcome()

    assert killed.failed
    assert orphan_was_running
    assert again.errors == []
    assert not again.failed
    assert scene.ours == dict.fromkeys(deployments, ADMIN)
    assert scene.foreign_now == scene.foreign
    late, *after = _writes_by_their_end(scene)[WRITES_BEFORE_THE_KILL:]
    assert all(late["at"] + 6.0 <= call["at"] for call in after), "somebody wrote while the orphan's write was out"
    assert _bindings_in_state(run) == sorted(deployments)


def _writes_by_their_end(scene: Scene) -> list[dict[str, float]]:
    return [call for call in scene.astro.calls()["log"] if call["operation"] == WRITE]


def _state_of(run: Run) -> Path:
    return Path(run.directory) / "state" / ".pulumi" / "stacks" / "bindings" / "test.json"


def _bindings_in_state(run: Run) -> list[str]:
    """The deployments that are bound according to the state; a binding that stands in it twice shows twice."""
    resources = json.loads(_state_of(run).read_text())["checkpoint"]["latest"]["resources"]
    return sorted(one["outputs"]["deployment_id"] for one in resources if one["type"] == BINDING_TYPE)


def _await_quiet_state(run: Run) -> None:
    """Wait until the engine writes no state, because the file backend leaves a cut file if it is killed meanwhile."""
    path = _state_of(run)
    wait_until(lambda: path.exists() and time.time() - path.stat().st_mtime > 1, "the engine rests")

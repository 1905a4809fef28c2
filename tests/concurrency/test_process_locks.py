"""The lock between processes of one machine: turns, dead and hanging holders, and directories that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_provider.astro.api import cancelling
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.settings import Settings
from astro_provider.astro.writing import locks
from astro_provider.errors import Cancelled, LockTimeout, SettingsError
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.single import Lifecycle
from astro_provider.messages import notices
from tests.support import writing_process
from tests.support.writers import ADMIN, READ, THREADS, WRITE, MakeWriter, Scene, in_background, make_change
from tests.support.writing_process import Order, failures_of

ROOT = Path(__file__).parents[2]

Spawn = Callable[[subprocess.Popen[str]], subprocess.Popen[str]]
Hold = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def ended_with_the_test() -> Iterator[Spawn]:
    """A keeper of processes that ends those which the test has left running."""
    with ExitStack() as started:

        def keep(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
            def end() -> None:
                process.kill()
                process.wait(10)
                if process.stdout:
                    process.stdout.close()

            started.callback(end)
            return process

        yield keep


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is told so soon, and may be told again in the next test."""
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.2)
    notices.forget()


@pytest.fixture
def hold(scene: Scene, tmp_path: Path, ended_with_the_test: Spawn) -> Hold:
    """A starter of processes that hold the lock of the scene's token."""

    def start() -> subprocess.Popen[str]:
        arguments = [str(tmp_path / "locks"), scene.astro.url, scene.astro.organization_id, scene.token_id]
        command = [sys.executable, "-m", "tests.support.lock_holder", *arguments]
        holder = ended_with_the_test(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        return holder

    return start


def _order(scene: Scene, lock_directory: Path, adds: list[str], removals: list[str]) -> Order:
    return Order(
        host=scene.astro.url,
        credential=scene.astro.store.add_credential(),
        lock_directory=str(lock_directory),
        organization_id=scene.astro.organization_id,
        token_id=scene.token_id,
        adds=adds,
        removals=removals,
    )


def _interrupted(scene: Scene) -> int:
    """How many writes had another process's write between themselves and the read that they were built from."""
    found = 0
    writes_since_read: dict[str, int] = {}
    for call in scene.astro.calls()["log"]:
        if call["operation"] == READ:
            writes_since_read[call["caller"]] = 0
        elif call["operation"] == WRITE:
            found += writes_since_read[call["caller"]] > 0
            writes_since_read = {
                caller: count + (caller != call["caller"]) for caller, count in writes_since_read.items()
            }
    return found


@pytest.mark.parametrize("machines", [1, 2])
def test_two_processes_that_write_one_token_lose_nothing_and_on_one_machine_take_turns(
    scene: Scene, tmp_path: Path, ended_with_the_test: Spawn, machines: int
) -> None:
    scene.astro.settings(latency_ms=30)
    adds, removals = scene.deployments(40), scene.deployments(20)
    for deployment in removals:
        scene.astro.store.bind(scene.token_id, deployment, ADMIN)
    directories = [tmp_path / "0", tmp_path / f"{machines - 1}"]

    started = [
        ended_with_the_test(writing_process.start(_order(scene, directory, adds[index::2], removals[index::2])))
        for index, directory in enumerate(directories)
    ]
    failed = [failures_of(process) for process in started]

    assert failed == [[], []]
    assert scene.ours == dict.fromkeys(adds, ADMIN)
    assert scene.foreign_now == scene.foreign
    assert len({call["caller"] for call in scene.astro.calls()["log"]}) == 2
    if machines == 1:
        assert _interrupted(scene) == 0


def test_a_holder_that_is_killed_blocks_nobody(scene: Scene, make_writer: MakeWriter, hold: Hold) -> None:
    [deployment] = scene.deployments(1)
    holder = hold()
    writer, _ = make_writer()

    waiting = in_background(lambda: make_change(writer, scene.add(deployment)))
    waiting.join(0.5)
    calls_while_held = scene.astro.calls()["total"]
    holder.kill()
    waiting.join(30)

    assert calls_while_held == 0
    assert scene.ours == {deployment: ADMIN}


@pytest.mark.usefixtures("little_patience")
def test_who_waits_is_told_so_and_goes_on_when_the_holder_lets_go(
    scene: Scene,
    make_writer: MakeWriter,
    hold: Hold,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    [deployment] = scene.deployments(1)
    holder = hold()
    writer, _ = make_writer()

    waiting = in_background(lambda: make_change(writer, scene.add(deployment)))
    told = ""
    while "waiting" not in told and waiting.is_alive():
        time.sleep(0.02)
        told += capfd.readouterr().err
    holder.kill()
    waiting.join(30)

    beginning = f"astro: note: waiting for another process on this machine that writes token {scene.token_id} ("
    assert told.startswith(f"{beginning}{tmp_path / 'locks'}/")
    assert told.endswith(".lock).\n")
    assert told.count("\n") == 1
    assert scene.ours == {deployment: ADMIN}


@pytest.mark.usefixtures("little_patience")
def test_a_holder_that_hangs_is_an_error_after_the_bound_and_nothing_is_written(
    scene: Scene,
    make_writer: MakeWriter,
    hold: Hold,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    [deployment] = scene.deployments(1)
    before = scene.roles
    hold()
    writer, _ = make_writer(timeout_seconds=1.0)

    with pytest.raises(LockTimeout) as raised:
        make_change(writer, scene.add(deployment))

    text = str(raised.value)
    assert text.startswith(
        f"Another process on this machine has been writing token {scene.token_id} for longer than timeoutSeconds, so "
        f"nothing was written. End the process that holds {tmp_path / 'locks'}/"
    )
    assert text.endswith(".lock (`fuser` prints it), and run again.")
    assert capfd.readouterr().err.startswith("astro: note: waiting for another process on this machine")
    assert scene.astro.calls()["total"] == 0
    assert scene.roles == before


def test_a_cancelled_run_waits_no_longer_for_a_lock(
    scene: Scene, make_writer: MakeWriter, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "_cancelled", threading.Event())  # of this test alone
    [deployment] = scene.deployments(1)
    hold()
    writer, _ = make_writer(timeout_seconds=1000.0)
    failed: list[str] = []

    def write() -> None:
        with pytest.raises(Cancelled) as raised:
            make_change(writer, scene.add(deployment))
        failed.append(str(raised.value))

    waiting = in_background(write)
    waiting.join(0.5)
    cancelling.cancel()
    waiting.join(60)

    [text] = failed
    assert text == (
        f"The run was cancelled while another process on this machine was writing token {scene.token_id}, so nothing was "
        "written. Run again."
    )
    assert scene.ours == {}


def test_who_comes_later_and_has_more_time_outlasts_the_holder_that_the_first_one_gave_up(
    scene: Scene, make_writer: MakeWriter, hold: Hold
) -> None:
    first, later = scene.deployments(2)
    holder = hold()
    writer, _ = make_writer(timeout_seconds=120.0)
    failed: list[str] = []

    def write_the_first() -> None:
        with operation(3.0), pytest.raises(LockTimeout) as raised:
            make_change(writer, scene.add(first))
        failed.append(str(raised.value))

    one = in_background(write_the_first)
    one.join(1.0)
    other = in_background(lambda: make_change(writer, scene.add(later)))
    one.join(60)
    holder.kill()
    other.join(60)

    assert len(failed) == 1
    assert scene.ours == {later: ADMIN}


def test_a_lock_of_one_token_holds_up_no_other(scene: Scene, make_writer: MakeWriter, hold: Hold) -> None:
    other = Scene(scene.astro, scene.astro.store.add_token("another", roles=scene.foreign), scene.foreign)
    [deployment] = scene.deployments(1)
    hold()
    writer, _ = make_writer()

    make_change(writer, other.add(deployment))

    assert other.ours == {deployment: ADMIN}


def _lifecycle(astro: Emulator, lock_directory: str | None = None) -> Lifecycle:
    known = SecretStr(astro.credential), astro.organization_id, astro.url
    return Lifecycle(
        Shared.of(Settings(*known, settle_seconds=0, lock_directory=lock_directory), operations_at_once=THREADS)
    )


def _properties(scene: Scene, deployment: str) -> dict[str, object]:
    return {
        "organization_id": scene.astro.organization_id,
        "deployment_id": deployment,
        "org_token_id": scene.token_id,
        "org_token_name": "nightly-loads",
        "role": ADMIN,
    }


def test_a_lock_directory_that_cannot_be_written_is_an_error_before_any_write(scene: Scene, tmp_path: Path) -> None:
    [deployment] = scene.deployments(1)
    regular_file = tmp_path / "file"
    regular_file.touch()
    directory = regular_file / "locks"
    lifecycle = _lifecycle(scene.astro, lock_directory=str(directory))

    with pytest.raises(SettingsError) as created:
        lifecycle.create(EngineCall(), _properties(scene, deployment))
    with pytest.raises(SettingsError) as deleted:
        lifecycle.delete(EngineCall(id=str(scene.binding(scene.foreign[1]["entityId"]))), {})

    assert (
        str(created.value)
        == str(deleted.value)
        == (
            f"The locks' directory {directory} cannot be written (Not a directory): set ASTRO_LOCK_DIR to one that can."
        )
    )
    assert scene.calls(WRITE) == 0
    assert scene.foreign_now == scene.foreign


def test_a_home_that_cannot_be_written_makes_way_for_the_temporary_directory(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [deployment] = scene.deployments(1)
    regular_file = tmp_path / "file"
    regular_file.touch()
    monkeypatch.setenv("HOME", str(regular_file / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(regular_file / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    _lifecycle(scene.astro).create(EngineCall(), _properties(scene, deployment))

    assert scene.ours == {deployment: ADMIN}
    directory = tmp_path / f"astro-provider-locks-{os.getuid()}"
    assert [path.suffix for path in directory.iterdir()] == [".lock"]


def test_without_a_setting_the_locks_stand_in_the_users_cache(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [deployment] = scene.deployments(1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    _lifecycle(scene.astro).create(EngineCall(), _properties(scene, deployment))

    assert scene.ours == {deployment: ADMIN}
    assert [path.suffix for path in (tmp_path / "astro-provider" / "locks").iterdir()] == [".lock"]

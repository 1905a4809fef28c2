"""Ctrl-C while the service hangs, and an engine that is killed: the run ends soon, and the next one makes it whole."""

from __future__ import annotations

import httpx
import psutil

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY, STAGING
from tests.support.engine_process import wait_until
from tests.support.writes import writes
from tests.support.yaml_project import IN_PROJECT, PLUGIN, YamlProject, binding

RESOURCES = {"metrics": binding("observability", "etl-staging")}
UP = ("up", "--yes", "--skip-preview")
LATE_MILLISECONDS = 2_000
HANGS_MILLISECONDS = 100_000
LONGEST_END_SECONDS = 25.0  # the call itself is given up after 30


def _faults(astro: Emulator) -> list[object]:
    """The faults that have not struck yet."""
    shown: list[object] = httpx.get(f"{astro.url}/_emulator/faults").json()
    return shown


def _plugins_below(directory: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words, environ = process.info["cmdline"] or [], process.info["environ"] or {}
        if any(PLUGIN in word for word in words) and environ.get("ASTRO_LOCK_DIR", "").startswith(directory):
            found.append(process)
    return found


def test_a_read_that_hangs_ends_soon_and_the_next_update_makes_it_whole(project: YamlProject, astro: Emulator) -> None:
    project.write(RESOURCES)
    astro.fault(kind="delay", operation="GetApiToken", times=1, delay_ms=HANGS_MILLISECONDS)

    with project.running(*UP) as update:
        wait_until(lambda: _faults(astro) == [], "a read is under way")
        update.interrupt()
        interrupted = update.outcome(LONGEST_END_SECONDS)
    left = _plugins_below(str(project.directory))
    nothing_yet = writes(astro)
    again = project.up()

    assert interrupted.failed
    assert any("The run was cancelled" in problem for problem in interrupted.problems), interrupted.text
    assert "Traceback" not in interrupted.text
    assert left == []
    assert nothing_yet == 0
    assert not again.failed, again.text
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    assert set(project.resources()) == {"metrics"}


def test_a_write_that_is_under_way_is_waited_for_and_the_state_tells_it(project: YamlProject, astro: Emulator) -> None:
    project.write(RESOURCES)
    astro.fault(kind="delay", operation="UpdateApiTokenRoles", times=1, delay_ms=LATE_MILLISECONDS)

    with project.running(*UP) as update:
        wait_until(lambda: _faults(astro) == [], "the write is under way")
        update.interrupt()
        interrupted = update.outcome()
    left = _plugins_below(str(project.directory))
    role = astro.store.deployment_role(OBSERVABILITY, STAGING)
    stored = project.resources()
    destroyed = project.destroy()

    assert interrupted.failed
    assert left == []
    assert role == "DEPLOYMENT_ACCESSOR"
    assert {name: one["outputs"]["role"] for name, one in stored.items()} == {"metrics": role}
    assert not destroyed.failed, destroyed.text
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None


def test_a_provider_whose_engine_was_killed_ends_with_its_write_and_the_next_update_goes_on(
    project: YamlProject, astro: Emulator
) -> None:
    project.write(RESOURCES, IN_PROJECT)  # an interpreter whose parent is the engine
    astro.fault(kind="delay", operation="UpdateApiTokenRoles", times=1, delay_ms=LATE_MILLISECONDS)

    with project.running(*UP) as update:
        wait_until(lambda: _faults(astro) == [], "the write is under way")
        update.end()
    wait_until(lambda: _plugins_below(str(project.directory)) == [], "the provider has ended")
    role = astro.store.deployment_role(OBSERVABILITY, STAGING)
    project.pulumi("cancel", "--yes")
    again = project.up()

    assert role == "DEPLOYMENT_ACCESSOR"
    assert not again.failed, again.text
    assert set(project.resources()) == {"metrics"}
    assert writes(astro) == 1

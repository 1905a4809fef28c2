"""The ways in which `list` ends before it has said everything, and what a terminal sees meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from astro_emulator import Emulator
from tests.cli.conftest import ORDERS
from tests.support.shell import COMMAND, environment, run_in_terminal


@pytest.fixture
def many_deployments(organization: Emulator) -> Emulator:
    """Enough of them that reading takes as many calls as a progress bar is shown for."""
    for number in range(20):
        deployment_id = organization.store.add_deployment(f"deployment-{number:02}")
        organization.store.bind(organization.store.add_token(f"token-{number:02}"), deployment_id, "DEPLOYMENT_ADMIN")
    return organization


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_a_reader_that_has_gone_ends_it_quietly(organization: Emulator, output: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)

    ended = subprocess.run(
        [COMMAND, "list", "--deployment-id", ORDERS, "--output", output],
        env=environment(organization),
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)

    assert (ended.returncode, ended.stderr) == (141, b"")


def test_head_takes_what_it_wants(astro: Emulator) -> None:
    deployment_id = astro.store.add_deployment("big")
    for number in range(1000):
        astro.store.bind(astro.store.add_token(f"token-{number:04}"), deployment_id, "DEPLOYMENT_ADMIN")

    ended = subprocess.run(
        ["bash", "-c", '"$0" list --deployment-id "$1" | head -n 1', COMMAND, deployment_id],
        env=environment(astro),
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.startswith("TOKEN ")
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


@pytest.fixture
def with_ctrl_c() -> Iterator[None]:
    """Ctrl-C means something to the processes that are started here, also if a shell has these tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("with_ctrl_c")
def test_ctrl_c_ends_it_at_once_and_quietly_while_calls_are_in_flight(many_deployments: Emulator) -> None:
    many_deployments.fault(operation="ListApiTokens", kind="delay", delay_ms=600_000, skip=12)

    start = time.monotonic()
    ended = run_in_terminal(
        many_deployments, "list", "--all-deployments", "--output", "json", interrupt_at="11/22", only_stderr=True
    )

    assert (ended.status, ended.out) == (130, "")
    assert time.monotonic() - start < 60
    assert "Traceback" not in ended.screen
    assert "Error" not in ended.screen
    assert ended.screen.rindex("\x1b[?25h") > ended.screen.rindex("\x1b[?25l")


def test_a_terminal_sees_a_bar_on_standard_error_that_leaves_nothing_behind(many_deployments: Emulator) -> None:
    many_deployments.settings(latency_ms=60)

    ended = run_in_terminal(many_deployments, "list", "--all-deployments", "--output", "json", only_stderr=True)

    assert ended.status == 0
    assert len(json.loads(ended.out)) == 24
    assert "Reading assignments" in ended.screen
    assert "22/22 calls" in ended.screen_text
    assert ended.screen.endswith("\x1b[2K")


def test_a_bar_has_no_colour_where_none_is_wanted(many_deployments: Emulator) -> None:
    many_deployments.settings(latency_ms=60)

    ended = run_in_terminal(many_deployments, "list", "--all-deployments", only_stderr=True, NO_COLOR="1")

    assert "22/22 calls" in ended.screen
    assert "m" not in {sequence[-1] for sequence in ended.control_sequences}


def test_few_calls_show_no_bar(organization: Emulator) -> None:
    ended = run_in_terminal(organization, "list", "--all-deployments", only_stderr=True)

    assert (ended.status, ended.screen) == (0, "")

"""The executable of `forked_python` does what an interpreter does."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.engine_process import wait_until
from tests.support.forked_python import forked_python
from tests.support.stack import PYTHON_PATH

LONGEST_SECONDS = 60.0
ENVIRONMENT = {**os.environ, "PYTHONPATH": PYTHON_PATH}


@pytest.fixture
def python() -> Path:
    return forked_python(PYTHON_PATH)


def _serving(python: Path) -> tuple[subprocess.Popen[str], int]:
    command = [str(python), "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    port = re.search(r"port (\d+)", process.stdout.readline())
    assert port is not None
    return process, int(port[1])


def _is_served(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("text", ["{}", "{"])
def test_a_module_gets_its_streams_and_its_status_is_handed_back(python: Path, text: str) -> None:
    expected, ended = (
        subprocess.run(
            [one, "-u", "-m", "json.tool"], input=text, capture_output=True, text=True, check=False, env=ENVIRONMENT
        )
        for one in (sys.executable, python)
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_a_fork_ends_when_its_executable_is_killed(python: Path) -> None:
    process, port = _serving(python)
    assert _is_served(port)

    process.kill()

    process.communicate(timeout=LONGEST_SECONDS)
    wait_until(lambda: not _is_served(port), "the fork has ended")


def test_a_fork_gets_the_signals_of_its_executable(python: Path) -> None:
    process, port = _serving(python)
    with urlopen(f"http://127.0.0.1:{port}/") as _:  # it serves
        pass

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=LONGEST_SECONDS)

    assert "Keyboard interrupt received, exiting." in out
    assert process.returncode == 0


def test_other_settings_get_a_new_interpreter(python: Path) -> None:
    command = [str(python), "-m", "timeit", "-n1", "-r1", "print('asserts:', __debug__)"]

    ended = subprocess.run(
        command, env={**ENVIRONMENT, "PYTHONOPTIMIZE": "1"}, capture_output=True, text=True, check=True
    )

    assert "asserts: False" in ended.stdout

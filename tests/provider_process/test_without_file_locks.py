"""A system without `fcntl`, such as Windows: both providers and `doctor` report it in one sentence and write nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.support.provider_process import provider_process
from tests.support.shell import run_process
from tests.support.writes import writes

SENTENCE = (
    f"pulumi-astro-provider runs on Linux and macOS, and this system ({sys.platform}) lacks the file locks (fcntl) that its "
    "writes take: run pulumi in WSL, in a container or on a CI runner with Linux."
)


@pytest.fixture
def without_fcntl(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment of a process in which `import fcntl` fails."""
    (tmp_path / "fcntl.py").write_text("raise ImportError('No module named fcntl')\n")
    return {**environment, "PYTHONPATH": f"{tmp_path}:{environment.get('PYTHONPATH', '')}"}


def test_the_dynamic_provider_reports_it(
    without_fcntl: dict[str, str], wanted: dict[str, str], astro: Emulator
) -> None:
    with provider_process(without_fcntl) as process:
        checked = process.check(wanted)

    assert [reason for _, reason in checked.failures] == [SENTENCE]
    assert writes(astro) == 0


def test_the_native_provider_reports_it_and_ends(without_fcntl: dict[str, str]) -> None:
    command = Path(sys.executable).with_name("pulumi-resource-astro")

    ended = subprocess.run([command, "127.0.0.1:1"], env=without_fcntl, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == f"{SENTENCE}\n"


def test_doctor_reports_it_and_looks_at_everything_else(without_fcntl: dict[str, str], astro: Emulator) -> None:
    ending = run_process(astro, "doctor", PYTHONPATH=without_fcntl["PYTHONPATH"])

    assert ending.status == 1
    assert f"lock directory  {SENTENCE}" in ending.out
    assert "Traceback" not in ending.out + ending.err
    assert "✓ credential" in ending.out

"""The demo as a user starts it: a process of its own, whose temporary files and children are looked for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from tests.support.engine_process import wait_until
from tests.support.forked_python import forked_python
from tests.support.stack import PYTHON_PATH

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "01-quickstart"
TIMEOUT_SECONDS = 300  # four tests share two cores


def _start(temporary: Path, *command: str, python: str | Path = sys.executable) -> subprocess.Popen[str]:
    temporary.mkdir()
    return subprocess.Popen(
        [python, *command],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": PYTHON_PATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _in_order(expected: Sequence[str], text: str) -> list[str]:
    """Those of the expected texts that do not come after the one before them."""
    missing, position = [], 0
    for one in expected:
        found = text.find(one, position)
        if found < 0:
            missing.append(one)
        position = max(position, found)
    return missing


@pytest.mark.usefixtures("engine")
def test_the_demo_shows_every_step_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = _start(tmp_path / "tmp", "-m", "tools.demo", python=forked_python(PYTHON_PATH))

    output, _ = process.communicate(timeout=TIMEOUT_SECONDS)

    told = [
        "1. What would happen",
        'org_token_name : "observability"',
        "+ 3 to create",
        "✓ Checked in Astro: the preview has written nothing.",
        "2. It happens",
        "+ 3 created",
        "3. The assignments, as Astro has them now",
        "clo8g1x4m000f08l6t9c3z6vl  observability  etl-production  DEPLOYMENT_ACCESSOR",
        "clo8g1x4m000f08l6t9c3z6vl  observability  etl-staging     DEPLOYMENT_ACCESSOR",
        "4. Another role for a token",
        '~ role: "DEPLOYMENT_ACCESSOR" => "DEPLOYMENT_ADMIN"',
        "and what a reviewer of the pull request sees",
        "Tokens: 1 changes a role.",
        "✓ Checked: the review shows this change of access and no other.",
        "~ 1 updated",
        "5. Two changes outside Pulumi",
        '~ role: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"',
        "✓ Checked in Astro: both bindings are as the program asks.",
        "6. All taken away",
        "- 3 deleted",
        "✓ Checked in Astro: both bindings are gone, every other role is as it was.",
        "7. Many roles as one resource",
        "+ 2 created",
        "✓ Checked in Astro: three roles are there, every other role is as it was.",
        "8. No other token",
        '+ airflow-1-migration: "DEPLOYMENT_ADMIN"',
        "Tokens: 1 loses a role.",
        "✓ Checked in Astro: that role is gone, every other role is as it was.",
        "- 2 deleted",
        "Shown with the real engine",
    ]
    assert process.returncode == 0, output
    assert _in_order(told, output) == []
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("engine")
def test_the_demo_fails_where_the_program_does_less_than_told(tmp_path: Path) -> None:
    example = tmp_path / "example"
    shutil.copytree(EXAMPLE, example)
    program = example / "__main__.py"
    program.write_text(program.read_text().replace('("bindings") or []', '("bindings")[:1]'))
    run_with_it = f"""
import sys
from pathlib import Path
from tools.demo import stage
stage.EXAMPLE = Path({str(example)!r})
from tools.demo.__main__ import main
sys.exit(main())
"""

    script = tmp_path / "run_with_it.py"
    script.write_text(run_with_it)
    process = _start(tmp_path / "tmp", str(script), python=forked_python(PYTHON_PATH))
    output, _ = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 1, output
    assert "The demo failed. Expected: preview counts {'create': 3}. Found: {'create': 2}." in output
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("number", "meanwhile"), [(signal.SIGINT, "creating (0s)"), (signal.SIGTERM, "1. What would happen")]
)
def test_an_interrupted_demo_leaves_neither_processes_nor_files(
    tmp_path: Path, number: signal.Signals, meanwhile: str
) -> None:
    process = _start(tmp_path / "tmp", "-m", "tools.demo")
    assert process.stdout is not None
    while meanwhile not in process.stdout.readline():
        assert process.poll() is None
    wait_until(lambda: bool(psutil.Process(process.pid).children()), "the engine has begun")
    started = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(number)
    output, _ = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 130, output
    assert "The demo was ended early; nothing of it is left." in output
    assert len(started) >= 1
    assert psutil.wait_procs(started, timeout=5)[1] == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_demo_without_an_engine_says_how_to_get_one(tmp_path: Path) -> None:
    run_without = """
import sys
from tools.demo import __main__ as demo
from tools.engine.install import NoEngine
def find_none():
    raise NoEngine("No Pulumi engine. Install one.")
demo.find_engine = find_none
sys.exit(demo.main())
"""

    process = _start(tmp_path / "tmp", "-c", run_without)
    output, _ = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 1
    assert output == "No Pulumi engine. Install one.\n"

"""The wheel, built once for each session, and a virtual environment of its own that holds it and nothing of the checkout.

`WHEEL` in the environment names one that is built already (`make test-wheel`, before it is published). What the wheel
depends on is downloaded once, with the hashes of requirements/wheel.txt, into pytest's cache; after that the tests here
need no network. The wheel is installed from there by what it *declares*, so a dependency that it forgets is missing. It
is installed by uv, because pip takes ten times as long; tests/templates installs with pip, as the kit does.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
PINS = ROOT / "requirements" / "wheel.txt"
UV = Path(sys.executable).with_name("uv")
# Nothing of the checkout, and nothing that the developer has set for Astro or Python, reaches the environment.
FOREIGN = ("ASTRO_", "PULUMI_", "PYTHON", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel with its extra.

    Attributes:
        wheel: the built file.
        directory: the environment.
        wheels: where what the wheel depends on is kept, as wheels.
    """

    wheel: Path
    directory: Path
    wheels: Path

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.directory / "bin" / "astro-provider"

    @property
    def site_packages(self) -> Path:
        [found] = self.directory.glob("lib/python3*/site-packages")
        return found

    def run(self, *arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, away from the checkout."""
        return subprocess.run(
            [str(argument) for argument in arguments],
            cwd=cwd,
            env=clean_environment() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead back to the checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Installed:
    """The wheel in its environment, made by the first worker that asks."""
    shared = tmp_path_factory.getbasetemp().parent if os.environ.get("PYTEST_XDIST_WORKER") else None
    directory = (shared or tmp_path_factory.getbasetemp()) / "installed-wheel"
    wheels = _kept_wheels(pytestconfig)
    with FileLock(f"{directory}.lock"):
        if not (directory / "done").exists():
            wanted = os.environ.get("WHEEL") or ROOT
            _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", directory / "dist", wanted)
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory / "venv"], check=True)
            [wheel] = (directory / "dist").iterdir()
            command = [UV, "pip", "install", "--python", directory / "venv" / "bin" / "python", f"{wheel}[emulator]"]
            _succeed([*command, "--no-index", "--find-links", wheels, "--cache-dir", directory / "cache"])
            (directory / "done").touch()
        [wheel] = (directory / "dist").iterdir()
        return Installed(wheel, directory / "venv", wheels)


def _kept_wheels(pytestconfig: pytest.Config) -> Path:
    digest = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir(f"wheels-{digest}")
    with FileLock(kept / "lock"):
        if not (kept / "whole").exists():
            _pip("download", "--require-hashes", "--only-binary", ":all:", "--dest", kept, "--requirement", PINS)
            (kept / "whole").touch()
    return kept


def _pip(*arguments: object) -> None:
    _succeed([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments])


def _succeed(command: Sequence[object]) -> None:
    ended = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr

"""Runs Python as another user of this machine, also as one that no list of users knows.

Only root may become somebody else. The interpreter may stand in root's home, so the new user may still read and search
everywhere (CAP_DAC_READ_SEARCH), but may write only where it is allowed to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

NOBODY = 65534
UNKNOWN = 54321  # no list of users has it
ROOT = Path(__file__).parents[2]

only_root = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root may become another user, with setpriv"
)


def open_to_all(directory: Path) -> Path:
    """Let everybody enter pytest's directory, and write it as everybody may write /tmp."""
    for path in directory.parents[:3]:
        path.chmod(path.stat().st_mode | 0o711)
    directory.chmod(0o1777)
    return directory


def command_as(uid: int, *arguments: str) -> list[str]:
    """The command line that runs Python with these arguments as that user."""
    may_read = [
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=+dac_read_search",
        "--bounding-set=-all,+dac_read_search",
    ]
    return [
        *("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *may_read),
        *(sys.executable, *arguments),
    ]


def run_as(uid: int, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python to its end as that user, who may be the present one, with no other variables than these."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments] if uid == os.getuid() else command_as(uid, *arguments),
        env={**bare, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

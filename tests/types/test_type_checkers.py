"""What pyright makes of the programs here; what mypy makes of it shows in `make lint`, which is strict about every file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("file", "refusals"), [("programs.py", 20), ("native_programs.py", 5)])
def test_pyright_refuses_what_mypy_refuses_and_nothing_else(tmp_path: Path, file: str, refusals: int) -> None:
    programs = Path(__file__).with_name(file)
    project = {
        "enableTypeIgnoreComments": False,  # they mark the lines that must be refused
        "typeCheckingMode": "standard",
    }
    shutil.copy(programs, tmp_path)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(project))
    pyright = [sys.executable, "-m", "pyright", "--project", str(tmp_path), "--pythonpath", sys.executable]
    lines = programs.read_text().splitlines()
    expected = {line for line in lines if "# type: ignore" in line}

    answer = subprocess.run([*pyright, "--outputjson"], capture_output=True, text=True, check=False)

    told = json.loads(answer.stdout)
    assert told["summary"]["filesAnalyzed"] == 1
    refused = {lines[one["range"]["start"]["line"]] for one in told["generalDiagnostics"] if one["severity"] == "error"}
    assert expected == refused
    assert len(expected) >= refusals

"""Every piece of code of docs/testing.md, as the files that it names, run as a user would."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from pulumi.automation import PulumiCommand

from tests.support.forked_python import forked_python
from tests.support.stack import PYTHON_PATH, UNSET

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"


def test_the_tests_on_the_page_pass_and_fail_where_the_program_is_wrong(engine: PulumiCommand, tmp_path: Path) -> None:
    files = dict(re.findall(r"<!-- (\w+\.py)[^>]*-->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
    for name, code in files.items():
        (tmp_path / name).write_text(code)
    python = forked_python(PYTHON_PATH)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in {*UNSET, "PYTEST_ADDOPTS"}},
        "PATH": f"{Path(engine.command).parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_PYTHON_CMD": str(python),
        "PYTHONPATH": PYTHON_PATH,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "ASTRO_LOCK_DIR": str(tmp_path / "locks"),
    }
    pytest = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]

    right = subprocess.run(pytest, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    (tmp_path / "access.py").write_text(files["access.py"].replace("DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"))
    wrong = subprocess.run(pytest, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert {"access.py", "conftest.py", "test_access.py", "test_access_on_the_emulator.py"} == set(files)
    assert PAGE.read_text().count("```python") == len(files)
    assert right.returncode == 0, right.stdout
    assert "3 passed" in right.stdout
    assert "2 failed, 1 passed" in wrong.stdout

"""The executable policy pack of docs/rules.md."""

from __future__ import annotations

from pathlib import Path

from tests.support.forked_python import forked_python
from tests.support.stack import PYTHON_PATH


def policy_pack(directory: Path, rules: str) -> Path:
    """Write a pack with these rules below a directory, and return its executable."""
    folder = directory / "policy"
    folder.mkdir()
    (folder / "access.toml").write_text(rules)
    (folder / "pack.py").write_text(
        "from pathlib import Path\n\nfrom astro_provider.policy import serve\n\n"
        'serve(Path(__file__).with_name("access.toml"))\n'
    )
    executable = folder / "run"
    executable.write_text(
        f'#!/bin/sh\nexec {forked_python(PYTHON_PATH)} -u -m pulumi.policy "$1" "$(dirname "$0")/pack.py"\n'
    )
    executable.chmod(0o755)
    return executable

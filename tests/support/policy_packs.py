"""The executable policy pack of docs/rules.md."""

from __future__ import annotations

import sys
from pathlib import Path


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
    executable.write_text(f'#!/bin/sh\nexec {sys.executable} -u -m pulumi.policy "$1" "$(dirname "$0")/pack.py"\n')
    executable.chmod(0o755)
    return executable

"""Another organization, with a service and a credential of its own: one token, one deployment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astro_emulator import Emulator

ORGANIZATION = """
organization: {name: Little Air}
people: [{fullName: Ada Byron, username: ada@example.com}]
workspaces: [{name: Data}]
deployments: [{name: orders, workspace: Data}]
tokens:
  - {name: owner, createdBy: Ada Byron, roles: [{role: ORGANIZATION_OWNER}]}
  - {name: ci, createdBy: owner}
credentials: {update: owner}
"""


@contextmanager
def running_little_air(directory: Path) -> Iterator[Emulator]:
    """Run it, from a seed file that is written into the directory."""
    seed = directory / "seed.yaml"
    seed.write_text(ORGANIZATION)
    with Emulator.running(seed=seed) as emulator:
        yield emulator

"""What all tests share: a running Astro, and the real Pulumi engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pulumi.automation import PulumiCommand

from astro_provider.emulator import Emulator
from tools.engine.install import find_engine


@pytest.fixture(scope="session")
def engine() -> PulumiCommand:
    """The engine that `make` found or built; a missing one is an error, never a skipped test."""
    return find_engine()


@pytest.fixture
def astro() -> Iterator[Emulator]:
    """An Astro of one test's own, on a real socket."""
    with Emulator.running() as emulator:
        yield emulator

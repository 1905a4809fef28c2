"""What all tests share: a running Astro, the real Pulumi engine, a stack on it, and a token to bind.

A directory's conftest.py replaces what its tests need otherwise.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.stack import Stack, led_to
from tools.engine.install import find_engine

# A machine may forbid files of bytecode. Each process of the tests would compile every module anew, at twice the time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The tests there start whole pipelines, demos and crowds of processes. Begun last, they would keep one core busy alone.
LONGEST_FIRST = ("walk", "templates", "examples", "concurrency", "yaml", "writing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders of the longest tests; the order within a folder stays."""
    items.sort(key=lambda item: item.path.relative_to(Path(__file__).parent).parts[0] not in LONGEST_FIRST)


@pytest.fixture(scope="session")
def engine() -> PulumiCommand:
    """The engine that `make` found or built; a missing one is an error, never a skipped test."""
    return find_engine()


@pytest.fixture
def astro() -> Iterator[Emulator]:
    """An Astro of one test's own, on a real socket."""
    with Emulator.running() as emulator:
        yield emulator


@pytest.fixture
def stack(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> Stack:
    """A stack of the real engine, new and without a program, whose provider is led to the Astro."""
    return Stack(engine, tmp_path, led_to(astro))


@pytest.fixture
def token_id(astro: Emulator) -> str:
    """A token that holds nothing."""
    return astro.store.add_token("nightly-loads", description="Loads what came in over night")


@pytest.fixture
def deployment_id(astro: Emulator) -> str:
    """A deployment in which no token holds anything."""
    return astro.store.add_deployment("orders")


@pytest.fixture
def wanted(deployment_id: str, token_id: str) -> dict[str, Any]:
    """The arguments of a binding that can be made: the token is there, and has the name."""
    assert token_id
    return {"deployment_id": deployment_id, "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}

"""The fixtures of `tests/support`, and processes that run the real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pulumi.automation import PulumiCommand

from tests.support.clients import short_pauses
from tests.support.engine_process import EngineProcess, Run, engine_processes
from tests.support.writers import make_writer, no_pace, scene

__all__ = ["make_writer", "no_pace", "scene", "short_pauses"]


@pytest.fixture
def start_engine(engine: PulumiCommand) -> Iterator[Callable[[Run], EngineProcess]]:
    """A starter of processes that run a command of the engine; none outlives the test."""
    assert engine.command
    with engine_processes() as start:
        yield start

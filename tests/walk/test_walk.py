"""Walks that every run of the tests takes: one by each door, always the same. `make fuzz` takes new ones."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from tests.walk.doors import Door
from tests.walk.steps import Command, read
from tests.walk.walking import go

REPLAYS = Path(__file__).parent / "replays"


@pytest.mark.parametrize("door", Door)
def test_no_sequence_of_commands_tells_a_lie(engine: PulumiCommand, door: Door) -> None:
    steps = read((REPLAYS / f"{door}.json").read_text())

    walked = go(engine, steps, until=math.inf, door=door)

    assert walked.failure is None, f"{walked.failure}\n{walked.failure.text}"
    assert walked.commands == sum(isinstance(step, Command) for step in steps)

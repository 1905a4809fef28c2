"""Walks: takes one step after the other and stops at the first that is not as it has to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pulumi.automation import PulumiCommand

from tests.walk.doors import Door
from tests.walk.model import expect, possible
from tests.walk.steps import Command, Step, written_down
from tests.walk.verdicts import complaints
from tests.walk.world import World

Watch = Callable[[str], None]


def silent(_line: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Failure:
    """A walk whose last step was not as it has to be.

    Attributes:
        steps: all steps up to that one.
        complaints: what was not as it has to be, a sentence each.
        text: what the engine printed at that step.
        door: by which resources it went.
    """

    steps: Sequence[Step]
    complaints: Sequence[str]
    text: str
    door: Door

    def __str__(self) -> str:
        lines = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([*lines, *(f"=> {complaint}" for complaint in self.complaints)])

    @property
    def as_json(self) -> str:
        """The steps, as `--replay` takes them."""
        return written_down(self.steps)


@dataclass
class Walked:
    """How far a walk went: commands that were run, and how many of them ended with an error."""

    commands: int = 0
    errors: int = 0
    failure: Failure | None = None


def go(
    engine: PulumiCommand, steps: Iterable[Step], *, until: float, door: Door = Door.DYNAMIC, watch: Watch = silent
) -> Walked:
    """Take steps until one is not as it has to be, none is left, or the monotonic clock shows `until`.

    Args:
        engine: the `pulumi` command.
        steps: what to do.
        until: no step begins after that.
        door: by which resources.
        watch: is told each step before it is taken.
    """
    walked, taken = Walked(), []
    with World.made(engine, door) as world:
        for step in steps:
            if time.monotonic() > until:
                break
            taken.append(step)
            if not isinstance(step, Command):
                watch(str(step))
                world.change(step)
                continue
            before = world.snapshot()
            command = possible(step, before)
            if command is None:
                taken.pop()
                continue
            taken[-1] = command
            watch(str(command))
            outcome = world.run(command)
            walked.commands += 1
            walked.errors += outcome.failed
            found = list(complaints(command, expect(command, before), before, outcome, world.snapshot()))
            if outcome.failed:
                watch(f"   ended with an error: {' '.join(outcome.errors or outcome.problems)[:200]}")
            if found:
                walked.failure = Failure(taken, found, outcome.text, door)
                break
    return walked

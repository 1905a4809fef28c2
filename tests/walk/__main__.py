"""`python -m tests.walk --seconds N [--seed S] [--steps K] [--door D]`: walks, and shortens what fails.

An earlier version of the package is walked in a checkout of it, with `tests`, `tools` and `astro_emulator` of this one in the
place of its own, and in an environment with its requirements.
"""

from __future__ import annotations

import itertools
import secrets
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tests.walk.doors import Door
from tests.walk.draw import walk
from tests.walk.shrinking import shrink
from tests.walk.steps import read
from tests.walk.walking import Failure, go
from tools.engine.install import find_engine

STEPS_OF_A_WALK = 40  # then a new one begins, with a new seed: long walks drift into few states


def main(  # noqa: PLR0913  options
    *,
    seconds: Annotated[float, typer.Option(help="How long to walk.")] = 60.0,
    seed: Annotated[int | None, typer.Option(help="The first seed; a random one unless given.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of a walk; then the next seed begins.")] = STEPS_OF_A_WALK,
    shorten: Annotated[float, typer.Option(help="How many seconds to spend on making a failing walk shorter.")] = 300.0,
    replay: Annotated[Path | None, typer.Option(help="A file of steps to take instead.")] = None,
    door: Annotated[Door | None, typer.Option(help="By which resources; otherwise the seed's remainder tells.")] = None,
) -> None:
    """Walk at random through programs, commands, hand edits and faults, and stop at the first lie."""
    engine = find_engine()
    started = time.monotonic()
    until = started + seconds
    if replay is not None:
        failure = go(engine, read(replay.read_text()), until=until, door=door or Door.DYNAMIC, watch=_say).failure
        _end_with(failure and shrink(engine, failure, until=time.monotonic() + shorten, watch=_say), "replayed")
        return
    first = secrets.randbelow(10**6) if seed is None else seed
    commands = errors = 0
    for number in itertools.count(first):
        by = door or tuple(Door)[number % len(Door)]
        _say(f"seed {number}, {by}")
        walked = go(engine, itertools.islice(walk(number, by), steps), until=until, door=by, watch=_say)
        commands, errors = commands + walked.commands, errors + walked.errors
        passed = time.monotonic() - started
        if walked.failure is not None:
            _say(f"seed {number} failed after {passed:.0f} s and {commands} commands:\n{walked.failure}")
            failure = shrink(engine, walked.failure, until=time.monotonic() + shorten, watch=_say)
            _end_with(failure, f"seed {number}")
        if time.monotonic() > until:
            _say(f"{commands} commands in {passed:.0f} s, {errors} of them ended with an error, and none with a lie")
            return


def _end_with(failure: Failure | None, what: str) -> None:
    if failure is None:
        return
    _say(f"{failure.text}\n\n{what}, as short as it became:\n{failure}\n")
    _say(f"The steps, for --replay FILE --door {failure.door}:\n{failure.as_json}")
    sys.exit(1)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command talks to its terminal


if __name__ == "__main__":
    typer.run(main)

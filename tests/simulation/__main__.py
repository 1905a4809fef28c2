"""`python -m tests.simulation`: plays `--runs` runs from number `--seed` on all cores, and prints each that loses something.

With `--in-step`, each run is one of two or three processes that make 60 changes each at the same pace.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from tests.simulation.runs import CROWD, WIDE, pick_in_step, pick_plan, unforgivable

RUNS_OF_A_TASK = 500


def main(
    *,
    runs: Annotated[int, typer.Option(help="How many runs to play.")] = 1_000_000,
    seed: Annotated[int | None, typer.Option(help="The number of the first run; a random one unless given.")] = None,
    in_step: Annotated[bool, typer.Option(help="Processes that write many times at the same pace.")] = False,
) -> None:
    """Play runs of several writers, careless ones, faults and kills; end with 1 if a change is lost."""
    first = secrets.randbelow(10**9) if seed is None else seed
    started = time.monotonic()
    tasks = [range(at, min(at + RUNS_OF_A_TASK, first + runs)) for at in range(first, first + runs, RUNS_OF_A_TASK)]
    with ProcessPoolExecutor() as pool:
        found = [text for texts in pool.map(partial(_play_all, in_step=in_step), tasks) for text in texts]
    seconds = time.monotonic() - started
    for text in found:
        _say(text)
    _say(f"{runs} runs from number {first} on {os.cpu_count()} cores in {seconds:.0f} s, {len(found)} with a loss")
    sys.exit(1 if found else 0)


def _play_all(numbers: Sequence[int], *, in_step: bool) -> list[str]:
    return [f"run {number}: {problems}" for number in numbers if (problems := _play(number, in_step=in_step))]


def _play(number: int, *, in_step: bool) -> list[str]:
    """Play the run of a number: wide and crowded ones in turn, each of them also with a service that moves `updatedAt`."""
    pick = random.Random(number).choice
    plan = pick_in_step(pick) if in_step else pick_plan(pick, CROWD if number % 2 else WIDE)
    return unforgivable(replace(plan, moves_updated_at=number % 4 >= 2))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command talks to its terminal


if __name__ == "__main__":
    typer.run(main)

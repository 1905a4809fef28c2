"""`python -m tests.simulation --runs N [--seed S]`: plays N runs on all cores, and prints each that loses something."""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Annotated

import typer

from tests.simulation.runs import CROWD, WIDE, pick_plan, unforgivable

RUNS_OF_A_TASK = 1000


def main(
    *,
    runs: Annotated[int, typer.Option(help="How many runs to play.")] = 1_000_000,
    seed: Annotated[int | None, typer.Option(help="The number of the first run; a random one unless given.")] = None,
) -> None:
    """Play runs of several writers, careless ones, faults and kills; end with 1 if a change is lost."""
    first = secrets.randbelow(10**9) if seed is None else seed
    started = time.monotonic()
    tasks = [range(at, min(at + RUNS_OF_A_TASK, first + runs)) for at in range(first, first + runs, RUNS_OF_A_TASK)]
    with ProcessPoolExecutor() as pool:
        found = [text for texts in pool.map(_play_all, tasks) for text in texts]
    seconds = time.monotonic() - started
    for text in found:
        _say(text)
    _say(f"{runs} runs from number {first} on {os.cpu_count()} cores in {seconds:.0f} s, {len(found)} with a loss")
    sys.exit(1 if found else 0)


def _play_all(numbers: Sequence[int]) -> list[str]:
    return [f"run {number}: {problems}" for number in numbers if (problems := _play(number))]


def _play(number: int) -> list[str]:
    """Play the run of a number: wide and crowded ones in turn, each of them also with a service that moves `updatedAt`."""
    plan = pick_plan(random.Random(number).choice, CROWD if number % 2 else WIDE)
    return unforgivable(replace(plan, moves_updated_at=number % 4 >= 2))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command talks to its terminal


if __name__ == "__main__":
    typer.run(main)

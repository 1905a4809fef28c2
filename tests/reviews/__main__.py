"""`python -m tests.reviews --seconds N [--seed S]`: compares reviews with what updates do, until one is not as it says."""

from __future__ import annotations

import itertools
import secrets
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from astro_emulator import Emulator
from tests.reviews.comparing import World
from tests.reviews.programs import Rounds
from tools.engine.install import find_engine

ROUNDS = 12  # of a seed


def main(
    *,
    seconds: Annotated[float, typer.Option(help="How long to go on.")] = 60.0,
    seed: Annotated[int | None, typer.Option(help="The first seed; a random one unless given.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds of a seed; then the next one begins.")] = ROUNDS,
) -> None:
    """Preview, review and update programs at random, and stop at the first review that is not what the update did."""
    engine, until = find_engine(), time.monotonic() + seconds
    compared = succeeded = 0
    for number in itertools.count(secrets.randbelow(10**6) if seed is None else seed):
        with Emulator.running() as astro, TemporaryDirectory(prefix="reviews-") as directory:
            world = World(engine, Path(directory), astro)
            for count, one in enumerate(itertools.islice(Rounds(number), rounds), 1):
                found = world.compare(one)
                compared, succeeded = compared + 1, succeeded + found.succeeded
                if found.complaints:
                    _say(f"seed {number}, round {count}: {one}")
                    _say("\n".join(f"=> {complaint}" for complaint in found.complaints))
                    sys.exit(1)
                if time.monotonic() > until:
                    _say(f"{compared} rounds, in {succeeded} of them the update succeeded; no difference")
                    return
        _say(f"seed {number}: no difference")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command talks to its terminal


if __name__ == "__main__":
    typer.run(main)

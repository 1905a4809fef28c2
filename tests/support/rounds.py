"""Runners that write one token at the same time, each on a machine of its own: rounds on the real engine, counted.

`python -m tests.support.rounds --rounds 10 --runners 2` prints each command of each round, and ends with 1 if a role is
missing or left.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from astro_emulator import Emulator
from tests.support.engine_process import Run, engine_processes
from tests.support.writers import READ, WRITE, make_scene

BINDINGS = 60  # of each runner
LATENCY_MS = 50


@dataclass(frozen=True)
class Counted:
    """One command, run by all runners at once.

    Attributes:
        runners: how many.
        command: up or destroy.
        wanted: how many roles should stand after it.
        present: how many stand.
        foreign_is_whole: all other entries of the token are as they were.
        gets: reads of the token.
        posts: writes of it.
        seconds: until the last runner ended, with the start of its process.
        errors: what the runners complained of.
    """

    runners: int
    command: str
    wanted: int
    present: int
    foreign_is_whole: bool
    gets: int
    posts: int
    seconds: float
    errors: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether Astro holds what the runners reported, and they reported no error."""
        return not self.errors and self.present == self.wanted and self.foreign_is_whole


def play_round(runners: int, directory: Path, *, bindings: int = BINDINGS, as_a_user: bool = True) -> Iterator[Counted]:
    """Let so many runners bind one token to deployments, and then destroy that again.

    Args:
        runners: each has a stack and a lock directory of its own.
        directory: where those go.
        bindings: of each runner.
        as_a_user: as in `Stack`.
    """
    with Emulator.running(latency_ms=LATENCY_MS) as astro, engine_processes() as start:
        scene = make_scene(astro)
        deployments = scene.deployments(runners * bindings)
        for command, wanted in (("up", deployments), ("destroy", [])):
            astro.clear_calls()
            started = time.monotonic()
            running = [
                start(
                    Run(
                        str(directory / f"stack-{number}"),
                        {
                            "ASTRO_API_HOST": astro.url,
                            "ASTRO_API_TOKEN": astro.credential,
                            "ASTRO_LOCK_DIR": str(directory / f"locks-{number}"),
                        },
                        "nightly-loads",
                        deployments[number::runners],
                        command,
                        as_a_user=as_a_user,
                    )
                )
                for number in range(runners)
            ]
            outcomes = [one.outcome() for one in running]
            yield Counted(
                runners=runners,
                command=command,
                wanted=len(wanted),
                present=len(scene.ours),
                foreign_is_whole=scene.foreign_now == scene.foreign,
                gets=scene.calls(READ),
                posts=scene.calls(WRITE),
                seconds=round(time.monotonic() - started, 1),
                errors=tuple(
                    problem for one in outcomes for problem in (one.problems or ([one.text] if one.failed else []))
                ),
            )


def main(
    *,
    rounds: Annotated[int, typer.Option(help="How many rounds to play.")] = 10,
    runners: Annotated[int, typer.Option(help="How many runners write at the same time.")] = 2,
) -> None:
    """Play rounds of several runners; end with 1 if one of them loses something."""
    right = True
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as directory:
            for counted in play_round(runners, Path(directory)):
                right = right and counted.is_right
                print(f"round {number}: {asdict(counted)}", flush=True)  # noqa: T201  a command talks to its terminal
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    typer.run(main)

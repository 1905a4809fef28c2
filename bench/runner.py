"""A process in which the engine's commands and the program run, apart from the service, as in real life.

The emulator is a thread of the process that measures. Beside a busy program in the same process, it would answer late.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from bench.contenders import CONTENDERS, TABLE, table
from tests.support.stack import Outcome, Stack
from tools.engine.install import find_engine

Command = Literal["preview", "up", "refresh", "destroy"]


@dataclass(frozen=True)
class Program:
    """What the program declares: each token bound to each deployment, by one of the contenders.

    `parallel` is the engine's option: how many operations at once; None leaves it to the engine.
    """

    contender: str
    tokens: tuple[str, ...]
    deployments: tuple[str, ...]
    parallel: int | None = None

    def __call__(self) -> None:
        """Declare it."""
        if self.contender == TABLE:
            table(self.deployments, self.tokens)
            return
        for token in self.tokens:
            for deployment in self.deployments:
                CONTENDERS[self.contender](f"{token}-{deployment}", deployment, token)


class Runner:
    """Runs commands of one stack in the other process."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def run(self, command: Command) -> Outcome:
        """Run a command of the engine, and return what it did and showed."""
        return self._pool.submit(_run, command).result()


@contextmanager
def runner(directory: Path, environment: dict[str, str], program: Program) -> Iterator[Runner]:
    """Start the process and make the stack, and end it.

    Args:
        directory: where state and home of the stack go.
        environment: variables for the engine and its providers.
        program: the stack's program.
    """
    begin = (directory, environment, program)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin, initargs=begin) as pool:
        pool.submit(_ready).result()
        yield Runner(pool)


_stacks: list[tuple[Stack, Program]] = []  # one, in the other process


def _begin(directory: Path, environment: dict[str, str], program: Program) -> None:
    stack = Stack(find_engine(), directory, environment, program, as_a_user=True)
    _stacks.append((stack, program))


def _ready() -> None:
    """Do nothing, once the stack is there."""


def _run(command: Command) -> Outcome:
    [(stack, program)] = _stacks
    outcome: Outcome = getattr(stack, command)(parallel=program.parallel)
    return outcome

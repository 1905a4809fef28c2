"""One engine command measured: seconds, calls by verb and operation, and what is there afterwards."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import psutil

from astro_emulator import Emulator
from bench.runner import Command, Program, Runner, runner

LATENCY_MS = 50
SAMPLE_SECONDS = 0.1
OF_THIS_PROJECT = ("ours", "native", "table")
PROVIDER_PROCESSES = ("pulumi.dynamic", "pulumi-resource-astro")  # in the command line
ROUNDS = 5  # of what can be repeated; the median counts


@dataclass(frozen=True)
class Figures:
    """What one command took. `calls` are counted by the service; `megabytes` is the provider process's most."""

    contender: str
    tokens: int
    deployments: int
    command: str
    rate_limits: bool
    seconds: float
    present: int
    gets: int
    posts: int
    limited: int
    megabytes: float
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def bindings(self) -> int:
        """How many bindings the program declares."""
        return self.tokens * self.deployments

    def to_json(self) -> dict[str, Any]:
        """The figures as they go into a file."""
        return asdict(self)


class Scene:
    """An organization of some tokens and deployments, and a stack that binds each to each."""

    def __init__(self, emulator: Emulator, runner: Runner, program: Program, *, rate_limits: bool) -> None:
        self.emulator, self.program, self.rate_limits = emulator, program, rate_limits
        self._runner = runner

    def run(self, name: str, command: Command) -> Figures:
        """Run a command of the engine and measure it."""
        self.emulator.clear_calls()
        started = time.perf_counter()
        with _most_memory() as most:
            outcome = self._runner.run(command)
        seconds = time.perf_counter() - started
        if outcome.failed and self.program.contender in OF_THIS_PROJECT:
            raise RuntimeError(f"{name} failed:\n{outcome.text}")
        calls = self.emulator.calls()
        pairs = product(self.program.tokens, self.program.deployments)
        return Figures(
            contender=self.program.contender,
            tokens=len(self.program.tokens),
            deployments=len(self.program.deployments),
            command=name,
            rate_limits=self.rate_limits,
            seconds=round(seconds, 2),
            present=sum(self.emulator.store.deployment_role(*pair) is not None for pair in pairs),
            gets=calls["by_verb"].get("GET", 0),
            posts=calls["by_verb"].get("POST", 0),
            limited=calls["by_status"].get("429", 0),
            megabytes=round(most[0] / 1e6, 1),
            calls=calls["by_operation"],
        )


def in_turn(scenes: Sequence[Scene], name: str, command: Command) -> Iterator[Figures]:
    """Run a command that changes nothing in each scene, ROUNDS times in turn, and yield each scene's median."""
    rounds = [[one.run(name, command) for one in scenes] for _ in range(ROUNDS)]
    for figures in zip(*rounds, strict=True):
        yield sorted(figures, key=lambda f: f.seconds)[ROUNDS // 2]


@contextmanager
def scene(
    contender: str, shape: tuple[int, int], *, rate_limits: bool = False, parallel: int | None = None
) -> Iterator[Scene]:
    """Set a scene of so many tokens and deployments up, and clear it away."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator.running(latency_ms=LATENCY_MS, rate_limits=rate_limits) as emulator,
    ):
        program = Program(
            contender,
            tuple(emulator.store.add_token(f"token-{number}") for number in range(shape[0])),
            tuple(emulator.store.add_deployment(f"deployment-{number}") for number in range(shape[1])),
            parallel,
        )
        environment = {
            "ASTRO_API_HOST": emulator.url,
            "ASTRO_API_TOKEN": emulator.credential,
            "ASTRO_ORGANIZATION_ID": emulator.organization_id,
            "ASTRO_LOCK_DIR": f"{directory}/locks",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        with runner(Path(directory), environment, program) as running:
            yield Scene(emulator, running, program, rate_limits=rate_limits)


@contextmanager
def _most_memory() -> Iterator[list[int]]:
    """Watch this process's descendants for provider processes, and keep the most memory that one of them held."""
    most, stop = [0], threading.Event()
    me = psutil.Process()

    def watch() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            for process in me.children(recursive=True):
                try:
                    if any(part.endswith(PROVIDER_PROCESSES) for part in process.cmdline()):
                        most[0] = max(most[0], process.memory_info().rss)
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        stop.set()
        watcher.join()

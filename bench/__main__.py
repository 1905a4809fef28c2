"""Run with `make bench`: writes figures as JSON and plots into `bench/results/`, and prints tables.

`writes` compares `up` and `destroy` of five providers in three shapes, with and without the service's rate limits.
`reads` compares preview, no-change `up` and refresh at 3, 30 and 300 bindings, in three shapes, and holds them against
the bound that this project has set itself. `tables` compares bindings by themselves, a table of them, and a provider that
does nothing. `doors` compares the dynamic and the native provider with `--parallel 64`. `access` measures
`astro-provider review` and `audit`. `rounds` counts what two and three runners write that write one token at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from bench import access, plots, rounds
from bench.measure import LATENCY_MS, ROUNDS, Figures, in_turn, scene
from tools.engine.install import find_engine

RESULTS = Path(__file__).parent / "results"
WRITE_SHAPES = [(1, 60), (60, 1), (20, 10)]  # tokens, deployments
READ_SHAPES = {
    "one token": [(1, 3), (1, 30), (1, 300)],
    "one deployment": [(3, 1), (30, 1), (300, 1)],
    "grid": [(1, 3), (5, 6), (20, 15)],
}
TABLE_SHAPES = {  # tokens, deployments; one resource for each binding takes minutes of the engine beyond 300
    "table": [(1, 10), (1, 100), (1, 300), (1, 1000), (20, 20), (10, 1000)],
    "ours": [(1, 10), (1, 100), (1, 300), (20, 20)],
    "no-op": [(1, 10), (1, 100), (1, 300), (20, 20)],
}
DOOR_SHAPES = [(1, 60), (20, 10), (20, 15)]
DOOR_PARALLEL = 64
# Writes on a quiet machine, by tokens, deployments and command; load changes which changes come together.
MOST_POSTS = {(1, 60, "up"): 3, (1, 60, "destroy"): 4, (20, 15, "up"): 60, (20, 15, "destroy"): 120}
FLOORS = ("no-op", "bare no-op")
SLOWER_THAN_FLOOR = 1.2  # the bound of reads, beside the latency of their calls
BIG_ORGANIZATION = (5_000, 1_000)  # tokens, deployments

console = Console()


def writes() -> Iterator[Figures]:
    """Measure `up` and `destroy` of every contender."""
    for shape in WRITE_SHAPES:
        for rate_limits in (False, True):
            for contender in ("ours", "native", "table", "naive", "no-op"):
                with scene(contender, shape, rate_limits=rate_limits) as stage:
                    yield stage.run("up", "up")
                    yield stage.run("destroy", "destroy")


def reads() -> Iterator[Figures]:
    """Measure what a reviewer and a nightly job run, of ours and of two floors."""
    for shape in dict.fromkeys(size for sizes in READ_SHAPES.values() for size in sizes):
        with ExitStack() as stack:
            scenes = [stack.enter_context(scene(contender, shape)) for contender in ("ours", *FLOORS)]
            yield from in_turn(scenes, "preview of new", "preview")
            for one in scenes:
                one.run("up", "up")
            yield from in_turn(scenes, "preview", "preview")
            yield from in_turn(scenes, "up without change", "up")
            yield from in_turn(scenes, "refresh", "refresh")


def tables() -> Iterator[Figures]:
    """Measure a whole life of bindings as one table, by themselves, and of resources that do nothing."""
    for contender, shapes in TABLE_SHAPES.items():
        for shape in shapes:
            with scene(contender, shape, rate_limits=True) as stage:
                yield stage.run("preview of new", "preview")
                yield stage.run("up", "up")
                yield stage.run("up without change", "up")
                yield stage.run("refresh", "refresh")
                yield stage.run("destroy", "destroy")


def doors() -> Iterator[Figures]:
    """Measure a whole life of bindings through both doors, with as many operations at once as the native one lets in."""
    for shape in DOOR_SHAPES:
        with ExitStack() as stack:
            scenes = [
                stack.enter_context(scene(door, shape, rate_limits=True, parallel=DOOR_PARALLEL))
                for door in ("ours", "native")
            ]
            yield from in_turn(scenes, "preview of new", "preview")
            yield from (one.run("up", "up") for one in scenes)
            yield from in_turn(scenes, "preview", "preview")
            yield from in_turn(scenes, "refresh", "refresh")
            yield from (one.run("destroy", "destroy") for one in scenes)


def memory() -> Iterator[Figures]:
    """Measure the provider process in a big organization."""
    for contender, shape in (("ours", (3, 10)), ("table", (10, 1000))):
        with scene(contender, shape) as stage:
            for number in range(BIG_ORGANIZATION[0] - shape[0]):
                stage.emulator.store.add_token(f"of-a-big-organization-{number}", description="one of many")
            for number in range(BIG_ORGANIZATION[1] - shape[1]):
                stage.emulator.store.add_deployment(f"of-a-big-organization-{number}")
            yield stage.run("preview of new in a big organization", "preview")
            yield stage.run("up in a big organization", "up")
            yield stage.run("preview in a big organization", "preview")
            yield stage.run("destroy in a big organization", "destroy")


def show_reads(figures: Sequence[Figures]) -> Table:
    """Show what reads take beside their bounds."""
    title = f"reads: median seconds of {ROUNDS} at {LATENCY_MS} ms latency; bound: {SLOWER_THAN_FLOOR} × floor + calls × latency"
    table = Table("tokens × deployments", "command", title=title)
    for heading in ("GET", "ours", *(column for floor in FLOORS for column in (floor, "bound"))):
        table.add_column(heading, justify="right")
    seconds = {(f.contender, f.tokens, f.deployments, f.command): f.seconds for f in figures}
    for f in figures:
        if f.contender in FLOORS:
            continue
        numbers = [f"{f.gets}", f"{f.seconds:.2f}"]
        for floor in (seconds[name, f.tokens, f.deployments, f.command] for name in FLOORS):
            bound = SLOWER_THAN_FLOOR * floor + f.gets * LATENCY_MS / 1000
            numbers += [f"{floor:.2f}", f"{bound:.2f}{'' if f.seconds <= bound else ' missed'}"]
        table.add_row(f"{f.tokens} × {f.deployments}", f.command, *numbers)
    return table


def show(title: str, figures: Sequence[Figures]) -> Table:
    """Show the figures as a table."""
    table = Table(title=f"{title} ({LATENCY_MS} ms latency)")
    for heading in (
        "provider",
        "tokens × deployments",
        "limits",
        "command",
        "seconds",
        "present",
        "GET",
        "POST",
        "429",
        "MB",
    ):
        table.add_column(heading, justify="right" if heading.isupper() or heading in ("seconds", "present") else "left")
    for f in figures:
        shape = f"{f.tokens} × {f.deployments}"
        most = MOST_POSTS.get((f.tokens, f.deployments, f.command)) if title == "doors" else None
        posts = f"{f.posts}" if most is None else f"{f.posts} of {most}{'' if f.posts <= most else ' missed'}"
        numbers = (f"{f.seconds:.1f}", f"{f.present}", f"{f.gets}", posts, f"{f.limited}", f"{f.megabytes:.0f}")
        table.add_row(f.contender, shape, "on" if f.rate_limits else "", f.command, *numbers)
    return table


class Measured(Protocol):
    """What a suite measures."""

    def to_json(self) -> dict[str, Any]:
        """It as it goes into a file."""


Suite = tuple[Callable[[], Iterator[Any]], Callable[[list[Any]], Table]]  # measures, and shows what it has measured


def keep(name: str, figures: Sequence[Measured]) -> None:
    """Write the figures as JSON."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps([f.to_json() for f in figures], indent=1) + "\n")


def main() -> None:
    """Run the suites that are asked for; all, if none is."""
    suites: dict[str, Suite] = {
        "writes": (writes, partial(show, "writes")),
        "reads": (reads, show_reads),
        "tables": (tables, partial(show, "tables")),
        "doors": (doors, partial(show, "doors")),
        "memory": (memory, partial(show, "memory")),
        "access": (access.waits, access.show),
        "rounds": (rounds.rounds, rounds.show),
    }
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("suite", nargs="*", help=f"any of {', '.join(suites)}; all by default")
    chosen = parser.parse_args().suite or list(suites)
    if unknown := sorted(set(chosen) - set(suites)):
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(suites)}")
    find_engine()  # a missing one is told before anything is measured
    for name in chosen:
        measure, table = suites[name]
        with console.status(f"measuring {name} …"):
            figures = list(measure())
        keep(name, figures)
        console.print(table(figures))
    plots.draw(RESULTS)


if __name__ == "__main__":
    main()

"""Makes a failing walk short: it leaves out steps, resources, entries of tables and flags as long as what remains still fails.

Hypothesis could shrink, but each trial costs seconds on the real engine, so that a few dozen trials in a good order, within
a bound of time, are all that anybody waits for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from pulumi.automation import PulumiCommand

from tests.walk.steps import Command, Pair, Step, Table
from tests.walk.walking import Failure, Watch, go, silent

FLAGS = {
    "faults": (),
    "checks": "warn",
    "continue_on_error": False,
    "refresh": False,
    "run_program": False,
    "targets": (),
    "replace": (),
    "twin": "",
}


def shrink(engine: PulumiCommand, failure: Failure, *, until: float, watch: Watch = silent) -> Failure:
    """The shortest failing walk that was found before the monotonic clock showed `until`."""
    while True:
        for steps in shorter(failure.steps):
            if time.monotonic() > until:
                return failure
            found = go(engine, steps, until=until, door=failure.door).failure
            if found is not None:
                watch(f"still fails with {len(found.steps)} steps: {found.complaints[0]}")
                failure = found
                break
        else:
            return failure


def shorter(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Walks with a little less in them, those with much less first; the last step always stays."""
    earlier, last = list(steps[:-1]), steps[-1]
    size = len(earlier) // 2
    while size:
        for start in range(0, len(earlier), size):
            yield [*earlier[:start], *earlier[start + size :], last]
        size //= 2
    for name in sorted({name for step in steps if isinstance(step, Command) for name in step.program}):
        yield [_without(name, step) for step in steps]
    tables = [
        row for step in steps if isinstance(step, Command) for row in step.program.values() if isinstance(row, Table)
    ]
    for pair in sorted({pair for table in tables for pair in table.roles}):
        yield [_without_entry(pair, step) for step in steps]
    for number, step in enumerate(steps):
        if isinstance(step, Command):
            for flag, plain in FLAGS.items():
                if getattr(step, flag) != plain:
                    yield [*steps[:number], step.model_copy(update={flag: plain}), *steps[number + 1 :]]


def _without(name: str, step: Step) -> Step:
    if not isinstance(step, Command):
        return step
    program = {other: row for other, row in step.program.items() if other != name}
    return step.model_copy(update={"program": program})


def _without_entry(pair: Pair, step: Step) -> Step:
    if not isinstance(step, Command):
        return step
    program = {name: row.without(pair) if isinstance(row, Table) else row for name, row in step.program.items()}
    return step.model_copy(update={"program": program})

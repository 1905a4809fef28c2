"""A check of a diagnosis, and looks that make checks in time whatever hangs: a name server, a network disk, a program.

A check that is not there in time is reported as unknown. The threads are daemons: a call that hangs in the system
cannot be interrupted, and the process ends without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from astro_provider.messages import shown


class Status(StrEnum):
    """The result of a check.

    `ok`: seen to be right. `warning`: works today. `unknown`: cannot be seen from here. `failed`: has to be fixed.
    """

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, by its name, which is stable.

    `found` is the finding, as a sentence; `advice` the remedy, empty if there is none or if `found` contains it.
    """

    name: str
    status: Status
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Make names, paths and the output of other programs harmless for a terminal."""
        object.__setattr__(self, "found", shown.line(self.found))
        object.__setattr__(self, "advice", shown.line(self.advice))


class Result(NamedTuple):
    """A check without its name: `Check(name, *result)`."""

    status: Status
    found: str
    advice: str = ""


ok, warning, unknown, failed = (partial(Result, status) for status in Status)
NO_SETTINGS = unknown("Not looked at, because a setting is malformed.")


class Look(NamedTuple):
    """Checks that are made together."""

    names: Sequence[str]  # the checks that are reported as unknown if they do not come
    run: Callable[[], Sequence[Check]]


def look(looks: Sequence[Look], seconds: float) -> list[Check]:
    """Run all looks at the same time, and return their checks in order, after that many seconds at most."""
    late = unknown(f"Not seen: it took longer than {seconds:g} s.")
    results = [Future[Sequence[Check]]() for _ in looks]
    for one, result in zip(looks, results, strict=True):
        threading.Thread(target=_run, args=(one, result), daemon=True).start()
    done, _ = wait(results, seconds)
    checks: list[Check] = []
    for one, result in zip(looks, results, strict=True):
        found = {check.name: check for check in (result.result() if result in done else ())}
        checks += (found | {name: Check(name, *late) for name in one.names if name not in found}).values()
    return checks


def _run(one: Look, result: Future[Sequence[Check]]) -> None:
    try:
        result.set_result(one.run())
    except BaseException as error:  # noqa: BLE001  the thread that waits raises it
        result.set_exception(error)

"""A check of a diagnosis, and looks that make checks in time whatever hangs: a name server, a network disk, a program.

A check that is not there in time is reported as unknown. The threads are daemons: a call that hangs in the system
cannot be interrupted, and the process ends without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
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


@dataclass
class Look:
    """Checks that are made one after the other."""

    names: Sequence[str]  # the checks that are reported as unknown if they do not come
    run: Callable[[], Iterable[Check]]  # makes them; those that it has yielded before it hangs are reported
    found: list[Check] = field(default_factory=list)
    error: BaseException | None = None

    def __call__(self) -> None:
        """Run, for a thread."""
        try:
            for check in self.run():
                self.found.append(check)
        except BaseException as error:  # noqa: BLE001 the thread that waits raises it
            self.error = error


def look(looks: Sequence[Look], seconds: float) -> list[Check]:
    """Run all looks at the same time, and return their checks in order, after that many seconds at most."""
    ends = time.monotonic() + seconds
    threads = [threading.Thread(target=one, daemon=True) for one in looks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    checks: list[Check] = []
    for one in looks:
        if one.error is not None:
            raise one.error
        found = {check.name: check for check in tuple(one.found)}
        late = unknown(f"Not seen: it took longer than {seconds:g} s.")
        checks += (found | {name: Check(name, *late) for name in one.names if name not in found}).values()
    return checks

"""Looks that run beside each other and end in time, whatever hangs: a name server, a disk of the network, a program.

What did not come in time is told as unknown. The threads are daemons: what hangs in the system cannot be interrupted,
and the process ends without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from astro_provider.commands.diagnosis.checks import Check, Status


@dataclass
class Look:
    """Checks that are made one after the other.

    Attributes:
        names: of the checks that are told as unknown if they do not come.
        run: makes them; what it has yielded before it hangs is told.
    """

    names: Sequence[str]
    run: Callable[[], Iterable[Check]]
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
    """Return what all looks say, in their order, after that many seconds at most."""
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
        found = list(one.found)
        seen = {check.name for check in found}
        late = f"Not seen: it took longer than {seconds:g} s."
        checks += [*found, *(Check(name, Status.UNKNOWN, late) for name in one.names if name not in seen)]
    return checks

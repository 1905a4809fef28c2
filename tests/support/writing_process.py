"""A process that writes with a `Writer` from four threads, as a provider's process does, without Pulumi.

It takes one JSON object as its argument and prints one: the failures. `python -m tests.support.writing_process JSON`
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from astro_provider.astro.api import AstroClient
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Add, Change, Remove
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.astro.writing.writer import Writer
from tests.support.writers import ADMIN, THREADS, failures, write_all

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Order:
    """What such a process is to write."""

    host: str
    credential: str
    lock_directory: str
    organization_id: str
    token_id: str
    adds: list[str]
    removals: list[str]
    settle_seconds: float = 1.0
    timeout_seconds: float = 60.0


def start(order: Order) -> subprocess.Popen[str]:
    """Start a process that does it; the caller ends it."""
    command = [sys.executable, "-m", "tests.support.writing_process", json.dumps(asdict(order))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def failures_of(process: subprocess.Popen[str]) -> list[str]:
    """Wait for the end of such a process and return what failed in it."""
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    found: list[str] = json.loads(printed)
    return found


def _main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    writer = Writer(
        AstroClient(order.host, lambda: order.credential),
        TokenLocks(order.host, order.lock_directory),
        settle_seconds=order.settle_seconds,
        timeout_seconds=order.timeout_seconds,
        most_at_once=THREADS,
    )
    ids = {
        name: [BindingId(order.organization_id, one, order.token_id) for one in getattr(order, name)]
        for name in ("adds", "removals")
    }
    changes: list[Change] = [*(Add(one, ADMIN) for one in ids["adds"]), *(Remove(one) for one in ids["removals"])]
    print(json.dumps(failures(write_all(writer, changes))))  # noqa: T201  what the test reads


if __name__ == "__main__":
    _main()

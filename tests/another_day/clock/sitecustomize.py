"""Moves the clock of this Python process by `MOVED_CLOCK_SECONDS`; Python imports a module of this name as it starts.

`python -m tests.another_day` puts its directory on PYTHONPATH, so the test process, the command, the provider and the
emulator all run on the moved day. Go programs keep the machine's clock, and so does the C core of gRPC: a deadline that
Python computed from a moved clock would be long past there, so the modules of `grpc` get the true `time.time`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import types
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec


class TrueClockForGrpc(MetaPathFinder):
    """Finds the modules of `grpc` by the other finders, and replaces their `time` once they have run."""

    def __init__(self, true_time: types.ModuleType) -> None:
        self._true_time = true_time

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the other finders, with a loader that replaces `time` afterwards."""
        if not fullname.startswith("grpc.") or path is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                self._replace_after(spec)
                return spec
        return None

    def _replace_after(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        assert loader is not None
        execute = loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            if getattr(module, "time", None) is time:
                vars(module)["time"] = self._true_time

        vars(loader)["exec_module"] = exec_module  # each spec has a loader of its own


def move(seconds: float) -> None:
    """Move this process's clock; it goes on ticking."""
    import time_machine  # noqa: PLC0415  only a moved process pays for it

    true_time = types.ModuleType("time")
    vars(true_time).update(vars(time))
    vars(true_time)["time"] = time_machine.escape_hatch.time.time
    sys.meta_path.insert(0, TrueClockForGrpc(true_time))
    time_machine.travel(time.time() + seconds, tick=True).start()


if (moved := os.environ.get("MOVED_CLOCK_SECONDS")) and importlib.util.find_spec("time_machine"):
    move(float(moved))

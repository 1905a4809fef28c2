"""Finds the engine's call of a dynamic provider in the frames of the calling functions: the SDK does not pass it on.

The SDK's provider process serves a call on one thread of its pool: the frame of its servicer has the `request` and the gRPC
`context`, and the lowest frame, of `concurrent.futures`, has the pool. Each call looks for the three, one by one. A later
SDK may hide one of them: notices are then on the stack, errors come with a traceback, or the process serves four
operations at once. `astro-provider doctor` prints which are hidden.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType
from typing import Any

import grpc  # type: ignore[import-untyped]  # no stubs

PROVIDER_MODULE = "pulumi.dynamic.__main__"
OPERATIONS_OF_THE_SDK = 4  # the threads that the SDK gives to the process of a dynamic provider
OPERATIONS_AT_ONCE = 64  # so many changes can join one write; the engine's default is four for each core


@dataclass(frozen=True)
class Callers:
    """The parts of an engine's call that the frames show; None: hidden.

    Attributes:
        request: the engine's message.
        context: the engine's call in gRPC.
        pool: the threads that serve the engine's calls.
    """

    request: Any = None
    context: grpc.ServicerContext | None = None
    pool: ThreadPoolExecutor | None = None

    @property
    def urn(self) -> str:
        """The resource that the call is about; blank if that is hidden."""
        return str(getattr(self.request, "urn", ""))

    def widen(self) -> int:
        """Widen the pool to OPERATIONS_AT_ONCE, and return how many operations the process serves at once."""
        pool = self.pool
        if pool is None:
            return OPERATIONS_OF_THE_SDK
        if pool._max_workers < OPERATIONS_AT_ONCE:  # noqa: SLF001  there is no public way
            pool._max_workers = OPERATIONS_AT_ONCE  # noqa: SLF001  as above
            # Calls that are queued already get a thread only when something is submitted: that starts one if none is idle.
            for _ in range(pool._work_queue.qsize()):  # noqa: SLF001  as above
                pool.submit(int)
        return OPERATIONS_AT_ONCE


def callers() -> Callers:
    """Return the engine's call that this thread is serving."""
    request = context = pool = None
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  the only way to the callers' variables that costs nothing
    while frame is not None:
        found = frame.f_locals
        if context is None and isinstance(one := found.get("context"), grpc.ServicerContext):
            context = one
        if request is None and isinstance(getattr(one := found.get("request"), "urn", None), str):
            request = one
        if callable(of_worker := found.get("executor_reference")) and _can_be_widened(one := of_worker()):
            pool = one
        frame = frame.f_back
    return Callers(request, context, pool)


def _can_be_widened(pool: object) -> bool:
    return isinstance(pool, ThreadPoolExecutor) and hasattr(pool, "_max_workers") and hasattr(pool, "_work_queue")


def engine_address(arguments: Sequence[str]) -> str | None:
    """Return the address of the engine that started this process for a dynamic provider; None: no engine did.

    It is the first argument that is no option; with `pulumi --logflow` or `--tracing` there are options before it.
    """
    # Another process may load the provider class, a test for example, and its arguments are no address.
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is None or spec.name != PROVIDER_MODULE:
        return None
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--tracing":
            next(remaining, None)
        elif argument and not argument.startswith("-"):
            return argument
    return None

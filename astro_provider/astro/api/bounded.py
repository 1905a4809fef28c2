"""Sockets that know the deadline of the call that reads from them.

httpx bounds each read from a socket, so an answer whose headers drip, a byte each half second, would hold a call for
hours. Here each read and each write waits no longer than until the deadline that its thread has set, and a read no longer
than until the run is cancelled, unless it is about a write.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from astro_provider.astro.api import cancelling
from astro_provider.astro.api.deadline import Deadline

LOOK_SECONDS = 0.25  # how often a thread that waits looks whether it is to stop

_thread = threading.local()


@contextmanager
def by(deadline: Deadline) -> Iterator[None]:
    """Let all reads and writes of this thread end by the deadline."""
    before: Deadline | None = getattr(_thread, "deadline", None)
    _thread.deadline = deadline
    try:
        yield
    finally:
        _thread.deadline = before


def _seconds(timeout: float | None, too_late: type[Exception]) -> float | None:
    deadline: Deadline | None = getattr(_thread, "deadline", None)
    if deadline is None:
        return timeout
    if not deadline.remaining:
        raise too_late("the answer had not ended when the time was over")
    return deadline.remaining if timeout is None else min(timeout, deadline.remaining)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        ends = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = _seconds(max(0.0, ends - time.monotonic()), httpcore.ReadTimeout)
            try:
                return self._stream.read(max_bytes, min(LOOK_SECONDS, math.inf if left is None else left))
            except httpcore.ReadTimeout:
                if time.monotonic() >= ends or cancelling.is_stopped():
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _seconds(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _seconds(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore.SyncBackend):
    """httpcore's own backend, whose streams end by the deadline of the thread that uses them."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        seconds = _seconds(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, seconds, local_address, socket_options))

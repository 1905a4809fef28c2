"""A pool of connections whose sockets end by the deadline of the thread that uses them.

A timeout bounds each read from a socket, so an answer whose headers drip, a byte each half second, would hold a call for
hours. Here each read and each write waits until the deadline of its thread at most, and a read until the run is cancelled,
unless it is about a write.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from astro_provider.astro.api import cancelling, deadline
from astro_provider.astro.api.network import Proxy

LOOK_SECONDS = 0.25  # how often a thread that waits looks whether it is to stop
NO_ANSWER = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError)
_IDLE_SECONDS = 5.0  # an idle connection is closed after it


def open_pool(trusted: ssl.SSLContext | None, proxy: Proxy | None) -> httpcore.ConnectionPool:
    """Return the connections to one service, by a proxy if there is one; plain http has no certificates that are trusted."""
    backend = _Backend()
    if proxy is None:
        return httpcore.ConnectionPool(trusted, keepalive_expiry=_IDLE_SECONDS, network_backend=backend)
    # To httpcore the two are one: the proxy looks the name up.
    address = proxy.url.replace("socks5h:", "socks5:")
    kind = httpcore.SOCKSProxy if address.startswith("socks5:") else httpcore.HTTPProxy
    return kind(
        address,
        proxy_auth=None if proxy.auth is None else (proxy.auth[0].encode(), proxy.auth[1].encode()),
        ssl_context=trusted,
        keepalive_expiry=_IDLE_SECONDS,
        network_backend=backend,
    )


def _seconds(timeout: float | None, too_late: type[Exception]) -> float:
    """The seconds that a socket may wait: at most `timeout`, and at most until the deadline."""
    left = deadline.current().remaining
    if not left:
        raise too_late("the answer had not ended when the time was over")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        ends = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = _seconds(max(0.0, ends - time.monotonic()), httpcore.ReadTimeout)
            try:
                return self._stream.read(max_bytes, min(LOOK_SECONDS, left))
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


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _seconds(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, seconds, local_address, socket_options))

"""httpx over a pool of httpcore, whose sockets end by the deadline of the thread that uses them.

httpx bounds each read from a socket, so an answer whose headers drip, a byte each half second, would hold a call for
hours. Here each read and each write waits until the deadline of its thread at most, and a read until the run is cancelled,
unless it is about a write. httpx makes its pool itself and takes no network backend for it, so this is its transport over a
pool of our own. httpcore names its errors as httpx does; each is raised again as its namesake.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from astro_provider.astro.api import cancelling, deadline
from astro_provider.astro.api.http import httpx
from astro_provider.astro.api.network import Proxy

LOOK_SECONDS = 0.25  # how often a thread that waits looks whether it is to stop
_IDLE_SECONDS = 5.0  # an idle connection is closed after it, as httpx does


class Transport(httpx.BaseTransport):
    """The connections to one service, by a proxy if there is one; plain http has no certificates."""

    def __init__(self, trusted: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        backend = _Backend()
        if proxy is None:
            self._pool = httpcore.ConnectionPool(trusted, keepalive_expiry=_IDLE_SECONDS, network_backend=backend)
            return
        # To httpcore the two are one: the proxy looks the name up.
        address = proxy.url.replace("socks5h:", "socks5:")
        kind = httpcore.SOCKSProxy if address.startswith("socks5:") else httpcore.HTTPProxy
        self._pool = kind(
            address,
            proxy_auth=None if proxy.auth is None else (proxy.auth[0].encode(), proxy.auth[1].encode()),
            ssl_context=trusted,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its answer's body is read as it comes."""
        url = request.url
        with _as_httpx():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=response.extensions
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


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

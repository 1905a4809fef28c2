"""httpx over a pool of httpcore whose sockets end by a deadline (`bounded.py`).

httpx makes its pool itself and takes no network backend for it, so this is its transport over a pool of our own. httpcore
names its errors as httpx does; each is raised again as its namesake.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore

from astro_provider.astro.api import bounded
from astro_provider.astro.api.http import httpx
from astro_provider.astro.api.network import Proxy

_IDLE_SECONDS = 5.0  # an idle connection is closed after it, as httpx does


class Transport(httpx.BaseTransport):
    """The connections to one service.

    Args:
        trusted: the certificates that are trusted; None for plain http, which has none.
        proxy: the proxy on the way, or None.
    """

    def __init__(self, trusted: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        backend = bounded.Backend()
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
    except httpcore.UnsupportedProtocol as error:
        raise httpx.UnsupportedProtocol(str(error)) from error

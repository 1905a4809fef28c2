"""A tiny HTTP server on a real socket, for the answers that no well-behaved server gives."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire; the names of headers are in lower case."""

    verb: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def number(self, name: str) -> int:
        """A number of the query."""
        return int(self.query[name][0])


@dataclass(frozen=True)
class Reply:
    """What to send.

    Attributes:
        status: of the status line.
        body: a text or bytes as they are, anything else as JSON.
        headers: beside Content-Type and Content-Length.
        cut: bytes that are announced and never sent.
        reset: close the connection with a reset instead of an answer.
        delay: seconds to wait before.
        drip: seconds to wait before each byte of the body; 0: all at once.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    reset: bool = False
    delay: float = 0.0
    drip: float = 0.0


class RawServer:
    """Answers each request with what `answer` makes of it; ended by leaving its `with`.

    Args:
        answer: makes an answer of a request.
        tls: the certificate that it shows; None: it speaks plain HTTP.
    """

    def __init__(self, answer: Callable[[Request], Reply], *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._ended = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                request = Request(self.command, parts.path, parse_qs(parts.query), headers, body)
                server.requests.append(request)
                self.send(answer(request))

            do_POST = do_GET  # noqa: N815  the base class's name

            def send(self, reply: Reply) -> None:
                server._ended.wait(reply.delay)
                self.close_connection = bool(reply.reset or reply.cut or reply.delay or reply.drip)
                if reply.reset:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                is_text = isinstance(reply.body, (str, bytes))
                text = reply.body if is_text else json.dumps(reply.body)
                raw = text if isinstance(text, bytes) else text.encode()
                kind = "text/html; charset=utf-8" if is_text else "application/json"
                self.send_response(reply.status)
                for name, value in ({"Content-Type": kind} | reply.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw) + reply.cut))
                self.end_headers()
                for piece in _pieces(raw, reply.drip):
                    if reply.drip and server._ended.wait(reply.drip):
                        return
                    self.wfile.write(piece)

            def handle(self) -> None:
                with suppress(OSError):  # the client has gone
                    super().handle()

            def finish(self) -> None:
                with suppress(OSError):  # as above
                    super().finish()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.socket = _in_tls(self._http.socket, tls)
        self.port: int = self._http.server_address[1]
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _in_tls(listener: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return listener if tls is None else tls.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)


def _pieces(raw: bytes, drip: float) -> list[bytes]:
    return [bytes([byte]) for byte in raw] if drip else [raw]


def in_turn(*replies: Reply) -> Callable[[Request], Reply]:
    """Give one reply after another; the last one again and again."""
    left = list(replies)
    lock = threading.Lock()

    def answer(_: Request) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class DrippingServer:
    """Sends each connection the same bytes, one by one with a pause before each, whatever it asks."""

    sent: bytes
    pause_seconds: float = 0.05

    def __enter__(self) -> str:
        """Start it, and return its address."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._drip, args=(self._listener.accept()[0],), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            for byte in self.sent:
                if self._ended.wait(self.pause_seconds):
                    return
                connection.sendall(bytes([byte]))

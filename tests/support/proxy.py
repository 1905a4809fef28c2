"""A small proxy on a real socket that knows CONNECT, with a user and a password if need be."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import suppress
from typing import Self


class ConnectProxy:
    """Leads CONNECT requests to `target`, whatever host they name; ended by leaving its `with`.

    Args:
        target: where it leads.
        auth: `user:password`, without which it answers 407; None: anybody may.
        refusal: a status line with which it answers instead of leading anywhere.
    """

    def __init__(self, target: tuple[str, int], *, auth: str | None = None, refusal: str | None = None) -> None:
        self.asked: list[str] = []
        self._target = target
        self._auth = auth
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            lines = head.decode("latin-1").split("\r\n")
            self.asked.append(lines[0].split()[1])
            if self._refusal is not None:
                client.sendall(f"HTTP/1.1 {self._refusal}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            if self._auth is not None:
                wanted = "Basic " + base64.b64encode(self._auth.encode()).decode()
                if f"Proxy-Authorization: {wanted}" not in lines:
                    client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                    return
            with socket.create_connection(self._target) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)

"""A Git host on 127.0.0.1, behind TLS: `git http-backend`, as any Git server runs it.

It takes port 443. Pulumi names a plugin's directory by its address, and Python refuses a virtual environment below a
directory with a colon in its name, so an address with a port is no use.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme


@dataclass(frozen=True)
class GitHost:
    """A host that serves the bare repositories below a directory.

    Attributes:
        address: `127.0.0.1`.
        authority: the file of the certificate that its own is signed by.
    """

    address: str
    authority: Path


@contextmanager
def git_host(repositories: Path, scratch: Path) -> Iterator[GitHost]:
    """Serve until the block ends.

    Args:
        repositories: the directory of the bare repositories.
        scratch: where the certificate goes.

    Raises:
        PermissionError: this user may not take port 443.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                chunks = []
                while size := int(self.rfile.readline(), 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                self._answer(b"".join(chunks))
            else:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            headers = {
                f"HTTP_{name.upper().replace('-', '_')}": value
                for name, value in self.headers.items()
                if name.lower() in ("git-protocol", "content-encoding")
            }
            ended = subprocess.run(
                ["git", "http-backend"],
                input=body,
                capture_output=True,
                check=True,
                env={
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(repositories),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    **headers,
                },
            )
            head, _, content = ended.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split(" ")[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Print nothing."""

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    certificate = scratch / "authority.pem"
    authority.cert_pem.write_to_path(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 443), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield GitHost("127.0.0.1", certificate)
        finally:
            server.shutdown()
            thread.join()

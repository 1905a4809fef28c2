"""A stand-in for Vault's transit engine, which keeps the key of a stack's secrets.

A passphrase costs each command of the engine 0.2 s of processor, half of what it takes, because the engine derives the key
from it in a million steps. So the stacks of tests have another of Pulumi's secrets providers, `hashivault`: the engine
still encrypts, and asks this service for its key. Tests of whole projects (examples, templates, packaging) use a passphrase.
"""

from __future__ import annotations

import functools
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

SECRETS_PROVIDER = "hashivault://tests"
WRAPPED = "vault:v1:"


class _Transit(BaseHTTPRequestHandler):
    """Wraps a data key into a text, and takes it out again; nothing is secret in a test."""

    def do_PUT(self) -> None:
        """Answer `transit/encrypt/KEY` and `transit/decrypt/KEY`."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/v1/transit/encrypt/"):
            data = {"ciphertext": WRAPPED + asked["plaintext"]}
        else:
            data = {"plaintext": asked["ciphertext"].removeprefix(WRAPPED)}
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@functools.cache
def key_service() -> dict[str, str]:
    """Start the service, once in a process, and return the variables that lead an engine to it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Transit)
    Thread(target=server.serve_forever, daemon=True).start()
    return {"VAULT_SERVER_URL": f"http://127.0.0.1:{server.server_address[1]}", "VAULT_SERVER_TOKEN": "for tests only"}

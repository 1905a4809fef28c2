"""Finds out whether the Pulumi SDK of this Python shows the engine's call to a dynamic provider, for `doctor`.

It runs the SDK's own provider process, in a thread, and asks it to check a resource whose provider is `Probe`.
"""

from __future__ import annotations

import base64
import os
import pickle
import runpy
import sys
import threading
from types import SimpleNamespace
from typing import Any

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]  # no stubs
from pulumi.dynamic import CheckResult, ResourceProvider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from astro_provider.engine.callers import PROVIDER_MODULE, callers
from astro_provider.names import PROVIDER_KEY

LONGEST_SECONDS = 5.0
URN = "urn:pulumi:probe::probe::pulumi-python:dynamic:Resource::probe"
CALL, ERRORS, THREADS = "call", "errors", "threads"


class Probe(ResourceProvider):
    """A provider whose check returns which parts of the engine's call it can see."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], _news: dict[str, Any]) -> CheckResult:
        """Return which parts are seen."""
        found = callers()
        seen = {CALL: found.urn == URN, ERRORS: found.context is not None, THREADS: found.pool is not None}
        return CheckResult(seen, [])


def hidden_by_the_sdk() -> list[str]:
    """Return the parts of a call that the SDK hides from a dynamic provider.

    Without CALL no notice is on its resource, without ERRORS an error comes with a traceback, and without THREADS only
    four operations run at once.
    """
    request = provider_pb2.CheckRequest(urn=URN, news=Struct())
    request.news.update({PROVIDER_KEY: base64.b64encode(pickle.dumps(Probe())).decode()})
    with grpc.insecure_channel(f"127.0.0.1:{_served_port()}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        answer = provider_pb2_grpc.ResourceProviderStub(channel).Check(
            request, timeout=LONGEST_SECONDS, wait_for_ready=True
        )
    return [name for name in (CALL, ERRORS, THREADS) if not answer.inputs.fields[name].bool_value]


def _served_port() -> str:
    """Start the SDK's server in a thread, and return the port that it prints."""
    read, written = os.pipe()
    stdout = sys.stdout
    # The server uses no other part of it.
    sys.stdout = SimpleNamespace(buffer=os.fdopen(written, "wb", buffering=0))
    try:
        threading.Thread(
            target=runpy.run_module, args=(PROVIDER_MODULE,), kwargs={"run_name": "__main__"}, daemon=True
        ).start()
        with os.fdopen(read) as printed:
            return printed.readline().strip()
    finally:
        sys.stdout = stdout

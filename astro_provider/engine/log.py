"""Sends the notices of a provider process to the engine that started it, as warnings and notes.

What a provider prints shows as a message without a severity, and `pulumi preview --json` calls it `info#err`. What it
sends to the engine's log has one: a pull request's check can tell a warning from a note.

No notice is lost and none stops a run. If the engine cannot be reached, or does not answer in time, the notice and all
later ones go to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import grpc  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from astro_provider.messages import notices
from astro_provider.messages.notices import Severity

LONGEST_SECONDS = 5.0  # an engine on this machine answers in milliseconds; a busy one has some patience due
PROVIDER_MODULE = "pulumi.dynamic.__main__"
# gRPC takes 127.0.0.1 to a proxy that `http_proxy` names, and the engine is always on this machine.
_NO_PROXY = [("grpc.enable_http_proxy", 0)]
_SEVERITIES = {Severity.WARNING: engine_pb2.WARNING, Severity.NOTE: engine_pb2.INFO}


class EngineLog:
    """A sink of notices that leads to the engine's log.

    Args:
        address: where the engine listens, for example 127.0.0.1:40123.
        spell: the text of a notice as the readers of this log know the names of properties.
    """

    def __init__(self, address: str, spell: Callable[[str], str] = str) -> None:
        self._spell = spell
        self._stub: engine_pb2_grpc.EngineStub | None = engine_pb2_grpc.EngineStub(
            grpc.insecure_channel(address, options=_NO_PROXY)
        )

    def __call__(self, severity: Severity, text: str) -> None:
        """Send a notice, or print it to standard error."""
        stub = self._stub
        if stub is not None:
            request = engine_pb2.LogRequest(
                severity=_SEVERITIES[severity], message=f"astro: {self._spell(text)}", urn=notices.subject()
            )
            try:
                stub.Log(request, timeout=LONGEST_SECONDS)
            except grpc.RpcError:
                self._stub = None
            else:
                return
        notices.print_to_stderr(severity, text)


def send_notices_to_engine() -> None:
    """Send notices to the engine from now on, if it is an engine that started this process for a dynamic provider."""
    address = _engine_address(sys.argv[1:])
    if address is not None and _is_provider_process():
        notices.send_to(EngineLog(address))


def _is_provider_process() -> bool:
    # Anything may load the provider class, a test for example, and its arguments are no address.
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec is not None and spec.name == PROVIDER_MODULE


def _engine_address(arguments: Sequence[str]) -> str | None:
    """The first argument that is no option; with `pulumi --logflow` or `--tracing` there are options before it."""
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--tracing":
            next(remaining, None)
        elif argument and not argument.startswith("-"):
            return argument
    return None

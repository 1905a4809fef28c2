"""What both doors do for each call of an engine, and with an engine.

`answering` surrounds a call: its notices stand beside its resource, and it ends with a sentence, never with a traceback.
`ending_with` is that sentence as gRPC carries it, with what the engine has to keep in its state.

What a provider prints shows as a message without a severity, and `pulumi preview --json` calls it `info#err`. What it
sends to the engine's log has one: a pull request's check can tell a warning from a note. No notice is lost and none stops a
run. If the engine cannot be reached, or does not answer in time, the notice and all later ones go to standard error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

from astro_provider.errors import AstroProviderError, Kept
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.messages import notices, shown
from astro_provider.messages.notices import Severity, Sink
from astro_provider.version import __version__

LONGEST_SECONDS = 5.0  # an engine on this machine answers in milliseconds; a busy one has some patience due
DETAILS = "grpc-status-details-bin"  # where gRPC has the details of an error
# gRPC takes 127.0.0.1 to a proxy that `http_proxy` names, and the engine is always on this machine.
_NO_PROXY = [("grpc.enable_http_proxy", 0)]
_SEVERITIES = {Severity.WARNING: engine_pb2.WARNING, Severity.NOTE: engine_pb2.INFO}


@contextmanager
def answering(call: EngineCall) -> Iterator[None]:
    """Let the block be the answer to a call: its notices are about its resource, and an error of it ends the call."""
    with notices.routed_to(call.notify):
        try:
            yield
        except Exception as error:  # noqa: BLE001  whatever it is, a person reads one sentence
            call.fail(error)


def in_one_sentence(error: Exception) -> str:
    """What a person reads of an error; of a fault of ours, that it is one."""
    if isinstance(error, AstroProviderError):
        return str(error)
    what = shown.line(f"{type(error).__name__}: {error}")
    return f"pulumi-astro-provider {__version__} made a mistake ({what}): please report it with what you ran."


def ending_with(text: str, kept: Kept | None = None) -> tuple[tuple[str, bytes]]:
    """The trailing metadata of a call that ends with the code UNKNOWN, of which an engine reads this text and no other.

    An engine that is told nothing keeps the resource as it was before, or keeps none at all. What it is told to keep it
    stores, shows as a change in the next preview, whatever the inputs are then, and updates in the next run.

    Args:
        text: why the call failed.
        kept: what the engine has to keep; its outputs are JSON values, Pulumi's own property among them.
    """
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text)
    if kept is not None:
        properties = Struct()
        properties.update(dict(kept.outputs))
        failed = provider_pb2.ErrorResourceInitFailed(id=kept.identifier, properties=properties, reasons=[text])
        status.details.add().Pack(failed)
    return ((DETAILS, status.SerializeToString()),)


class EngineLog:
    """The engine's log.

    Args:
        address: where the engine listens, for example 127.0.0.1:40123.
        spell: the text of a notice as the readers of this log know the names of properties.
    """

    def __init__(self, address: str, spell: Callable[[str], str] = str) -> None:
        self._spell = spell
        self._stub: engine_pb2_grpc.EngineStub | None = engine_pb2_grpc.EngineStub(
            grpc.insecure_channel(address, options=_NO_PROXY)
        )

    def __call__(self, severity: Severity, text: str, urn: str = "") -> None:
        """Send a notice, beside a resource or beside the stack, or print it to standard error."""
        stub = self._stub
        if stub is not None:
            request = engine_pb2.LogRequest(
                severity=_SEVERITIES[severity], message=f"astro: {self._spell(text)}", urn=urn
            )
            try:
                stub.Log(request, timeout=LONGEST_SECONDS)
            except grpc.RpcError:
                self._stub = None
            else:
                return
        notices.print_to_stderr(severity, text)

    def about(self, urn: str) -> Sink:
        """The sink of the notices that are about one resource."""
        return functools.partial(self, urn=urn)

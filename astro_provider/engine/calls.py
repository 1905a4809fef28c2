"""The answer to an engine's call, through either door: its notices, and the sentence with which it fails.

`answering` surrounds a call: its notices go to the log of its resource, and it fails with a sentence, never with a
traceback. `ending_with` is that sentence as gRPC carries it, with the state that the engine has to keep.

A notice in the engine's log has a severity, by which a pull request's check distinguishes a warning from a note; a printed
line has none, and `pulumi preview --json` calls it `info#err`. No notice is lost and none stops a run: if the engine cannot
be reached, or does not answer in time, this notice and all later ones go to standard error.
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

LONGEST_SECONDS = 5.0  # an engine on this machine answers in milliseconds; a busy one takes longer
DETAILS = "grpc-status-details-bin"  # gRPC's key of the details of an error
# gRPC takes 127.0.0.1 to a proxy that `http_proxy` names, and the engine is always on this machine.
_NO_PROXY = [("grpc.enable_http_proxy", 0)]
_SEVERITIES = {Severity.WARNING: engine_pb2.WARNING, Severity.NOTE: engine_pb2.INFO}


@contextmanager
def answering(call: EngineCall) -> Iterator[None]:
    """Make the block the answer to a call: its notices are about the call's resource, and its error fails the call."""
    with notices.routed_to(call.notify):
        try:
            yield
        except Exception as error:  # noqa: BLE001  of every error, a person reads one sentence
            call.fail(error)


def in_one_sentence(error: Exception) -> str:
    """Return the sentence that a person reads of an error; a fault of this package is called one."""
    if isinstance(error, AstroProviderError):
        return str(error)
    what = shown.line(f"{type(error).__name__}: {error}")
    return f"pulumi-astro-provider {__version__} made a mistake ({what}): please report it with what you ran."


def ending_with(text: str, kept: Kept | None = None) -> tuple[tuple[str, bytes]]:
    """Return the trailing metadata of a call that fails with the code UNKNOWN; the engine prints this text and no other.

    Without `kept` the engine keeps the resource as it was before, or none if there was none. With it, the engine stores that
    state, shows a change in the next preview, whatever the inputs are then, and calls update in the next run.

    Args:
        text: why the call failed.
        kept: the state to keep; its outputs are JSON values, Pulumi's own property among them.
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
        address: the engine's, for example 127.0.0.1:40123.
        spell: turns the names of properties in a notice into the spelling of the program's language.
    """

    def __init__(self, address: str, spell: Callable[[str], str] = str) -> None:
        self._spell = spell
        self._stub: engine_pb2_grpc.EngineStub | None = engine_pb2_grpc.EngineStub(
            grpc.insecure_channel(address, options=_NO_PROXY)
        )

    def __call__(self, severity: Severity, text: str, urn: str = "") -> None:
        """Send a notice about a resource or, without a URN, about the stack; print it if the engine does not take it."""
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
        """Return the sink of the notices about one resource."""
        return functools.partial(self, urn=urn)

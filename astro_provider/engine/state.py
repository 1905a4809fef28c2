"""Has the engine keep, in its state, what an operation that failed has left.

An engine that is told nothing keeps the resource as it was before, or keeps none at all. It has a message for a resource
that "failed to initialize", with outputs: it stores them, shows the resource as a change in the next preview, whatever its
inputs are, and updates it in the next run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import provider_pb2, status_pb2

DETAILS = "grpc-status-details-bin"  # where gRPC has the details of an error


def keep_in_state(call: grpc.ServicerContext, identifier: str, outputs: Mapping[str, Any], reason: str) -> None:
    """Have the engine keep a resource with these outputs, although its call will end with an error.

    Args:
        call: the engine's, to create or to update the resource.
        identifier: the id of the resource.
        outputs: the whole property bag, Pulumi's own property included; JSON values only.
        reason: why it failed.
    """
    properties = Struct()
    properties.update(outputs)
    failed = provider_pb2.ErrorResourceInitFailed(id=identifier, properties=properties, reasons=[reason])
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
    status.details.add().Pack(failed)
    call.set_trailing_metadata(((DETAILS, status.SerializeToString()),))


def call_of_engine() -> grpc.ServicerContext | None:
    """The engine's call that this thread is serving; None if it serves none.

    The SDK does not hand it to a dynamic provider, so it is looked for among the callers.
    """
    frame = sys._getframe()  # noqa: SLF001  the only way to the callers' variables that costs nothing
    while frame.f_back is not None:
        frame = frame.f_back
        found = frame.f_locals.get("context")
        if isinstance(found, grpc.ServicerContext):
            return found
    return None

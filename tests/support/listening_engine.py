"""The part of an engine that takes notices, on a real socket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # as above
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class Engine(engine_pb2_grpc.EngineServicer):
    """Keeps what it is told.

    Attributes:
        told: severity and text of each notice.
        about: the URN of each.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.about: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(1))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Log(self, request: engine_pb2.LogRequest, _context: object) -> empty_pb2.Empty:  # noqa: N802  the protocol's name
        """Take a notice."""
        self.told.append((engine_pb2.LogSeverity.Name(request.severity), request.message))
        self.about.append(request.urn)
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End it."""
        self._server.stop(0).wait()

"""The real provider process, driven over gRPC as the engine does it, but without an engine.

It is the cheapest true test of what the engine depends on: that the pickled name starts the class, what unknowns,
numbers and threads do, what a message looks like, and what the process costs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import grpc  # type: ignore[import-untyped]  # neither has stubs here
import psutil
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from astro_provider.engine.calls import DETAILS
from tests.support.as_user import command_as
from tests.support.forked_python import forked_python
from tests.support.stack import PYTHON_PATH

# What stands in users' states. It may never change: see the top of astro_provider/provider.py.
PICKLED = "gASVRAAAAAAAAACMF2FzdHJvX3Byb3ZpZGVyLnByb3ZpZGVylIwhRGVwbG95bWVudE9yZ1Rva2VuQmluZGluZ1Byb3ZpZGVylJOUKYGULg=="
PROVIDER_KEY = "__provider"
UNKNOWN = rpc.UNKNOWN
URN = "urn:pulumi:test::bindings::pulumi-python:dynamic/astro:DeploymentOrgTokenBinding::b"
LONGEST_CALL_SECONDS = 60.0
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "MOVED_CLOCK_SECONDS", "TZ")

Properties = dict[str, Any]


class CallFailed(Exception):
    """A call that the process answered with an error; the text is what the engine prints."""

    @property
    def lines(self) -> list[str]:
        """The text without blank lines."""
        return [line for line in str(self).splitlines() if line.strip()]

    @property
    def message(self) -> str:
        """The text, which is one line."""
        [line] = self.lines
        return line


@dataclass(frozen=True)
class Checked:
    """The answer to a check."""

    inputs: Properties
    failures: list[tuple[str, str]]


@dataclass(frozen=True)
class Difference:
    """The answer to a diff."""

    changes: bool
    replaces: list[str]
    delete_before_replace: bool


@dataclass(frozen=True)
class State:
    """The answer to a create, an update or a read."""

    id: str
    outputs: Properties
    inputs: Properties


class Running:
    """A process that serves as a provider; made by `running`."""

    def __init__(self, process: subprocess.Popen[bytes], stderr: Path, port: int) -> None:
        self.process = process
        self._stderr = stderr
        self.port = port
        # A pool of its own: channels of one process share their connections otherwise.
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def connected_again(self) -> Running:
        """The same process by another connection, as another engine has one, or another provider of the program."""
        return Running(self.process, self._stderr, self.port)

    @property
    def stderr(self) -> str:
        """What the process has printed to standard error so far."""
        return self._stderr.read_text(errors="replace")

    @property
    def resident_megabytes(self) -> float:
        """The memory that the process holds now."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def call(self, method: str, request: Any) -> Any:
        """Call the provider, and return its answer, or raise what it says went wrong."""
        try:
            return getattr(self.stub, method)(request, timeout=LONGEST_CALL_SECONDS)
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata()).get(DETAILS)
            raise CallFailed(status_pb2.Status.FromString(details).message if details else error.details()) from None

    def close(self) -> None:
        """End the process."""
        self._channel.close()
        self.process.kill()
        self.process.wait()


class ProviderProcess:
    """The process of a dynamic provider; made by `provider_process`."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._call = running.call

    def configure(self, config: Mapping[str, Any]) -> None:
        """Hand the stack's configuration over; a value may be wrapped by `secret`."""
        self._call("Configure", provider_pb2.ConfigureRequest(args=_struct(config), acceptSecrets=True))

    def check(self, news: Properties, olds: Properties | None = None) -> Checked:
        """Check inputs, with the stored inputs of a resource that is in the state."""
        bag = _with_provider(olds) if olds is not None else Struct()
        request = provider_pb2.CheckRequest(urn=URN, olds=bag, news=_with_provider(news))
        answer = self._call("Check", request)
        return Checked(_dict(answer.inputs), [(failure.property, failure.reason) for failure in answer.failures])

    def diff(self, identifier: str, olds: Properties, news: Properties) -> Difference:
        """Compare stored outputs with checked inputs."""
        request = provider_pb2.DiffRequest(id=identifier, urn=URN, olds=_with_provider(olds), news=_with_provider(news))
        answer = self._call("Diff", request)
        # With DIFF_UNKNOWN (the SDK's changes=None) the engine compares the inputs itself, and finds what changed.
        changes = answer.changes != provider_pb2.DiffResponse.DIFF_NONE
        return Difference(changes, list(answer.replaces), answer.deleteBeforeReplace)

    def create(self, properties: Properties, urn: str = URN) -> State:
        """Create what a check has completed."""
        request = provider_pb2.CreateRequest(urn=urn, properties=_with_provider(properties))
        answer = self._call("Create", request)
        return State(answer.id, _dict(answer.properties), {})

    def read(self, identifier: str, properties: Properties | None = None) -> State:
        """Read with the stored outputs, as a refresh does; with nothing but the class, as a `.get` in a program does."""
        request = provider_pb2.ReadRequest(
            id=identifier,
            urn=URN,
            properties=_with_provider(properties or {}),
            inputs=_with_provider(properties or {}),
        )
        answer = self._call("Read", request)
        return State(answer.id, _dict(answer.properties), _dict(answer.inputs))

    def update(self, identifier: str, olds: Properties, news: Properties) -> State:
        """Update stored outputs to checked inputs."""
        request = provider_pb2.UpdateRequest(
            id=identifier, urn=URN, olds=_with_provider(olds), news=_with_provider(news)
        )
        answer = self._call("Update", request)
        return State(identifier, _dict(answer.properties), {})

    def delete(self, identifier: str, properties: Properties) -> None:
        """Delete by id, with the stored outputs."""
        request = provider_pb2.DeleteRequest(id=identifier, urn=URN, properties=_with_provider(properties))
        self._call("Delete", request)

    @property
    def stderr(self) -> str:
        """What the process has printed to standard error so far."""
        return self.running.stderr

    @property
    def notices(self) -> list[str]:
        """The lines on standard error; the engine shows each of them as a diagnostic."""
        return [line for line in self.stderr.splitlines() if line.strip()]

    @property
    def resident_megabytes(self) -> float:
        """The memory that the process holds now."""
        return self.running.resident_megabytes


@contextmanager
def provider_process(
    environment: Mapping[str, str] | None = None,
    *,
    as_user: int | None = None,
    engine_address: str = "127.0.0.1:1",
    forked: bool = False,
) -> Iterator[ProviderProcess]:
    """Start a provider process of one's own, with that environment and little beside it, and end it.

    Args:
        environment: variables of its environment.
        as_user: the user whose process it is, who then inherits PATH only; None for the present one.
        engine_address: where an engine takes notices.
        forked: it is a fork of one that has loaded everything, for a test that does not watch how a process begins.
    """
    arguments = ["-u", "-m", "pulumi.dynamic", engine_address]
    python = str(forked_python(PYTHON_PATH)) if forked else sys.executable
    command = [python, *arguments] if as_user is None else command_as(as_user, *arguments)
    variables = {**(environment or {}), **({"PYTHONPATH": PYTHON_PATH} if forked else {})}
    with running(command, variables, inherited=INHERITED if as_user is None else ("PATH",)) as process:
        yield ProviderProcess(process)


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, inherited: Sequence[str] = INHERITED
) -> Iterator[Running]:
    """Start a command that prints the port at which it serves, with little of this environment, and end it."""
    kept = {name: os.environ[name] for name in inherited if name in os.environ}
    with tempfile.TemporaryDirectory() as directory:
        stderr = Path(directory) / "stderr"
        hermetic = {"ASTRO_LOCK_DIR": str(Path(directory) / "locks")}
        with stderr.open("wb") as sink:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env={**kept, **hermetic, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=sink,
            )
            assert process.stdout is not None
            port = _port(process.stdout, stderr)
            found = Running(process, stderr, port)
            try:
                yield found
            finally:
                found.close()
                process.stdout.close()


def secret(value: str) -> dict[str, str]:
    """A value as the engine hands a secret over."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}  # noqa: SLF001  the wire's own constants


def _port(stdout: IO[bytes], stderr: Path) -> int:
    line = stdout.readline()
    if not line.strip().isdigit():
        raise AssertionError(f"the provider process printed no port: {stderr.read_text(errors='replace')}")
    return int(line)


def _with_provider(properties: Mapping[str, Any]) -> Struct:
    return _struct({PROVIDER_KEY: PICKLED, **properties})


def _struct(properties: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(dict(properties))
    return struct


def _dict(struct: Struct) -> Properties:
    found: Properties = json_format.MessageToDict(struct)
    return {name: value for name, value in found.items() if name != PROVIDER_KEY}

"""The real process of the native provider, driven over gRPC as the engine does it, but without an engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # no stubs
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from tests.support.forked_python import PLUGIN, forked_python
from tests.support.provider_process import Checked, Running, State, running
from tests.support.stack import NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE, PYTHON_PATH

EXECUTABLE = str(Path(sys.executable).with_name(PLUGIN))
PROVIDER_URN = "urn:pulumi:test::bindings::pulumi:providers:astro::"
LIST = "astro:index:listDeploymentOrgTokens"
KINDS = {provider_pb2.PropertyDiff.Kind.Name(number): number for number in range(6)}

Properties = dict[str, Any]


def urn_of(kind: str = NATIVE_BINDING_TYPE, name: str = "b") -> str:
    """The URN of a resource."""
    return f"urn:pulumi:test::bindings::{kind}::{name}"


TABLE_URN = urn_of(NATIVE_TABLE_TYPE)


@dataclass(frozen=True)
class Difference:
    """The answer to a diff, with the kind of each place that differs."""

    changes: bool
    replaces: list[str]
    places: dict[str, str]


class NativeProcess:
    """A running process of the native provider; made by `native_process`."""

    def __init__(self, running_: Running) -> None:
        self.running = running_
        self.call = running_.call

    def handshake(self, engine_address: str) -> provider_pb2.ProviderHandshakeResponse:
        """Tell it where the engine is."""
        request = provider_pb2.ProviderHandshakeRequest(engine_address=engine_address, configure_with_urn=True)
        found: provider_pb2.ProviderHandshakeResponse = self.call("Handshake", request)
        return found

    def attach(self, engine_address: str) -> None:
        """Tell a process that no engine has started where the engine is."""
        self.call("Attach", plugin_pb2.PluginAttach(address=engine_address))

    def check_config(self, news: Properties, olds: Properties | None = None, name: str = "default") -> Checked:
        """Check a configuration of the provider of that name."""
        request = provider_pb2.CheckRequest(urn=f"{PROVIDER_URN}{name}", olds=_struct(olds or {}), news=_struct(news))
        return _checked(self.call("CheckConfig", request))

    def diff_config(self, olds: Properties, news: Properties, name: str = "default") -> Difference:
        """Compare two configurations of the provider of that name."""
        request = provider_pb2.DiffRequest(
            urn=f"{PROVIDER_URN}{name}", old_inputs=_struct(olds), olds=_struct(olds), news=_struct(news)
        )
        return _difference(self.call("DiffConfig", request))

    def configure(self, configuration: Properties | None = None, name: str = "default") -> None:
        """Configure the provider of that name."""
        request = provider_pb2.ConfigureRequest(
            args=_struct(configuration or {}), name=name, urn=f"{PROVIDER_URN}{name}", acceptSecrets=True
        )
        self.call("Configure", request)

    def check(
        self,
        news: Properties,
        olds: Properties | None = None,
        urn: str = urn_of(),
        *,
        old_outputs: Properties | None = None,
    ) -> Checked:
        """Check inputs, with the stored inputs and outputs of a resource that is in the state."""
        request = provider_pb2.CheckRequest(
            urn=urn, olds=_struct(olds or {}), news=_struct(news), old_outputs=_struct(old_outputs or {})
        )
        return _checked(self.call("Check", request))

    def diff(
        self,
        identifier: str,
        olds: Properties,
        news: Properties,
        *,
        old_inputs: Properties | None = None,
        urn: str = urn_of(),
    ) -> Difference:
        """Compare stored outputs, and inputs, with checked inputs."""
        request = provider_pb2.DiffRequest(
            id=identifier, urn=urn, olds=_struct(olds), news=_struct(news), old_inputs=_struct(old_inputs or {})
        )
        return _difference(self.call("Diff", request))

    def create(self, properties: Properties, *, preview: bool = False, urn: str = urn_of()) -> State:
        """Create what a check has completed."""
        request = provider_pb2.CreateRequest(urn=urn, properties=_struct(properties), preview=preview)
        answer = self.call("Create", request)
        return State(answer.id, _dict(answer.properties), {})

    def read(self, identifier: str, properties: Properties | None = None, urn: str = urn_of()) -> State:
        """Read with the stored outputs, as a refresh does; with none, as an import or a `.get` does."""
        request = provider_pb2.ReadRequest(id=identifier, urn=urn, properties=_struct(properties or {}))
        answer = self.call("Read", request)
        return State(answer.id, _dict(answer.properties), _dict(answer.inputs))

    def update(
        self,
        identifier: str,
        olds: Properties,
        news: Properties,
        *,
        preview: bool = False,
        urn: str = urn_of(),
    ) -> State:
        """Update stored outputs to checked inputs."""
        request = provider_pb2.UpdateRequest(
            id=identifier, urn=urn, olds=_struct(olds), news=_struct(news), preview=preview
        )
        return State(identifier, _dict(self.call("Update", request).properties), {})

    def delete(self, identifier: str, properties: Properties, urn: str = urn_of()) -> None:
        """Delete by id, with the stored outputs."""
        self.call("Delete", provider_pb2.DeleteRequest(id=identifier, urn=urn, properties=_struct(properties)))

    def invoke(self, arguments: Properties, function: str = LIST) -> tuple[Properties, list[tuple[str, str]]]:
        """Call a function; return what it returns, and what is wrong with the arguments."""
        answer = self.call("Invoke", provider_pb2.InvokeRequest(tok=function, args=_struct(arguments)))
        failures = [(failure.property, failure.reason) for failure in answer.failures]
        return _dict(getattr(answer, "return")), failures

    def cancel(self) -> None:
        """Tell it that the run is cancelled."""
        self.call("Cancel", Empty())


@contextmanager
def native_process(
    environment: Mapping[str, str] | None = None,
    configuration: Properties | None = None,
    *,
    as_a_user: bool = False,
) -> Iterator[NativeProcess]:
    """Start a process of the native provider, configured as the default provider, and end it.

    Args:
        environment: variables of its environment.
        configuration: of the provider.
        as_a_user: start it by an interpreter, otherwise by `forked_python`.
    """
    executable = EXECUTABLE if as_a_user else str(forked_python(PYTHON_PATH).with_name(PLUGIN))
    with running([executable, "127.0.0.1:1"], {"PYTHONPATH": PYTHON_PATH, **(environment or {})}) as process:
        found = NativeProcess(process)
        found.configure(configuration)
        yield found


def _checked(answer: provider_pb2.CheckResponse) -> Checked:
    return Checked(_dict(answer.inputs), [(failure.property, failure.reason) for failure in answer.failures])


def _difference(answer: provider_pb2.DiffResponse) -> Difference:
    kinds = {number: name for name, number in KINDS.items()}
    return Difference(
        answer.changes == provider_pb2.DiffResponse.DIFF_SOME,
        list(answer.replaces),
        {place: kinds[found.kind] for place, found in answer.detailedDiff.items()},
    )


def _struct(properties: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(dict(properties))
    return struct


def _dict(struct: Struct) -> Properties:
    found: Properties = json_format.MessageToDict(struct)
    return found

"""The engine's calls to a native provider, handed on to the lifecycles, and their answers handed back.

What a call means is decided there. Here it is taken apart and put together, and each error becomes one sentence.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib import resources
from typing import Any, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from astro_provider.astro.api import cancelling
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.settings import Settings
from astro_provider.engine.calls import EngineLog, answering, ending_with, in_one_sentence
from astro_provider.engine.plugin import configuration, functions, properties
from astro_provider.engine.plugin.detailed import detailed, roots
from astro_provider.engine.plugin.previewed import binding_previewed, table_previewed
from astro_provider.engine.plugin.properties import Properties, inward, outward
from astro_provider.engine.process import Life, Process
from astro_provider.engine.property_names import in_camel_case
from astro_provider.errors import AstroProviderError, InputError, InvalidInputs, Kept
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import MOST_TOLD
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import Inputs
from astro_provider.messages import notices
from astro_provider.names import NATIVE_BINDING, NATIVE_TABLE, UNFINISHED, camel, is_default_provider
from astro_provider.version import __version__

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_Call = Callable[["Servicer", _Request, grpc.ServicerContext], _Answer]
_Method = Callable[["Servicer", _Request, EngineCall], _Answer]


def _served(method: _Method[_Request, _Answer]) -> _Call[_Request, _Answer]:
    """Serve a call about one resource, or about the provider itself."""

    @functools.wraps(method)
    def boundary(self: Servicer, request: _Request, context: grpc.ServicerContext) -> _Answer:
        call = self.engine_call(request, context)
        with answering(call):
            return method(self, request, call)
        raise AssertionError("a failed call raises")

    return boundary


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider: an instance serves one configuration, for as long as the process lives.

    Args:
        operations_at_once: how many calls can be under way.
    """

    def __init__(self, operations_at_once: int) -> None:
        self._configuration: Properties = {}
        self._is_explicit = False
        self._project = ""
        self._at_once = operations_at_once
        self._log: EngineLog | None = None
        self._process = Process(self._settings)

    def _settings(self) -> Settings:
        return configuration.settings(self._configuration, explicit=self._is_explicit, project=self._project)

    def _connect(self, engine_address: str) -> None:
        self._log = EngineLog(engine_address, in_camel_case)
        notices.send_to(self._log)

    def engine_call(self, request: Any, context: grpc.ServicerContext) -> EngineCall:
        """The engine's call that this request is."""

        def fail(error: Exception) -> NoReturn:
            text = in_camel_case(in_one_sentence(error))
            kept: Kept | None = getattr(error, "kept", None)
            if kept is not None:
                outputs = {camel(name): one for name, one in kept.outputs.items()}
                context.set_trailing_metadata(ending_with(text, Kept(kept.identifier, outputs)))
                context.abort(grpc.StatusCode.UNKNOWN, text)
            # The first is a code that the engine takes for well understood: the resource is as it was before.
            is_ours = isinstance(error, AstroProviderError)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION if is_ours else grpc.StatusCode.INTERNAL, text)
            raise AssertionError("abort raises")

        urn = str(getattr(request, "urn", ""))
        notify = self._log.beside(urn) if self._log is not None and urn else None
        return EngineCall(urn, str(getattr(request, "id", "")), self._at_once, notify, fail)

    # What the provider is.

    def Handshake(  # noqa: N802  the protocol's names, as all that follow
        self, request: provider_pb2.ProviderHandshakeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Learn where the engine is, and tell what this provider can take.

        Secrets come as plain values: the engine itself marks what comes back, also deep inside a table.
        """
        self._connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False
        )

    def Attach(self, request: plugin_pb2.PluginAttach, _context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Learn where the engine is, for a process that it has not started."""
        self._connect(request.address)
        return Empty()

    def GetPluginInfo(self, _request: Empty, _context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Tell the version."""
        return plugin_pb2.PluginInfo(version=__version__)

    def GetSchema(  # noqa: N802
        self, _request: provider_pb2.GetSchemaRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Tell what there is: resources, functions and configuration."""
        schema = json.loads(resources.files(__package__ or "").joinpath("schema.json").read_text(encoding="utf-8"))
        return provider_pb2.GetSchemaResponse(schema=json.dumps({**schema, "version": __version__}))

    # Its configuration.

    @_served
    def CheckConfig(  # noqa: N802
        self, request: provider_pb2.CheckRequest, _call: EngineCall
    ) -> provider_pb2.CheckResponse:
        """Tell what is malformed; the credential is a secret, whether the program has marked it or not."""
        given = _plain(request.news)
        failures = _failures(configuration.problems(given))
        if given.get(configuration.SECRET) is not None:
            given[configuration.SECRET] = properties.secret(given[configuration.SECRET])
        return provider_pb2.CheckResponse(inputs=properties.struct_of(given), failures=failures)

    @_served
    def DiffConfig(  # noqa: N802
        self, request: provider_pb2.DiffRequest, _call: EngineCall
    ) -> provider_pb2.DiffResponse:
        """Compare configurations: whatever changes, the provider changes in place, and no resource with it."""
        olds, news = _plain(request.old_inputs or request.olds), _plain(request.news)
        changed = [name for name in {**olds, **news} if olds.get(name) != news.get(name)]
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=changed)

    @_served
    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, _call: EngineCall
    ) -> provider_pb2.ConfigureResponse:
        """Take the configuration. It is read at the first call that needs it, whose error then says what is wrong."""
        self._configuration = _plain(request.args)
        self._is_explicit = bool(request.name) and not is_default_provider(request.name)
        self._project = "".join(request.urn.split("::")[1:2])
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    # Its resources.

    @_served
    def Check(  # noqa: N802
        self, request: provider_pb2.CheckRequest, call: EngineCall
    ) -> provider_pb2.CheckResponse:
        """Examine and complete the inputs; all that is wrong is told at once."""
        strange = _strange(_kind(request.urn), request.news)
        for failure in strange:
            del request.news.fields[failure.property]
        news, olds = inward(request.news), inward(request.olds)
        if olds:  # what was imported has only the names among its inputs, and its ids among the outputs
            olds = {**inward(request.old_outputs), **olds}
        try:
            checked = self._process.check(self._life(call), call, olds, news)
        except AstroProviderError as error:  # a malformed setting
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures([InputError("", str(error))]))
        failures = [*strange, *_failures(checked.problems)]
        return provider_pb2.CheckResponse(inputs=outward(checked.inputs), failures=failures)

    @_served
    def Diff(  # noqa: N802
        self, request: provider_pb2.DiffRequest, call: EngineCall
    ) -> provider_pb2.DiffResponse:
        """Compare stored outputs with checked inputs, and tell which inputs differ."""
        olds, news = inward(request.olds), inward(request.news)
        difference = self._life(call).diff(call, olds, news)
        # Outputs in the dynamic door's spelling are not attributes here until an update writes them anew.
        if not difference.changes and not properties.is_spelled_otherwise(request.olds):
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        changed = detailed(inward(request.old_inputs) or olds, news, difference, olds)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            replaces=[camel(name) for name in difference.replaces],
            deleteBeforeReplace=True,
            diffs=roots(changed),
            detailedDiff=changed,
            hasDetailedDiff=True,
        )

    @_served
    def Create(  # noqa: N802
        self, request: provider_pb2.CreateRequest, call: EngineCall
    ) -> provider_pb2.CreateResponse:
        """Give the role, or all roles of the table; in a preview, tell what is known of it before."""
        news = inward(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=outward(_previewed(request.urn, {}, news)))
        identifier, outs = self._life(call).create(call, news)
        return provider_pb2.CreateResponse(id=str(identifier), properties=outward(outs))

    @_served
    def Read(  # noqa: N802
        self, request: provider_pb2.ReadRequest, call: EngineCall
    ) -> provider_pb2.ReadResponse:
        """Read what is there, with what is stored or by the id alone; an empty id tells the engine that it is gone."""
        found = self._life(call).read(call, inward(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, outs = found
        return provider_pb2.ReadResponse(id=request.id, inputs=outward(inputs), properties=outward(outs))

    @_served
    def Update(  # noqa: N802
        self, request: provider_pb2.UpdateRequest, call: EngineCall
    ) -> provider_pb2.UpdateResponse:
        """Make it what the program asks for; in a preview, tell what is known of it before."""
        olds, news = inward(request.olds), inward(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=outward(_previewed(request.urn, olds, news)))
        return provider_pb2.UpdateResponse(properties=outward(self._life(call).update(call, olds, news)))

    @_served
    def Delete(self, request: provider_pb2.DeleteRequest, call: EngineCall) -> Empty:  # noqa: N802
        """Take the role away, or every role of the table."""
        self._life(call).delete(call, inward(request.properties))
        return Empty()

    # What it can be asked.

    @_served
    def Invoke(  # noqa: N802
        self, request: provider_pb2.InvokeRequest, call: EngineCall
    ) -> provider_pb2.InvokeResponse:
        """Answer a function."""
        try:
            found = functions.call(self._process.bindings(call.at_once).shared, request.tok, _plain(request.args))
        except InvalidInputs as invalid:
            return provider_pb2.InvokeResponse(failures=_failures(invalid.problems))
        return provider_pb2.InvokeResponse(**{"return": properties.struct_of(found)})

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Let all that waits or tries again end with an error; what was written is still read."""
        cancelling.cancel()
        return Empty()

    def _life(self, call: EngineCall) -> Life:
        find = self._process.tables if _kind(call.urn) == NATIVE_TABLE else self._process.bindings
        return find(call.at_once)


def _kind(urn: str) -> str:
    """The type of the resource of a URN, without those of its parents.

    Raises:
        AstroProviderError: it is no type of ours.
    """
    kind = urn.split("::")[2].rpartition("$")[2]
    if kind not in (NATIVE_BINDING, NATIVE_TABLE):
        raise AstroProviderError(f"There is no resource {kind}: declare {NATIVE_BINDING} or {NATIVE_TABLE}.")
    return kind


def _plain(struct: Any) -> Properties:
    found = {name: properties.python(value) for name, value in struct.fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _previewed(urn: str, olds: Properties, news: Properties) -> Properties:
    return table_previewed(news) if _kind(urn) == NATIVE_TABLE else binding_previewed(olds, news)


def _strange(kind: str, news: Any) -> list[provider_pb2.CheckFailure]:
    """What a program gives and the schema does not know, for programs that no schema has checked."""
    known = fields(Table if kind == NATIVE_TABLE else Inputs)
    names = [camel(one.name) for one in known if one.name != UNFINISHED]
    return [
        provider_pb2.CheckFailure(
            property=name, reason=f"is no input of {kind.rpartition(':')[2]}{nearest_names(camel(name), names)}."
        )
        for name in news.fields
        if name not in names and not name.startswith("__")
    ]


def _failures(problems: Sequence[InputError]) -> list[provider_pb2.CheckFailure]:
    """Each problem on its property, or on its place in a table, whose whole value the engine would print otherwise."""
    told = [
        provider_pb2.CheckFailure(property=camel(place), reason=in_camel_case(reason))
        for place, reason in (one.beside for one in problems[:MOST_TOLD])
    ]
    if len(problems) > len(told):
        told.append(provider_pb2.CheckFailure(reason=f"And {len(problems) - len(told)} more of the same kind."))
    return told

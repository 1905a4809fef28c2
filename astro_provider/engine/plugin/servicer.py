"""The engine's calls to a native provider, handed on to the lifecycles, and their answers handed back.

What a call means is decided there. Here it is taken apart and put together, and each error becomes one sentence.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib import resources
from typing import Any, TypeVar

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from astro_provider.astro.api import cancelling
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.settings import Settings
from astro_provider.engine.log import EngineLog
from astro_provider.engine.plugin import configuration, functions, properties
from astro_provider.engine.plugin.detailed import detailed, roots
from astro_provider.engine.plugin.previewed import binding_previewed, table_previewed
from astro_provider.engine.plugin.properties import Properties, inward, outward
from astro_provider.engine.process import Life, Process
from astro_provider.engine.property_names import in_camel_case
from astro_provider.engine.state import keep_in_state
from astro_provider.errors import AstroProviderError, InputError, InvalidInputs, TableNotWritten
from astro_provider.lifecycle.tables.examining import MOST_TOLD
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import Inputs
from astro_provider.messages import notices, shown
from astro_provider.names import NATIVE_BINDING, NATIVE_TABLE, camel, is_default_provider
from astro_provider.version import __version__

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_Call = Callable[["Servicer", _Request, grpc.ServicerContext], _Answer]


def _in_one_sentence(call: _Call[_Request, _Answer]) -> _Call[_Request, _Answer]:
    """End a call that fails with what is wrong, as the whole message; notices of the call are about its resource."""

    @functools.wraps(call)
    def boundary(self: Servicer, request: _Request, context: grpc.ServicerContext) -> _Answer:
        with notices.about(getattr(request, "urn", "")):
            try:
                return call(self, request, context)
            except TableNotWritten as error:
                text = in_camel_case(str(error))
                if error.left is not None:
                    identifier = error.identifier or str(getattr(request, "id", ""))  # an update's is that of its call
                    keep_in_state(context, identifier, {camel(name): one for name, one in error.left.items()}, text)
                context.abort(grpc.StatusCode.UNKNOWN, text)
            except AstroProviderError as error:
                # A code that the engine takes for well understood: the resource is as it was before.
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, in_camel_case(str(error)))
            except Exception as error:  # noqa: BLE001  a fault of ours, and a traceback helps nobody who reads it
                context.abort(grpc.StatusCode.INTERNAL, _our_fault(error))
            raise AssertionError("abort raises")

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
        self._process = Process(self._settings, operations_at_once)

    def _settings(self) -> Settings:
        return configuration.settings(self._configuration, explicit=self._is_explicit, project=self._project)

    # What the provider is.

    def Handshake(  # noqa: N802  the protocol's names, as all that follow
        self, request: provider_pb2.ProviderHandshakeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Learn where the engine is, and tell what this provider can take.

        Secrets come as plain values: the engine itself marks what comes back, also deep inside a table.
        """
        notices.send_to(EngineLog(request.engine_address, in_camel_case))
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False
        )

    def Attach(self, request: plugin_pb2.PluginAttach, _context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Learn where the engine is, for a process that it has not started."""
        notices.send_to(EngineLog(request.address, in_camel_case))
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

    @_in_one_sentence
    def CheckConfig(  # noqa: N802
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Tell what is malformed; the credential is a secret, whether the program has marked it or not."""
        given = _plain(request.news)
        failures = _failures(configuration.problems(given))
        if given.get(configuration.SECRET) is not None:
            given[configuration.SECRET] = properties.secret(given[configuration.SECRET])
        return provider_pb2.CheckResponse(inputs=properties.struct_of(given), failures=failures)

    @_in_one_sentence
    def DiffConfig(  # noqa: N802
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compare configurations: whatever changes, the provider changes in place, and no resource with it."""
        olds, news = _plain(request.old_inputs or request.olds), _plain(request.news)
        changed = [name for name in {**olds, **news} if olds.get(name) != news.get(name)]
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=changed)

    @_in_one_sentence
    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Take the configuration. It is read at the first call that needs it, whose error then says what is wrong."""
        self._configuration = _plain(request.args)
        self._is_explicit = bool(request.name) and not is_default_provider(request.name)
        self._project = "".join(request.urn.split("::")[1:2])
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    # Its resources.

    @_in_one_sentence
    def Check(  # noqa: N802
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Examine and complete the inputs; all that is wrong is told at once."""
        strange = _strange(_kind(request.urn), request.news)
        for failure in strange:
            del request.news.fields[failure.property]
        news, olds = inward(request.news), inward(request.olds)
        if olds:  # what was imported has only the names among its inputs, and its ids among the outputs
            olds = {**inward(request.old_outputs), **olds}
        try:
            checked = self._process.check(self._life(request.urn), olds, news, urn=request.urn)
        except AstroProviderError as error:  # a malformed setting
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures([InputError("", str(error))]))
        failures = [*strange, *_failures(checked.problems)]
        return provider_pb2.CheckResponse(inputs=outward(checked.inputs), failures=failures)

    @_in_one_sentence
    def Diff(  # noqa: N802
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compare stored outputs with checked inputs, and tell which inputs differ."""
        olds, news = inward(request.olds), inward(request.news)
        difference = self._life(request.urn).diff(olds, news)
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

    @_in_one_sentence
    def Create(  # noqa: N802
        self, request: provider_pb2.CreateRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Give the role, or all roles of the table; in a preview, tell what is known of it before."""
        news = inward(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=outward(_previewed(request.urn, {}, news)))
        identifier, outs = self._life(request.urn).create(news)
        return provider_pb2.CreateResponse(id=str(identifier), properties=outward(outs))

    @_in_one_sentence
    def Read(  # noqa: N802
        self, request: provider_pb2.ReadRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """Read what is there, with what is stored or by the id alone; an empty id tells the engine that it is gone."""
        found = self._life(request.urn).read(request.id, inward(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, outs = found
        return provider_pb2.ReadResponse(id=request.id, inputs=outward(inputs), properties=outward(outs))

    @_in_one_sentence
    def Update(  # noqa: N802
        self, request: provider_pb2.UpdateRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Make it what the program asks for; in a preview, tell what is known of it before."""
        olds, news = inward(request.olds), inward(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=outward(_previewed(request.urn, olds, news)))
        if _kind(request.urn) == NATIVE_TABLE:
            outs = self._process.tables().update(olds, news)
        else:
            outs = self._process.bindings().update(request.id, olds, news)
        return provider_pb2.UpdateResponse(properties=outward(outs))

    @_in_one_sentence
    def Delete(self, request: provider_pb2.DeleteRequest, _context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Take the role away, or every role of the table."""
        self._life(request.urn).delete(request.id, inward(request.properties))
        return Empty()

    # What it can be asked.

    @_in_one_sentence
    def Invoke(  # noqa: N802
        self, request: provider_pb2.InvokeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Answer a function."""
        try:
            found = functions.call(self._process.bindings().shared, request.tok, _plain(request.args))
        except InvalidInputs as invalid:
            return provider_pb2.InvokeResponse(failures=_failures(invalid.problems))
        return provider_pb2.InvokeResponse(**{"return": properties.struct_of(found)})

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Let all that waits or tries again end with an error; what was written is still read."""
        cancelling.cancel()
        return Empty()

    def _life(self, urn: str) -> Life:
        return self._process.tables() if _kind(urn) == NATIVE_TABLE else self._process.bindings()


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
    names = [camel(one.name) for one in fields(Table if kind == NATIVE_TABLE else Inputs)]
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


def _our_fault(error: Exception) -> str:
    what = shown.line(f"{type(error).__name__}: {error}")
    return f"pulumi-astro-provider {__version__} made a mistake ({what}): please report it with what you ran."

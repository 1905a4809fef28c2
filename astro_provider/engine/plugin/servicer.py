"""Passes the engine's calls of a native provider to the lifecycles, and their answers back.

The lifecycles decide what a call means. Here messages are unpacked and packed, and each error becomes one sentence.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib import resources
from typing import Any, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]  # no stubs
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # no stubs
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb2

from astro_provider.astro.api import cancelling
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.settings import Settings
from astro_provider.engine.calls import EngineLog, answering, ending_with, in_one_sentence
from astro_provider.engine.plugin import configuration, functions, properties
from astro_provider.engine.plugin.detailed import detailed, roots
from astro_provider.engine.plugin.previewed import binding_previewed, table_previewed
from astro_provider.engine.plugin.properties import Properties, inward, outward, plain
from astro_provider.engine.process import Process
from astro_provider.engine.property_names import in_camel_case
from astro_provider.errors import AstroProviderError, InputError, InvalidInputs, Kept, credential_in_clear
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import MOST_NAMED
from astro_provider.lifecycle.inputs import Inputs
from astro_provider.lifecycle.life import Life
from astro_provider.lifecycle.tables.values import Table
from astro_provider.messages import notices
from astro_provider.names import NATIVE_BINDING, NATIVE_TABLE, UNFINISHED, camel, is_default_provider
from astro_provider.version import __version__

# The properties of a table that a check or a run adds.
COMPUTED = ("removes", "deployment_ids", "token_ids", UNFINISHED)

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_Call = Callable[["Servicer", _Request, grpc.ServicerContext], _Answer]
_Method = Callable[["Servicer", "Session", _Request, EngineCall], _Answer]


def _served(method: _Method[_Request, _Answer]) -> _Call[_Request, _Answer]:
    """Serve a call about one resource, or about the provider itself."""

    @functools.wraps(method)
    def boundary(self: Servicer, request: _Request, context: grpc.ServicerContext) -> _Answer:
        session, call = self.engine_call(request, context)
        with answering(call):
            return method(self, session, request, call)
        raise AssertionError("a failed call raises")

    return boundary


class Session:
    """One provider of one run: its configuration, and the lifecycles that its resources share.

    Attributes:
        process: the lifecycles of the provider.
        log: the engine's log; None before the engine has sent its address.
    """

    def __init__(self) -> None:
        self._configuration: Properties = {}
        self._is_explicit = False
        self._is_in_clear = False
        self._project = ""
        self.process = Process(self._settings)
        self.log: EngineLog | None = None

    def configure(self, request: pb2.ConfigureRequest) -> None:
        """Keep the configuration, to be read at the first call that needs it."""
        self._configuration = plain(request.args)
        self._is_explicit = bool(request.name) and not is_default_provider(request.name)
        # A secret comes as a map, a credential in clear as a text, which is refused at its first use, as by the dynamic door.
        token = request.args.fields.get(configuration.SECRET)
        self._is_in_clear = token is not None and bool(token.string_value) and not self._is_explicit
        self._project = "".join(request.urn.split("::")[1:2])

    def _settings(self) -> Settings:
        if self._is_in_clear:
            raise credential_in_clear()
        return configuration.settings(self._configuration, explicit=self._is_explicit, project=self._project)


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves the engine's calls.

    An engine starts a process for each provider. A process that was started by hand (PULUMI_DEBUG_PROVIDERS) serves all
    providers of all runs: each has a connection of its own, by which its session is known.

    Args:
        operations_at_once: how many calls can be under way.
    """

    def __init__(self, operations_at_once: int) -> None:
        self._at_once = operations_at_once
        self._lock = threading.Lock()
        self._latest = Session()  # serves a connection that has sent no address
        self._sessions: dict[str, Session] = {}

    def _session(self, context: grpc.ServicerContext) -> Session:
        with self._lock:
            return self._sessions.get(context.peer(), self._latest)

    def _connect(self, engine_address: str, context: grpc.ServicerContext) -> None:
        """Begin the session of a connection, or keep the new address of its engine."""
        with self._lock:
            # An earlier run was cancelled; its sessions have ended, and their cancel must not end the calls of this run.
            if cancelling.is_cancelled():
                cancelling.begin_anew()
                notices.forget()
                self._sessions.clear()
            self._latest = self._sessions.setdefault(context.peer(), Session())
            self._latest.log = EngineLog(engine_address, in_camel_case)
            notices.send_to(self._latest.log)

    def engine_call(self, request: Any, context: grpc.ServicerContext) -> tuple[Session, EngineCall]:
        """Return the session of a request, and the request as an engine's call."""

        def fail(error: Exception) -> NoReturn:
            text = in_camel_case(in_one_sentence(error))
            kept: Kept | None = getattr(error, "kept", None)
            if kept is not None:
                outputs = {camel(name): one for name, one in kept.outputs.items()}
                context.set_trailing_metadata(ending_with(text, Kept(kept.identifier, outputs)))
                context.abort(grpc.StatusCode.UNKNOWN, text)
            # On FAILED_PRECONDITION the engine takes the resource for what it was before.
            is_ours = isinstance(error, AstroProviderError)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION if is_ours else grpc.StatusCode.INTERNAL, text)
            raise AssertionError("abort raises")

        urn = str(getattr(request, "urn", ""))
        session = self._session(context)
        notify = session.log.about(urn) if session.log is not None and urn else None
        return session, EngineCall(urn, str(getattr(request, "id", "")), self._at_once, notify, fail)

    # The provider.

    def Handshake(
        self, request: pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> pb2.ProviderHandshakeResponse:
        """Keep the engine's address, and return what this provider accepts.

        Secrets come as plain values: the engine itself marks the values that come back, also deep inside a table.
        """
        self._connect(request.engine_address, context)
        return pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False, accept_outputs=False)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Empty:
        """Keep the address of an engine that has not started this process."""
        self._connect(request.address, context)
        return Empty()

    def GetPluginInfo(self, _request: Empty, _context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=__version__)

    def GetSchema(self, _request: pb2.GetSchemaRequest, _context: grpc.ServicerContext) -> pb2.GetSchemaResponse:
        """Return the schema: resources, functions and configuration."""
        schema = json.loads(resources.files(__package__ or "").joinpath("schema.json").read_text(encoding="utf-8"))
        return pb2.GetSchemaResponse(schema=json.dumps({**schema, "version": __version__}))

    # Its configuration.

    @_served
    def CheckConfig(self, _session: Session, request: pb2.CheckRequest, _call: EngineCall) -> pb2.CheckResponse:
        """Return the malformed values. The credential of an explicit provider is a secret, even if the program does not mark it.

        The engine sends values without their marks here, and with them to `Configure`. So the credential of the stack's
        configuration stays as it came: `Configure` then shows whether it is stored in clear.
        """
        given = plain(request.news)
        failures = _failures(configuration.problems(given))
        is_default = is_default_provider(request.urn.rpartition("::")[2])
        if given.get(configuration.SECRET) is not None and not is_default:
            given[configuration.SECRET] = properties.secret(given[configuration.SECRET])
        return pb2.CheckResponse(inputs=properties.struct_of(given), failures=failures)

    @_served
    def DiffConfig(self, _session: Session, request: pb2.DiffRequest, _call: EngineCall) -> pb2.DiffResponse:
        """Compare configurations. Another organization replaces an explicit provider, and with it each of its resources."""
        olds, news = plain(request.old_inputs or request.olds), plain(request.news)
        changed = [name for name in {**olds, **news} if olds.get(name) != news.get(name)]
        changes = pb2.DiffResponse.DIFF_SOME if changed else pb2.DiffResponse.DIFF_NONE
        is_default = is_default_provider(request.urn.rpartition("::")[2])
        replaces = changed if not is_default and configuration.is_another_organization(olds, news) else []
        return pb2.DiffResponse(changes=changes, diffs=changed, replaces=replaces)

    @_served
    def Configure(self, session: Session, request: pb2.ConfigureRequest, _call: EngineCall) -> pb2.ConfigureResponse:
        """Keep the configuration. The first call that needs it reads it, and fails if it is malformed."""
        session.configure(request)
        return pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    # Its resources.

    @_served
    def Check(self, session: Session, request: pb2.CheckRequest, call: EngineCall) -> pb2.CheckResponse:
        """Examine and complete the inputs; all problems are reported at once."""
        strange = _strange(_kind(request.urn), request.news)
        # Taken out, so that the other inputs are still examined: all problems of a program are reported in one run.
        for failure in strange:
            del request.news.fields[failure.property]
        news, olds = inward(request.news), inward(request.olds)
        if olds:  # an imported resource has the names among its inputs, and the ids among its outputs only
            olds = {**inward(request.old_outputs), **olds}
        try:
            checked = session.process.check(_life(session, call), call, olds, news)
        except AstroProviderError as error:  # a malformed setting
            return pb2.CheckResponse(inputs=request.news, failures=_failures([InputError("", str(error))]))
        failures = [*strange, *_failures(checked.problems)]
        return pb2.CheckResponse(inputs=outward(checked.inputs), failures=failures)

    @_served
    def Diff(self, session: Session, request: pb2.DiffRequest, call: EngineCall) -> pb2.DiffResponse:
        """Compare stored outputs with checked inputs, and return the inputs that differ."""
        olds, news = inward(request.olds), inward(request.news)
        difference = _life(session, call).diff(call, olds, news)
        # Outputs in snake_case are no attributes of a native resource until an update writes them anew.
        if not difference.changes and not properties.is_spelled_otherwise(request.olds):
            return pb2.DiffResponse(changes=pb2.DiffResponse.DIFF_NONE)
        changed = detailed(inward(request.old_inputs) or olds, news, difference, olds)
        return pb2.DiffResponse(
            changes=pb2.DiffResponse.DIFF_SOME,
            replaces=[camel(name) for name in difference.replaces],
            deleteBeforeReplace=True,
            diffs=roots(changed),
            detailedDiff=changed,
            hasDetailedDiff=True,
        )

    @_served
    def Create(self, session: Session, request: pb2.CreateRequest, call: EngineCall) -> pb2.CreateResponse:
        """Give the role, or all roles of the table; in a preview, return the outputs that are known before."""
        news = inward(request.properties)
        # The engine calls this in previews too, for the outputs that other resources take as inputs; nothing may be written.
        if request.preview:
            return pb2.CreateResponse(properties=outward(_previewed(request.urn, {}, news)))
        identifier, outs = _life(session, call).create(call, news)
        return pb2.CreateResponse(id=identifier, properties=outward(outs))

    @_served
    def Read(self, session: Session, request: pb2.ReadRequest, call: EngineCall) -> pb2.ReadResponse:
        """Return the resource as Astro has it, from its state or by its id; an empty id means that it is gone."""
        found = _life(session, call).read(call, inward(request.properties))
        if found is None:
            return pb2.ReadResponse()
        inputs, outs = found
        return pb2.ReadResponse(id=request.id, inputs=outward(inputs), properties=outward(outs))

    @_served
    def Update(self, session: Session, request: pb2.UpdateRequest, call: EngineCall) -> pb2.UpdateResponse:
        """Change it to what the program asks for; in a preview, return the outputs that are known before."""
        olds, news = inward(request.olds), inward(request.news)
        if request.preview:
            return pb2.UpdateResponse(properties=outward(_previewed(request.urn, olds, news)))
        return pb2.UpdateResponse(properties=outward(_life(session, call).update(call, olds, news)))

    @_served
    def Delete(self, session: Session, request: pb2.DeleteRequest, call: EngineCall) -> Empty:
        """Take the role away, or every role of the table."""
        _life(session, call).delete(call, inward(request.properties))
        return Empty()

    # Its functions.

    @_served
    def Invoke(self, session: Session, request: pb2.InvokeRequest, call: EngineCall) -> pb2.InvokeResponse:
        """Return the answer of a function."""
        try:
            found = functions.call(session.process.shared(call.at_once), request.tok, plain(request.args))
        except InvalidInputs as invalid:
            return pb2.InvokeResponse(failures=_failures(invalid.problems))
        return pb2.InvokeResponse(**{"return": properties.struct_of(found)})

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Empty:
        """End all waits and retries with an error; an operation that has sent a write still reads its result."""
        cancelling.cancel()
        return Empty()


def _life(session: Session, call: EngineCall) -> Life[Any]:
    find = session.process.tables if _kind(call.urn) == NATIVE_TABLE else session.process.bindings
    return find(call.at_once)


def _kind(urn: str) -> str:
    """Return the type of the resource of a URN, without those of its parents.

    Raises:
        AstroProviderError: it is no type of ours.
    """
    kind = urn.split("::")[2].rpartition("$")[2]
    if kind not in (NATIVE_BINDING, NATIVE_TABLE):
        raise AstroProviderError(f"There is no resource {kind}: declare {NATIVE_BINDING} or {NATIVE_TABLE}.")
    return kind


def _previewed(urn: str, olds: Properties, news: Properties) -> Properties:
    return table_previewed(news) if _kind(urn) == NATIVE_TABLE else binding_previewed(olds, news)


def _strange(kind: str, news: Any) -> list[pb2.CheckFailure]:
    """Return a failure for each input that the schema does not have: a YAML program, for one, is not checked before."""
    known = [one.name for one in fields(Table if kind == NATIVE_TABLE else Inputs)]
    names = [camel(name) for name in known if name not in COMPUTED]
    return [
        pb2.CheckFailure(
            property=name, reason=f"is no input of {kind.rpartition(':')[2]}{nearest_names(camel(name), names)}."
        )
        for name, value in news.fields.items()
        if name not in names and not name.startswith("__") and value.WhichOneof("kind") != "null_value"
    ]


def _failures(problems: Sequence[InputError]) -> list[pb2.CheckFailure]:
    """Return each problem on its property; in a table on its place, because the engine prints the whole property's value."""
    reported = [
        pb2.CheckFailure(property=camel(place), reason=in_camel_case(reason))
        for place, reason in (one.on_property for one in problems[:MOST_NAMED])
    ]
    if len(problems) > len(reported):
        reported.append(pb2.CheckFailure(reason=f"And {len(problems) - len(reported)} more of the same kind."))
    return reported

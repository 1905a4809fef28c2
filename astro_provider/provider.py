"""The classes that users' state names. They hand every call on, never move and hold nothing.

The engine starts such a class from its pickled name, as `astro_provider.provider.DeploymentOrgTokenBindingProvider`, which
stands in every state as `__provider`. Renaming the module or a class breaks `destroy` for everybody. They have no
attributes, because those would be pickled too, and import little, because every program loads them. One process serves
both, so that they share what is known of Astro, the writer, and what the program claims.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    Config,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from astro_provider.engine.process import Life, Process
from astro_provider.errors import AstroProviderError, InputError, Kept
from astro_provider.names import PROVIDER_KEY

if TYPE_CHECKING:
    from astro_provider.astro.settings import Settings
    from astro_provider.engine.calls import EngineLog
    from astro_provider.lifecycle.engine_call import EngineCall

Properties = dict[str, Any]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _served(
    method: Callable[Concatenate[_Provider, EngineCall, _P], _R],
) -> Callable[Concatenate[_Provider, _P], _R]:
    """Serve a call of the SDK as a call of the engine. Its arguments are an id, if there is one, and property bags."""

    @functools.wraps(method)
    def boundary(self: _Provider, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        from astro_provider.engine.calls import answering  # noqa: PLC0415  a program needs none of it

        identifier = args[0] if isinstance(args[0], str) else ""
        call = _engine_call(identifier, args[-1])  # type: ignore[arg-type]  # the SDK's signatures end with a bag
        with answering(call):
            return method(self, call, *args, **kwargs)
        raise AssertionError("a failed call raises")

    return boundary


class _Provider(ResourceProvider):
    """Pulumi's end of a lifecycle, whichever it is."""

    serialize_as_secret_always = False  # the pickled name is no secret, and as one it would hide every diff

    def _life(self, call: EngineCall) -> Life:
        raise NotImplementedError

    def configure(self, req: ConfigureRequest) -> None:
        """Remember where the stack's configuration is. It is read later: an error here would come once a resource."""
        _configured.append(req.config)

    @_served
    def check(self, call: EngineCall, _olds: Properties, news: Properties) -> CheckResult:
        """Examine and complete the inputs."""
        try:
            checked = _process.check(self._life(call), call, _inward(_olds), _inward(news))
        except AstroProviderError as error:  # a malformed setting is a problem of the resource, whose check goes on
            return CheckResult(news, [CheckFailure("", str(error))])
        failures = [CheckFailure(*one.on_property) for one in self._told(checked.problems)]
        return CheckResult(_outward(checked.inputs), failures)

    def _told(self, problems: Sequence[InputError]) -> Sequence[InputError]:
        """The problems as they are told, if there are any."""
        return problems

    @_served
    def diff(self, call: EngineCall, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare stored outputs with new inputs."""
        difference = self._life(call).diff(call, _inward(_olds), _inward(_news))
        # None has the engine compare old and new inputs itself, so that it prints what changes and nothing else.
        changes = difference.beyond_inputs or (None if difference.changes else False)
        if PROVIDER_KEY not in _olds:  # the native door wrote them, and without it no refresh and no delete finds us
            changes = True
        return DiffResult(changes, difference.replaces, delete_before_replace=True)

    @_served
    def create(self, call: EngineCall, props: Properties) -> CreateResult:
        """Give the role, or all roles of the table."""
        identifier, outs = self._life(call).create(call, _inward(props))
        return CreateResult(str(identifier), _outward(outs))

    @_served
    def read(self, call: EngineCall, id_: str, props: Properties) -> ReadResult:
        """Read what is there; an empty id tells the engine that it is gone."""
        found = self._life(call).read(call, _inward(props))
        if found is None:
            return ReadResult("", {})
        inputs, outs = found
        return ReadResult(id_, _outward(outs), _outward(inputs))

    @_served
    def update(self, call: EngineCall, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make it what the program asks for."""
        return UpdateResult(_outward(self._life(call).update(call, _inward(_olds), _inward(_news))))

    @_served
    def delete(self, call: EngineCall, _id: str, _props: Properties) -> None:
        """Take the role away, or every role of the table."""
        self._life(call).delete(call, _inward(_props))


class DeploymentOrgTokenBindingProvider(_Provider):
    """Pulumi's end of a binding's lifecycle."""

    def _life(self, call: EngineCall) -> Life:
        return _process.bindings(call.at_once)


class DeploymentOrgTokenBindingsProvider(_Provider):
    """Pulumi's end of a table's lifecycle."""

    def _life(self, call: EngineCall) -> Life:
        return _process.tables(call.at_once)

    def _told(self, problems: Sequence[InputError]) -> Sequence[InputError]:
        """All as one, which reads better than a table's many lines between a program's traceback."""
        from astro_provider.lifecycle.findings import as_one  # noqa: PLC0415  a program needs none of it

        return [as_one(problems)] if problems else []


_configured: list[Config] = []  # by the engine, for each class; all have the same configuration


def _settings() -> Settings:
    from astro_provider.astro.settings import NAMESPACE, Settings  # noqa: PLC0415  a program needs none of it

    if not _configured:
        return Settings.find(lambda _key: None, os.environ)
    config = _configured[-1]
    # The SDK shows no list of the keys. In a project named `astro` they are the program's own as well.
    content = vars(config)
    keys = content.get("_props", ()) if content.get("_project_name") != NAMESPACE else ()
    return Settings.find(config.get, os.environ, keys)


_process = Process(_settings)


@functools.cache
def _log() -> EngineLog | None:
    """The log of the engine that started this process, which all notices go to from now on; None if none did."""
    from astro_provider.engine.callers import engine_address  # noqa: PLC0415  a program needs none of it
    from astro_provider.engine.calls import EngineLog  # noqa: PLC0415  as above
    from astro_provider.messages import notices  # noqa: PLC0415  as above

    address = engine_address(sys.argv[1:])
    if address is None:
        return None
    log = EngineLog(address)
    notices.send_to(log)
    return log


def _engine_call(identifier: str, properties: Properties) -> EngineCall:
    """The engine's call that this thread is serving, as far as the SDK lets it be seen.

    Args:
        identifier: the resource's id; blank if it has none.
        properties: a bag of the call, which has Pulumi's own property.
    """
    from astro_provider.engine.callers import callers  # noqa: PLC0415  a program needs none of it
    from astro_provider.engine.calls import ending_with, in_one_sentence  # noqa: PLC0415  as above
    from astro_provider.lifecycle.engine_call import EngineCall  # noqa: PLC0415  as above

    found, log = callers(), _log()

    def fail(error: Exception) -> NoReturn:
        if found.context is not None:
            kept: Kept | None = getattr(error, "kept", None)
            if kept is not None:
                kept = Kept(kept.identifier, {**_outward(dict(kept.outputs)), PROVIDER_KEY: properties[PROVIDER_KEY]})
            found.context.set_trailing_metadata(ending_with(in_one_sentence(error), kept))
        # Without the context, the SDK prints a traceback: let it be short for an error that says it all.
        raise error.with_traceback(None) if isinstance(error, AstroProviderError) else error from None

    notify = log.about(found.urn) if log is not None and found.urn else None
    return EngineCall(found.urn, identifier, found.widen(), notify, fail)


def _inward(properties: Properties) -> Properties:
    """Without Pulumi's own property, in the lifecycles' spelling, and with our UNKNOWN for Pulumi's, at whatever depth.

    The native door, whose resource this may have been, spells in camelCase.
    """
    from astro_provider.engine.property_names import snake  # noqa: PLC0415  a program needs none of it
    from astro_provider.lifecycle.values import UNKNOWN  # noqa: PLC0415  as above

    def inward(value: Any) -> Any:
        if isinstance(value, pulumi.output.Unknown):
            return UNKNOWN
        return {key: inward(one) for key, one in value.items()} if isinstance(value, dict) else value

    return {snake(name): inward(value) for name, value in properties.items() if name != PROVIDER_KEY}


def _outward(properties: Properties) -> Properties:
    from astro_provider.lifecycle.values import UNKNOWN  # noqa: PLC0415  as above

    def outward(value: Any) -> Any:
        if value is UNKNOWN:
            return pulumi.output.UNKNOWN
        return {key: outward(one) for key, one in value.items()} if isinstance(value, dict) else value

    return {name: outward(value) for name, value in properties.items()}

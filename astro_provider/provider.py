"""The dynamic door: two classes, named in users' states, that pass each call of the engine to a lifecycle.

The engine starts such a class from its pickled name, `astro_provider.provider.DeploymentOrgTokenBindingProvider`, which
every state has as `__provider`. To rename the module or a class would break `destroy` for all users. The classes have no
attributes, because those would be pickled too, and the module imports little, because every program loads it. One process
serves both classes, so they share the reads of Astro, the writer, and the claims of the program.
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

from astro_provider.engine.process import Process
from astro_provider.errors import AstroProviderError, InputError, Kept
from astro_provider.names import PROVIDER_KEY

if TYPE_CHECKING:
    from astro_provider.astro.settings import Settings
    from astro_provider.engine.calls import EngineLog
    from astro_provider.lifecycle.engine_call import EngineCall
    from astro_provider.lifecycle.life import Life

Properties = dict[str, Any]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _served(
    method: Callable[Concatenate[_Provider, EngineCall, _P], _R],
) -> Callable[Concatenate[_Provider, _P], _R]:
    """Serve a method of the SDK, whose arguments are an id, if there is one, and property bags, as an engine's call."""

    @functools.wraps(method)
    def boundary(self: _Provider, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        from astro_provider.engine.calls import answering  # noqa: PLC0415  a program does not need it

        identifier = args[0] if isinstance(args[0], str) else ""
        call = _engine_call(identifier, args[-1])  # type: ignore[arg-type]  # the SDK's signatures end with a bag
        with answering(call):
            return method(self, call, *args, **kwargs)
        raise AssertionError("a failed call raises")

    return boundary


class _Provider(ResourceProvider):
    """Pulumi's end of a lifecycle: of bindings or of tables."""

    serialize_as_secret_always = False  # the pickled name is no secret, and as one it would hide every diff

    def _life(self, call: EngineCall) -> Life[Any]:
        raise NotImplementedError

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's configuration, to be read later: the engine would print an error here once for each resource."""
        _configured.append(req.config)

    @_served
    def check(self, call: EngineCall, _olds: Properties, news: Properties) -> CheckResult:
        """Examine and complete the inputs."""
        try:
            checked = _process.check(self._life(call), call, _inward(_olds), _inward(news))
        except AstroProviderError as error:  # a malformed setting: as a failure, it stands on the resource
            return CheckResult(news, [CheckFailure("", str(error))])
        failures = [CheckFailure(*one.on_property) for one in self._reported(checked.problems)]
        return CheckResult(_outward(checked.inputs), failures)

    def _reported(self, problems: Sequence[InputError]) -> Sequence[InputError]:
        """Return the problems as the engine prints them, one line for each."""
        return problems

    @_served
    def diff(self, call: EngineCall, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare stored outputs with new inputs."""
        difference = self._life(call).diff(call, _inward(_olds), _inward(_news))
        # On None the engine compares old and new inputs itself, and prints the ones that differ.
        changes = difference.beyond_inputs or (None if difference.changes else False)
        # The native door wrote this state: only an update adds the key by which a refresh and a delete find this class.
        if PROVIDER_KEY not in _olds:
            changes = True
        return DiffResult(changes, difference.replaces, delete_before_replace=True)

    @_served
    def create(self, call: EngineCall, props: Properties) -> CreateResult:
        """Give the role, or all roles of the table."""
        identifier, outs = self._life(call).create(call, _inward(props))
        return CreateResult(identifier, _outward(outs))

    @_served
    def read(self, call: EngineCall, id_: str, props: Properties) -> ReadResult:
        """Return the resource as Astro has it; an empty id means to the engine that it is gone."""
        found = self._life(call).read(call, _inward(props))
        if found is None:
            return ReadResult("", {})
        inputs, outs = found
        return ReadResult(id_, _outward(outs), _outward(inputs))

    @_served
    def update(self, call: EngineCall, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Change the role, or the roles of the table, to those that the program asks for."""
        return UpdateResult(_outward(self._life(call).update(call, _inward(_olds), _inward(_news))))

    @_served
    def delete(self, call: EngineCall, _id: str, _props: Properties) -> None:
        """Take the role away, or every role of the table."""
        self._life(call).delete(call, _inward(_props))


class DeploymentOrgTokenBindingProvider(_Provider):
    """Pulumi's end of a binding's lifecycle."""

    def _life(self, call: EngineCall) -> Life[Any]:
        return _process.bindings(call.at_once)


class DeploymentOrgTokenBindingsProvider(_Provider):
    """Pulumi's end of a table's lifecycle."""

    def _life(self, call: EngineCall) -> Life[Any]:
        return _process.tables(call.at_once)

    def _reported(self, problems: Sequence[InputError]) -> Sequence[InputError]:
        """Return all problems as one, which is readable amid the traceback that the engine prints of the program."""
        from astro_provider.lifecycle.findings import as_one  # noqa: PLC0415  a program does not need it

        return [as_one(problems)] if problems else []


_configured: list[Config] = []  # the engine configures each class; all get the same configuration


def _settings() -> Settings:
    from astro_provider.astro.settings import NAMESPACE, Settings  # noqa: PLC0415  a program does not need it

    if not _configured:
        return Settings.find(lambda _key: None, os.environ)
    config = _configured[-1]
    # The SDK has no public list of the keys. In a project named `astro` they are the program's own as well.
    content = vars(config)
    keys = content.get("_props", ()) if content.get("_project_name") != NAMESPACE else ()
    return Settings.find(config.get, os.environ, keys)


_process = Process(_settings)


@functools.cache
def _log() -> EngineLog | None:
    """Send all notices to the log of the engine that started this process, and return it; None: no engine did."""
    from astro_provider.engine.callers import engine_address  # noqa: PLC0415  a program does not need it
    from astro_provider.engine.calls import EngineLog  # noqa: PLC0415  as above
    from astro_provider.messages import notices  # noqa: PLC0415  as above

    address = engine_address(sys.argv[1:])
    if address is None:
        return None
    log = EngineLog(address)
    notices.send_to(log)
    return log


def _engine_call(identifier: str, properties: Properties) -> EngineCall:
    """Return the engine's call that this thread is serving, as far as the SDK shows it.

    Args:
        identifier: the resource's id; blank if it has none.
        properties: a bag of the call, which has Pulumi's own property.
    """
    from astro_provider.engine.callers import callers  # noqa: PLC0415  a program does not need it
    from astro_provider.engine.calls import ending_with, in_one_sentence  # noqa: PLC0415  as above
    from astro_provider.lifecycle.engine_call import EngineCall  # noqa: PLC0415  as above

    found, log = callers(), _log()

    def fail(error: Exception) -> NoReturn:
        if found.context is not None:
            kept: Kept | None = getattr(error, "kept", None)
            if kept is not None:
                kept = Kept(kept.identifier, {**_outward(dict(kept.outputs)), PROVIDER_KEY: properties[PROVIDER_KEY]})
            found.context.set_trailing_metadata(ending_with(in_one_sentence(error), kept))
        # Without the context, the SDK prints a traceback, which is shorter without the frames of our own errors.
        raise error.with_traceback(None) if isinstance(error, AstroProviderError) else error from None

    notify = log.about(found.urn) if log is not None and found.urn else None
    return EngineCall(found.urn, identifier, found.widen(), notify, fail)


def _inward(properties: Properties) -> Properties:
    """Return a bag for a lifecycle: without `__provider`, in snake_case, and with our UNKNOWN for Pulumi's at any depth.

    The native door, which may have written the bag, spells in camelCase.
    """
    from astro_provider.engine.property_names import snake  # noqa: PLC0415  a program does not need it
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

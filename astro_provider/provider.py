"""The classes that users' state names. They hand every call on, never move and hold nothing.

The engine starts such a class from its pickled name, as `astro_provider.provider.DeploymentOrgTokenBindingProvider`, which
stands in every state as `__provider`. Renaming the module or a class breaks `destroy` for everybody. They have no
attributes, because those would be pickled too, and import little, because every program loads them. One process serves
both, so that they share what is known of Astro, the writer, and what the program claims.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

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
from astro_provider.errors import AstroProviderError, InputError, TableNotWritten
from astro_provider.names import PROVIDER_KEY

if TYPE_CHECKING:
    from astro_provider.astro.settings import Settings
    from astro_provider.lifecycle.single import Lifecycle
    from astro_provider.lifecycle.tables.lifecycle import TableLifecycle

Properties = dict[str, Any]
OPERATIONS_AT_ONCE = 4  # the threads that the SDK gives to the process of a dynamic provider

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _without_traceback(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Pulumi shows an exception as a whole traceback; keep it short, because the last line says it all."""

    @functools.wraps(call)
    def boundary(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return call(*args, **kwargs)
        except AstroProviderError as error:
            raise error.with_traceback(None) from None

    return boundary


class _Provider(ResourceProvider):
    """Pulumi's end of a lifecycle, whichever it is."""

    serialize_as_secret_always = False  # the pickled name is no secret, and as one it would hide every diff

    def _life(self) -> Life:
        raise NotImplementedError

    def configure(self, req: ConfigureRequest) -> None:
        """Remember where the stack's configuration is. It is read later: an error here would come once a resource."""
        _configured.append(req.config)

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Examine and complete the inputs."""
        try:
            checked = _process.check(self._life(), _inward(_olds), _inward(news))
        except AstroProviderError as error:  # a malformed setting reads better beside the resource than as a traceback
            return CheckResult(news, [CheckFailure("", str(error))])
        failures = [CheckFailure(*one.beside) for one in self._told(checked.problems)]
        return CheckResult(_outward(checked.inputs), failures)

    def _told(self, problems: Sequence[InputError]) -> Sequence[InputError]:
        """The problems as they are told, if there are any."""
        return problems

    @_without_traceback
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare stored outputs with new inputs."""
        difference = self._life().diff(_inward(_olds), _inward(_news))
        # None has the engine compare old and new inputs itself, so that it prints what changes and nothing else.
        changes = difference.beyond_inputs or (None if difference.changes else False)
        if PROVIDER_KEY not in _olds:  # the native door wrote them, and without it no refresh and no delete finds us
            changes = True
        return DiffResult(changes, difference.replaces, delete_before_replace=True)

    @_without_traceback
    def create(self, props: Properties) -> CreateResult:
        """Give the role, or all roles of the table."""
        identifier, outs = self._life().create(_inward(props))
        return CreateResult(str(identifier), _outward(outs))

    @_without_traceback
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read what is there; an empty id tells the engine that it is gone."""
        found = self._life().read(id_, _inward(props))
        if found is None:
            return ReadResult("", {})
        inputs, outs = found
        return ReadResult(id_, _outward(outs), _outward(inputs))

    @_without_traceback
    def delete(self, _id: str, _props: Properties) -> None:
        """Take the role away, or every role of the table."""
        self._life().delete(_id, _inward(_props))


class DeploymentOrgTokenBindingProvider(_Provider):
    """Pulumi's end of a binding's lifecycle."""

    def _life(self) -> Lifecycle:
        return _process.bindings()

    @_without_traceback
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Change the binding's role."""
        return UpdateResult(_outward(self._life().update(_id, _inward(_olds), _inward(_news))))


class DeploymentOrgTokenBindingsProvider(_Provider):
    """Pulumi's end of a table's lifecycle."""

    def _life(self) -> TableLifecycle:
        return _process.tables()

    def _told(self, problems: Sequence[InputError]) -> Sequence[InputError]:
        """All as one, which reads better than a table's many lines between a program's traceback."""
        from astro_provider.lifecycle.tables.examining import as_one  # noqa: PLC0415  a program needs none of it

        return [as_one(problems)] if problems else []

    @_without_traceback
    def create(self, props: Properties) -> CreateResult:
        """Give all roles of the table, or none."""
        with _telling_what_is_left("", props):
            return super().create(props)

    @_without_traceback
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make the table what the program asks for, or leave it as it is."""
        with _telling_what_is_left(_id, _news):
            return UpdateResult(_outward(self._life().update(_inward(_olds), _inward(_news))))


_configured: list[Config] = []  # by the engine, for each class; all have the same configuration


def _settings() -> Settings:
    """The settings of a process that an engine started, whose notices go to that engine from now on."""
    from astro_provider.astro.settings import NAMESPACE, Settings  # noqa: PLC0415  as above
    from astro_provider.engine.log import send_notices_to_engine  # noqa: PLC0415  a program needs none of it

    send_notices_to_engine()
    if not _configured:
        return Settings.find(lambda _key: None, os.environ)
    config = _configured[-1]
    # The SDK shows no list of the keys. In a project named `astro` they are the program's own as well.
    content = vars(config)
    keys = content.get("_props", ()) if content.get("_project_name") != NAMESPACE else ()
    return Settings.find(config.get, os.environ, keys)


_process = Process(_settings, OPERATIONS_AT_ONCE)


@contextmanager
def _telling_what_is_left(identifier: str, properties: Properties) -> Iterator[None]:
    """Tell the engine what a table that could be neither written nor taken back has left, so that it keeps that."""
    try:
        yield
    except TableNotWritten as error:
        if error.left is not None:
            from astro_provider.engine.state import call_of_engine, keep_in_state  # noqa: PLC0415  as above

            if (call := call_of_engine()) is not None:
                left = {**error.left, PROVIDER_KEY: properties[PROVIDER_KEY]}
                keep_in_state(call, error.identifier or identifier, left, str(error))
        raise


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

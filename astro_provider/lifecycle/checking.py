"""The check of a resource, a binding or a table alike; and what the lifecycles of both share.

A check parses what the program gives, looks it up, claims and examines it, and reports what it found: in this order, so
that what is claimed is claimed also if it is wrong. With previewChecks=off it asks nothing of Astro.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.evidence import Evidence
from astro_provider.astro.identity import BindingId
from astro_provider.astro.organizations import PerOrganization
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.settings import PreviewChecks, Settings
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.astro.writing.writer import Writer
from astro_provider.errors import AstroProviderError, InputError
from astro_provider.lifecycle.claims import Claimant, Claims, State, exclusive_in_words, twin_in_words
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import Finding, Weight, report
from astro_provider.lifecycle.spelling import tell_that_checks_are_off
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import Inputs, Parser, Text, known

Properties = dict[str, Any]

_P = ParamSpec("_P")
_R = TypeVar("_R")
A = TypeVar("A", Inputs, Table)


@dataclass(frozen=True)
class Checked:
    """The inputs with what `check` filled in, and the problems, each on a property ("" if on none)."""

    inputs: Properties
    problems: list[InputError]


@dataclass(frozen=True)
class Difference:
    """The change that a diff finds: nothing, some properties in place, or the binding's identity.

    Attributes:
        changes: whether anything does.
        replaces: the properties that make it another binding.
        beyond_inputs: something changes that no comparison of inputs shows.
    """

    changes: bool
    replaces: list[str]
    beyond_inputs: bool = False


class _HasSettings(Protocol):
    @property
    def _settings(self) -> Settings: ...


_L = TypeVar("_L", bound=_HasSettings)


def within_its_time(method: Callable[Concatenate[_L, _P], _R]) -> Callable[Concatenate[_L, _P], _R]:
    """Bound one operation of a lifecycle, with all that it reads, writes and waits for, by `timeoutSeconds`."""

    @functools.wraps(method)
    def bounded(self: _L, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with operation(self._settings.timeout_seconds):
            return method(self, *args, **kwargs)

    return bounded


@dataclass(frozen=True)
class Shared:
    """Shared by the resources of all kinds in one process: settings, facts, the one road of writes, and claims."""

    settings: Settings
    readers: Readers
    writer: Writer
    claims: Claims

    @classmethod
    def of(cls, settings: Settings, *, operations_at_once: int) -> Shared:
        """Build it from settings; `operations_at_once` is how many operations the engine has under way here at most."""
        client = settings.client()
        evidence = PerOrganization(lambda one: Evidence(client.of(one)))
        writer = Writer(
            client,
            TokenLocks(settings.host, settings.lock_directory),
            settle_seconds=settings.settle_seconds,
            timeout_seconds=settings.timeout_seconds,
            most_at_once=operations_at_once,
            evidence=evidence,
        )
        return cls(settings, Readers(client, evidence), writer, Claims())


class Checking(Generic[A]):
    """The part of a lifecycle that binding and table have alike: the check."""

    with_places = False  # a message begins with the place that it is about

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._settings = shared.settings
        self._readers = shared.readers
        self._writer = shared.writer
        self._claims = shared.claims

    @within_its_time
    def check(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Checked:
        """Examine what the program asks for, fill in what it left to be found, and claim it.

        Args:
            call: the engine's.
            olds: the stored inputs; empty for a new resource, and for the second check of a replacement.
            news: the program's inputs.
        """
        parser = Parser(self._settings.credential)
        asked = self._parse(news, parser)
        if self.is_unchecked and parser.problems:
            return Checked(dict(news), parser.problems)
        if self.is_unchecked:
            tell_that_checks_are_off()
            return Checked(self._check_by_spelling(asked, olds, call.urn).properties(), [])
        try:
            checked, findings = self._examine(self._with_organization(asked), olds, call.urn)
        except AstroProviderError as error:
            # Without the service, what is malformed can be mended all the same; then the run tells of the service again.
            return Checked(dict(news), parser.problems or [InputError("", str(error))])
        malformed = bool(parser.problems)
        parser.problems += report(findings, self._settings.preview_checks, with_places=self.with_places)
        return Checked(dict(news) if malformed else checked.properties(), parser.problems)

    @property
    def is_unchecked(self) -> bool:
        """Return whether a check asks nothing of Astro."""
        return self._settings.preview_checks is PreviewChecks.OFF

    def _parse(self, news: Mapping[str, Any], parser: Parser) -> A:
        raise NotImplementedError

    def _examine(self, asked: A, olds: Mapping[str, Any], urn: str) -> tuple[A, list[Finding]]:
        """Look up, claim and examine what the program asks for; return it completed, and what there is to say."""
        raise NotImplementedError

    def _check_by_spelling(self, asked: A, olds: Mapping[str, Any], urn: str) -> A:
        """Complete from the state what is spelled as it was, and claim, without asking the service."""
        raise NotImplementedError

    def _claim(  # noqa: PLR0913, PLR0917  what is claimed, by whom, and how a message speaks of it
        self, binding: BindingId, by: Claimant, state: State, role: Text | None, called: str, place: str
    ) -> Iterable[Finding]:
        """Claim a binding, and say why another resource of the program cannot have it as well."""
        twin = self._claims.checked(binding, by, state, role if known(role) else None)
        if twin is not None:
            weight = Weight.WARNING if twin.is_harmless else Weight.ERROR
            yield Finding(weight, place, twin_in_words(by, twin.other, called))
        elif table := self._claims.exclusive_to(binding, by):
            yield Finding(Weight.ERROR, place, exclusive_in_words(table, called))

    def _with_organization(self, asked: A) -> A:
        if asked.organization_id is not None:
            return asked
        return replace(asked, organization_id=self._readers.of(self._settings.organization_id).organization_id)

    def _reader_for(self, asked: A) -> Reader | None:
        """Return the reader of the organization that a resource asks for; None while that is unknown."""
        return self._readers.of(asked.organization_id) if known(asked.organization_id) else None

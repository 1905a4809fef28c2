"""The check of a resource, a binding or a table alike, and what else the lifecycles of both have in common.

A check parses what the program gives, looks it up, claims and examines it, and reports what it found: in this order, so
that what is claimed is claimed also if it is wrong. With previewChecks=off it asks nothing of Astro.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import same_role
from astro_provider.astro.settings import PreviewChecks
from astro_provider.errors import AstroProviderError, InputError
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.claims import Claimant, State, exclusive_in_words, twin_in_words
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import Finding, Weight, as_one, report
from astro_provider.lifecycle.preflight import examine_existing
from astro_provider.lifecycle.resolving import Asked, Examined, look_up
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import ROLES, Entry, Inputs, Parser, Text, known
from astro_provider.messages import notices

Properties = dict[str, Any]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_L = TypeVar("_L", bound="Checking[Any]")
A = TypeVar("A", Inputs, Table)


@dataclass(frozen=True)
class Checked:
    """The inputs with what `check` filled in, and the problems, each on a property ("" if on none)."""

    inputs: Properties
    problems: list[InputError]


@dataclass(frozen=True)
class Difference:
    """The change that a diff finds: nothing, some properties in place, or the binding's identity."""

    changes: bool
    replaces: list[str]  # the properties that make it another binding
    beyond_inputs: bool = False  # something changes that no comparison of inputs shows


def within_its_time(method: Callable[Concatenate[_L, _P], _R]) -> Callable[Concatenate[_L, _P], _R]:
    """Bound one operation of a lifecycle, with all that it reads, writes and waits for, by `timeoutSeconds`."""

    @functools.wraps(method)
    def bounded(self: _L, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with operation(self.shared.settings.timeout_seconds):
            return method(self, *args, **kwargs)

    return bounded


class Checking(Generic[A]):
    """The check of a binding or a table; a subclass has what is its own in that."""

    with_places = False  # a message begins with the place that it is about

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._settings = shared.settings
        self._readers = shared.readers
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
            with notices.routed_to(None):
                notices.note(
                    "previewChecks is off: nothing was checked against Astro; names are compared by their spelling."
                )
            return Checked(self._check_by_spelling(asked, olds, call.urn).properties(), [])
        try:
            checked, findings = self._check(self._with_organization(asked), olds, call.urn)
        except AstroProviderError as error:
            # Without the service, what is malformed can be corrected all the same; the next run reports the service again.
            return Checked(dict(news), parser.problems or [InputError("", str(error))])
        # The engine refuses the inputs then, and shows them to the user as the program wrote them.
        malformed = bool(parser.problems)
        parser.problems += report(findings, self._settings.preview_checks, with_places=self.with_places)
        return Checked(dict(news) if malformed else checked.properties(), parser.problems)

    @property
    def is_unchecked(self) -> bool:
        """Return whether a check asks nothing of Astro."""
        return self._settings.preview_checks is PreviewChecks.OFF

    @abstractmethod
    def _parse(self, news: Mapping[str, Any], parser: Parser | None = None) -> A:
        """Read the program's inputs."""

    @abstractmethod
    def _check(self, asked: A, olds: Mapping[str, Any], urn: str) -> tuple[A, list[Finding]]:
        """Examine what the program asks for by `_examine_and_claim`; return it completed, and the findings."""

    @abstractmethod
    def _check_by_spelling(self, asked: A, olds: Mapping[str, Any], urn: str) -> A:
        """Complete from the state what is spelled as it was, and claim, without asking the service."""

    @abstractmethod
    def _asked(self, asked: A, stored: A | None, *, about_to_write: bool) -> Asked:
        """Return the wishes in the form in which they are examined."""

    @abstractmethod
    def _examine(self, asked: A, stored: A | None, found: Examined) -> Examined:
        """Apply the rules to what was looked up, with the weights that the state gives to findings."""

    @abstractmethod
    def _has(self, stored: A | None, binding: BindingId, entry: Entry) -> bool:
        """Return whether the state has a binding for the resource, as far as its ids are known."""

    def _examine_and_claim(self, asked: A, stored: A | None, by: Claimant) -> tuple[Examined, list[Finding]]:
        """Look up what a check asks for, claim it, examine it, and compare new entries with what they will meet in Astro."""
        reader = self._reader_for(asked)
        found = look_up(reader, self._asked(asked, stored, about_to_write=False))
        findings: list[Finding] = []
        new: list[BindingId] = []
        # Claimed before the rules are applied: a binding that breaks a rule is the program's all the same, so no delete of
        # this run may take it.
        for binding, entry in found.bindings.items():
            is_new = not self._has(stored, binding, entry)
            twins = list(self._claim(binding, by, State.WANTED if is_new else State.STORED, found, entry))
            findings += twins
            if is_new and not twins and known(found.roles[entry]):
                new.append(binding)
        examined = self._examine(asked, stored, found)
        findings += examined.findings
        if reader is not None:
            stored_here = [one for one in new if self._claims.is_stored(one)]
            if by.urn:
                # Another resource would be a twin. So these are its own: it is to be replaced, and its old roles go first.
                new, stored_here = [one for one in new if one not in stored_here], []
            there = reader.roles_of(new, confirm_absence=False)
            findings += examine_existing(reader, examined, there, stored_here)
        return examined, findings

    def _claim(self, binding: BindingId, by: Claimant, how: State, found: Examined, entry: Entry) -> Iterable[Finding]:
        """Claim a binding, and yield why another resource of the program cannot have it as well."""
        role, called, place = found.roles[entry], found.in_words(entry), entry.place if self.with_places else ""
        twin = self._claims.checked(binding, by, how, role if known(role) else None)
        if twin is not None:
            weight = Weight.WARNING if twin.is_harmless else Weight.ERROR
            yield Finding(weight, place, twin_in_words(by, twin.other, called))
        elif table := self._claims.exclusive_to(binding, by):
            yield Finding(Weight.ERROR, place, exclusive_in_words(table, called))

    def _ready(self, properties: Mapping[str, Any], stored: A | None, by: Claimant) -> tuple[A, Examined]:
        """Return the inputs of a create or update, examined again: nothing is left to be found, and nothing contradicts.

        Raises:
            InputError: something contradicts, or a name does not exist; nothing was written.
        """
        asked = self._parse(properties)
        try:
            asked = self._with_organization(asked)
            found = look_up(self._reader_for(asked), self._asked(asked, stored, about_to_write=True))
            examined = self._examine(asked, stored, found)
            # Examined anew, because minutes may have passed since the preview.
            findings = list(examined.findings)
            findings += self._meets(stored, examined)
            errors = [InputError(one.place, one.text) for one in findings if one.weight is Weight.ERROR]
            if errors:
                raise as_one(errors, ROLES) if self.with_places else errors[0]
        except AstroProviderError:
            # The program wants what could not be written: a delete of the same run must not take what is there.
            for one in asked.claimed:
                self._claims.could_not_be_created(one, by)
            raise
        if not all(known(role) for role in examined.roles.values()) or len(examined.bindings) < len(examined.roles):
            raise AssertionError("the engine asked for a write while a value was unknown")
        return asked, examined

    def _meets(self, stored: A | None, examined: Examined) -> Iterable[Finding]:  # noqa: ARG002  a table's own
        """Yield what the new entries of a write will meet; the writer itself refuses a binding's only one."""
        return ()

    def _same_role(self, organization_id: Text | None, one: str, other: str, *, in_diff: bool = False) -> bool:
        """Return whether two names mean one role; letters count if the organization has two roles that differ by them."""
        if one == other or not same_role(one, other) or not known(organization_id):
            return same_role(one, other)
        if in_diff and self.is_unchecked:  # it asks nothing of Astro
            return True
        with suppress(AstroProviderError):  # without the service, a role in other letters is no change
            return not self._readers.of(organization_id).letters_count(one)
        return True

    def _with_organization(self, asked: A) -> A:
        if asked.organization_id is not None:
            return asked
        return replace(asked, organization_id=self._readers.of(self._settings.organization_id).organization_id)

    def _reader_for(self, asked: A) -> Reader | None:
        """Return the reader of the organization that a resource asks for; None while that is unknown."""
        return self._readers.of(asked.organization_id) if known(asked.organization_id) else None

"""The life of a resource, a binding or a table alike: check, diff, create, update and delete, on typed values.

A check parses what the program gives, looks it up, claims and examines it, and reports what it found: in this order, so
that what is claimed is claimed also if it is wrong. With previewChecks=off it asks nothing of Astro.

Pulumi is not known here, so that the same code can sit behind another engine. `changing.py` has the flow of every write;
only `astro/reading/` reads, and only `astro/writing/` writes.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import same_role
from astro_provider.astro.settings import PreviewChecks
from astro_provider.astro.writing.account import Account
from astro_provider.errors import AbsenceNotProven, AstroProviderError, InputError, Kept, UnexpectedAnswer
from astro_provider.lifecycle.changing import Made, Plan, Shared, carry_out
from astro_provider.lifecycle.claims import Claimant, State, exclusive_in_words, twin_in_words
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import Finding, Weight, as_one, report
from astro_provider.lifecycle.inputs import Inputs
from astro_provider.lifecycle.preflight import examine, examine_existing
from astro_provider.lifecycle.resolving import Examined, Wishes, look_up
from astro_provider.lifecycle.tables.strangers import Stranger
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import ROLES, Entry, Parser, Text, known
from astro_provider.messages import notices

Properties = dict[str, Any]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_L = TypeVar("_L", bound="Life[Any]")
A = TypeVar("A", Inputs, Table)


@dataclass(frozen=True)
class Checked:
    """The inputs with what `check` filled in, and the problems, each on a property ("" if on none)."""

    inputs: Properties
    problems: list[InputError]


@dataclass(frozen=True)
class Difference:
    """The change that a diff finds: nothing, some properties in place, or the resource's identity."""

    changes: bool
    replaces: list[str]  # the properties that make it another resource
    beyond_inputs: bool = False  # something changes that no comparison of inputs shows


def within_its_time(method: Callable[Concatenate[_L, _P], _R]) -> Callable[Concatenate[_L, _P], _R]:
    """Bound one operation of a lifecycle, with all that it reads, writes and waits for, by `timeoutSeconds`."""

    @functools.wraps(method)
    def bounded(self: _L, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with operation(self.shared.settings.timeout_seconds):
            return method(self, *args, **kwargs)

    return bounded


class Life(Generic[A]):
    """The life of the bindings or of the tables of one process; safe to share between threads.

    A subclass has what is its own: its values, its id, a read, the words of its errors, and a table its strangers.
    """

    values: type[A]
    identity: Sequence[str]  # the properties that make it another resource
    as_given: Sequence[str]  # the inputs that are stored as the program gives them, so any change is a difference
    with_places: bool  # a message begins with the place that it is about

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
        asked = self.values.parse(news, parser)
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

    @within_its_time
    def diff(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Difference:
        """Compare stored outputs with checked inputs.

        A value that is still unknown counts as a change. What `check` could not find (previewChecks is off), and a name
        that a state of an earlier version lacks, counts as none.
        """
        stored, checked = self.values.stored(olds), self.values.stored(news)
        if not all(known(getattr(stored, name)) for name in self.identity):
            with suppress(InputError):  # the id of a resource of another kind, which an alias has made one of ours
                stored = stored.of(call.id)
                notices.warn(checked.incomplete(call.id))
        replaces = [name for name in self.identity if differs(getattr(checked, name), getattr(stored, name))]
        if replaces:
            return Difference(changes=True, replaces=replaces)
        in_place = (
            not self._same_roles(checked, stored, in_diff=True)
            or any(getattr(checked, name) != getattr(stored, name) for name in self.as_given)
            or self._differs(checked, stored)
        )
        self._identify(checked, stored.bindings)
        # A replacement of another resource may have taken a role that the inputs say is there, so equal inputs do not count.
        beyond_inputs = (
            any(self._claims.is_taken(one) for one in stored.bindings)
            or (bool(stored.unfinished) and not in_place)
            or self._has_drifted(call, olds, checked)
        )
        return Difference(changes=in_place or beyond_inputs, replaces=[], beyond_inputs=beyond_inputs)

    @within_its_time
    def create(self, call: EngineCall, properties: Mapping[str, Any]) -> tuple[str, Properties]:
        """Give all roles of the resource, or none; what is there already with the same role is adopted.

        Returns:
            The resource's id, and its outputs.
        """
        asked, examined = self._ready(call, properties, None)
        self._identify(self.values.stored(properties), examined.bindings)
        called = replace(call, id=asked.new_id())
        return called.id, self._write(called, asked, examined, self.values(), {})

    @within_its_time
    def delete(self, call: EngineCall, olds: Mapping[str, Any]) -> None:
        """Take every role of the resource away, except for what is gone already and what the program has elsewhere."""
        stored = self.values.stored(olds).of(call.id)
        carry_out(
            self.shared,
            self._claimant(call.urn, stored),
            Plan(
                takes={one: stored.spellings(entry) for one, entry in stored.bindings.items()},
                called={one: stored.in_words(entry) for one, entry in stored.bindings.items()},
            ),
            failing=lambda made: self._not_taken(made, stored),
            done=stored.done(is_delete=True),
        )

    @abstractmethod
    def update(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Change the resource to what its inputs ask for, and return its outputs."""

    @abstractmethod
    def read(self, call: EngineCall, olds: Mapping[str, Any]) -> tuple[Properties, Properties] | None:
        """Return the inputs and outputs as they are now; None if the resource is gone."""

    @property
    def is_unchecked(self) -> bool:
        """Return whether a check asks nothing of Astro."""
        return self._settings.preview_checks is PreviewChecks.OFF

    @abstractmethod
    def _check(self, asked: A, olds: Mapping[str, Any], urn: str) -> tuple[A, list[Finding]]:
        """Examine what the program asks for by `_examine_and_claim`; return it completed, and the findings."""

    @abstractmethod
    def _check_by_spelling(self, asked: A, olds: Mapping[str, Any], urn: str) -> A:
        """Complete from the state what is spelled as it was, and claim, without asking the service."""

    @abstractmethod
    def _differs(self, checked: A, stored: A) -> bool:
        """Return whether inputs differ that only this kind of resource has, or names and ids."""

    def _has_drifted(self, call: EngineCall, olds: Mapping[str, Any], checked: A) -> bool:  # noqa: ARG002  a table's own
        """Return whether a refresh has found what no input shows."""
        return False

    @abstractmethod
    def _not_given(
        self, call: EngineCall, made: Made, asked: A, stored: A, olds: Mapping[str, Any]
    ) -> tuple[Exception, Account]:
        """Return the error of a create or update of which a part failed, as `failing` of `carry_out`."""

    @abstractmethod
    def _not_taken(self, made: Made, stored: A) -> tuple[Exception, Account]:
        """Return the error of a delete of which a part failed, as `failing` of `carry_out`."""

    def _claimant(self, urn: str, asked: A) -> Claimant:  # noqa: ARG002  a table's own
        """Return the resource as the claims know it."""
        return Claimant(urn)

    def _examine_and_claim(self, asked: A, stored: A | None, by: Claimant) -> tuple[Examined, list[Finding]]:
        """Look up what a check asks for, claim it, examine it, and compare new entries with what they will meet in Astro."""
        reader = self._reader_for(asked)
        found = look_up(reader, self._wishes(asked, stored))
        findings: list[Finding] = []
        new: list[BindingId] = []
        # Claimed before the rules are applied: a binding that breaks a rule is the program's all the same, so no delete of
        # this run may take it.
        for binding, entry in found.bindings.items():
            is_new = stored is None or not stored.has(binding, entry)
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

    def _examine(self, asked: A, stored: A | None, found: Examined) -> Examined:
        """Apply the rules to what was looked up, with the weights that the state gives to findings."""
        had = stored.roles_by_binding if stored and self._stays(asked, stored, found) else {}
        unchanged = [
            entry
            for binding, entry in found.bindings.items()
            if binding in had and self._is_role(binding.organization_id, found.roles[entry], had[binding])
        ]
        # The program of this run may still make a role or a token that a preview misses; at the write it is too late, and
        # a replacement would take the old grant away for nothing.
        is_error = found.wishes.about_to_write or self._replaces(asked, stored, found)
        missing = Weight.ERROR if is_error else Weight.WARNING
        return examine(self._reader_for(asked), found, missing=missing, unchanged=unchanged)

    def _stays(self, asked: A, stored: A, found: Examined) -> bool:  # noqa: ARG002  a binding's own
        """Return whether an error about an entry that is in the state with the same role is a warning only."""
        return asked.workspace_id == stored.workspace_id

    def _replaces(self, asked: A, stored: A | None, found: Examined) -> bool:  # noqa: ARG002  a binding's own
        """Return whether the change would be a replacement."""
        return False

    def _ready(self, call: EngineCall, properties: Mapping[str, Any], stored: A | None) -> tuple[A, Examined]:
        """Return the inputs of a create or update, examined again: nothing is left to be found, and nothing contradicts.

        Raises:
            InputError: something contradicts, or a name does not exist; nothing was written.
        """
        asked = self.values.parse(properties)
        by = self._claimant(call.urn, asked)
        try:
            asked = self._with_organization(asked)
            found = look_up(self._reader_for(asked), self._wishes(asked, stored, about_to_write=True))
            examined: Examined = self._examine(asked, stored, found)
            # Examined anew, because minutes may have passed since the preview.
            findings: list[Finding] = [*examined.findings, *self._meets(stored, examined)]
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
        return asked.completed(examined), examined

    def _meets(self, stored: A | None, examined: Examined) -> Iterable[Finding]:  # noqa: ARG002  a table's own
        """Yield what the new entries of a write will meet; the writer itself refuses a binding's only one."""
        return ()

    def _strangers_to_take(self, asked: A, examined: Examined) -> Sequence[Stranger]:  # noqa: ARG002  a table's own
        """Return the tokens outside the resource whose roles a write takes."""
        return ()

    def _write(  # noqa: PLR0913  both sides of a change, and the engine's own of one
        self,
        call: EngineCall,
        asked: A,
        examined: Examined,
        stored: A,
        olds: Mapping[str, Any],
        *,
        anew: bool = False,
    ) -> Properties:
        """Change what the state has into what the program asks for, and return the outputs.

        Args:
            call: the engine's, with the resource's id.
            asked: the inputs, completed.
            examined: the same, looked up and examined.
            stored: what the state has; empty for a create.
            olds: the same as the engine has it.
            anew: an entry is written also if the state has it with the same role.
        """
        reader = self._readers.of(str(asked.organization_id))
        old, had = stored.roles_by_binding, stored.bindings
        new: dict[BindingId, str] = {one: str(examined.roles[entry]) for one, entry in examined.bindings.items()}
        # What a failed run has left of a table is not in the inputs, so its check took it for new: another resource may
        # have it too.
        gives = {one: role for one, role in new.items() if one not in old}
        leaving = {one: entry for one, entry in had.items() if one not in new}
        strangers = [one for one in self._strangers_to_take(asked, examined) if one.binding not in had]
        plan = Plan(
            gives=gives,
            puts={
                one: role
                for one, role in new.items()
                if one in old
                and (anew or self._claims.is_taken(one) or not self._is_role(one.organization_id, role, old[one]))
            },
            takes={one: stored.spellings(entry) for one, entry in leaving.items()}
            | {one.binding: () for one in strangers},
            called={
                **{one.binding: one.in_words for one in strangers},
                **{one: stored.in_words(entry) for one, entry in leaving.items()},
                **{one: examined.in_words(entry) for one, entry in examined.bindings.items()},
            },
            overwrite=gives.keys() if asked.overwrite is True else gives.keys() & had.keys(),
            exact=[role for role in {*new.values()} if reader.letters_count(role)],
        )
        made = carry_out(
            self.shared,
            self._claimant(call.urn, asked),
            plan,
            failing=lambda made: self._not_given(call, made, asked, stored, olds),
            done=asked.done(is_delete=False),
            keep=lambda made: Kept(call.id, asked.written(made.outcomes)),
        )
        return asked.written(made.outcomes)

    def _identify(self, asked: A, bindings: Mapping[BindingId, Entry]) -> None:
        """Move to their ids the claims of entries that a check could claim by their spelling only.

        Args:
            asked: the values as the check had them: another resource may mean something else by a name that was found since.
            bindings: the entries by their ids.
        """
        for binding, entry in bindings.items():
            self._claims.identify(asked.claimed_as(entry), binding)

    def _same_roles(self, asked: A, stored: A, *, in_diff: bool = False) -> bool:
        """Return whether the state has the entries that are asked for, each with the same role."""
        has, had = asked.entries, stored.entries
        return has.keys() == had.keys() and all(
            self._is_role(stored.organization_id, role, had[entry], in_diff=in_diff) for entry, role in has.items()
        )

    def _is_role(self, organization_id: Text | None, one: Text, other: Text, *, in_diff: bool = False) -> bool:
        """Return whether two names are known and mean one role.

        Letters count if the organization has two roles that differ by them.
        """
        if not known(one) or not known(other):
            return False
        if one == other or not same_role(one, other) or not known(organization_id):
            return same_role(one, other)
        if in_diff and self.is_unchecked:  # it asks nothing of Astro
            return True
        with suppress(AstroProviderError):  # without the service, a role in other letters is no change
            return not self._readers.of(organization_id).letters_count(one)
        return True

    def _wishes(self, asked: A, stored: A | None, *, about_to_write: bool = False) -> Wishes:
        return asked.wishes(stored, about_to_write=about_to_write, unchecked=self.is_unchecked)

    def _with_organization(self, asked: A) -> A:
        if asked.organization_id is not None:
            return asked
        return replace(asked, organization_id=self._readers.of(self._settings.organization_id).organization_id)

    def _reader_for(self, asked: A) -> Reader | None:
        """Return the reader of the organization that a resource asks for; None while that is unknown."""
        return self._readers.of(asked.organization_id) if known(asked.organization_id) else None


def differs(new: Text | None, old: Text | None) -> bool:
    """Return whether a checked value is there and differs from the stored one."""
    return new is not None and new != old


def dead_deployments(reader: Reader, deployment_ids: Collection[str]) -> set[str]:
    """Return those of these deployments that do not exist any more, by evidence, and warn of a doubt about that.

    An entry on a token is no sign that its deployment exists. So a refresh asks about each deployment whose list of tokens
    the service has not just given, and if that cannot be known, it goes on with what the token shows.
    """
    in_question = [one for one in deployment_ids if not reader.has_listed(one)]
    try:
        return reader.unlisted_deployments(in_question) if in_question else set()
    except (AbsenceNotProven, UnexpectedAnswer) as doubt:
        notices.warn(str(doubt))
    except AstroProviderError as error:
        # Without a hint this is no warning: a credential may be allowed to read tokens only.
        for one in in_question:
            if reader.refuses_to_list(one):
                notices.warn(
                    f"Astro does not list the tokens of deployment {one}, which may have been deleted. That cannot be known, "
                    f"so what is bound to it stays in the state. {error}"
                )
    return set()

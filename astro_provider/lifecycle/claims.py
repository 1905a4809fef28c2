"""The claims of a program: no delete takes what it claims, and no two of its resources may have one binding.

A resource that is renamed without an alias is created under its new name first, and the old name is deleted after
that, sometimes only in a later run. Both names have one id, so the delete would revoke what the new name has just been
given. A delete of what the program claims is therefore left undone, and every other delete goes on.

Only the program claims, and only a `check` (or at the latest a `create`) speaks for the program. A refresh brings a
`read` and a `diff` for every resource of the state, also for those that the program no longer has, and a `destroy`
brings no `check` at all.

    situation                            calls about the binding, in order         the delete
    -----------------------------------  ----------------------------------------  --------------
    removed from the program             [read, diff,] delete                      goes on
    moved to another deployment          [read, diff,] delete                      goes on
    destroy, with or without --refresh   [read, diff,] delete                      goes on
    renamed without an alias             new check, create, delete                 is left undone
    the same, and the create failed      new check, failed create, delete          is refused
    leftover of a rename that failed     stored check, delete                      is left undone
    forced replacement                   new check, delete, create                 goes on
    two that swap, whose delete is first new check, delete, create                 goes on
    two that swap, whose create is first new check, create, delete                 is left undone
    another one's, before it was known   delete, stored check, diff, update        goes on; the update gives it back
    perhaps another one's (checks off)   check by a new spelling, delete           is refused

A *stored check* comes with the inputs that the state has for the same binding, a *new check* with those of another
binding or with none. With `previewChecks=off` a check may not know the binding's ids: it claims the binding by its
spelling, until a `diff` or `create` of the same resource brings the ids. If a resource of the state is spelled with
another name, only its update can show whether it still has its binding, so nothing is taken that it may have.

A resource is known by its URN, so its own claim does not keep it from its own delete, and two that claim one binding are
found in the second one's check. If an SDK hides the URN, each check claims for a resource of its own, and two resources of
one binding are found by the second create.

What the engine does not check is not claimed: with `--target <old name>`, the other resources of the program are not.

Claims live as long as the process, which is one preview or one update. They know neither Pulumi nor the service.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from astro_provider.astro.api.deadline import current
from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import same_role
from astro_provider.errors import BindingConflict
from astro_provider.lifecycle.values import Entry


@dataclass(frozen=True)
class Claimant:
    """A resource of the program."""

    urn: str = ""  # blank if the engine's call cannot be seen
    table: Hashable | None = None  # the content by which a table without a URN differs from others; None for a binding

    @property
    def is_known(self) -> bool:
        """Return whether two checks of this resource differ from those of two resources."""
        return bool(self.urn) or self.table is not None

    def __str__(self) -> str:
        if self.urn:
            kind, name = self.urn.split("::", 3)[2:]
            return f"{kind.rpartition('$')[2].rpartition(':')[2]} {name!r}"
        return "another binding" if self.table is None else "another table"


class State(Enum):
    """The relation of a resource of the program to a binding."""

    STORED = "the state has it for the resource, which keeps it"
    WANTED = "the resource is to be given it"
    PERHAPS = "only the update of the resource will show whether it has this binding"
    GIVING = "a create is under way"
    GIVEN = "a create or an update has given it"
    FAILED = "its create failed"


_CREATED = {State.GIVING, State.GIVEN}


@dataclass(frozen=True)
class Twin:
    """Another resource of the program that claims the same binding."""

    other: Claimant
    is_harmless: bool  # both have it in the state, with one role, so neither run changes the other's


class Delete(Enum):
    """The decision about a delete."""

    GOES_ON = "the program does not have the binding, or has yet to create it"
    LEFT_UNDONE = "another resource of the program has the binding"
    REFUSED = "another resource of the program should have the binding and could not be created"
    UNCERTAIN = "another resource of the program may have the binding, which only its update will show"


@dataclass(frozen=True)
class Exchange:
    """The other resources of the program that the gives and takes of one resource meet."""

    has_another: Mapping[BindingId, Claimant]  # what must not be written, with the other resource that has it
    # What some resource of the program has in the state. It is not known whether it is this one, whose replacement failed
    # in an earlier run after its delete.
    may_be_own: Collection[BindingId]
    deletes: Mapping[BindingId, Delete]  # the decision about each take
    waited: str  # a sentence about the resource that this one waited for; blank if it did not wait


@dataclass(eq=False)
class _Claim:
    """The relation of one resource to one binding."""

    by: Claimant
    state: State
    role: str | None  # that the program asks for; None if it is not known
    written: bool = False  # an update of this process writes that role, or has written it
    # The resource has the binding in the state, also if it is now to be given it anew (a forced replacement), and no delete
    # has gone on since.
    was_stored: bool = False


@dataclass(eq=False)
class _Record:
    """All that this process knows of one binding."""

    claims: list[_Claim] = field(default_factory=list)  # one of each known resource, and one of each check of another
    takers: list[Claimant] = field(default_factory=list)  # the resources whose deletes are under way
    taken: bool = False  # a delete of this process took the binding, and nothing has given it since

    def claim_of(self, by: Claimant) -> _Claim | None:
        return next((one for one in self.claims if by.is_known and one.by == by), None)

    def set(self, by: Claimant, state: State, role: str | None) -> _Claim:
        claim = self.claim_of(by)
        # The engine asks `check` of one resource several times in a run (preview and update): that is one claim.
        if claim is None:
            claim = _Claim(by, state, role)
            self.claims.append(claim)
        claim.state, claim.role = state, role
        claim.was_stored |= state is State.STORED
        return claim

    def others(self, by: Claimant) -> list[_Claim]:
        """Return the claims of other resources; without a URN all of them, because each may be another's."""
        return [one for one in self.claims if not by.urn or one.by != by]

    def has_another(self, by: Claimant) -> Claimant | None:
        """Return another resource that has the binding, or was to be given it, when a resource creates it."""
        # A failed create counts: it may have sent its write. Without a URN what is stored may be the resource's own.
        has = {*_CREATED, State.FAILED} | ({State.STORED} if by.urn else set())
        return next((one.by for one in self.others(by) if one.state in has), None)

    def has_another_role(self, by: Claimant, role: str) -> Claimant | None:
        """Return another resource that has given the binding another role, when a resource updates it."""
        # Only what was written in this run: an old role of another resource may be about to change to this one's.
        given = [one for one in self.others(by) if by.urn and (one.written or one.state in _CREATED)]
        return next((one.by for one in given if one.role is None or not same_role(one.role, role)), None)


def twin_in_words(one: Claimant, other: Claimant, called: str) -> str:
    """Return the sentences for two resources that have one binding; `called` is how a message speaks of it."""
    which = f": {one} and {other}" if one.urn and other.urn else ""
    return (
        f"Two resources of this program bind {called}{which}. A token has one role in a deployment: remove it from one of "
        "the two."
    )


def exclusive_in_words(table: Claimant, called: str) -> str:
    """Return the sentences for a binding that an exclusive table of the program keeps out; `called` as above."""
    return (
        f"The program binds {called}, and {table} of this program is exclusive: no other token may have a role in that "
        "deployment. Add the token to the table, or remove the resource that binds it."
    )


class Claims:
    """The bindings that the program of this process claims; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._records: defaultdict[BindingId | Entry, _Record] = defaultdict(_Record)
        self._in_deployment: defaultdict[tuple[str, str], set[BindingId]] = defaultdict(set)  # what was checked there
        self._exclusive: dict[tuple[str, str], Claimant] = {}  # by organization and deployment

    def checked(self, claimed: BindingId | Entry, by: Claimant, state: State, role: str | None = None) -> Twin | None:
        """Claim a binding in its `check`.

        Args:
            claimed: the binding, or its spelling if the check could not know its ids.
            by: the resource.
            state: STORED, WANTED or PERHAPS.
            role: that the program asks for; None if it is not known.

        Returns:
            Another resource of the program that claims the binding too.
        """
        with self._changed:
            record = self._records[claimed]
            others = [one for one in record.claims if one.by != by]
            record.set(by, state, role)
            if isinstance(claimed, Entry):  # a name may mean two things, so spellings are not compared
                return None
            self._in_deployment[claimed.organization_id, claimed.deployment_id].add(claimed)
            if not others:
                return None
            other = others[0]
            # Two stored resources with one role were made by an earlier version; no run of theirs undoes the other's.
            both_stored = state is other.state is State.STORED
            two_roles = role is not None and other.role is not None and not same_role(role, other.role)
            return Twin(other.by, is_harmless=both_stored and not two_roles)

    def exclusive_to(self, binding: BindingId, but: Claimant) -> Claimant | None:
        """Return the table that says which tokens have a role in the binding's deployment, unless it is this one."""
        with self._changed:
            table = self._exclusive.get((binding.organization_id, binding.deployment_id))
            return None if table == but else table

    def reserve(self, organization_id: str, deployment_id: str, by: Claimant) -> list[tuple[BindingId, Claimant]]:
        """Claim a deployment for an exclusive table, and return the bindings of other resources of the program there."""
        with self._changed:
            # Two exclusive tables of one deployment: the first keeps it, and the check of the second names the first.
            self._exclusive.setdefault((organization_id, deployment_id), by)
            there = sorted(self._in_deployment[organization_id, deployment_id])
            others = ((one, claim.by) for one in there for claim in self._records[one].claims if claim.by != by)
            return list(dict(others).items())

    def identify(self, spellings: Iterable[Entry], binding: BindingId) -> None:
        """Move to a binding the claims that checks have made by one of its spellings."""
        with self._changed:
            found = [self._records.pop(one) for one in spellings if one in self._records]
            for one in [claim for record in found for claim in record.claims]:
                if self._records[binding].claim_of(one.by) is None:
                    self._records[binding].claims.append(one)

    def is_stored(self, binding: BindingId) -> bool:
        """Return whether a resource of the program has the binding in the state and keeps it."""
        with self._changed:
            return any(one.was_stored for one in self._records[binding].claims)

    def could_not_be_created(self, claimed: BindingId | Entry, by: Claimant) -> None:
        """Note a create that failed before it could give anything, so that no delete takes what it was about."""
        with self._changed:
            record = self._records[claimed]
            claim = record.claim_of(by)
            if claim is None or claim.state is not State.STORED:  # what a table has in the state, it keeps
                record.set(by, State.FAILED, None)

    def is_taken(self, binding: BindingId) -> bool:
        """Return whether a delete of this process has taken, or is taking, what the program turns out to have.

        A delete that comes before a replacement may run before the engine has asked about another resource of the same
        binding, as the leftover of a rename that failed.
        """
        with self._changed:
            record = self._records[binding]
            return record.taken or bool(record.takers)

    @contextmanager
    def exchanging(
        self,
        by: Claimant,
        *,
        gives: Mapping[BindingId, str] | None = None,
        takes: Mapping[BindingId, Iterable[Entry]] | None = None,
        puts: Mapping[BindingId, str] | None = None,
    ) -> Iterator[Exchange]:
        """Give some bindings and take others, in the block: the one way of a create, an update and a delete.

        Args:
            by: the resource.
            gives: the role of each binding that the resource does not have.
            takes: the bindings that leave the resource, each with how a program may spell it.
            puts: the role of each binding that the resource has, and that a delete of this process may have taken.

        Raises:
            BindingConflict: the operation's time was over before it could begin; nothing was written.
        """
        gives, takes, puts = gives or {}, takes or {}, puts or {}
        with self._changed:
            waited = self._wait_for_others([*gives, *puts], list(takes))
            another = {one: self._records[one].has_another(by) for one in gives}
            another |= {one: self._records[one].has_another_role(by, role) for one, role in puts.items()}
            # Without a URN a resource looks like any other of the same content, so the service must decide.
            may_be_own = [] if by.is_known else [one for one in gives if self.is_stored(one)]
            given = [self._records[one].set(by, State.GIVING, role) for one, role in gives.items()]
            put = [self._records[one].set(by, State.STORED, role) for one, role in puts.items()]
            for claim in put:
                claim.written = True
            deletes = {binding: self._begin_delete(by, binding, spelled) for binding, spelled in takes.items()}
        # The lock is free while the caller writes: other operations go on, and wait only for what they share with this one.
        succeeded = False
        try:
            yield Exchange({one: by for one, by in another.items() if by is not None}, may_be_own, deletes, waited)
            succeeded = True
        finally:
            with self._changed:
                for claim in given:
                    claim.state = State.GIVEN if succeeded else State.FAILED
                for claim in put:
                    claim.written = succeeded
                # What was given again is taken no more; after a failure it may be gone still.
                for binding in (*gives, *puts):
                    self._records[binding].taken &= not succeeded
                for binding, decision in deletes.items():
                    if decision is Delete.GOES_ON:
                        self._records[binding].takers.remove(by)
                        # Also after a failure: the role may be gone, and an update that finds it there writes nothing.
                        self._records[binding].taken = True
                self._changed.notify_all()

    def _wait_for_others(self, given: Collection[BindingId], taken: Collection[BindingId]) -> str:
        """Wait until no delete of what is given, and no create of what is taken, is under way.

        Returns:
            A sentence about the resource that was waited for first; blank if there was none.
        """

        def in_the_way() -> tuple[BindingId, Claimant] | None:
            # A delete would take what is given, and the end of a create decides whether a take may go on.
            deletes = ((one, taker) for one in given for taker in self._records[one].takers)
            creates = (
                (one, claim.by) for one in taken for claim in self._records[one].claims if claim.state is State.GIVING
            )
            return next(deletes, None) or next(creates, None)

        first, began = in_the_way(), time.monotonic()
        # All of them at once: two resources that exchange bindings would otherwise wait for each other for ever.
        self._changed.wait_for(lambda: in_the_way() is None, current().remaining)
        found = in_the_way()
        if found is not None:
            binding, other = found
            raise BindingConflict(
                f"Nothing was written: until timeoutSeconds was over, this waited for {other} of the same program, which is "
                f"changing the binding of {binding.in_words} too. Run again."
            )
        if first is None:
            return ""
        binding, other = first
        return (
            f"Before that it waited {time.monotonic() - began:.0f} seconds for {other} of the same program, which was "
            f"changing the binding of {binding.in_words} too."
        )

    def _begin_delete(self, by: Claimant, binding: BindingId, spellings: Iterable[Entry]) -> Delete:
        # While previewChecks is off a program may claim the binding by names only, so its spellings count too.
        record = self._records[binding]
        records = [record, *(self._records[spelling] for spelling in spellings if spelling in self._records)]
        states = {one.state for each in records for one in each.others(by)}
        own = record.claim_of(by)
        if own is not None and own.state is State.GIVEN:  # given anew, before the old one is deleted
            states.add(State.GIVEN)
        decision = _decide(states)
        if decision is Delete.GOES_ON:
            record.takers.append(by)
            # The delete takes it from everybody who has it in the state: only a resource that is yet to be created, or was
            # created in this run, has a claim from here on.
            for each in records:
                each.claims = [one for one in each.claims if one.state is not State.STORED]
                for one in each.claims:
                    one.was_stored = False
        return decision


def _decide(states: set[State]) -> Delete:
    """Decide about a delete from the claims of its binding; the module's table has the reasons."""
    # Given in this run: the grant is the new resource's, as after a rename.
    if State.GIVEN in states:
        return Delete.LEFT_UNDONE
    # Its create comes after this delete and gives the role anew: the order of a replacement that deletes first.
    if State.WANTED in states and State.FAILED not in states:
        return Delete.GOES_ON
    # A leftover of a failed rename leaves the program; the resource that stays has the grant.
    if State.STORED in states:
        return Delete.LEFT_UNDONE
    if State.PERHAPS in states:
        return Delete.UNCERTAIN
    return Delete.REFUSED if State.FAILED in states else Delete.GOES_ON

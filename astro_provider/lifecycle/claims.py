"""No delete takes what this run's program claims, and no two of its resources may have one binding.

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
spelling, until a `diff` or `create` of the same resource tells the ids. If a resource of the state is spelled with
another name, only its update can tell whether it still has its binding, so nothing is taken that it may have.

A resource is known by its URN, so its own claim does not keep it from its own delete, and two that claim one binding are
found in the second one's check. If an SDK hides the URN, each check claims for a resource of its own, and two resources of
one binding are found by the second create.

What the engine does not check is not claimed: with `--target <old name>`, the other resources of the program are not.

Claims live as long as the process, which is one preview or one update. They know neither Pulumi nor the service.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from astro_provider.astro.api.deadline import current
from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import same_role
from astro_provider.errors import BindingConflict


@dataclass(frozen=True)
class Spelling:
    """A binding as a program spells it: the deployment and the token, each by name or id."""

    deployment: str
    token: str


@dataclass(frozen=True)
class Claimant:
    """A resource of the program.

    Attributes:
        urn: the resource; blank if the engine's call cannot be seen.
        table: what tells a table without a URN from other tables; None for a binding by itself.
    """

    urn: str = ""
    table: Hashable | None = None

    @property
    def is_known(self) -> bool:
        """Whether two checks of this resource can be told from those of two resources."""
        return bool(self.urn) or self.table is not None

    def __str__(self) -> str:
        if self.urn:
            kind, name = self.urn.split("::", 3)[2:]
            return f"{kind.rpartition('$')[2].rpartition(':')[2]} {name!r}"
        return "another binding" if self.table is None else "another table"


class State(Enum):
    """How a resource of the program stands to a binding."""

    STORED = "the state has it for the resource, which keeps it"
    WANTED = "the resource is to be given it"
    PERHAPS = "only the update of the resource will tell whether it has this binding"
    GIVING = "a create is under way"
    GIVEN = "a create or an update has given it"
    FAILED = "its create failed"


@dataclass(frozen=True)
class Twin:
    """Another resource of the program that claims the same binding.

    Attributes:
        other: the resource.
        is_harmless: both have it in the state, with one role, so neither run changes the other's.
    """

    other: Claimant
    is_harmless: bool


_CREATED = {State.GIVING, State.GIVEN}


class Delete(Enum):
    """What becomes of a delete."""

    GOES_ON = "the program does not have the binding, or has yet to create it"
    LEFT_UNDONE = "another resource of the program has the binding"
    REFUSED = "another resource of the program should have the binding and could not be created"
    UNCERTAIN = "another resource of the program may have the binding, which only its update will tell"


@dataclass(frozen=True)
class Exchange:
    """What the gives and takes of one resource meet.

    Attributes:
        has_another: the bindings that another resource of the program has, so they must not be written, with that resource.
        may_be_own: the bindings that some resource of the program has in the state. It is not known whether it is this
            one, whose replacement failed in an earlier run after its delete.
        deletes: what becomes of each take.
    """

    has_another: Mapping[BindingId, Claimant]
    may_be_own: Collection[BindingId]
    deletes: Mapping[BindingId, Delete]


@dataclass(eq=False)
class _Claim:
    """How one resource stands to one binding.

    Attributes:
        role: that the program asks for; None if it is not known.
        written: an update of this process writes that role, or has written it.
        was_stored: the resource has the binding in the state, also if it is now to be given it anew (a forced replacement),
            and no delete has gone on since.
    """

    by: Claimant
    state: State
    role: str | None
    written: bool = False
    was_stored: bool = False


@dataclass(eq=False)
class _Record:
    """All that this process knows of one binding.

    Attributes:
        claims: one of each known resource, and one of each check of a resource that is not known.
        takers: the resources whose deletes are under way.
        taken: a delete of this process took the binding, and nothing has given it since.
    """

    claims: list[_Claim] = field(default_factory=list)
    takers: list[Claimant] = field(default_factory=list)
    taken: bool = False

    def claim_of(self, by: Claimant) -> _Claim | None:
        return next((one for one in self.claims if by.is_known and one.by == by), None)

    def set(self, by: Claimant, state: State, role: str | None) -> _Claim:
        claim = self.claim_of(by)
        if claim is None:
            claim = _Claim(by, state, role)
            self.claims.append(claim)
        claim.state, claim.role = state, role
        claim.was_stored |= state is State.STORED
        return claim

    def others(self, by: Claimant) -> list[_Claim]:
        """The claims of other resources; without a URN all of them, because each may be another's."""
        return [one for one in self.claims if not by.urn or one.by != by]

    def has_another(self, by: Claimant) -> Claimant | None:
        """Return another resource that has the binding, or was to be given it, when a resource creates it."""
        has = {State.GIVING, State.GIVEN, State.FAILED} | ({State.STORED} if by.urn else set())
        return next((one.by for one in self.others(by) if one.state in has), None)

    def has_another_role(self, by: Claimant, role: str) -> Claimant | None:
        """Return another resource that has given the binding another role, when a resource updates it."""
        given = [one for one in self.others(by) if by.urn and (one.written or one.state in _CREATED)]
        return next((one.by for one in given if one.role is None or not same_role(one.role, role)), None)


def twin_in_words(one: Claimant, other: Claimant, called: str) -> str:
    """Say that two resources of a program have one binding, and what to do; `called` is how a message speaks of it."""
    which = f": {one} and {other}" if one.urn and other.urn else ""
    return (
        f"Two resources of this program bind {called}{which}. A token has one role in a deployment: remove it from one of "
        "the two."
    )


def exclusive_in_words(table: Claimant, called: str) -> str:
    """Say that an exclusive table of the program keeps others out of a deployment, and what to do; `called` as above."""
    return (
        f"The program binds {called}, and {table} of this program is exclusive: no other token may have a role in that "
        "deployment. Add the token to the table, or remove it here."
    )


class Claims:
    """The bindings that the program of this process claims; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._records: defaultdict[BindingId | Spelling, _Record] = defaultdict(_Record)
        self._in_deployment: defaultdict[tuple[str, str], set[BindingId]] = defaultdict(set)  # what was checked there
        self._exclusive: dict[tuple[str, str], Claimant] = {}  # by organization and deployment

    def checked(
        self, claimed: BindingId | Spelling, by: Claimant, state: State, role: str | None = None
    ) -> Twin | None:
        """Claim a binding in its `check`.

        Args:
            claimed: the binding, or its spelling if the check could not know its ids.
            by: the resource.
            state: STORED, WANTED or PERHAPS.
            role: that the program asks for; None if it is not known.

        Returns:
            Another resource of the program that claims the binding too. Spellings are not compared, because a name may
            mean two things.
        """
        with self._changed:
            record = self._records[claimed]
            others = [one for one in record.claims if one.by != by]
            record.set(by, state, role)
            if isinstance(claimed, Spelling):
                return None
            self._in_deployment[claimed.organization_id, claimed.deployment_id].add(claimed)
            if not others:
                return None
            other = others[0]
            both_stored = state is other.state is State.STORED
            two_roles = role is not None and other.role is not None and not same_role(role, other.role)
            return Twin(other.by, is_harmless=both_stored and not two_roles)

    def exclusive_to(self, binding: BindingId, but: Claimant) -> Claimant | None:
        """Return the table that says who has a role in the binding's deployment, unless it is this one."""
        with self._changed:
            table = self._exclusive.get((binding.organization_id, binding.deployment_id))
            return None if table == but else table

    def reserve(self, organization_id: str, deployment_id: str, by: Claimant) -> list[tuple[BindingId, Claimant]]:
        """Note that a table of the program says who has a role in a deployment, and that no other token has one.

        Returns:
            The bindings of other resources of the program there.
        """
        with self._changed:
            self._exclusive.setdefault((organization_id, deployment_id), by)
            there = sorted(self._in_deployment[organization_id, deployment_id])
            others = ((one, claim.by) for one in there for claim in self._records[one].claims if claim.by != by)
            return list(dict(others).items())

    def identify(self, spelling: Spelling, binding: BindingId) -> None:
        """Learn which binding a check has claimed by its spelling; nothing happens if none has."""
        with self._changed:
            by_spelling = self._records.pop(spelling, None)
            for one in by_spelling.claims if by_spelling is not None else ():
                if self._records[binding].claim_of(one.by) is None:
                    self._records[binding].claims.append(one)

    def is_stored(self, binding: BindingId) -> bool:
        """Return whether a resource of the program has the binding in the state and keeps it."""
        with self._changed:
            return self._is_stored(binding)

    def _is_stored(self, binding: BindingId) -> bool:
        return any(one.was_stored for one in self._records[binding].claims)

    def could_not_be_created(self, claimed: BindingId | Spelling, by: Claimant) -> None:
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
        takes: Mapping[BindingId, Iterable[Spelling]] | None = None,
        puts: Mapping[BindingId, str] | None = None,
    ) -> Iterator[Exchange]:
        """Give some bindings and take others, in the block: the one way of a create, an update and a delete.

        It begins when it need not wait for any of them, so two resources that exchange bindings cannot wait for each
        other for ever. A give waits for a delete of the same binding, which would take what it gives; a take waits for a
        create, whose end decides.

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
            self._wait_for_others([*gives, *puts], list(takes))
            another = {one: self._records[one].has_another(by) for one in gives}
            another |= {one: self._records[one].has_another_role(by, role) for one, role in puts.items()}
            may_be_own = [] if by.urn else [one for one in gives if self._is_stored(one)]
            given = [self._records[one].set(by, State.GIVING, role) for one, role in gives.items()]
            put = [self._records[one].set(by, State.STORED, role) for one, role in puts.items()]
            for claim in put:
                claim.written = True
            deletes = {binding: self._begin_delete(by, binding, spelled) for binding, spelled in takes.items()}
        succeeded = False
        try:
            yield Exchange({one: by for one, by in another.items() if by is not None}, may_be_own, deletes)
            succeeded = True
        finally:
            with self._changed:
                for claim in given:
                    claim.state = State.GIVEN if succeeded else State.FAILED
                for claim in put:
                    claim.written = succeeded
                for binding in (*gives, *puts):
                    self._records[binding].taken &= not succeeded
                for binding, decision in deletes.items():
                    if decision is Delete.GOES_ON:
                        self._records[binding].takers.remove(by)
                        self._records[binding].taken = True
                self._changed.notify_all()

    def _wait_for_others(self, given: Collection[BindingId], taken: Collection[BindingId]) -> None:
        """Wait until no delete of what is given, and no create of what is taken, is under way."""

        def in_the_way() -> tuple[BindingId, Claimant] | None:
            deletes = ((one, taker) for one in given for taker in self._records[one].takers)
            creates = (
                (one, claim.by) for one in taken for claim in self._records[one].claims if claim.state is State.GIVING
            )
            return next(deletes, None) or next(creates, None)

        self._changed.wait_for(lambda: in_the_way() is None, current().remaining)
        found = in_the_way()
        if found is not None:
            binding, other = found
            raise BindingConflict(
                f"Nothing was written: until timeoutSeconds was over, this waited for {other} of the same program, which is "
                f"changing the binding of {binding.in_words} too. Run again."
            )

    def _begin_delete(self, by: Claimant, binding: BindingId, spellings: Iterable[Spelling]) -> Delete:
        record = self._records[binding]
        records = [record, *(self._records[spelling] for spelling in spellings if spelling in self._records)]
        decision = _decide({one.state for each in records for one in each.others(by)} | _own(record, by))
        if decision is Delete.GOES_ON:
            record.takers.append(by)
            for each in records:
                each.claims = [one for one in each.claims if one.state is not State.STORED]
                for one in each.claims:
                    one.was_stored = False
        return decision


def _own(record: _Record, by: Claimant) -> set[State]:
    """How the resource itself keeps a binding from its own delete: it was given it anew, before the old one is deleted."""
    claim = record.claim_of(by)
    return {State.GIVEN} if claim is not None and claim.state is State.GIVEN else set()


def _decide(states: set[State]) -> Delete:
    """Tell what becomes of a delete now, from the claims of the binding; the module's table has the reasons."""
    if State.GIVEN in states:
        return Delete.LEFT_UNDONE
    if State.WANTED in states and State.FAILED not in states:
        return Delete.GOES_ON
    if State.STORED in states:
        return Delete.LEFT_UNDONE
    if State.PERHAPS in states:
        return Delete.UNCERTAIN
    return Delete.REFUSED if State.FAILED in states else Delete.GOES_ON

"""What this run's program claims, no delete takes away.

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

from astro_provider.astro.identity import BindingId


@dataclass(frozen=True)
class Spelling:
    """A binding as a program spells it: the deployment and the token, each by name or id."""

    deployment: str
    token: str


class Create(Enum):
    """What a create meets."""

    FIRST = "no other resource of the program has the binding"
    STORED = "a resource of the program has the binding in the state, unless its replacement failed in an earlier run"
    SECOND = "another resource of the program has created the binding"


class Clash(Enum):
    """Why a resource cannot have a binding."""

    SAME_BINDING = "a table of the program has it, or has it as well"
    TWICE = "another resource of the program has it, each by itself"
    ONLY_FOR_ANOTHER = (
        "another resource of the program says who has a role in the deployment, and does not name the token"
    )


def clash_in_words(clash: Clash, called: str) -> str:
    """Why a resource cannot have a binding, and what to do.

    Args:
        clash: why.
        called: how a message speaks of the binding.
    """
    if clash is Clash.TWICE:
        return (
            f"Two resources of this program bind {called}. A token has one role in a deployment: remove one of the two."
        )
    if clash is Clash.SAME_BINDING:
        return (
            f"Two resources of this program bind {called}, and one of them is a table (DeploymentOrgTokenBindings). Remove "
            "it from one of the two."
        )
    return (
        f"The program binds {called}, and an exclusive table (DeploymentOrgTokenBindings) of this program says that nobody "
        "else has a role in that deployment. Add the token to the table, or remove it here."
    )


class Delete(Enum):
    """What becomes of a delete."""

    GOES_ON = "the program does not have the binding, or has yet to create it"
    LEFT_UNDONE = "another resource of the program has the binding"
    REFUSED = "another resource of the program should have the binding and could not be created"
    UNCERTAIN = "another resource of the program may have the binding, which only its update will tell"


@dataclass(frozen=True)
class Single:
    """A resource that is a binding by itself.

    Attributes:
        urn: which one; empty if the engine does not tell, so that two of them cannot be told apart.
    """

    urn: str = ""


@dataclass(frozen=True)
class Exchange:
    """What several gives and takes of one resource meet: creates by what they give, deletes by what they take."""

    creates: Mapping[BindingId, Create]
    deletes: Mapping[BindingId, Delete]


@dataclass
class _Claim:
    """What has happened to one binding in this process."""

    checked: bool = False
    stored: bool = False  # a resource of the program has it in the state, and no delete has gone on since
    to_be_created: bool = False
    uncertain: bool = False  # only the update of the resource will tell whether it has this binding
    creates: int = 0
    created: bool = False
    taken: bool = False  # a delete of this process took it, and nothing has given it since
    creates_under_way: int = 0
    deletes_under_way: int = 0
    by: set[Hashable] = field(default_factory=set)  # the resources that were checked

    def take_over(self, other: _Claim) -> None:
        """Add what a check has claimed by the binding's spelling."""
        self.checked |= other.checked
        self.stored |= other.stored
        self.to_be_created |= other.to_be_created
        self.uncertain |= other.uncertain
        self.creates += other.creates
        self.by |= other.by

    def begin_create(self) -> Create:
        """Count a create, and tell what it meets."""
        meets = Create.SECOND if self.creates else Create.STORED if self.stored else Create.FIRST
        self.creates += 1
        self.creates_under_way += 1
        return meets

    def end_create(self, *, created: bool) -> None:
        """Note the end of a create."""
        self.creates_under_way -= 1
        self.created |= created
        self.taken &= not created

    def decide(self) -> Delete:
        """Tell what becomes of a delete now; the module's table has the reasons."""
        if self.created:
            return Delete.LEFT_UNDONE
        if self.to_be_created and not self.creates:
            return Delete.GOES_ON
        if not self.stored and self.uncertain:
            return Delete.UNCERTAIN
        if self.stored or (self.checked and not self.creates):
            return Delete.LEFT_UNDONE
        return Delete.REFUSED if self.creates else Delete.GOES_ON


class Claims:
    """The bindings that the program of this process claims; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._claims: defaultdict[BindingId | Spelling, _Claim] = defaultdict(_Claim)
        self._in_deployment: defaultdict[tuple[str, str], set[BindingId]] = defaultdict(set)  # what was checked there
        self._reserved: dict[tuple[str, str] | None, Hashable] = {}  # organization and deployment

    def checked(
        self, claimed: BindingId | Spelling, *, stored: bool, to_be_created: bool, by: Hashable = Single()
    ) -> Clash | None:
        """Claim a binding in its `check`.

        Args:
            claimed: the binding, or its spelling if the check could not know its ids.
            stored: the resource has this very binding in the state.
            to_be_created: the resource has none in the state, or another one. Neither is certain of a binding whose
                stored inputs tell no ids.
            by: what kind of resource it is, or which one, if that can be told.

        Returns:
            Why another resource of this program cannot have the binding as well; None if nothing is known against it.
        """
        with self._changed:
            claim = self._claims[claimed]
            claim.checked = True
            claim.stored |= stored
            claim.to_be_created |= to_be_created
            claim.uncertain |= isinstance(claimed, Spelling) and not (stored or to_be_created)
            claim.by.add(by)
            if isinstance(claimed, BindingId):
                self._in_deployment[claimed.organization_id, claimed.deployment_id].add(claimed)
            if len(claim.by) > 1:
                return Clash.TWICE if all(isinstance(one, Single) for one in claim.by) else Clash.SAME_BINDING
            place = (claimed.organization_id, claimed.deployment_id) if isinstance(claimed, BindingId) else None
            return Clash.ONLY_FOR_ANOTHER if self._reserved.get(place, by) != by else None

    def reserve(self, organization_id: str, deployment_id: str, *, by: Hashable) -> list[BindingId]:
        """Note that one resource of the program says who has a role in a deployment, and nobody else.

        Returns:
            What other resources of the program have there.
        """
        with self._changed:
            self._reserved.setdefault((organization_id, deployment_id), by)
            there = self._in_deployment[organization_id, deployment_id]
            return sorted(binding for binding in there if self._claims[binding].by - {by})

    def identify(self, spelling: Spelling, binding: BindingId) -> None:
        """Learn which binding a check has claimed by its spelling; nothing happens if none has."""
        with self._changed:
            by_spelling = self._claims.pop(spelling, None)
            if by_spelling is not None:
                self._claims[binding].take_over(by_spelling)

    def is_stored(self, binding: BindingId) -> bool:
        """Tell whether a resource of the program has the binding in the state and keeps it."""
        with self._changed:
            return self._claims[binding].stored

    def could_not_be_created(self, claimed: BindingId | Spelling) -> None:
        """Note a create that failed before it could `claim`, so that no delete takes what it was about."""
        with self._changed:
            self._claims[claimed].creates += 1

    @contextmanager
    def claim(self, binding: BindingId) -> Iterator[Create]:
        """Claim a binding for its `create`, which is the block; yield what it meets.

        A create waits for a delete of the same binding that is under way, which would take away what it gives.
        """
        with self._changed:
            claim = self._claims[binding]
            meets = claim.begin_create()
            self._changed.wait_for(lambda: not claim.deletes_under_way)
        try:
            yield meets
        except BaseException:
            self._end_create(claim, created=False)
            raise
        self._end_create(claim, created=True)

    def _end_create(self, claim: _Claim, *, created: bool) -> None:
        with self._changed:
            claim.end_create(created=created)
            self._changed.notify_all()

    def is_taken(self, binding: BindingId) -> bool:
        """Tell whether a delete of this process has taken, or is taking, what the program turns out to have.

        A delete that comes before a replacement may run before the engine has asked about another resource of the same
        binding, as the leftover of a rename that failed.
        """
        with self._changed:
            claim = self._claims[binding]
            return claim.taken or claim.deletes_under_way > 0

    @contextmanager
    def giving_back(self, binding: BindingId) -> Iterator[None]:
        """Give a binding back, in the block, after the delete that takes it is over."""
        with self.exchanging((), {}, [binding]):
            yield

    @contextmanager
    def deleting(self, binding: BindingId, spellings: Iterable[Spelling] = ()) -> Iterator[Delete]:
        """Tell what becomes of a delete, which is the block.

        A delete waits for a create of the same binding that is under way, whose end decides.

        Args:
            binding: what is to be deleted.
            spellings: how a program may spell it.
        """
        with self.exchanging((), {binding: spellings}) as exchange:
            yield exchange.deletes[binding]

    @contextmanager
    def exchanging(
        self,
        gives: Collection[BindingId],
        takes: Mapping[BindingId, Iterable[Spelling]],
        gives_back: Collection[BindingId] = (),
    ) -> Iterator[Exchange]:
        """Give some bindings and take others, in the block, as several creates and deletes at once.

        It begins when it need not wait for any of them, so two resources that exchange bindings cannot wait for each
        other for ever.

        Args:
            gives: what is given for the first time.
            takes: what is taken, each with how a program may spell it.
            gives_back: what the resource has, and a delete of this process may have taken.
        """
        given = [self._claims[binding] for binding in gives]
        taken = [self._claims[binding] for binding in takes]
        returned = [self._claims[binding] for binding in gives_back]

        def nothing_is_under_way() -> bool:
            return not any(claim.deletes_under_way for claim in (*given, *returned)) and not any(
                claim.creates_under_way for claim in taken
            )

        with self._changed:
            self._changed.wait_for(nothing_is_under_way)
            creates = {binding: self._claims[binding].begin_create() for binding in gives}
            deletes = {binding: self._begin_delete(binding, spelled) for binding, spelled in takes.items()}
        created = False
        try:
            yield Exchange(creates, deletes)
            created = True
        finally:
            with self._changed:
                for claim in given:
                    claim.end_create(created=created)
                for claim in returned:
                    claim.taken &= not created
                for binding, decision in deletes.items():
                    self._end_delete(binding, decision)
                self._changed.notify_all()

    def _begin_delete(self, binding: BindingId, spellings: Iterable[Spelling]) -> Delete:
        claim = self._claims[binding]
        by_spelling = [self._claims[spelling] for spelling in spellings if spelling in self._claims]
        known = _Claim(created=claim.created)
        for each in (claim, *by_spelling):
            known.take_over(each)
        decision = known.decide()
        if decision is Delete.GOES_ON:
            claim.deletes_under_way += 1
            for each in (claim, *by_spelling):
                each.stored = False
        return decision

    def _end_delete(self, binding: BindingId, decision: Delete) -> None:
        if decision is Delete.GOES_ON:
            claim = self._claims[binding]
            claim.deletes_under_way -= 1
            claim.taken = True
            self._changed.notify_all()

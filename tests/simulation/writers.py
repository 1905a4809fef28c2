"""Our writer and a careless one, as routines on the clock of `astro.py`.

`Process` drives the real `Merge`, `Ledger`, `Settling` and `Look`, which decide everything, as `Writer` does with
threads, the wall clock and HTTP. What `Process` notes about itself is what the caller of `Writer.write_all` would see.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from astro_provider.astro.api import ApiToken, ApiTokenRole
from astro_provider.astro.coverage import Reading
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.roles import held_roles, role_in
from astro_provider.astro.writing.account import NotStanding
from astro_provider.astro.writing.changes import Change, Put, Remove, Roles
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.astro.writing.merge import Merge, Read, Write
from astro_provider.astro.writing.settling import Look, Settling
from astro_provider.errors import (
    AstroProviderError,
    BindingConflict,
    CallRefused,
    NotFound,
    Unavailable,
    WriteRefused,
)
from tests.simulation.astro import (
    ORGANIZATION_ID,
    Call,
    Clock,
    Fate,
    Routine,
    Service,
    Snapshot,
    Until,
    as_token,
)

MOST_ATTEMPTS = 2  # stands for the deadline of an operation
PAUSE = 1  # ticks before a call that failed is tried again

Result = ApiToken | Exception


@dataclass(frozen=True)
class Batch:
    """Changes of one token that go out together.

    Attributes:
        at: the tick after the start of the process; of batches in turn, the ticks after the end of the one before.
    """

    at: int
    token_id: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Told:
    """What the caller of a change was told: its result, and when."""

    change: Change
    result: Result
    at: int


@dataclass
class World:
    """What all routines share."""

    clock: Clock
    service: Service
    locked: set[tuple[int, str]] = field(default_factory=set)


@dataclass(eq=False)
class Process:
    """One process of ours: its ledger, its batches, and what became of them."""

    number: int
    mark: str  # tells a process that came back after a kill from the killed one
    machine: int
    world: World
    settle_ticks: int
    fates: list[Fate]
    started_at: int = 0
    usual: Fate = field(default_factory=Fate)  # of the calls that have no fate of their own
    draws: int = 0  # the seed of its random pauses
    killed_at: int | None = None
    told: list[Told] = field(default_factory=list)
    begun: list[Change] = field(default_factory=list)
    standing: dict[BindingId, Told] = field(default_factory=dict)  # told as done, and not taken back
    last_done: dict[BindingId, int] = field(default_factory=dict)  # when it was last seen or written as wanted
    safe: dict[BindingId, Told] = field(default_factory=dict)  # of `standing`, what a finished burst has looked at
    lost: list[NotStanding] = field(default_factory=list)  # what it told as not standing
    faults: list[str] = field(default_factory=list)  # what it did and must never do
    calls: int = 0
    met: Counter[str] = field(default_factory=Counter)  # what it had to deal with

    def __post_init__(self) -> None:
        self.ledger = Ledger(float(self.settle_ticks), random.Random(self.draws).random)
        self.settling = Settling(self.ledger)
        self._looks = False
        self._led: set[str] = set()
        self._locks: set[tuple[int, str]] = set()
        self._unsettled: dict[BindingId, Told] = {}  # as a ledger that cannot be wrong would have it
        self._lists: dict[str, Roles] = {}  # of each token, as last read or written
        self._accounted_for: dict[
            str, int
        ] = {}  # the latest `updatedAt` of each token that is known to be ours or seen
        self._others_at: dict[str, int] = {}  # when a token's list was last seen to be another one

    @property
    def name(self) -> str:
        """Who it is, as the author of a write."""
        return f"P{self.number}{self.mark}"

    def run(self, batches: Sequence[Batch], *, in_turn: bool = False) -> None:
        """Set all batches going, each at its tick; or in turn, each some ticks after the end of the one before."""
        if in_turn:
            self.world.clock.start(self, self._write_in_turn(batches))
            return
        for batch in batches:
            self.world.clock.start(self, self._write(batch))

    def kill(self) -> None:
        """End it where it stands. What an unfinished burst has told is promised no more."""
        self.killed_at = self.world.clock.now
        self.world.clock.kill(self)
        self.met["killed"] += 1
        self.world.locked -= self._locks
        self._locks = set()
        self.standing = self.safe

    def _write(self, batch: Batch) -> Routine:
        yield Until(lambda: False, self.started_at + batch.at)
        arrivals = yield from self._make(batch)
        if arrivals is not None:
            yield from self._stay(arrivals)

    def _write_in_turn(self, batches: Sequence[Batch]) -> Routine:
        """Make each batch after the one before, as an engine hands changes out; a change that stays does not delay them."""
        for batch in batches:
            yield Until(lambda: False, self.world.clock.now + batch.at)
            arrivals = yield from self._make(batch)
            if arrivals is not None:
                self.world.clock.start(self, self._stay(arrivals))

    def _make(self, batch: Batch) -> Generator[Call | Until, Any, int | None]:
        """Follow `Writer.write_all`, for all changes of a batch at once; return what `Settling.leave` returns."""
        clock = self.world.clock
        self.settling.enter()
        for change in batch.changes:
            self.begun.append(change)
            self.safe.pop(change.binding, None)
        yield Until(lambda: batch.token_id not in self._led)
        self._led.add(batch.token_id)
        merge = yield from self._lead(batch.token_id, batch.changes)
        for change in batch.changes:
            self._tell(Told(change, merge.outcomes[change.binding], clock.now))
        return self.settling.leave()

    def _tell(self, told: Told) -> None:
        self.told.append(told)
        self.met[f"ended in {type(told.result).__name__}"] += 1
        if isinstance(told.result, ApiToken):
            self.standing[told.change.binding] = told
        elif not isinstance(told.result, BindingConflict | WriteRefused):
            self.standing.pop(told.change.binding, None)  # nobody knows what is there

    def _lead(self, token_id: str, changes: Sequence[Change]) -> Generator[Call | Until, Any, Merge]:
        merge = Merge(TokenKey(ORGANIZATION_ID, token_id), changes, self.ledger)
        has_turn = bool(changes)
        if has_turn:
            yield self._out_of_step(token_id)
        lock = (self.machine, token_id)
        yield Until(lambda: lock not in self.world.locked)
        self.world.locked.add(lock)
        self._locks.add(lock)
        bases: list[Snapshot] = []
        try:
            for attempt in range(1, MOST_ATTEMPTS + 1):
                try:
                    yield from self._run(merge, changes, bases, has_turn=has_turn)
                    break
                except Unavailable as error:
                    if attempt == MOST_ATTEMPTS:
                        merge.failed(error)
                        break
                    yield Until(lambda: False, self.world.clock.now + PAUSE)
        finally:
            self._led.discard(token_id)
            if lock in self._locks:
                self._locks.discard(lock)
                self.world.locked.discard(lock)
        if not self._looks and self.ledger.unsettled:
            self._looks = True
            self.world.clock.start(self, self._keep_looking())
        return merge

    def _out_of_step(self, token_id: str) -> Until:
        """Pause as `Writer._await_turn` does."""
        pause = self.ledger.pause(TokenKey(ORGANIZATION_ID, token_id))
        self.met["paused to fall out of step"] += pause > 0
        return Until(lambda: False, self.world.clock.now + math.ceil(pause))

    def _run(self, merge: Merge, changes: Sequence[Change], bases: list[Snapshot], *, has_turn: bool) -> Routine:
        clock = self.world.clock
        has_read = False
        while True:
            step = merge.step(clock.now)
            if step is None:
                return
            if isinstance(step, Read):
                self.met["read again because the list was old"] += has_read
                has_read = True
                if step.before_write and not has_turn:
                    yield self._out_of_step(merge.key.token_id)
                    has_turn = True
                sent_at = clock.now
                base = yield from self._retried(lambda: self.world.service.get_token(merge.key.token_id))
                bases.append(base)
                with self._noting(merge, changes):
                    merge.read(as_token(merge.key.token_id, base.roles, base.updated_at), sent_at, clock.now)
                self._note_seen(base, sent_at)
            else:
                has_turn = False
                yield from self._send(merge, step, bases[-1], changes)
                has_read = False

    def _send(self, merge: Merge, write: Write, base: Snapshot, changes: Sequence[Change]) -> Routine:
        service, clock = self.world.service, self.world.clock
        self._note_write(merge, write, base, changes)
        try:
            answer = yield self._call(
                lambda: service.set_roles(self.name, base, write.roles), lambda: service.subject_roles(base.token_id)
            )
        except (CallRefused, NotFound) as error:
            with self._noting(merge, changes):
                guilty = merge.refused(error)
                if guilty:
                    merge.blame(guilty, WriteRefused(str(error)))
        except AstroProviderError:
            merge.lost(may_come=True)
            self.met["answer to a write that never came"] += 1
            raise
        else:
            asked_now = {change.binding for change in changes} - set(merge.outcomes)
            with self._noting(merge, changes):
                merge.wrote(answer, clock.now, latest_update=clock.now)
            self._lists[merge.key.token_id] = write.roles
            self._accounted_for[merge.key.token_id] = clock.now
            before, after = held_roles(base.roles), answer.roles_by_deployment
            for binding, told in self._unsettled.items():
                if binding.token_id != merge.key.token_id or binding in asked_now:
                    continue
                was, became = before.get(binding.deployment_id), after.get(binding.deployment_id)
                if told.change.fulfilled_by(became) and not told.change.fulfilled_by(was):
                    self.last_done[binding] = clock.now
                    self.met["undone by another, and made again"] += 1

    def _stay(self, arrivals: int) -> Routine:
        """Stay behind after the last change of a burst, as `Writer._stay` does."""
        settling = self.settling
        unsettled = bool(self.ledger.unsettled)
        yield Until(lambda: settling.is_relieved(arrivals) or settling.is_over())
        if settling.is_relieved(arrivals):
            self.met["relieved by a later change"] += unsettled
            return
        account = settling.give_account().changes
        self.lost += account
        self.met["told that something was undone for good"] += bool(account)
        for one in account:
            self.standing.pop(one.change.binding, None)
            self._unsettled.pop(one.change.binding, None)
        self.safe = dict(self.standing)

    def _keep_looking(self) -> Routine:
        settling, clock = self.settling, self.world.clock
        while (due := settling.next_look_at()) is not None:
            changed = yield Until(lambda due=due: settling.next_look_at() != due, math.ceil(due))  # type: ignore[misc]
            if changed:
                continue
            look = settling.look(float(clock.now))
            try:
                yield from self._play(look)
                settling.failure = None
            except AstroProviderError as error:
                settling.failure = error
        self._looks = False

    def _play(self, look: Look) -> Routine:
        while (step := look.step()) is not None:
            if isinstance(step, Reading):
                sent_at = self.world.clock.now
                deployment_id = step.bindings[0].deployment_id
                found = yield from self._retried(lambda d=deployment_id: self.world.service.list_tokens(d))
                listed = {token.id: token for token in found}
                look.listed(step, listed, sent_at)
                for binding in step.bindings:
                    if (ORGANIZATION_ID, binding.token_id) not in look.tokens:
                        token = listed.get(binding.token_id)
                        self._note_settled(
                            binding, role_in(token.roles or (), binding.deployment_id) if token else None, sent_at
                        )
            else:
                token_id = step.token_id
                yield Until(lambda token_id=token_id: token_id not in self._led)  # type: ignore[misc]
                self._led.add(token_id)
                look.led(step, (yield from self._lead(token_id, ())).failure)

    def _retried(self, read: Any) -> Generator[Call | Until, Any, Any]:
        """Follow `AstroClient._call`, which retries reads by itself."""
        for _ in range(MOST_ATTEMPTS - 1):
            try:
                return (yield self._call(read))
            except Unavailable:
                yield Until(lambda: False, self.world.clock.now + PAUSE)
        return (yield self._call(read))

    def _call(self, carry_out: Any, ignored: Any = None) -> Call:
        self.calls += 1
        fate = self.fates.pop(0) if self.fates else self.usual
        if ignored is not None:  # a write takes less than half the settle time to arrive: that is assumed
            fate = Fate(min(fate.request, 3), fate.answer, fate.fault)
        return Call(carry_out, fate, ignored)

    # What follows watches and takes no part.

    @contextmanager
    def _noting(self, merge: Merge, changes: Sequence[Change]) -> Iterator[None]:
        """Note which changes get their outcome meanwhile."""
        before = set(merge.outcomes)
        yield
        for change in changes:
            if change.binding in merge.outcomes and change.binding not in before:
                result = merge.outcomes[change.binding]
                if isinstance(result, ApiToken):
                    self._unsettled[change.binding] = Told(_wish(change), result, self.world.clock.now)
                    self.last_done[change.binding] = self.world.clock.now

    def _note_seen(self, base: Snapshot, sent_at: int) -> None:
        updated_at = base.updated_at or 0
        others = updated_at > self._accounted_for.get(base.token_id, updated_at)
        self._accounted_for[base.token_id] = updated_at
        if others or self._lists.get(base.token_id, base.roles) != base.roles:
            self._others_at[base.token_id] = sent_at
        self._lists[base.token_id] = base.roles
        held = held_roles(base.roles)
        for binding in [binding for binding in self._unsettled if binding.token_id == base.token_id]:
            self._note_settled(binding, held.get(binding.deployment_id), sent_at)

    def _note_settled(self, binding: BindingId, held: str | None, sent_at: int) -> None:
        told = self._unsettled.get(binding)
        since = max(self.last_done.get(binding, 0), self._others_at.get(binding.token_id, 0))
        if told and told.change.fulfilled_by(held) and sent_at >= since + self.settle_ticks:
            del self._unsettled[binding]

    def _note_write(self, merge: Merge, write: Write, base: Snapshot, changes: Sequence[Change]) -> None:
        """A list that is written differs from the list that was read in our wishes only."""
        wishes = {binding: told.change for binding, told in self._unsettled.items()}
        wishes |= {change.binding: change for change in changes if change.binding not in merge.outcomes}
        ours = {
            binding.deployment_id: wish for binding, wish in wishes.items() if binding.token_id == merge.key.token_id
        }
        read = [entry for entry in base.roles if _deployment(entry) not in ours]
        written = [entry for entry in write.roles if _deployment(entry) not in ours]
        if len(read) != len(written) or any(
            before is not after and before.to_wire() != after.to_wire()
            for before, after in zip(read, written, strict=True)
        ):
            self.faults.append(f"{self.name} changed an entry that nobody asked it to change")
        before, after = held_roles(base.roles), held_roles(write.roles)
        for deployment_id, wish in ours.items():
            read_role, written_role = before.get(deployment_id), after.get(deployment_id)
            if read_role != written_role and not wish.fulfilled_by(written_role):
                self.faults.append(f"{self.name} wrote {written_role} in {deployment_id}, and {wish} was asked for")


@dataclass(frozen=True)
class Command:
    """One command of a careless writer: read, take some ticks, write the whole list with one entry changed."""

    at: int
    token_id: str
    key: tuple[str, str]  # kind and id of the entry
    role: str | None  # None: away with it
    ticks: int  # from its read to the commit of its write


@dataclass(eq=False)
class Careless:
    """A writer like the CLI: no look, no second try, one command after another."""

    name: str
    world: World

    def run(self, commands: Sequence[Command]) -> None:
        """Set it going."""
        self.world.clock.start(self, self._run(commands))

    def _run(self, commands: Sequence[Command]) -> Routine:
        clock, service = self.world.clock, self.world.service
        for command in commands:
            if command.at > clock.now:
                yield Until(lambda: False, command.at)
            base = yield Call(lambda command=command: service.get_token(command.token_id), Fate(0, 0))  # type: ignore[misc]
            roles = edited(base.roles, command.key, command.role)
            yield Call(
                lambda base=base, roles=roles: service.set_roles(self.name, base, roles),  # type: ignore[misc]
                Fate(command.ticks, 0),
            )


def edited(roles: Sequence[ApiTokenRole], key: tuple[str, str], role: str | None) -> tuple[ApiTokenRole, ...]:
    """The list with one entry of any kind set or taken away."""
    rest = [entry for entry in roles if (entry.entity_type, entry.entity_id) != key]
    if role is None:
        return tuple(rest)
    if len(rest) == len(roles):
        return (*roles, ApiTokenRole(entity_type=key[0], entity_id=key[1], role=role))
    return tuple(
        entry.model_copy(update={"role": role}) if (entry.entity_type, entry.entity_id) == key else entry
        for entry in roles
    )


def _deployment(entry: ApiTokenRole) -> str | None:
    return entry.entity_id if entry.entity_type == "DEPLOYMENT" else None


def _wish(change: Change) -> Change:
    """An Add that was made is from then on a wish like a Put."""
    return change if isinstance(change, Remove) else Put(change.binding, change.role)

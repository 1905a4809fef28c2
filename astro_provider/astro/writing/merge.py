"""Decides what to read and what to write, so that several changes to one token are made together and none is lost.

A step machine without I/O, threads or clock: `writer.py` asks it for the next step, and reports the result and its
time. So tests can drive it at will. Times are seconds of any steady clock.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

from astro_provider.astro.api import ApiToken, ApiTokenRole, SubjectRoles
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.roles import deployment_of, held_roles, require_roles, role_in
from astro_provider.astro.writing.account import Reason
from astro_provider.astro.writing.changes import (
    Change,
    GiveBack,
    Outcome,
    Put,
    Remove,
    Roles,
    TakeBack,
    apply_all,
    taking_back,
)
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.errors import NotFound, ServiceError, WriteNotConfirmed, WriteRefused
from astro_provider.messages.words import sentence

MOST_WRITES = 5  # of one merge, until the answer shows what was asked
MOST_STALE_READS = 5  # of one merge, until a read comes back in time


@dataclass(frozen=True)
class Read:
    """Read the token with all its roles, then call `Merge.read`."""

    before_write: (
        bool  # a write probably follows, at once. If not, the merge only looks, and reads again before it writes
    )


@dataclass(frozen=True)
class Write:
    """Write this list at once, then call `Merge.wrote`, `Merge.lost`, `Merge.not_made` or `Merge.refused`."""

    roles: Roles


class Merge:
    """Several changes to one token, made together: one read, one merged write, each with its own outcome.

    There is at most one change per binding; without any, it only puts back what was undone. A change whose binding has
    a group is only made together with the others of its group. If the service refuses a list, its groups are tried one
    by one, and a change without a group by itself.
    """

    def __init__(
        self,
        key: TokenKey,
        changes: Sequence[Change],
        ledger: Ledger,
        groups: Mapping[BindingId, Hashable] | None = None,
    ) -> None:
        self.key = key
        self.token: ApiToken | None = None
        self.outcomes: dict[BindingId, ApiToken | Exception] = {}
        self.failure: Exception | None = None
        self._is_look = self._only_looks = not changes
        self._open = {change.binding: change for change in changes}
        self._groups = groups or {}
        self._before: dict[BindingId, str | None] = {}  # the role that was there before this merge changed it
        self._ledger = ledger
        self.put_back: list[Change] = []
        self._now_writing: list[Change] = []
        self._sent: set[BindingId] = set()
        self._first_sent: set[BindingId] = set()  # by the last write
        self._unread: set[BindingId] = set()  # sent by a write without an answer, and not read since
        self._may_come: set[BindingId] = set()  # sent by a write that Astro may carry out later, whatever a read shows
        self._wanted: Roles | None = None
        self._read_at = 0.0
        self._one_by_one = False
        self._dead: set[str] = set()  # deployments that do not exist any more, and that the service refuses to be named
        self.left_out: dict[str, list[ApiTokenRole]] = {}  # by deployment, the entries that were written without it
        self._finished = False
        self._writes = 0
        self._most_writes = MOST_WRITES
        self._stale_reads = 0

    def step(self, now: float) -> Read | Write | None:
        """Return the next step; None: all changes have their outcome."""
        if self._finished:
            return None
        if self._wanted is None:
            return Read(before_write=not self._only_looks)
        # No writer may take longer than a settle time from its read to its write; half of it is left for the write itself.
        settle_seconds, age = self._ledger.settle_seconds, now - self._read_at
        if settle_seconds and age > settle_seconds / 2:
            self._wanted = None
            self._stale_reads += 1
            if self._stale_reads < MOST_STALE_READS:
                return Read(before_write=True)
            # A service that is slower than the settle time allows would be read for ever.
            self.failed(_too_slow(self.key.token_id, age, settle_seconds))
            return None
        # Noted before it is sent: the answer may never come.
        self._first_sent = {change.binding for change in self._now_writing} - self._sent
        self._sent |= self._first_sent
        self._ledger.sent(self._now_writing, now)
        return Write(self._wanted)

    def read(self, token: ApiToken, sent_at: float, now: float) -> None:
        """Take a read of the token, sent at that time, and plan the write; RolesUnknown if it left the roles out."""
        roles = require_roles(token)
        self.token, self._read_at = token, sent_at
        self._unread.clear()
        # An undone change is made again with this write, unless a newer change of the same binding replaces it.
        undone = self._ledger.to_make_again(self.key, token, sent_at, by_look=self._is_look)
        todo = [change for change in undone if change.binding not in self._open]
        held_by_deployment = held_roles(roles)
        for change in list(self._open.values()):
            held = held_by_deployment.get(change.binding.deployment_id)
            if refusal := change.refusal(held):
                self._close(change, refusal)
            elif not change.fulfilled_by(held):
                todo.append(change)
                # What was there before the first write; later reads may show our own.
                if change.binding not in self._sent:
                    self._before[change.binding] = held
            elif change.binding in self._sent:  # by a write whose answer did not show it, or never came
                self._done(change, now)
            elif isinstance(change, TakeBack | GiveBack):  # another writer has changed it since, and is right
                self._ledger.forget([change.binding])
                self._succeed(change)
            else:
                self._ledger.needed_no_write(_as_written(change), sent_at, now)
                self._succeed(change)
        self._finished = not todo
        if todo and self._only_looks:  # a look awaits no turn to write, so the token is read again when there is one
            self._only_looks = False
            return
        self._now_writing = self._first_group(todo) if todo and self._one_by_one else todo
        # Astro refuses a list that names a deployment that is gone.
        living = tuple(entry for entry in roles if deployment_of(entry) not in self._dead)
        self._wanted = apply_all(self._now_writing, living)
        if todo and self._writes >= self._most_writes:
            for change in list(self._open.values()):
                self._close(change, _not_confirmed(change, role_in(roles, change.binding.deployment_id), self._writes))
            self._finished = True

    def wrote(self, answer: SubjectRoles, now: float, *, latest_update: float | None = None) -> None:
        """Take the answer to the write: it must show what was asked, or the token is read again.

        `latest_update` is the latest `updatedAt` (epoch seconds) that the write can have given the token.
        """
        self._writes += 1
        if not answer.shows_roles:  # it confirms nothing, not even a removal, so a read has to
            self.lost(may_come=False)
            return
        if self.token is not None and self._wanted is not None:
            self.token = self.token.model_copy(update={"roles": self._wanted})
            self._ledger.left(self.key, self._wanted, latest_update)
        answered = answer.roles_by_deployment
        for change in self._now_writing:
            held = answered.get(change.binding.deployment_id)
            if change.fulfilled_by(held):
                self._done(change, now)
            elif self._writes >= self._most_writes:
                self._close(change, _not_confirmed(change, held, self._writes))
        self._read_again_unless_done()

    def lost(self, *, may_come: bool) -> None:
        """Note that it is not known whether the write was made: read first, then decide.

        With `may_come` nothing has answered, so Astro may carry the write out after a read that does not show it.
        """
        writing = {change.binding for change in self._now_writing}
        self._unread |= writing
        if may_come:
            self._may_come |= writing
        self._wanted = None

    def not_made(self) -> None:
        """Note that the write was not made: it was not sent, or the service refused it."""
        self._sent -= self._first_sent
        self._wanted = None

    def refused(self, error: ServiceError) -> list[Change]:
        """Take the service's refusal of the list.

        Returns:
            The changes to `blame`: all of one group. None of them if several groups were in the list, which are then
            tried one by one, or if the token itself may be gone, which the next read shows.
        """
        # Astro refuses a list whole and does not name the entry, so only a list with one group shows which group it is.
        group = self._first_group(self._now_writing)
        # A 404 may be the token's: the next read shows that, and blames no change for it.
        is_known = len(group) == len(self._now_writing) and (self._one_by_one or not isinstance(error, NotFound))
        if not self._one_by_one:
            self._one_by_one = True
            self._most_writes += self._writes + len(self._now_writing)
        self.not_made()
        return group if is_known else []

    def others_named(self, write: Write) -> set[str]:
        """The deployments that a list names and that no change in it gives a role in, but those that were left out."""
        ours = {change.binding.deployment_id for change in self._now_writing}
        named = {deployment_of(entry) for entry in write.roles}
        return {one for one in named if one is not None} - ours - self._dead

    def leave_out(self, deployment_ids: Collection[str]) -> None:
        """Write without the entries of deployments that do not exist any more, whose list the service has refused."""
        self._dead |= set(deployment_ids)
        for entry in (self.token and self.token.roles) or ():
            if (deployment_id := deployment_of(entry)) in deployment_ids and deployment_id is not None:
                self.left_out.setdefault(deployment_id, []).append(entry)
        # Their roles are gone with them: nothing of ours there can be seen standing any more.
        self._ledger.forget(
            one for one in self._ledger.unsettled if one.token_key == self.key and one.deployment_id in deployment_ids
        )
        self.not_made()

    def blame(self, changes: Sequence[Change], error: WriteRefused) -> None:
        """Give refused changes their outcome. What was undone and cannot be put back is given up."""
        for change in changes:
            self._close(change, error)
        self._read_again_unless_done()

    def _first_group(self, changes: Sequence[Change]) -> list[Change]:
        """The first of these changes, and those that are only made together with it."""
        groups = [self._groups.get(change.binding, change.binding) for change in changes]
        return [change for change, group in zip(changes, groups, strict=True) if group == groups[0]]

    def outcome(self, change: Change) -> Outcome:
        """Return the end of a change, which has one."""
        found = self.outcomes[change.binding]
        may_come = change.binding in self._may_come
        may_stand = may_come or change.binding in self._unread
        # A change that was never sent has nothing to take back, whatever stands there.
        back = taking_back(change, self._before.get(change.binding)) if change.binding in self._sent else None
        if isinstance(found, Exception):
            return Outcome(change, error=found, taking_back=back, may_stand=may_stand, may_come=may_come)
        return Outcome(change, found, taking_back=back)

    def failed(self, error: Exception) -> None:
        """End it: every change that has no outcome yet gets the error."""
        self.failure = error
        for change in list(self._open.values()):
            self._close(change, error)
        if isinstance(error, NotFound):  # the roles are gone with their token
            self._unread, self._may_come = set(), set()
            self._ledger.forget(b for b in self._ledger.unsettled if b.token_key == self.key)
        self._finished = True

    def _read_again_unless_done(self) -> None:
        # One by one, what was undone may wait behind the change that was just made.
        self._finished = not self._open and not self._one_by_one
        self._wanted = None

    def _done(self, change: Change, now: float) -> None:
        if change.binding in self._open:
            self._ledger.wrote(_as_written(change), now)
            self._succeed(change)
        else:  # a change of an earlier merge, made again
            self._ledger.repaired(change, now)
            self.put_back.append(change)

    def _succeed(self, change: Change) -> None:
        del self._open[change.binding]
        if self.token is not None:
            self.outcomes[change.binding] = self.token

    def _close(self, change: Change, error: Exception) -> None:
        if self._open.pop(change.binding, None):
            self.outcomes[change.binding] = error
        else:  # a change that had ended as made: the last change of the batch reports it
            self._ledger.give_up(change, Reason.REFUSED, str(error))


def _as_written(change: Change) -> Change:
    """The change to make again if it is undone: an Add must not ask a second time whether it may."""
    if isinstance(change, Remove):
        return Remove(change.binding, called=change.called)
    return Put(change.binding, change.role, called=change.called, exact=change.exact)


def _not_confirmed(change: Change, held: str | None, writes: int) -> WriteNotConfirmed:
    wanted = "no role" if isinstance(change, Remove) else f"the role {change.role}"
    return WriteNotConfirmed(
        f"{sentence(change.in_words)}: {wanted} was written {writes} times, and the service shows {held or 'no role'}. "
        "Another writer may be changing the same token all the time: end it, run `pulumi refresh`, and try again."
    )


def fitting_settle_seconds(read_seconds: float) -> int:
    """Return a settle time at which a service whose read of a token takes that long can be written with room to spare."""
    return max(1, math.ceil(read_seconds * 3))


def _too_slow(token_id: str, age: float, settle_seconds: float) -> WriteNotConfirmed:
    return WriteNotConfirmed(
        f"Token {token_id} was not written: its roles took {age:.1f} s to read, {MOST_STALE_READS} times, and a list older "
        f"than half of settleSeconds ({settle_seconds:g}) may undo what others have written since. Set "
        f"astro:settleSeconds (or ASTRO_SETTLE_SECONDS) to {fitting_settle_seconds(age)} or more wherever this token is written."
    )

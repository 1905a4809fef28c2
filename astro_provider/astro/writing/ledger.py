"""What this process wrote lately and has not yet seen standing.

A writer elsewhere may have read a list before our write and write it back after it. It undoes our change by that, within
a settle time of its read. So a change is defended until a read, sent a settle time or more after the write, shows it
standing. From then on it is nobody's business of ours: whoever changes it later is right.

Three cases need more than that rule:

- *Others are at work on the same token.* One of them may have undone our change, another restored it by chance, and a
  third one read in between. Then the settle time begins again, MOST_EXTENSIONS times at most. That others are at work
  shows in a list that is not the one we left, or in an `updatedAt` that is later than our own write can have made it. The
  second sign is used if the service gives it, and is not needed.
- *A read comes late* (an outage, a slow service) and shows our change undone for the first time. Whether an old list did
  that or a person decided it cannot be told any more, so nothing is put back: it is given up, which is an error.
- *A change is undone again and again*: after MOST_REPAIRS it is given up.

Like `merge.py`, it neither reads nor waits: it is told what was written and what was read, and at what time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import held_roles
from astro_provider.astro.writing.changes import Change, Roles
from astro_provider.messages.words import sentence

TokenKey = tuple[str, str]  # organization id, token id

MOST_EXTENSIONS = 3  # of the settle time, while others are at work on the same token
MOST_REPAIRS = 10  # of one change
LATEST_SETTLE_TIMES = 2  # after its write, a change that is found undone for the first time is not put back


@dataclass
class _Written:
    """A change that the service showed as made, and the time from which it must stand for a settle time."""

    change: Change
    at: float
    extensions: int = 0
    repairs: int = 0
    undone: bool = False  # a read that came in time has shown it undone, so it may be put back later, too

    def begin_again(self, at: float) -> None:
        """Wait another settle time, because others are at work; but not for ever."""
        if self.extensions < MOST_EXTENSIONS:
            self.extensions += 1
            self.at = max(self.at, at)


@dataclass(frozen=True)
class _Left:
    """A token as this process saw it last: its list, and the latest `updatedAt` (epoch seconds) that is accounted for."""

    roles: Roles
    updated_at: float | None


class Ledger:
    """What must still be seen standing.

    Args:
        settle_seconds: how long another writer may take from its read to its write; 0 remembers nothing.
    """

    def __init__(self, settle_seconds: float) -> None:
        self.settle_seconds = settle_seconds
        self.given_up: dict[BindingId, str] = {}
        self._written: dict[BindingId, _Written] = {}
        self._left: dict[TokenKey, _Left] = {}
        self._sent: dict[BindingId, float] = {}  # when a write was sent last, whatever came of it
        self._in_words: dict[BindingId, str] = {}

    def sent(self, changes: Iterable[Change], at: float) -> None:
        """Note that a write of these changes goes out at that time. Its answer may never come."""
        self._sent.update((change.binding, at) for change in changes)

    def wrote(self, change: Change, at: float) -> None:
        """Remember that the service showed a change as made at that time."""
        self._in_words[change.binding] = change.in_words
        if self.settle_seconds > 0:
            self._written[change.binding] = _Written(change, at)
        self.given_up.pop(change.binding, None)

    def repaired(self, change: Change, at: float) -> None:
        """Remember that the service showed an undone change as made again at that time."""
        before = self._written.get(change.binding)
        self.wrote(change, at)
        if before is not None and change.binding in self._written:
            self._written[change.binding].repairs = before.repairs + 1

    def needed_no_write(self, change: Change, read_at: float, now: float) -> None:
        """Note that a change was fulfilled before anything was written, as a read shows that was sent at `read_at`.

        It is not defended, unless we sent a write of the same entry shortly before that read, perhaps without an answer:
        then what stands there is our write, or others are at work on it, and it is an old list that somebody wrote back.
        """
        lately = self._sent.get(change.binding, -math.inf) + LATEST_SETTLE_TIMES * self.settle_seconds
        if change.binding in self._written or read_at <= lately:
            self.wrote(change, now)
        self.given_up.pop(change.binding, None)

    def left(self, key: TokenKey, roles: Roles, latest_update: float | None = None) -> None:
        """Remember what our own write has left on a token.

        Args:
            key: the token.
            roles: its list.
            latest_update: the latest `updatedAt` (epoch seconds) that our write can have given it; None if unknown.
        """
        self._left[key] = _Left(roles, latest_update)

    def to_make_again(
        self, key: TokenKey, roles: Roles, read_at: float, *, updated_at: float | None = None
    ) -> list[Change]:
        """Settle what a read of a whole token shows standing, and return the changes that it shows to be undone.

        Args:
            key: the token.
            roles: its list.
            read_at: when the read was sent.
            updated_at: the token's `updatedAt` (epoch seconds); None if the service does not tell.
        """
        ours = [binding for binding in self._written if (binding.organization_id, binding.token_id) == key]
        left = self._left.get(key)
        if left is not None and (roles != left.roles or self.updated_by_others(key, updated_at)):
            for written in (self._written[binding] for binding in ours):
                if not self._is_late(written, read_at):
                    written.begin_again(read_at)
        self._left[key] = _Left(roles, updated_at)
        held = held_roles(roles)
        found = (self.settle(binding, held.get(binding.deployment_id), read_at) for binding in ours)
        return [change for change in found if change is not None]

    def updated_by_others(self, key: TokenKey, updated_at: float | None) -> bool:
        """Tell whether an `updatedAt` shows that others have written a token since we saw or wrote it last."""
        left = self._left.get(key)
        return (
            left is not None and left.updated_at is not None and updated_at is not None and updated_at > left.updated_at
        )

    def settle(self, binding: BindingId, held: str | None, read_at: float) -> Change | None:
        """Hold what a read shows against what was written, and forget what has stood for a settle time.

        Returns:
            The change that has been undone and must be made again; None if it stands, was given up or never written.
        """
        written = self._written.get(binding)
        if written is None:
            return None
        if written.change.fulfilled_by(held):
            if read_at >= written.at + self.settle_seconds:
                del self._written[binding]
            return None
        if written.repairs >= MOST_REPAIRS:
            called = sentence(written.change.in_words)
            self.give_up(binding, f"{called} was undone by another writer {MOST_REPAIRS + 1} times.")
            return None
        if self._is_late(written, read_at) and not written.undone:
            self.give_up(
                binding,
                f"{sentence(written.change.in_words)} shows {held or 'no role'} {read_at - written.at:.1f} s after the write; by then "
                "somebody may have decided that, so nothing was put back.",
            )
            return None
        written.undone = True
        return written.change

    def _is_late(self, written: _Written, read_at: float) -> bool:
        """Tell whether a read comes too late to tell an old list that was written back from somebody's decision."""
        return read_at > written.at + LATEST_SETTLE_TIMES * self.settle_seconds

    def forget(self, bindings: Iterable[BindingId]) -> None:
        """Forget bindings that are to be made differently now, or whose token is gone."""
        for binding in list(bindings):
            self._written.pop(binding, None)

    def give_up(self, binding: BindingId, reason: str) -> None:
        """Note that what was undone is not made again."""
        self.forget([binding])
        self.given_up[binding] = reason

    def in_words(self, binding: BindingId) -> str:
        """How a message speaks of a binding: as the change did that was written last."""
        return self._in_words.get(binding, binding.in_words)

    @property
    def unsettled(self) -> list[BindingId]:
        """The bindings that must still be seen standing."""
        return list(self._written)

    def due(self) -> dict[TokenKey, float]:
        """When each token must be looked at: a settle time after the last of our writes that is not settled."""
        due: dict[TokenKey, float] = {}
        for binding, written in self._written.items():
            key = (binding.organization_id, binding.token_id)
            due[key] = max(due.get(key, 0.0), written.at + self.settle_seconds)
        return due

"""The recent writes of this process that no read has shown standing yet.

A change is defended until a read, sent a settle time or more after the write, shows it standing. From then on it is no
longer ours: a person or another run that changes it later is right.

Three cases need more than that rule:

- *Others are at work on the same token.* One of them may have undone our change, another restored it by chance, and a
  third one read in between. Then the settle time begins again, MOST_EXTENSIONS times at most. That others are at work
  shows in a list that is not the one we left, or in an `updatedAt` that is later than our own write can have made it. The
  second sign is used if the service gives it, and is not needed.
- *A read comes late* (an outage, a slow service) and shows our change undone for the first time. It is
  unknown then whether an old list did that or a person decided it, so nothing is put back: giving it up is an error.
- *A change is undone again and again*: two programs may want different things. Only looks count that, each settle time
  once, because a neighbour that merely writes at the same pace undoes a change with each of its writes, until it ends.
  After MOST_TIMES_UNDONE the change is given up.

Like `merge.py`, it neither reads nor waits: `writer.py` reports what was written and read, and when.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from astro_provider.astro.api import ApiToken
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.roles import held_roles
from astro_provider.astro.writing.account import LATEST_SETTLE_TIMES, MOST_TIMES_UNDONE, NotStanding, Others, Reason
from astro_provider.astro.writing.changes import Change, Roles

MOST_EXTENSIONS = 3  # of the settle time, while others are at work on the same token
# Of a pause, in settle times: the longest first one, and how often that doubles while one change is put back again and
# again. A write goes wrong if it falls between another writer's read and write, which take far less than the first.
FIRST_PAUSE = 1 / 8
MOST_DOUBLINGS = 2


@dataclass
class _Written:
    """A change that the service showed as made, and the time from which it must stand for a settle time."""

    change: Change
    at: float
    extensions: int = 0
    repairs: int = 0
    times_undone: int = 0  # in how many settle times a look found it undone
    counted_at: float = -math.inf  # the last of them
    undone: bool = False  # a read that came in time has shown it undone, so it may be put back later, too


@dataclass
class _Seen:
    """A token as this process saw it last."""

    roles: Roles | None = None  # None: no read and no write has shown it yet
    updated_at: float | None = None  # the latest `updatedAt` (epoch seconds) that is accounted for
    others: Others = field(default_factory=Others)
    repairs: int = 0  # of what the last read showed undone, the repair that comes now


class Ledger:
    """The writes that must still be seen standing; none without a settle time. `draw` gives numbers from 0 to 1."""

    def __init__(self, settle_seconds: float, draw: Callable[[], float] = random.random) -> None:
        self.settle_seconds = settle_seconds
        self.given_up: dict[BindingId, NotStanding] = {}
        self._draw = draw
        self._written: dict[BindingId, _Written] = {}
        self._sent: dict[BindingId, float] = {}  # when a write was sent last, whatever came of it
        self._seen: defaultdict[TokenKey, _Seen] = defaultdict(_Seen)

    def sent(self, changes: Iterable[Change], at: float) -> None:
        """Note that a write of these changes goes out at that time. Its answer may never come."""
        self._sent.update((change.binding, at) for change in changes)

    def wrote(self, change: Change, at: float) -> None:
        """Remember that the service showed a change as made at that time."""
        if self.settle_seconds > 0:
            self._written[change.binding] = _Written(change, at)
        self.given_up.pop(change.binding, None)

    def repaired(self, change: Change, at: float) -> None:
        """Remember that the service showed an undone change as made again at that time."""
        before = self._written.get(change.binding)
        self.wrote(change, at)
        if before is not None:
            after = self._written[change.binding]
            after.repairs = before.repairs + 1
            after.times_undone, after.counted_at = before.times_undone, before.counted_at

    def needed_no_write(self, change: Change, read_at: float, now: float) -> None:
        """Note that a change was fulfilled before anything was written, as a read shows that was sent at `read_at`.

        It is not defended, unless we sent a write of the same entry shortly before that read, perhaps without an answer:
        then what stands there is our write, or another writer has restored it from an old list.
        """
        lately = self._sent.get(change.binding, -math.inf) + LATEST_SETTLE_TIMES * self.settle_seconds
        if change.binding in self._written or read_at <= lately:
            self.wrote(change, now)
        self.given_up.pop(change.binding, None)

    def left(self, key: TokenKey, roles: Roles, latest_update: float | None = None) -> None:
        """Remember the list that our own write has left on a token.

        `latest_update` is the latest `updatedAt` (epoch seconds) that our write can have given it; None if unknown.
        """
        seen = self._seen[key]
        seen.roles, seen.updated_at = roles, latest_update

    def to_make_again(self, key: TokenKey, token: ApiToken, read_at: float, *, by_look: bool = False) -> list[Change]:
        """Settle what a read of a whole token, sent at `read_at`, shows standing; return what it shows undone.

        With `by_look` the read is a look, and no change's own.
        """
        roles, seen = token.roles or (), self._seen[key]
        ours = {binding: written for binding, written in self._written.items() if binding.token_key == key}
        held = held_roles(roles)
        if seen.roles is not None and (roles != seen.roles or self.updated_by_others(key, token.updated_epoch)):
            self._note_others(key, seen.roles, token, held)
            # One of them may have read before our write, and may yet write: each change must stand a settle time from now.
            for written in ours.values():
                if not self._is_late(written, read_at) and written.extensions < MOST_EXTENSIONS:
                    written.extensions += 1
                    written.at = max(written.at, read_at)
        seen.roles, seen.updated_at = roles, token.updated_epoch
        found = (self.settle(binding, held.get(binding.deployment_id), read_at, by_look=by_look) for binding in ours)
        undone = [change for change in found if change is not None]
        # The longest row of repairs decides how long this token's next read waits (`pause`).
        seen.repairs = max((ours[change.binding].repairs + 1 for change in undone), default=0)
        return undone

    def pause(self, key: TokenKey) -> float:
        """Seconds to wait before a token is read for a write: 0, unless its last read showed a change of ours undone."""
        repairs = self._seen[key].repairs
        if not repairs:
            return 0.0
        return self._draw() * FIRST_PAUSE * 2.0 ** min(repairs - 1, MOST_DOUBLINGS) * self.settle_seconds

    def others(self, key: TokenKey) -> Others:
        """The signs of other writers of a token, since this process first wrote it."""
        return self._seen[key].others

    def _note_others(self, key: TokenKey, before: Roles, token: ApiToken, held: dict[str, str]) -> None:
        # `updatedBy` is another writer's only if `updatedAt` is later than our own write can have made it.
        last_writer = None
        if self.updated_by_others(key, token.updated_epoch) and token.updated_by is not None:
            last_writer = token.updated_by.display_name
        held_before = held_roles(before)
        changed = sorted(one for one in held_before.keys() | held.keys() if held_before.get(one) != held.get(one))
        theirs = tuple(one for one in changed if BindingId(key.organization_id, one, key.token_id) not in self._sent)
        known = self.others(key)
        self._seen[key].others = Others(last_writer or known.last_writer, theirs or known.deployment_ids)

    def updated_by_others(self, key: TokenKey, updated_at: float | None) -> bool:
        """Return whether an `updatedAt` shows that others have written a token since we saw or wrote it last."""
        known = self._seen[key].updated_at
        return known is not None and updated_at is not None and updated_at > known

    def settle(self, binding: BindingId, held: str | None, read_at: float, *, by_look: bool = False) -> Change | None:
        """Compare the role that a read shows with what was written, and forget what has stood for a settle time.

        Returns:
            The change that has been undone and must be made again; None if it stands, was given up or never written.
        """
        written = self._written.get(binding)
        if written is None:
            return None
        if written.change.fulfilled_by(held):
            # Sooner than a settle time after the write, a writer that had read before it may still undo it.
            if read_at >= written.at + self.settle_seconds:
                self.forget([binding])
                self._seen[binding.token_key].repairs = 0  # a list of a deployment's tokens shows that, too
            return None
        # Found undone so late for the first time: an old list or a person's decision, so it is not put back.
        if self._is_late(written, read_at) and not written.undone:
            self.give_up(written.change, Reason.LATE)
            return None
        # Only looks count, each settle time once: a neighbour that writes at our pace undoes a change with each of its writes.
        if by_look and read_at >= written.counted_at + self.settle_seconds:
            written.times_undone += 1
            written.counted_at = read_at
        if written.times_undone > MOST_TIMES_UNDONE:
            self.give_up(written.change, Reason.UNDONE)
            return None
        written.undone = True
        return written.change

    def _is_late(self, written: _Written, read_at: float) -> bool:
        """Return whether a read comes too late to distinguish an old list that was written back from a person's decision."""
        return read_at > written.at + LATEST_SETTLE_TIMES * self.settle_seconds

    def forget(self, bindings: Iterable[BindingId]) -> None:
        """Forget bindings that another change is about now, or whose token is gone."""
        for binding in bindings:
            self._written.pop(binding, None)

    def give_up(self, change: Change, reason: Reason, detail: str = "") -> None:
        """Note that what was undone is not made again."""
        self.forget([change.binding])
        self.given_up[change.binding] = NotStanding(change, reason, detail)

    def written(self, binding: BindingId) -> Change:
        """The change of a binding that must still be seen standing."""
        return self._written[binding].change

    @property
    def unsettled(self) -> list[BindingId]:
        """The bindings that must still be seen standing."""
        return list(self._written)

    def due(self) -> dict[TokenKey, float]:
        """When each token must be looked at: a settle time after the last of our writes that is not settled."""
        due: defaultdict[TokenKey, float] = defaultdict(float)
        for binding, written in self._written.items():
            due[binding.token_key] = max(due[binding.token_key], written.at + self.settle_seconds)
        return due

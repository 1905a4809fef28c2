"""What this process wrote lately and has not yet seen standing.

Like `merge.py`, it neither reads nor waits: it is told what was written and what was read, and at what time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from astro_provider.identity import BindingId
from astro_provider.writing.changes import Change, Roles, held_in

TokenKey = tuple[str, str]  # organization id, token id

MOST_EXTENSIONS = 3  # of the settle time, while others are at work on the same token


@dataclass
class _Written:
    """A change that the service showed as made, and the time from which it must stand for a settle time."""

    change: Change
    at: float
    extensions: int = 0

    def begin_again(self, at: float) -> None:
        """Wait another settle time, because others are at work; but not for ever."""
        if self.extensions < MOST_EXTENSIONS:
            self.extensions += 1
            self.at = max(self.at, at)


class Ledger:
    """What this process wrote lately and has not yet seen standing for a settle time.

    A writer elsewhere may have read a list before our write and write it back after it. Whatever it undoes shows as
    long as we remember what we wrote. What has been seen standing a settle time after its write can no longer be
    undone that way, and is forgotten, so that a later change by a person is not fought.

    Unless others are at work on the same token: one of them may have undone it, another restored it by chance, and a
    third one read in between. So where a token's list is not the one that we saw last, the settle time begins again,
    MOST_EXTENSIONS times at most.

    Args:
        settle_seconds: how long another writer may take from its read to its write; 0 remembers nothing.
    """

    def __init__(self, settle_seconds: float) -> None:
        self.settle_seconds = settle_seconds
        self.given_up: dict[BindingId, str] = {}
        self._written: dict[BindingId, _Written] = {}
        self._lists: dict[TokenKey, Roles] = {}

    def wrote(self, change: Change, at: float) -> None:
        """Remember that the service showed a change as made at that time."""
        if self.settle_seconds > 0:
            self._written[change.binding] = _Written(change, at)
        self.given_up.pop(change.binding, None)

    def left(self, key: TokenKey, roles: Roles) -> None:
        """Remember the list that our own write has left on a token."""
        self._lists[key] = roles

    def undone(self, key: TokenKey, roles: Roles, read_at: float) -> list[Change]:
        """The changes that a read of a whole token, sent at that time, shows to have been undone."""
        ours = [b for b in self._written if (b.organization_id, b.token_id) == key]
        if ours and roles != self._lists.get(key, roles):
            for binding in ours:
                self._written[binding].begin_again(read_at)
        self._lists[key] = roles
        found = (self.saw(binding, held_in(roles, binding), read_at) for binding in ours)
        return [change for change in found if change is not None]

    def saw(self, binding: BindingId, held: str | None, read_at: float) -> Change | None:
        """Hold what a read shows against what was written.

        Returns:
            The change that has been undone and must be made again; None where it stands or nothing was written.
        """
        written = self._written.get(binding)
        if written is None:
            return None
        if not written.change.fulfilled_by(held):
            return written.change
        if read_at >= written.at + self.settle_seconds:
            del self._written[binding]
        return None

    def forget(self, bindings: Iterable[BindingId]) -> None:
        """Forget bindings that are to be made differently now, or whose token is gone."""
        for binding in list(bindings):
            self._written.pop(binding, None)

    def give_up(self, binding: BindingId, reason: str) -> None:
        """Note that what was undone cannot be made again."""
        self.forget([binding])
        self.given_up[binding] = reason

    @property
    def unsettled(self) -> list[BindingId]:
        """The bindings that must still be seen standing."""
        return list(self._written)

    @property
    def settled_at(self) -> float | None:
        """The earliest time at which a read can settle everything; None where nothing is left."""
        if not self._written:
            return None
        return max(written.at for written in self._written.values()) + self.settle_seconds

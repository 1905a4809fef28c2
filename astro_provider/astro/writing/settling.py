"""Decides when this process looks again at what it wrote, and by which reads.

Like `merge.py`, it has no I/O, threads or clock: `writer.py` asks when the next look is due, makes it step by step, and
reports the result of each step and its time. Times are seconds of any steady clock.

The schedule:

- While changes are in flight, every token is looked at one settle time after our last write to it. Looks are gathered:
  the next one follows the last one after nearly a settle time, so that a batch over many tokens costs one look a settle
  time and not one a token. A token therefore waits for at most two settle times.
- When no change is in flight any more, one look at the latest due time serves all, if nothing waits too long for it.
- The change that ends last keeps the duty to look until all has been seen standing, and raises the error if something
  cannot be made to stand. A change that arrives meanwhile takes the duty over, so a batch waits once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from astro_provider.astro.api import ApiToken
from astro_provider.astro.coverage import fewest_reads
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.roles import role_shown
from astro_provider.astro.writing.account import NotStanding, Reason
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.errors import NotFound

GATHERED_SETTLE_TIMES = 0.9  # between two looks: less than one, because a look itself takes time


@dataclass(frozen=True)
class ListDeployment:
    """List the tokens of the bindings' deployment, then call `Look.listed`; all bindings are in one deployment."""

    bindings: tuple[BindingId, ...]


@dataclass(frozen=True)
class ReadToken:
    """Lead the token without a change of its own, which puts back what is undone, then call `Look.led`."""

    key: TokenKey


@dataclass
class Look:
    """One look at tokens that are due, in as few calls as possible."""

    ledger: Ledger
    lists: list[ListDeployment]
    tokens: set[TokenKey]
    failure: Exception | None = None
    _now: ListDeployment | None = field(default=None, init=False)

    def step(self) -> ListDeployment | ReadToken | None:
        """Return the next step; None: the look is over, or has failed."""
        if self.failure is not None:
            return None
        if self.lists:
            self._now = self.lists.pop()
            return self._now
        return ReadToken(min(self.tokens)) if self.tokens else None

    def listed(self, listed: Mapping[str, ApiToken] | None, sent_at: float) -> None:
        """Take a deployment's tokens by id, as a list shows them that was asked for at that time.

        A token that the list does not show as written is read: a list is no evidence. So are all if there is no list,
        because the deployment is gone, and its entries may stay on the tokens.
        """
        if self._now is None:
            raise AssertionError("a list came that no step asked for")
        for binding in self._now.bindings:
            # A list may leave roles out and lag behind, so it can show a change standing, but not undone: then the token is read.
            key = binding.token_key
            token = None if listed is None else listed.get(binding.token_id)
            held = None if token is None else role_shown(token, binding.deployment_id)
            shown_without_role = token is not None and held is None
            others = token is not None and self.ledger.updated_by_others(key, token.updated_epoch)
            if (
                listed is None
                or shown_without_role
                or others
                or self.ledger.settle(binding, held, sent_at, by_look=True) is not None
            ):
                self.tokens.add(key)
        self._now = None

    def led(self, key: TokenKey, failure: Exception | None) -> None:
        """Take what became of reading a token. One that is gone has nothing left to look at."""
        self.tokens.discard(key)
        if not isinstance(failure, NotFound):
            self.failure = failure


class Settling:
    """The number of changes in flight, the one that has the duty to look, and when the next look is due."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.failure: Exception | None = None  # of the last look
        self._in_flight = 0
        self._on_duty: object = None
        self._last_look_at = -math.inf

    def enter(self) -> None:
        """Note a change that arrives; it relieves the one that has the duty to look."""
        self._in_flight += 1

    def leave(self) -> object:
        """Note a change that leaves; return its duty, or None if others are in flight and will have it."""
        self._in_flight -= 1
        if self._in_flight > 0:  # one of those ends later, and has the duty for all
            return None
        self._on_duty = object()
        self.failure = None
        return self._on_duty

    def is_relieved(self, duty: object) -> bool:
        """Return whether others have taken the duty over."""
        return self._in_flight > 0 or self._on_duty is not duty

    def is_over(self) -> bool:
        """Return whether there is nothing left to look at, or the last look failed."""
        return self.failure is not None or not self.ledger.unsettled

    def next_look_at(self) -> float | None:
        """When the next look is due; None if there is nothing to look at."""
        due = self.ledger.due().values()
        if not due:
            return None
        # Nothing is in flight: one look at the last due time serves all, unless the first one would wait too long for it.
        gathered = GATHERED_SETTLE_TIMES * self.ledger.settle_seconds
        if self._in_flight == 0 and max(due) <= min(due) + gathered:
            return max(due)
        # More changes may come: looks follow each other after nearly a settle time, each at all tokens that are due.
        return max(min(due), self._last_look_at + gathered)

    def look(self, now: float) -> Look:
        """Begin a look at all tokens that are due."""
        self._last_look_at = now
        due = {key for key, at in self.ledger.due().items() if at <= now}
        bindings = [b for b in self.ledger.unsettled if b.token_key in due]
        lists, tokens = [], set()
        for reading in fewest_reads(bindings):
            if reading.of_deployment:
                lists.append(ListDeployment(reading.bindings))
            else:
                tokens |= {binding.token_key for binding in reading.bindings}
        return Look(self.ledger, lists, tokens)

    def ended(self, failure: Exception | None) -> None:
        """Take the end of a look."""
        self.failure = failure

    def give_account(self, otherwise: Reason, detail: str = "") -> list[NotStanding]:
        """Return the changes that could not be made to stand, in the order of their bindings, and forget them all.

        Args:
            otherwise: the reason of those that were not given up, but not seen standing either.
            detail: what the service said about those.
        """
        # The changes that were given up are known to be undone; the others were not seen standing, for one reason.
        unseen = [NotStanding(self.ledger.written(binding), otherwise, detail) for binding in self.ledger.unsettled]
        account = sorted([*unseen, *self.ledger.given_up.values()], key=lambda one: one.change.binding)
        self.ledger.forget(self.ledger.unsettled)
        self.ledger.given_up.clear()
        return account

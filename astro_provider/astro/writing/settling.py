"""Decides when this process looks again at what it wrote, and by which reads.

Like `merge.py`, it has no I/O, threads or clock: `writer.py` asks when the next look is due, makes it step by step, and
reports the result of each step and its time. Times are seconds of any steady clock.

The schedule:

- While changes are in flight, every token is looked at one settle time after our last write to it. Looks are gathered:
  the next one follows the last one after nearly a settle time, so that a batch over many tokens costs one look a settle
  time and not one a token. A token therefore waits for at most two settle times.
- When no change is in flight any more, one look at the latest due time serves all, if nothing waits too long for it.
- The change that leaves last stays until all has been seen standing, and raises the error if something cannot be made
  to stand. If a change arrives meanwhile, it or a later one stays instead, so that a batch waits once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from astro_provider.astro.api import ApiToken
from astro_provider.astro.coverage import Reading, fewest_reads
from astro_provider.astro.identity import TokenKey
from astro_provider.astro.roles import role_shown
from astro_provider.astro.writing.account import Account, Reason
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.errors import NotFound

GATHERED_SETTLE_TIMES = 0.9  # between two looks: less than one, because a look itself takes time


@dataclass
class Look:
    """One look at tokens that are due, in as few calls as possible."""

    ledger: Ledger
    lists: list[Reading]
    tokens: set[TokenKey]

    def step(self) -> Reading | TokenKey | None:
        """Return the next step; None: the look is over.

        A `Reading`: list the tokens of its deployment, then call `listed`. A `TokenKey`: lead the token without a
        change of its own, which puts back what is undone, then call `led`.
        """
        if self.lists:
            return self.lists.pop()
        return min(self.tokens, default=None)

    def listed(self, reading: Reading, listed: Mapping[str, ApiToken] | None, sent_at: float) -> None:
        """Take a deployment's tokens by id, as a list shows them that was asked for at that time.

        A list may leave roles out and lag behind, so it can show a change standing, but not undone: a token that it
        does not show as written is read. So are all if there is no list, because the deployment is gone, and its
        entries may stay on the tokens.
        """
        for binding in reading.bindings:
            key = binding.token_key
            token = None if listed is None else listed.get(binding.token_id)
            held = None if token is None else role_shown(token, binding.deployment_id)
            is_unclear = token is not None and (held is None or self.ledger.updated_by_others(key, token.updated_epoch))
            if listed is None or is_unclear or self.ledger.settle(binding, held, sent_at, by_look=True) is not None:
                self.tokens.add(key)

    def led(self, key: TokenKey, failure: Exception | None) -> None:
        """Take what became of leading a token. If it is gone there is nothing to look at; another failure is raised."""
        self.tokens.discard(key)
        if failure is not None and not isinstance(failure, NotFound):
            raise failure


class Settling:
    """The number of changes in flight, the change that stays after them, and when the next look is due."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.failure: Exception | None = None  # of the last look
        self._arrived = 0  # changes, ever
        self._in_flight = 0
        self._last_look_at = -math.inf

    def enter(self) -> None:
        """Note a change that arrives; it relieves the one that stays."""
        self._arrived += 1
        self._in_flight += 1

    def leave(self) -> int | None:
        """Note a change that leaves. The last one in flight stays, and gets the number of arrivals so far."""
        self._in_flight -= 1
        if self._in_flight > 0:
            return None
        self.failure = None
        return self._arrived

    def is_relieved(self, arrivals: int) -> bool:
        """Return whether a change has arrived after that many, and stays instead."""
        return self._arrived != arrivals

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
        readings = fewest_reads(binding for binding in self.ledger.unsettled if binding.token_key in due)
        tokens = {one.token_key for reading in readings if not reading.of_deployment for one in reading.bindings}
        return Look(self.ledger, [reading for reading in readings if reading.of_deployment], tokens)

    def give_account(self) -> Account:
        """Return the changes that could not be made to stand, in the order of their bindings, and forget them all.

        Besides those that were given up, they are what no look has seen standing: it failed, or there was no time.
        """
        why = (Reason.NO_TIME, "") if self.failure is None else (Reason.NOT_READ, str(self.failure))
        for binding in self.ledger.unsettled:
            self.ledger.give_up(self.ledger.written(binding), *why)
        lost = sorted(self.ledger.given_up.values(), key=lambda one: one.change.binding)
        self.ledger.given_up.clear()
        return Account(tuple(lost), {one.key: self.ledger.others(one.key) for one in lost})

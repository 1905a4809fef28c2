"""The changes that wait for a token, and the order in which tokens are written.

A provider's process has as many operations at once as its door lets in, and the service takes nine writes a second. So
the number of changes that each write carries decides how long a run takes:

- The leader of a token waits for other changes (`Queues.gather`).
- Each turn goes to the token that most changes wait for (`Queues.await_turn`), and its changes are taken only then, so
  that a change that arrives while it waits is part of the write. A token that has waited for LONGEST_WAIT_SECONDS comes
  before longer queues, or a lone change would wait for a whole run.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from astro_provider.astro.api import deadline
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing.changes import Change, Outcome

GATHER_SECONDS = 0.045  # that a lone change waits for others
GATHER_IN_BATCH_SECONDS = 0.09  # the engine takes that long to hand the next changes out, after several have ended
LONGEST_GATHER_SECONDS = 0.5  # however many come, one by one
BATCH_SECONDS = 0.5  # after the last change, the next one belongs to the same batch
LONGEST_WAIT_SECONDS = 5.0  # that longer queues may go first; far less than any timeoutSeconds that makes sense


@dataclass(eq=False)
class Ticket:
    """A change that waits for its outcome; of one group, all are made together or none."""

    change: Change
    group: Hashable
    outcome: Outcome | None = None

    @property
    def key(self) -> TokenKey:
        """The token that it waits for."""
        return self.change.binding.token_key


@dataclass(eq=False)
class Queue:
    """The changes of one token that have no outcome yet."""

    waiting: list[Ticket] = field(default_factory=list)
    in_hand: list[Ticket] = field(default_factory=list)  # what the leader makes now, at most one for each binding
    led: bool = False  # by a thread
    has_turn: bool = False  # the leader may read and write the token now

    def take(self, among: Iterable[Ticket]) -> None:
        """Let the leader make those of these changes that still wait; a second change of a binding goes on waiting."""
        waiting = set(self.waiting)
        taken: dict[BindingId, Ticket] = {}
        for ticket in among:
            if ticket in waiting:
                taken.setdefault(ticket.change.binding, ticket)
        self.in_hand = list(taken.values())
        waiting.difference_update(self.in_hand)
        self.waiting = [ticket for ticket in self.waiting if ticket in waiting]

    def end_lead(self) -> None:
        """Let another thread lead. A turn that was not needed is lost, because it would be too late later."""
        self.in_hand = []
        self.led = self.has_turn = False


class Queues:
    """The queues of all tokens of a process.

    `changed` guards everything here, and may be held by the caller, except for `await_turn`. At most `most_at_once`
    changes can be without an outcome at once, as the door lets operations in.
    """

    def __init__(self, changed: threading.Condition, most_at_once: int) -> None:
        self._changed = changed
        self._most_at_once = most_at_once
        self._of_tokens: defaultdict[TokenKey, Queue] = defaultdict(Queue)
        self._came = 0  # changes, ever
        self._ended = 0  # those of them that have their outcome
        self._ended_at = -math.inf  # the last of them
        self._wait_since: dict[Queue, float] = {}  # those that are led and wait for a turn
        self._one_awaits_pace = False

    def __getitem__(self, key: TokenKey) -> Queue:
        return self._of_tokens[key]

    def enter(self, ticket: Ticket) -> None:
        """Let a change wait for its token."""
        with self._changed:
            self[ticket.key].waiting.append(ticket)
            self._came += 1
            self._changed.notify_all()

    def end(self, ticket: Ticket, outcome: Outcome) -> None:
        """Give a change its outcome, unless its thread has given it up."""
        with self._changed:
            if ticket.outcome is None:
                ticket.outcome = outcome
                self._ended += 1
                self._ended_at = time.monotonic()
                self._changed.notify_all()

    def gather(self) -> None:
        """Wait until no change has arrived for a moment, or every operation that the engine allows is queued."""
        with self._changed:
            latest = time.monotonic() + LONGEST_GATHER_SECONDS
            came = -1
            while came != self._came and not self._all_are_here():
                came = self._came
                is_alone = came - self._ended <= 1 and time.monotonic() - self._ended_at > BATCH_SECONDS
                patience = GATHER_SECONDS if is_alone else GATHER_IN_BATCH_SECONDS
                # Each arrival begins the wait anew, until LONGEST_GATHER_SECONDS are over.
                self._changed.wait_for(
                    lambda came=came: self._came != came or self._all_are_here(),  # type: ignore[misc]  # called here only
                    timeout=min(patience, latest - time.monotonic()),
                )

    def _all_are_here(self) -> bool:
        return self._came - self._ended >= self._most_at_once

    def await_turn(self, queue: Queue, await_pace: Callable[[], None]) -> None:
        """Return when it is the token's turn to be written, unless it has its turn already.

        One of the threads that wait for a turn waits for the pace, and gives the turn to the token that needs it most
        by then. A thread whose time is over asks the pace for itself. `await_pace` returns when the service can take a
        write; what it raises is raised here.
        """
        until = deadline.current()
        with self._changed:
            self._wait_since[queue] = time.monotonic()
        try:
            while True:
                with self._changed:
                    # One thread at a time waits for the pace; the others wait for the turn that it gives.
                    self._changed.wait_for(lambda: queue.has_turn or not self._one_awaits_pace, until.remaining)
                    if queue.has_turn:
                        return
                    self._one_awaits_pace = True
                in_pace = False
                try:
                    await_pace()
                    in_pace = True
                finally:
                    with self._changed:
                        self._one_awaits_pace = False
                        if in_pace:
                            self._give_turn()
                        self._changed.notify_all()
        finally:
            with self._changed:
                self._wait_since.pop(queue, None)

    def _give_turn(self) -> None:
        now = time.monotonic()

        def need(queue: Queue) -> tuple[float, int]:
            return max(0.0, now - self._wait_since[queue] - LONGEST_WAIT_SECONDS), len(queue.waiting)

        neediest = max(self._wait_since, key=need, default=None)
        if neediest is not None:
            del self._wait_since[neediest]
            neediest.has_turn = True

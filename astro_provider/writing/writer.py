"""The threads, the clock, the lock and the calls of the road that `writing/` describes.

What is read and written is decided in `merge.py`, what must be looked at again in `ledger.py`.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from astro_provider.api import ApiToken, AstroClient, Deadline
from astro_provider.api.retry import attempts
from astro_provider.errors import AstroProviderError, CallRefused, NotFound, WriteNotConfirmed
from astro_provider.identity import BindingId
from astro_provider.roles import require_organization_scope
from astro_provider.writing.changes import Change, held_in
from astro_provider.writing.coverage import fewest_reads
from astro_provider.writing.ledger import Ledger, TokenKey
from astro_provider.writing.locks import TokenLocks
from astro_provider.writing.merge import Merge, Read, Write
from astro_provider.writing.refusal import explain_refusal

GATHER_SECONDS = 0.045  # that a lone change waits for company
GATHER_IN_BURST_SECONDS = 0.09  # the engine takes that long to hand the next changes out, after several have ended
BURST_SECONDS = 0.5  # after the last changes to a token, the next ones belong to the same burst
MOST_CHANGES_AT_ONCE = 4  # the threads of a dynamic provider's process: when all are here, nobody else can come
MOST_LOOKS = 10  # after a burst, each at least a settle time after the last repair


@dataclass(eq=False)
class _Ticket:
    """A change that waits for its outcome."""

    change: Change
    outcome: ApiToken | Exception | None = None


@dataclass
class _Queue:
    """The changes that wait for one token, and whether a thread is leading some of them."""

    waiting: list[_Ticket] = field(default_factory=list)
    led: bool = False
    ended_at: float = -math.inf

    def patience(self) -> float:
        """Seconds to wait for company."""
        in_burst = time.monotonic() - self.ended_at < BURST_SECONDS
        return GATHER_IN_BURST_SECONDS if in_burst else GATHER_SECONDS

    def take_one_per_binding(self) -> list[_Ticket]:
        """Take what can be made together; a second change of the same binding waits for the next time."""
        taken = {ticket.change.binding: ticket for ticket in reversed(self.waiting)}
        self.waiting = [ticket for ticket in self.waiting if ticket not in taken.values()]
        return list(reversed(taken.values()))


class Writer:
    """Writes changes to tokens' role lists; safe to share between threads.

    Args:
        client: the service.
        locks: the locks between this machine's processes.
        settle_seconds: how long a writer elsewhere may take from its read to its write; 0: nobody looks again.
        timeout_seconds: the bound of one change, and of the looks after a burst.
    """

    def __init__(
        self, client: AstroClient, locks: TokenLocks, *, settle_seconds: float, timeout_seconds: float
    ) -> None:
        self._client = client
        self._locks = locks
        self._timeout_seconds = timeout_seconds
        self._changed = threading.Condition()  # guards all that follows
        self._queues: defaultdict[TokenKey, _Queue] = defaultdict(_Queue)
        self._in_flight = 0  # changes that have not left `write`
        self._unanswered = 0  # changes that have no outcome yet
        self._on_duty: object = None  # who stays behind after the burst
        self._ledger = Ledger(settle_seconds)

    def write(self, change: Change) -> ApiToken:
        """Make a change, unless the token's roles fulfil it already, and return the token as it is then.

        Raises:
            NotFound: there is no such token.
            BindingConflict: the change does not go with what is there.
            WriteNotConfirmed: the change, or an earlier one of the same burst, was undone and could not be made again.
            AstroProviderError: any other reason why nothing is known to have been written.
        """
        with self._changed:
            self._in_flight += 1
            self._changed.notify_all()
        try:
            outcome = self._outcome(change)
        finally:
            duty = self._leave()
        undone = None if duty is None else self._settle(duty)
        if isinstance(outcome, Exception):
            raise outcome if undone is None else WriteNotConfirmed(f"{outcome} {undone}")
        if undone is not None:
            raise undone
        return outcome

    def _outcome(self, change: Change) -> ApiToken | Exception:
        """Wait for a thread that leads the change, or lead it."""
        key = (change.binding.organization_id, change.binding.token_id)
        ticket = _Ticket(change)
        with self._changed:
            queue = self._queues[key]
            queue.waiting.append(ticket)
            self._unanswered += 1
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: ticket.outcome is not None or not queue.led)
                if ticket.outcome is not None:
                    return ticket.outcome
                queue.led = True
                self._changed.wait_for(lambda: self._unanswered >= MOST_CHANGES_AT_ONCE, timeout=queue.patience())
                tickets = queue.take_one_per_binding()
            self._lead(key, tickets)

    def _lead(self, key: TokenKey, tickets: Sequence[_Ticket]) -> Merge:
        """Make changes to a token, and with them whatever was undone there; the caller has set `led`."""
        merge = Merge(*key, [ticket.change for ticket in tickets], self._ledger)
        deadline = Deadline.after(self._timeout_seconds)
        try:
            with self._locks.holding(*key, deadline):
                for attempt in attempts(deadline):
                    with attempt:
                        self._run(merge, self._client.until(deadline))
        except Exception as error:  # noqa: BLE001  whatever it is, those who ride must not wait for ever
            with self._changed:
                merge.failed(error)
        finally:
            with self._changed:
                self._unanswered -= len(tickets)
                for ticket in tickets:
                    ticket.outcome = merge.outcomes[ticket.change.binding]
                self._queues[key].led = False
                self._queues[key].ended_at = time.monotonic()
                self._changed.notify_all()
        return merge

    def _run(self, merge: Merge, client: AstroClient) -> None:
        """Do what the merge says, until it is done or a call fails."""
        while True:
            with self._changed:
                step = merge.step(time.monotonic())
            if step is None:
                return
            if isinstance(step, Read):
                # Waited for before the read, so that nothing lies between read and write.
                client.await_turn("POST")
                client.await_turn("GET")
                sent_at = time.monotonic()
                token = client.get_token(merge.organization_id, merge.token_id, at_once=True)
                require_organization_scope(token)
                with self._changed:
                    merge.read(token, sent_at, time.monotonic())
            else:
                self._send(merge, step, client)

    def _send(self, merge: Merge, write: Write, client: AstroClient) -> None:
        try:
            answer = client.set_roles(merge.organization_id, merge.token_id, write.roles)
        except (CallRefused, NotFound) as error:
            with self._changed:
                guilty = merge.refused(error)
            if guilty is not None:
                explained = explain_refusal(client, write.roles, guilty, error)
                with self._changed:
                    merge.blame(guilty, explained)
        except AstroProviderError:
            with self._changed:
                merge.lost()
            raise
        else:
            with self._changed:
                merge.wrote(answer, time.monotonic())

    def _leave(self) -> object:
        """Note that a change leaves; return the duty to stay behind, or None where others are in flight and have it."""
        with self._changed:
            self._in_flight -= 1
            if self._in_flight > 0:
                return None
            self._on_duty = object()  # who still stays behind from earlier is relieved
            return self._on_duty

    def _settle(self, duty: object) -> WriteNotConfirmed | None:
        """Stay behind after the last change of a burst, until all of the burst has been seen standing.

        Args:
            duty: what `_leave` returned.

        Returns:
            What could not be made to stand; None where all stands, or where another change has taken the duty over.
        """

        def relieved() -> bool:
            return self._in_flight > 0 or self._on_duty is not duty

        what = f"were undone by another writer {MOST_LOOKS} times, or cannot be put back"
        for look in range(MOST_LOOKS + 1):
            with self._changed:
                due = self._ledger.settled_at
                if self._changed.wait_for(relieved, timeout=0 if due is None else due - time.monotonic()):
                    return None
                if due is None or look == MOST_LOOKS:
                    break
            try:
                self._look()
            except AstroProviderError as error:
                what = f"could not be looked at again. {error}"
                break
        with self._changed:
            return None if relieved() else self._undone(what)

    def _look(self) -> None:
        """Read all that is not settled, in as few calls as possible, and put back what is missing."""
        with self._changed:
            unsettled = self._ledger.unsettled
        client = self._client.until(Deadline.after(self._timeout_seconds))
        unclear: set[TokenKey] = set()
        for reading in fewest_reads(unsettled):
            bindings = reading.bindings
            if reading.of_deployment:
                bindings = tuple(self._not_standing_in_list(client, bindings))
            unclear |= {(binding.organization_id, binding.token_id) for binding in bindings}
        for key in sorted(unclear):
            with self._changed:
                queue = self._queues[key]
                self._changed.wait_for(lambda queue=queue: not queue.led)  # type: ignore[misc]
                queue.led = True
            failure = self._lead(key, ()).failure
            if failure is not None and not isinstance(failure, NotFound):
                raise failure

    def _not_standing_in_list(self, client: AstroClient, bindings: Sequence[BindingId]) -> list[BindingId]:
        """Of a deployment's bindings, those that a list of its tokens does not show as written."""
        organization_id, deployment_id = bindings[0].organization_id, bindings[0].deployment_id
        sent_at = time.monotonic()
        try:
            listed = {token.id: token for token in client.list_tokens(organization_id, deployment_id=deployment_id)}
        except (CallRefused, NotFound):
            return list(bindings)  # the deployment is gone; its entries may stay on the tokens
        unclear = []
        with self._changed:
            for binding in bindings:
                token = listed.get(binding.token_id)
                held = held_in(token.roles or (), binding) if token else None
                shown_without_role = token is not None and held is None
                if shown_without_role or self._ledger.saw(binding, held, sent_at) is not None:
                    unclear.append(binding)
        return unclear

    def _undone(self, what: str) -> WriteNotConfirmed | None:
        bindings = sorted({*self._ledger.unsettled, *self._ledger.given_up})
        reasons = sorted(set(self._ledger.given_up.values()))
        self._ledger.forget(bindings)
        self._ledger.given_up.clear()
        if not bindings:
            return None
        named = "; ".join(binding.sentence for binding in bindings)
        advice = (
            "Some of them stand in the state as done: run `pulumi refresh`, which shows what is really there, and then "
            "`pulumi up`."
        )
        return WriteNotConfirmed(" ".join([f"These changes were written, but {what}: {named}.", *reasons, advice]))

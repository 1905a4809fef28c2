"""The threads, the clock, the lock and the calls of the writes that `writing/` describes.

`merge.py` decides each read and each write, `ledger.py` and `settling.py` decide what is looked at again, and when.
"""

from __future__ import annotations

import contextvars
import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from astro_provider.astro.api import ApiToken, AstroClient, cancelling, deadline
from astro_provider.astro.api.retry import retried
from astro_provider.astro.coverage import Reading
from astro_provider.astro.evidence import Evidence
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.organizations import PerOrganization
from astro_provider.astro.roles import require_organization_scope
from astro_provider.astro.writing.account import NOTHING_LOST, Account, left_out_in_words, repair_in_words
from astro_provider.astro.writing.changes import Change, Outcome
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.astro.writing.merge import Merge, Read, Write
from astro_provider.astro.writing.queues import Queue, Queues, Ticket
from astro_provider.astro.writing.refusal import explain_refusal
from astro_provider.astro.writing.settling import Look, Settling
from astro_provider.errors import (
    AstroProviderError,
    CallRefused,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
    WriteNotConfirmed,
)
from astro_provider.messages import notices
from astro_provider.messages.words import sentence

TOKENS_AT_ONCE = 4  # of one call of `write_all`; the client's pace keeps them within the service's limits
FOLLOWERS_GRACE_SECONDS = 0.5  # that a follower waits after its deadline for the leader that is writing its change
CLOCK_DIFFERENCE_SECONDS = 0.1  # between this machine and the service; a larger one costs one more look


@dataclass(frozen=True)
class Written:
    """The ends of several changes, and all changes of this batch, of any caller, that could not be made to stand."""

    outcomes: Sequence[Outcome]
    lost: Account = NOTHING_LOST


class Writer:
    """Writes changes to tokens' role lists; safe to share between threads.

    Args:
        client: the service.
        locks: the locks between this machine's processes.
        settle_seconds: how long a writer elsewhere may take from its read to its write; 0: no write is looked at again.
        timeout_seconds: the bound of one change with all its calls and its look, unless its thread's operation has one.
        most_at_once: how many changes can come at once, which is how many operations the engine has under way here.
        evidence: the process's, if it has it already.
    """

    def __init__(  # noqa: PLR0913  every setting is a keyword
        self,
        client: AstroClient,
        locks: TokenLocks,
        *,
        settle_seconds: float,
        timeout_seconds: float,
        most_at_once: int,
        evidence: PerOrganization[Evidence] | None = None,
    ) -> None:
        self._client = client
        self._evidence = evidence or PerOrganization(lambda one: Evidence(client.of(one)))
        self._locks = locks
        self._timeout_seconds = timeout_seconds
        self._changed = threading.Condition()  # guards all that follows
        self._queues = Queues(self._changed, most_at_once)
        self._ledger = Ledger(settle_seconds)
        self._settling = Settling(self._ledger)
        self._is_looking = False  # in a thread of its own

    def write_all(self, changes: Sequence[Change]) -> Written:
        """Make changes, at most one for each binding: one list for each token, and one settle time for all.

        The changes of one token are made together or not at all; those of another token may fail by themselves. Nothing
        is raised for a change that fails.
        """
        with deadline.within(self._timeout_seconds):
            with self._changed:
                self._settling.enter()
                self._changed.notify_all()
            try:
                outcomes = self._outcomes(changes)
            finally:
                with self._changed:
                    arrivals = self._settling.leave()
            return Written(outcomes, NOTHING_LOST if arrivals is None else self._stay(arrivals))

    def _outcomes(self, changes: Sequence[Change]) -> list[Outcome]:
        """Queue the changes at their tokens, and see them made; a few tokens at a time, because each waits for its calls."""
        group = object()  # those of one token are made together or not at all
        tickets = [Ticket(change, group) for change in changes]
        by_token: defaultdict[TokenKey, list[Ticket]] = defaultdict(list)
        for ticket in tickets:
            by_token[ticket.key].append(ticket)
        with self._changed:
            for ticket in tickets:
                self._queues.enter(ticket)
        # All are queued before the first token is led: a leader elsewhere may take them into its write.
        try:
            _in_turn([lambda key=key, some=some: self._see_led(key, some) for key, some in by_token.items()])  # type: ignore[misc]
        finally:
            with self._changed:
                for ticket in tickets:
                    if ticket.outcome is None:
                        self._queues.end(ticket, self._abandoned(ticket))
        return [ticket.outcome for ticket in tickets if ticket.outcome is not None]

    def _see_led(self, key: TokenKey, tickets: Sequence[Ticket]) -> None:
        """Follow a leader of the token, or lead it, until all these changes have their outcome or time is over."""
        queue = self._queues[key]
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: not queue.led or all(ticket.outcome for ticket in tickets),
                    timeout=deadline.current().remaining + FOLLOWERS_GRACE_SECONDS,
                )
                if queue.led or all(ticket.outcome for ticket in tickets):
                    return
                queue.led = True
                self._queues.gather()
            self._lead(key)

    def _abandoned(self, ticket: Ticket) -> Outcome:
        """The outcome of a change whose time is over while another thread writes the token."""
        waiting = self._queues[ticket.key].waiting
        waits = ticket in waiting
        if waits:
            waiting.remove(ticket)
            what = "was not written: other changes of the same token took longer than timeoutSeconds. Run again"
        else:
            what = "may or may not have been written within timeoutSeconds: run `pulumi refresh`, which shows what is there"
        error = WriteNotConfirmed(f"{sentence(ticket.change.in_words)} {what}.")
        return Outcome(ticket.change, error=error, may_stand=not waits, may_come=not waits)

    def _lead(self, key: TokenKey, *, only_looks: bool = False) -> Exception | None:
        """Make the changes that wait for a token, and with them whatever was undone there; the caller has set `led`.

        With `only_looks`, the changes that wait are left to others. Returns the error that ended the lead, if any.
        """
        queue = self._queues[key]
        first = [] if only_looks else list(queue.waiting)
        merge: Merge | None = None
        stop: BaseException | None = None
        try:
            if not only_looks:
                self._await_turn(key)
            with self._locks.holding(key):
                merge = self._begin(key, [] if only_looks else queue.waiting)  # also what has come meanwhile
                retried(functools.partial(self._run, merge, queue))
        except BaseException as error:  # noqa: BLE001  whatever it is, the followers must get an outcome
            # Without the turn or the lock in time, what has come meanwhile goes on waiting: it may have more time.
            merge = merge or self._begin(key, first)
            stop = None if isinstance(error, Exception) else error
            with self._changed:
                merge.failed(error if isinstance(error, Exception) else _stopped(key, error))
        with self._changed:
            for ticket in queue.in_hand:
                self._queues.end(ticket, merge.outcome(ticket.change))
            queue.end_lead()
            self._changed.notify_all()  # before anything that may fail, or the followers would wait in vain
            self._keep_looking()
        _warn_of(merge)
        if stop is not None:
            raise stop
        return merge.failure

    def _begin(self, key: TokenKey, among: Sequence[Ticket]) -> Merge:
        with self._changed:
            queue = self._queues[key]
            queue.take(among)
            groups = {ticket.change.binding: ticket.group for ticket in queue.in_hand}
            return Merge(key, [ticket.change for ticket in queue.in_hand], self._ledger, groups)

    def _await_turn(self, key: TokenKey) -> None:
        """Wait until a token may be read for a write: out of step with other writers, and in turn with other tokens."""
        queue = self._queues[key]
        if not queue.has_turn:
            with self._changed:
                pause = self._ledger.pause(key)
            # Half of the time is left for the write, however long the pause would be.
            cancelling.pause(min(pause, deadline.current().remaining / 2))
        self._queues.await_turn(queue, lambda: self._client.await_turn("POST"))

    def _run(self, merge: Merge, queue: Queue, _attempt: int) -> None:
        """Take the steps of a merge until it is done or a call fails."""
        while True:
            with self._changed:
                step = merge.step(time.monotonic())
            if step is None:
                return
            if isinstance(step, Read):
                if step.before_write:  # waited for before the read, so that nothing lies between read and write
                    self._await_turn(merge.key)
                self._client.await_turn("GET")
                sent_at = time.monotonic()
                token = self._read(merge)
                require_organization_scope(token)
                with self._changed:
                    merge.read(token, sent_at, time.monotonic())
            else:
                queue.has_turn = False
                self._send(merge, step)

    def _read(self, merge: Merge) -> ApiToken:
        organization_id, token_id = merge.key
        try:
            return self._client.of(organization_id).get_token(token_id, at_once=True)
        except NotFound as hint:
            self._evidence.of(organization_id).require_that_token_is_gone(token_id, hint, time.monotonic())
            raise

    def _dead_deployments(self, merge: Merge, write: Write) -> set[str]:
        """Return the deployments of foreign entries that do not exist any more, by evidence, after a list was refused."""
        with self._changed:
            named = merge.others_named(write)
        if not named:
            return set()
        try:
            return self._evidence.of(merge.key.organization_id).gone_deployments(named)
        except AstroProviderError:
            return set()  # without evidence no foreign entry is left out, and the refusal stands

    def _send(self, merge: Merge, write: Write) -> None:
        client = self._client.of(merge.key.organization_id)
        try:
            answer = client.set_roles(merge.key.token_id, write.roles)
        except (CallRefused, NotFound) as error:
            # An entry of a deleted deployment blocks every write of its token, so the list is written again without it.
            if dead := self._dead_deployments(merge, write):
                with self._changed:
                    merge.leave_out(dead)
                return
            with self._changed:
                guilty = merge.refused(error)
            if guilty:
                evidence = self._evidence.of(merge.key.organization_id)
                explained = explain_refusal(client, evidence, write.roles, guilty, error)
                with self._changed:
                    merge.blame(guilty, explained)
        except AstroProviderError as error:
            with self._changed:
                if _was_not_made(error):
                    merge.not_made()
                else:  # without a status nothing has answered: Astro may carry the write out later, whatever a read shows
                    merge.lost(may_come=isinstance(error, Unavailable) and error.status is None)
            raise
        else:
            with self._changed:
                merge.wrote(answer, time.monotonic(), latest_update=time.time() + CLOCK_DIFFERENCE_SECONDS)

    def _stay(self, arrivals: int) -> Account:
        """Stay until all of the batch has been seen standing; return what could not be made to stand.

        Nothing is returned if another change has arrived after that many, and stays instead.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._settling.is_relieved(arrivals) or self._settling.is_over(),
                timeout=deadline.current().remaining,
            )
            if self._settling.is_relieved(arrivals):
                return NOTHING_LOST
            account = self._settling.give_account()
            self._changed.notify_all()
            return account

    def _keep_looking(self) -> None:
        """Start the thread that looks at what was written, unless it runs or there is nothing to look at."""
        if not self._is_looking and self._ledger.unsettled:
            # If the machine has no thread left, the change that stays reports that no look was made.
            with suppress(RuntimeError):
                threading.Thread(target=self._looks, name="astro-looks", daemon=True).start()
                self._is_looking = True

    def _looks(self) -> None:
        """Look whenever a look is due, until nothing is left to look at."""
        while True:
            with self._changed:
                due = self._settling.next_look_at()
                if due is None:
                    self._is_looking = False
                    self._changed.notify_all()
                    return
                # A write, or the end of the last change in flight, may move the time of the look.
                waited_for = due - time.monotonic()
                if self._changed.wait_for(lambda due=due: self._settling.next_look_at() != due, timeout=waited_for):  # type: ignore[misc]
                    continue
                look = self._settling.look(time.monotonic())
            failure = None
            try:
                with deadline.ending_in(self._timeout_seconds):
                    self._play(look)
            except Exception as error:  # noqa: BLE001  whatever it is, the change that stays must report it
                failure = error
            with self._changed:
                self._settling.failure = failure
                self._changed.notify_all()

    def _play(self, look: Look) -> None:
        while True:
            with self._changed:
                step = look.step()
            if step is None:
                return
            if isinstance(step, Reading):
                sent_at = time.monotonic()
                listed = self._list(step.bindings[0])
                with self._changed:
                    look.listed(step, listed, sent_at)
            else:
                with self._changed:
                    queue = self._queues[step]
                    self._changed.wait_for(lambda queue=queue: not queue.led)  # type: ignore[misc]
                    queue.led = True
                failure = self._lead(step, only_looks=True)
                with self._changed:
                    look.led(step, failure)

    def _list(self, binding: BindingId) -> dict[str, ApiToken] | None:
        client = self._client.of(binding.organization_id)
        try:
            found = client.list_tokens(deployment_id=binding.deployment_id, complete=True)
        except (CallRefused, NotFound, UnexpectedAnswer):  # the deployment is gone, or one token cannot be read
            return None
        return {token.id: token for token in found}


def _in_turn(calls: Sequence[Callable[[], None]]) -> None:
    """Make the calls in their order, a few at a time: in this thread, and in as many more as the machine has left."""
    left = iter(calls)  # of all threads

    def make() -> None:
        for call in left:
            call()

    helpers: list[threading.Thread] = []
    try:
        for _ in range(min(TOKENS_AT_ONCE, len(calls)) - 1):
            # A copy of the context makes the thread a part of this operation, with its deadline.
            helper = threading.Thread(
                target=contextvars.copy_context().run, args=(make,), name="astro-writes", daemon=True
            )
            try:
                helper.start()
            except RuntimeError:
                break
            helpers.append(helper)
        make()
    finally:
        for helper in helpers:
            helper.join()


def _was_not_made(error: AstroProviderError) -> bool:
    """Return whether a write that ended with this error was certainly not made: not sent, or refused by the service."""
    if not isinstance(error, ServiceError) or not error.sent:
        return True
    status = error.status
    return status is not None and status != HTTPStatus.REQUEST_TIMEOUT and status < HTTPStatus.INTERNAL_SERVER_ERROR


def _stopped(key: TokenKey, error: BaseException) -> WriteNotConfirmed:
    return WriteNotConfirmed(
        f"Token {key.token_id} was being written when the thread that wrote it was stopped ({type(error).__name__}), "
        "so it is not known what it holds now: run `pulumi refresh`, which shows what is there, and then `pulumi up`."
    )


def _warn_of(merge: Merge) -> None:
    """Warn of changes that were put back and entries that were left out, for the whole run: they may be other resources'."""
    warnings = [left_out_in_words(merge.key, one, entries) for one, entries in merge.left_out.items()]
    warnings += [repair_in_words(merge.put_back)] if merge.put_back else []
    with notices.routed_to(None):
        for text in warnings:
            notices.warn(text)

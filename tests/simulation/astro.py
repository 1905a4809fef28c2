"""An Astro without sockets and a clock without waiting, so that a test decides when every call arrives.

A call takes three things in turn: its request flies, the service carries it out in one instant, its answer flies. The
plan of a test says for each call how long the flights are and what goes wrong (`Fate`). Whoever calls is a routine, a
generator that yields `Call` or `Until` and is resumed by the clock; so any interleaving can be played, and played again.

Times are whole ticks. What is due at the same tick happens in the order in which it was set going.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from astro_provider.astro.api import ApiToken, ApiTokenRole, SubjectRoles
from astro_provider.astro.api.models import DeploymentRole
from astro_provider.astro.roles import DEPLOYMENT, role_in
from astro_provider.astro.writing.changes import Roles
from astro_provider.errors import AstroProviderError, CallRefused, Unavailable

ORGANIZATION_ID = "o"
NO_SUCH_ROLE = "NO_SUCH_ROLE"  # a list that names it is refused whole
MOST_EVENTS = 5000


class Fault(Enum):
    """What can go wrong with a call."""

    NONE = "none"
    NEVER_ARRIVED = "never arrived"  # the service never saw it, and the caller gets an error
    ANSWER_LOST = "answer lost"  # carried out, and the caller gets an error, maybe before it is carried out
    IGNORED = "ignored"  # a write that is answered with what the token holds, but not carried out


@dataclass(frozen=True)
class Fate:
    """How a call goes: how long its request and its answer fly, in ticks, and what goes wrong."""

    request: int = 1
    answer: int = 1
    fault: Fault = Fault.NONE


@dataclass(frozen=True)
class Snapshot:
    """What a call read: the token's roles at an instant."""

    token_id: str
    roles: Roles
    taken_at: int
    number: int  # how many writes the service had taken by then
    updated_at: int | None = None  # when the roles were written last, if the service tells


@dataclass(frozen=True)
class Commit:
    """A role list that the service has taken."""

    token_id: str
    at: int
    author: str
    before: Roles
    after: Roles
    base: Snapshot  # the read that the list was made from

    def gives(self, deployment_id: str) -> str | None:
        """The role in that deployment after it."""
        return role_in(self.after, deployment_id)

    def gave_before(self, deployment_id: str) -> str | None:
        """The role in that deployment before it."""
        return role_in(self.before, deployment_id)


@dataclass(frozen=True)
class Call:
    """Carry out something at the service. A routine that yields it gets its result, or its error is thrown in."""

    carry_out: Callable[[], Any]
    fate: Fate
    ignored: Callable[[], Any] | None = None  # what it answers under Fault.IGNORED


@dataclass(frozen=True)
class Until:
    """Wait until something is so, or until a tick. A routine that yields it gets what the condition says then."""

    condition: Callable[[], bool]
    at: float | None = None


Routine = Generator[Call | Until, Any, None]


@dataclass(eq=False)
class _Running:
    routine: Routine
    owner: Hashable
    waits_for: Until | None = None


@dataclass
class Clock:
    """Runs routines in virtual time, until nothing is left to happen."""

    now: int = 0
    _due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _running: list[_Running] = field(default_factory=list)
    _killed: set[Hashable] = field(default_factory=set)
    _number: int = 0

    def at(self, tick: int, action: Callable[[], None]) -> None:
        """Do something at a tick, after all that is already planned for it."""
        self._number += 1
        heapq.heappush(self._due, (max(tick, self.now), self._number, action))

    def start(self, owner: Hashable, routine: Routine) -> None:
        """Run a routine from now on, until it ends or its owner is killed."""
        running = _Running(routine, owner)
        self._running.append(running)
        self._resume(running)

    def kill(self, owner: Hashable) -> None:
        """End all routines of an owner where they stand. Requests that are on their way still arrive."""
        self._killed.add(owner)
        self._running = [running for running in self._running if running.owner != owner]

    def run(self) -> list[Hashable]:
        """Let everything happen, and return the owners of routines that then wait in vain."""
        for _ in range(MOST_EVENTS):
            while self._wake_one():
                pass
            if not self._due:
                return [running.owner for running in self._running]
            self.now, _, action = heapq.heappop(self._due)
            action()
        raise AssertionError(f"still busy after {MOST_EVENTS} events")

    def _wake_one(self) -> bool:
        for running in self._running:
            waits_for = running.waits_for
            if waits_for is None:
                continue
            so = waits_for.condition()
            if so or (waits_for.at is not None and self.now >= waits_for.at):
                running.waits_for = None
                self._resume(running, so)
                return True
        return False

    def _resume(self, running: _Running, value: object = None) -> None:
        if running.owner in self._killed:
            return
        try:
            if isinstance(value, AstroProviderError):
                wish = running.routine.throw(value)
            else:
                wish = running.routine.send(value)
        except StopIteration:
            self._running.remove(running)
            return
        if isinstance(wish, Until):
            running.waits_for = wish
            if wish.at is not None:
                self.at(int(wish.at), lambda: None)
            return
        self._send(running, wish)

    def _send(self, running: _Running, call: Call) -> None:
        fate, sent_at = call.fate, self.now

        def arrive() -> None:
            if fate.fault is Fault.IGNORED and call.ignored is not None:
                result = call.ignored()
            else:
                try:
                    result = call.carry_out()
                except AstroProviderError as refusal:
                    result = refusal
            if fate.fault is not Fault.ANSWER_LOST:
                self.at(self.now + fate.answer, lambda: self._resume(running, result))

        if fate.fault is not Fault.NEVER_ARRIVED:
            self.at(sent_at + fate.request, arrive)
        if fate.fault in (Fault.NEVER_ARRIVED, Fault.ANSWER_LOST):
            lost = Unavailable("no answer")
            self.at(sent_at + fate.answer, lambda: self._resume(running, lost))


class Service:
    """Tokens and their role lists. A list can only be replaced whole, and without precondition."""

    def __init__(self, clock: Clock, roles: dict[str, Roles], *, moves_updated_at: bool = False) -> None:
        self.clock = clock
        self.roles = dict(roles)
        self.updated_at: dict[str, int | None] = dict.fromkeys(roles, 0 if moves_updated_at else None)
        self.commits: list[Commit] = []

    def get_token(self, token_id: str) -> Snapshot:
        """The token's roles now."""
        return Snapshot(token_id, self.roles[token_id], self.clock.now, len(self.commits), self.updated_at[token_id])

    def list_tokens(self, deployment_id: str) -> list[ApiToken]:
        """The tokens that hold a role in a deployment, with that role only."""
        return [
            as_token(
                token_id,
                [e for e in roles if e.entity_type == DEPLOYMENT and e.entity_id == deployment_id],
                self.updated_at[token_id],
            )
            for token_id, roles in self.roles.items()
            if role_in(roles, deployment_id) is not None
        ]

    def set_roles(self, author: str, base: Snapshot, roles: Roles) -> SubjectRoles:
        """Replace the list of the token that `base` is a read of."""
        if any(entry.role == NO_SUCH_ROLE for entry in roles):
            raise CallRefused("a role does not exist", status=400)
        before = self.roles[base.token_id]
        self.roles[base.token_id] = roles
        if self.updated_at[base.token_id] is not None:
            self.updated_at[base.token_id] = self.clock.now
        self.commits.append(Commit(base.token_id, self.clock.now, author, before, roles, base))
        return self.subject_roles(base.token_id)

    def subject_roles(self, token_id: str) -> SubjectRoles:
        """What the answer to a write shows."""
        held = [entry for entry in self.roles[token_id] if entry.entity_type == DEPLOYMENT]
        return SubjectRoles(
            deployment_roles=tuple(
                DeploymentRole(deployment_id=entry.entity_id or "", role=entry.role or "") for entry in held
            )
        )


def as_token(token_id: str, roles: Sequence[ApiTokenRole], updated_at: int | None = None) -> ApiToken:
    """A token as a call returns it; ticks stand for seconds since 1970."""
    updated = None if updated_at is None else datetime.fromtimestamp(updated_at, UTC)
    return ApiToken(id=token_id, name=token_id, scope="ORGANIZATION", roles=tuple(roles), updated_at=updated)

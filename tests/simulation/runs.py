"""Runs of several writers against one simulated service: how they are drawn, played, and judged.

A `Plan` says everything that will happen, so the same plan always gives the same run. `play` returns what went wrong,
each with its kind, so that a test can tell a lost grant from a lost foreign entry.

What is assumed, and what the plans stay inside of: from the read of a list to the moment at which the service carries
out its write, every writer takes less than SETTLE ticks. For ours that is half of it until the request goes out, and
three ticks for the request.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any

from hypothesis import strategies as st

from astro_provider.astro.api import ApiToken, ApiTokenRole
from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import held_roles, role_in
from astro_provider.astro.writing.changes import Add, Change, Put, Remove, Roles
from astro_provider.errors import BindingConflict, CallRefused, WriteRefused
from tests.simulation.astro import NO_SUCH_ROLE, ORGANIZATION_ID, Clock, Commit, Fate, Fault, Service
from tests.simulation.writers import Batch, Careless, Command, Process, World

SETTLE = 8  # ticks
IN_STEP_SETTLE = 40  # ticks: a call of two of them is to the settle time as 50 ms are to a second
TOKENS = ("t", "u")
SHARED = "shared"  # a deployment that several processes may want the same or different things of
FOREIGN = (("DEPLOYMENT", "theirs"), ("DAG", "dag"), ("MYSTERY", "m"))


class Kind(Enum):
    """What can go wrong in a run."""

    MISSING = "a change that was reported as done is missing at the end"
    OVERTAKEN = "as before, after a third writer happened to restore what a second one had undone"
    UNDEFENDED = "as before, but the change was there already and needed no write"
    FOREIGN = "an entry that is not ours was changed or lost by us"
    STALE = "a list was carried out a settle time or more after it was read"
    NOT_ISOLATED = "a change failed because of another one that rode with it"
    STUCK = "a change never ended"
    CALLS = "more calls than the bound"
    GIVEN_UP = "a change was given up, although the others only wrote at the same pace"


@dataclass(frozen=True)
class Problem:
    """Something that went wrong."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class OurPlan:
    """What one process of ours does, and what happens to it."""

    batches: tuple[Batch, ...]
    fates: tuple[Fate, ...] = ()
    machine: int = 0
    starts_at: int = 0
    killed_at: int | None = None
    comes_back: bool = False  # after it was killed, a new process does all of it again
    in_turn: bool = False  # each batch follows the one before
    draws: int = 0  # the seed of its random pauses
    usual: Fate = field(default_factory=Fate)  # of the calls that have no fate of their own


@dataclass(frozen=True)
class Plan:
    """All that happens in a run."""

    ours: tuple[OurPlan, ...]
    careless: tuple[tuple[Command, ...], ...] = ()
    held: tuple[tuple[str, str, str], ...] = ()  # token, deployment and role, from the beginning
    settle_ticks: int = SETTLE
    moves_updated_at: bool = False  # the service, when roles are written


@dataclass(frozen=True)
class Run:
    """A plan that was played."""

    problems: tuple[Problem, ...]
    processes: tuple[Process, ...]
    commits: tuple[Commit, ...]
    roles: dict[str, Roles]

    def shows(self, kind: Kind) -> bool:
        """Tell whether something of that kind went wrong."""
        return any(problem.kind is kind for problem in self.problems)


def binding(token_id: str, deployment_id: str) -> BindingId:
    """The binding of a token to a deployment."""
    return BindingId(ORGANIZATION_ID, deployment_id, token_id)


def play(plan: Plan) -> Run:
    """Let everything happen, and judge it."""
    clock = Clock()
    roles = {token_id: _first_roles(plan, token_id) for token_id in TOKENS}
    service = Service(clock, roles, moves_updated_at=plan.moves_updated_at)
    world = World(clock, service)
    processes: list[Process] = []

    def start(our: OurPlan, number: int, mark: str, *, killed_at: int | None) -> None:
        process = Process(
            number, mark, our.machine, world, plan.settle_ticks, list(our.fates), clock.now, our.usual, our.draws
        )
        processes.append(process)
        process.run(our.batches, in_turn=our.in_turn)
        if killed_at is not None:
            clock.at(killed_at, process.kill)

    for number, our in enumerate(plan.ours):
        clock.at(our.starts_at, partial(start, our, number, "", killed_at=our.killed_at))
        if our.killed_at is not None and our.comes_back:
            again = OurPlan(our.batches, (), our.machine)
            clock.at(max(our.starts_at, our.killed_at), partial(start, again, number, "'", killed_at=None))
    for number, commands in enumerate(plan.careless):
        Careless(f"C{number}", world).run(commands)
    stuck = clock.run()
    problems = [Problem(Kind.STUCK, f"{owner} waits for ever") for owner in stuck]
    for process in processes:
        problems += _problems_of(process, processes, plan, service)
        problems += [
            Problem(Kind.GIVEN_UP, f"{process.name} gave {one.change} up: {one.reason.name}")
            for one in process.lost
            if plan.ours[process.number].in_turn
        ]
    problems += _lost_for_others(plan, service.commits)
    return Run(tuple(problems), tuple(processes), tuple(service.commits), service.roles)


def unforgivable(plan: Plan) -> list[str]:
    """Play a plan, and tell what went wrong and is not known to happen.

    OVERTAKEN is known to happen unless the service moves `updatedAt` when roles are written, and UNDEFENDED always: what
    needed no write is not defended. `test_losses_that_were_found.py` shows both.
    """
    known = {Kind.UNDEFENDED} if plan.moves_updated_at else {Kind.UNDEFENDED, Kind.OVERTAKEN}
    return [f"{problem.kind.name}: {problem.text}" for problem in play(plan).problems if problem.kind not in known]


def calls_allowed(our: OurPlan, process: Process, commits: Sequence[Commit]) -> int:
    """How many calls a process may need: some for each batch and change, for each bad fate, and for each foreign write."""
    others = sum(commit.author != process.name for commit in commits)
    changes = sum(len(batch.changes) for batch in our.batches)
    return 6 * len(our.batches) + 2 * changes + 3 * len(our.fates) + 3 * others


def _first_roles(plan: Plan, token_id: str) -> Roles:
    held = [ApiTokenRole(entity_type="DEPLOYMENT", entity_id=d, role=role) for t, d, role in plan.held if t == token_id]
    foreign = [
        ApiTokenRole(entity_type="ORGANIZATION", entity_id=ORGANIZATION_ID, role="ORGANIZATION_MEMBER"),
        ApiTokenRole(entity_type="DEPLOYMENT", entity_id="theirs", role="A"),
        ApiTokenRole(entity_type="DAG", entity_id="dag", role="DAG_AUTHOR", deployment_id=SHARED),
        ApiTokenRole.model_validate({"entityType": "MYSTERY", "entityId": "m", "role": None, "since": "tomorrow"}),
    ]
    return (*foreign, *held)


def _problems_of(process: Process, processes: list[Process], plan: Plan, service: Service) -> list[Problem]:
    problems = [Problem(Kind.FOREIGN, fault) for fault in process.faults]
    most = calls_allowed(plan.ours[process.number], process, service.commits)
    if process.calls > most:
        problems.append(Problem(Kind.CALLS, f"{process.name} made {process.calls} calls, and {most} are allowed"))
    if process.killed_at is None and len(process.told) < len(process.begun):
        problems.append(Problem(Kind.STUCK, f"{process.name} left a change without an outcome"))
    for told in process.told:
        good = isinstance(told.change, Remove) or told.change.role != NO_SUCH_ROLE
        wrong_refusal = isinstance(told.result, CallRefused | WriteRefused) or (
            isinstance(told.result, BindingConflict) and not isinstance(told.change, Add)
        )
        if good and wrong_refusal:
            problems.append(Problem(Kind.NOT_ISOLATED, f"{process.name} refused {told.change}: {told.result}"))
        if not good and isinstance(told.result, ApiToken):
            problems.append(Problem(Kind.MISSING, f"{process.name} reported {told.change} as done"))
    held_now = {token_id: held_roles(roles) for token_id, roles in service.roles.items()}
    for wanted, told in process.standing.items():
        held = held_now[wanted.token_id].get(wanted.deployment_id)
        if told.change.fulfilled_by(held) or _contested(wanted, process, processes, plan):
            continue
        kind = Kind.MISSING
        if _was_there(told.change, service.commits) and not _was_written(process, told.change, service.commits):
            kind = Kind.UNDEFENDED
        elif _restored_by_another(process, told.change, service.commits):
            kind = Kind.OVERTAKEN
        problems.append(Problem(kind, f"{process.name} reported {told.change} as done, and {held} is there"))
    return problems


def _contested(wanted: BindingId, process: Process, processes: list[Process], plan: Plan) -> bool:
    """Whether somebody else wants something else of the same entry. Who of them wins is not promised."""
    key = ("DEPLOYMENT", wanted.deployment_id)
    if any(
        command.key == key and command.token_id == wanted.token_id for commands in plan.careless for command in commands
    ):
        return True
    others = [p for p in processes if p.killed_at is None or p.killed_at > process.started_at]
    wishes = {
        None if isinstance(change, Remove) else change.role
        for other in others
        if other is not process
        for change in other.begun
        if change.binding == wanted
    }
    told = process.standing[wanted].change
    return bool(wishes - {None if isinstance(told, Remove) else told.role})


def _was_there(change: Change, commits: list[Commit]) -> bool:
    """Whether an entry has ever been what a change wants."""
    deployment_id, token_id = change.binding.deployment_id, change.binding.token_id
    return any(
        change.fulfilled_by(commit.gave_before(deployment_id)) or change.fulfilled_by(commit.gives(deployment_id))
        for commit in commits
        if commit.token_id == token_id
    )


def _was_written(process: Process, change: Change, commits: list[Commit]) -> bool:
    """Whether the process has read an entry that is not what a change wants, and has made it so."""
    deployment_id = change.binding.deployment_id
    return any(
        commit.author == process.name
        and commit.token_id == change.binding.token_id
        and not change.fulfilled_by(role_in(commit.base.roles, deployment_id))
        and change.fulfilled_by(commit.gives(deployment_id))
        for commit in commits
    )


def _restored_by_another(process: Process, change: Change, commits: list[Commit]) -> bool:
    """Whether, after the process last saw to it, an entry was undone and then made again by somebody else."""
    deployment_id = change.binding.deployment_id
    return any(
        commit.author != process.name
        and commit.token_id == change.binding.token_id
        and commit.at >= process.last_done[change.binding]
        and not change.fulfilled_by(commit.gave_before(deployment_id))
        and change.fulfilled_by(commit.gives(deployment_id))
        for commit in commits
    )


def _lost_for_others(plan: Plan, commits: list[Commit]) -> list[Problem]:
    """What our writes undid, other than in the one window between a read and the one write that came of it."""
    problems = []
    written: defaultdict[int, int] = defaultdict(int)
    for number, commit in enumerate(commits):
        base, ours = commit.base, commit.author.startswith("P")
        written[id(base)] += 1
        if ours and plan.settle_ticks and commit.at - base.taken_at >= plan.settle_ticks:
            problems.append(
                Problem(Kind.STALE, f"{commit.author} wrote at {commit.at} what it read at {base.taken_at}")
            )
        if not ours or written[id(base)] == 1:
            continue
        for other in commits[base.number : number]:
            if other.author == commit.author or other.token_id != commit.token_id:
                continue
            problems += [
                Problem(Kind.FOREIGN, f"{commit.author} wrote a list twice, and undid {other.author}'s {entry}")
                for entry in {*other.after} - {*other.before}
                if entry in commit.before and entry not in commit.after
            ]
    for token_id, key in {(c.token_id, c.key) for commands in plan.careless for c in commands if c.key in FOREIGN}:
        problems += _foreign_value(token_id, key, commits)
    return problems


def _foreign_value(token_id: str, key: tuple[str, str], commits: list[Commit]) -> list[Problem]:
    """The last foreign write of a foreign entry must stand, unless it fell between somebody's read and write."""
    of_token = [(number, commit) for number, commit in enumerate(commits) if commit.token_id == token_id]
    theirs = [
        (number, c)
        for number, c in of_token
        if c.author.startswith("C") and _entry(c.after, key) != _entry(c.base.roles, key)
    ]
    if not theirs:
        return []
    last, intended = theirs[-1]
    if any(commit.base.number <= last < number for number, commit in of_token):
        return []
    if _entry(of_token[-1][1].after, key) == _entry(intended.after, key):
        return []
    return [Problem(Kind.FOREIGN, f"{key} of {token_id} is not what {intended.author} wrote last")]


def _entry(roles: Roles, key: tuple[str, str]) -> ApiTokenRole | None:
    return next((entry for entry in roles if (entry.entity_type, entry.entity_id) == key), None)


# How plans are drawn. What shrinks to nothing comes first everywhere. One primitive, so that hypothesis can draw plans
# that shrink, and a plain generator of random numbers can draw many more of them in the same time.

Pick = Callable[[Sequence[Any]], Any]

_FLIGHTS = (1, 0, 2, 3)
_ANSWERS = (1, 0, 2, 3, 4, 5, 7, 8, 12, 16)
_FAULTS = (Fault.NONE, Fault.NONE, Fault.NONE, Fault.NEVER_ARRIVED, Fault.ANSWER_LOST, Fault.IGNORED)
_OUTAGE = (Fault.NEVER_ARRIVED, Fault.NEVER_ARRIVED, Fault.ANSWER_LOST)


@dataclass(frozen=True)
class Space:
    """Where and when things happen. In a crowd everything is about one token and nearly at once."""

    tokens: tuple[str, ...] = ("t", "t", "u")
    roles: tuple[str | None, ...] = ("A", "A", None, "B", NO_SUCH_ROLE)
    batch_at: Sequence[int] = range(25)
    starts_at: Sequence[int] = range(13)
    command_at: Sequence[int] = range(40)
    killed: tuple[int, ...] = (0, 0, 1, 2)  # 2: and a new process does the same again
    most_ticks: int = SETTLE - 1  # how long a careless writer may take from its read to its write
    settle_ticks: int = SETTLE  # of ours
    faults: tuple[tuple[Fault, ...], ...] = (_FAULTS, _FAULTS, _FAULTS, _OUTAGE)  # of one process all are of one kind


WIDE = Space()
CROWD = Space(("t",), ("A", "A", None, NO_SUCH_ROLE), range(8), range(4), range(20), (0, 0, 0, 1, 2))
TIGHT = replace(CROWD, roles=("A", "A", None), killed=(0,))  # nothing but races


def pick_our_plan(pick: Pick, space: Space, number: int) -> OurPlan:
    """Pick what one process of ours does."""
    deployments = (f"mine-{number}", f"also-{number}", SHARED)
    batches = []
    for _ in range(pick((1, 2, 3))):
        token_id = pick(space.tokens)
        changes: dict[str, Change] = {}
        for _ in range(pick((1, 2, 3))):
            of = binding(token_id, pick(deployments))
            role = pick(space.roles)
            changes[of.deployment_id] = Remove(of) if role is None else pick((Put, Add))(of, role)
        batches.append(Batch(pick(space.batch_at), token_id, tuple(changes.values())))
    faults = pick(space.faults)
    fates = tuple(Fate(pick(_FLIGHTS), pick(_ANSWERS), pick(faults)) for _ in range(pick(range(9))))
    killed = pick(space.killed)
    return OurPlan(
        tuple(batches),
        fates,
        machine=pick((0, 1)),
        starts_at=pick(space.starts_at),
        killed_at=pick(range(1, 40)) if killed else None,
        comes_back=killed == 2,
    )


def pick_commands(pick: Pick, space: Space) -> tuple[Command, ...]:
    """Pick what a careless writer does."""
    keys = (*FOREIGN, *FOREIGN, ("DEPLOYMENT", SHARED), ("DEPLOYMENT", "mine-0"))
    picked = [
        Command(
            pick(space.command_at),
            pick(space.tokens),
            pick(keys),
            pick(("A", "B", None)),
            pick(range(space.most_ticks + 1)),
        )
        for _ in range(pick((1, 2, 3)))
    ]
    return tuple(sorted(picked, key=lambda command: command.at))


def pick_plan(pick: Pick, space: Space) -> Plan:
    """Pick a whole run; `pick` takes one of several things."""
    ours = tuple(pick_our_plan(pick, space, number) for number in range(pick((1, 2, 3))))
    careless = tuple(pick_commands(pick, space) for _ in range(pick((0, 1, 2))))
    held = tuple(
        (token_id, deployment_id, "A")
        for token_id, deployment_id in (("t", "mine-0"), ("t", SHARED), ("u", "also-0"))
        if pick((False, True))
    )
    return Plan(ours, careless, held, space.settle_ticks)


def pick_in_step(pick: Pick) -> Plan:
    """Pick two or three processes that make 60 changes each, in writes of equal number, latency and pace, in any phase."""
    flight, between = pick((1, 1, 2)), pick(range(1, 9))
    at_once, role = pick((4, 4, 6, 10)), pick(("A", None))
    wanted = [[binding("t", f"mine-{number}-{change}") for change in range(60)] for number in range(pick((2, 3)))]
    ours = []
    for number, bindings in enumerate(wanted):
        changes = [Put(one, role) if role else Remove(one) for one in bindings]
        batches = tuple(
            Batch(between + pick((0,) * 19 + (1,)), "t", tuple(changes[first : first + at_once]))
            for first in range(0, len(changes), at_once)
        )
        starts_at, draws = pick(range(4 * flight + between)), pick(range(1000))
        ours.append(OurPlan(batches, (), number, starts_at, in_turn=True, draws=draws, usual=Fate(flight, flight)))
    held = () if role else tuple((one.token_id, one.deployment_id, "A") for bindings in wanted for one in bindings)
    return Plan(tuple(ours), (), held, IN_STEP_SETTLE)


def search(kind: Kind, space: Space, seeds: Iterable[int]) -> Plan | None:
    """The plan of the first of these seeds of whose run that goes wrong."""
    picked = (pick_plan(random.Random(seed).choice, space) for seed in seeds)
    return next((plan for plan in picked if play(plan).shows(kind)), None)


@st.composite
def plans(draw: st.DrawFn, space: Space) -> Plan:
    """Draw a whole run."""
    return pick_plan(lambda options: draw(st.sampled_from(options)), space)

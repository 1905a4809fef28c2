"""What a command must do, by the decisions of the design, written without the product's code.

It takes what the service showed and what the state held before, and tells what has to be there afterwards.

- A plain `up` compares the program with the state, not with Astro. After a hand edit it leaves what the state and the
  program agree on as the hand left it; only a command that refreshes has to see the edit.
- Creating is idempotent: the same role there is adopted, another one is an error, unless `overwrite` is set. The program
  of a walk never declares a binding twice, so this conflict is the only error that a command without faults may meet,
  but for one that `previewChecks=off` brings (see `blind`).
- What the program declares, no delete takes away: a rename leaves the role there.
- A table is a resource of several roles, and a binding one of one role. An update of a table may give and take roles as
  well, so what holds for the delete of a replacement holds for it: it may come before another resource is asked about.
- An exclusive table leaves nobody else a role in its deployments, and its check sees who has one also without a refresh;
  with `previewChecks=off` only if something else of it changes. What its program has there in other resources is refused,
  so the programs of a walk have nothing there.
- After an error the state never forgets a grant that stands, and never has one that was not made. What a create or an update
  has sent and could not see again is marked in the state as unfinished, of a binding and of a table that could not be taken
  back either, so that the next run writes or takes it whatever its program says. A failed delete leaves no mark.
- Two resources of one binding are an error, in both spellings, unless the state has both: then it is a warning. The walk's
  `up` has no preview before it, so the one that the engine asks about first is made before the second is refused; the second
  depends on the first, so it is known which.
- A role in a deleted deployment is none, whatever its token still shows: a refresh takes it out of the state, and a removal of
  it succeeds. What stays as the state has it is a warning; what is to be written there fails.
- Each door has a process of its own, which knows what the program declares through it, and no more. What one process takes while
  the program has it through the other may be lost until a refresh (docs/limits.md).
- One case cannot be known and is left out: a targeted delete of a binding that an untargeted resource of the program has
  in the state as well, because the engine asks the provider nothing about that one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tests.walk.actions import Action, actions_of, deleted_by, is_targeted, refreshed
from tests.walk.snapshot import UNFINISHED, Held, Snapshot
from tests.walk.steps import Command, Declared, Pair, Row, Table, twin_of


class Verdict(Enum):
    """How a command has to end."""

    SUCCEEDS = "it has to succeed"
    FAILS = (
        "it has to fail: another role is there without overwrite, another token is under a name that nobody looks up, two "
        "resources have one binding, or a deployment does not exist"
    )
    MAY_FAIL = "it may fail"


@dataclass(frozen=True)
class Expected:
    """What has to be there after a command.

    Attributes:
        roles: after a success: the roles that the service shows.
        state: after a success: what the state holds.
        steps: what the engine tells as changes, as `operation name`; None: not looked at.
        possible_roles: after an error: what each pair may have; a pair that is not in it is as it was.
        possible_rows: after an error: what the state may hold of each name.
        written: of each name the roles that the state may only tell if the service shows them, after an error too.
        lost: pairs that one door's process takes while the program has them through the other: they may have no role.
        accounted: pairs that one create or update gives or changes, and a table also takes: either the service has them
            as before, or the state has what the service has, or a mark.
    """

    verdict: Verdict
    roles: Mapping[Pair, str]
    state: Mapping[str, Held]
    steps: frozenset[str] | None
    possible_roles: Mapping[Pair, frozenset[str | None]]
    possible_rows: Mapping[str, frozenset[Held | None]]
    written: Mapping[str, Mapping[Pair, str]]
    lost: frozenset[Pair]
    accounted: frozenset[Pair]


def possible(command: Command, before: Snapshot) -> Command | None:
    """The command with what the engine takes of its options only; None: nothing is left, or the outcome is unknowable.

    - Targets and replacements are resources that exist, and on which no twin depends.
    - Only an `up` or a `preview` that names no resource moves resources through another door (docs/limits.md).
    - Only a plain `up` or `preview` has a twin, and of a binding that is not replaced: the engine replaces the later one with it.
    - No fault meets a refresh of what is in a deleted deployment: what cannot be read is not called gone, which is no lie.
    """
    state = before.states[command.stack]
    # A refresh, also that of an `up`, refuses a target that the state does not have.
    only_stored = command.refresh or command.kind in ("refresh", "destroy")
    names = state.keys() if only_stored else state.keys() | command.program.keys()
    alone = {name for name in names if twin_of(name) not in state}
    targets = tuple(name for name in command.targets if name in alone)
    forced = tuple(name for name in command.replace if name in alone & state.keys() & command.program.keys())
    if (command.targets and not targets) or (command.replace and not forced):
        return None
    restricted = command.model_copy(update={"targets": targets, "replace": forced, "twin": _twin(command, before)})
    if targets or forced or command.run_program:
        program = {name: _as_through(state.get(name), row) for name, row in command.program.items()}
        restricted = restricted.model_copy(update={"program": program})
    if (command.refresh or command.kind == "refresh") and any(
        place in before.deleted for held in state.values() for place in (*held.deployments, *(p[1] for p in held.roles))
    ):
        restricted = restricted.model_copy(update={"faults": ()})
    if not targets or not command.writes:
        return restricted
    kept = {
        pair
        for name, held in state.items()
        if name not in targets and name in command.program and not held.gone
        for pair in held.roles.keys() & command.program[name].roles.keys()
    }
    return None if kept & deleted_by(actions_of(restricted, before).values()) else restricted


def _as_through(held: Held | None, row: Declared) -> Declared:
    """Return a declaration through the door by which the state has the resource."""
    return row.model_copy(update={"native": "native" in held.options}) if held else row


def _twin(command: Command, before: Snapshot) -> str:
    """Of which binding the command has a twin; blank: of none."""
    is_plain = command.kind in ("up", "preview") and not (command.targets or command.replace)
    if not (is_plain and isinstance(command.program.get(command.twin), Row)):
        return ""
    action = actions_of(command, before)[command.twin]
    return "" if action.does == "replace" or action.blind else command.twin


def expect(command: Command, before: Snapshot) -> Expected:
    """What has to be there after a command that `possible` has returned."""
    actions = actions_of(command, before)
    state = refreshed(command, before)
    roles = before.roles
    if command.kind in ("up", "destroy"):
        roles, state = _done(actions, roles, state, command)
    # What can be done before an error: all but the later one of two that are refused.
    done = {name: action for name, action in actions.items() if name != _refused_twin(command, actions)}
    lost = _lost(actions.values())
    return Expected(
        verdict=_verdict(command, actions, before),
        roles=roles,
        state=before.states[command.stack] if command.kind == "preview" else state,
        steps=_steps(command, actions),
        possible_roles=_possible_roles(command, done, before),
        possible_rows=_possible_rows(command, done, before),
        written={
            name: {pair: role for pair, role in action.written.items() if pair not in lost}
            for name, action in done.items()
        },
        lost=lost,
        accounted=_accounted(done.values()) - lost,
    )


def _refused_twin(command: Command, actions: Mapping[str, Action]) -> str | None:
    """The later one of two resources of one binding, if it is refused."""
    if command.twins is None:
        return None
    earlier, later = (actions[name].does != "create" for name in command.twins)
    if command.checks == "off":  # no check compares them, so only the create of the later one is refused
        return None if later or command.kind != "up" else command.twins[1]
    return None if earlier and later and command.checks != "strict" else command.twins[1]


def _lost(actions: Collection[Action]) -> frozenset[Pair]:
    return frozenset(
        pair
        for action in actions
        for pair in action.deleted | action.strangers
        if any(other.row and other.row.native != action.taker and pair in other.row.roles for other in actions)
    )


def _steps(command: Command, actions: Mapping[str, Action]) -> frozenset[str] | None:
    """The steps that the engine tells; None: not to be known, or not looked at."""
    if command.kind not in ("up", "preview"):
        return None
    early = deleted_by(action for action in actions.values() if action.comes_early)
    kept = {pair for action in actions.values() if action.does == "same" and action.old for pair in action.old.roles}
    if early & kept:
        # The state has a pair twice, and one of the two moves away. If the engine has it deleted before it asks about
        # the other, the other is updated, which gives the role back.
        return None
    if any(early & action.strangers for action in actions.values()):
        return None  # it may be gone before the exclusive table looks for strangers, which is then as it was
    return frozenset(f"{action.does} {name}" for name, action in actions.items() if action.does != "same")


def _accounted(actions: Collection[Action]) -> frozenset[Pair]:
    touched = Counter(pair for action in actions for pair in {*action.written, *action.deleted})
    held = Counter(pair for action in actions if action.old for pair in action.old.roles)
    found: set[Pair] = set()
    for action in actions:
        if action.does in ("create", "update"):
            found |= action.written.keys()
            found |= action.deleted if isinstance(action.row, Table) else frozenset()
    return frozenset(pair for pair in found if touched[pair] < 2 and held[pair] < 2)


def _verdict(command: Command, actions: Mapping[str, Action], before: Snapshot) -> Verdict:
    verdicts = {Verdict.MAY_FAIL} if command.faults else {Verdict.SUCCEEDS}
    if _refused_twin(command, actions):
        verdicts.add(Verdict.FAILS)
    early = deleted_by(action for action in actions.values() if action.comes_early)
    updated = deleted_by(action for action in actions.values() if action.does == "update")
    for action in actions.values():
        if action.blind and command.kind == "up":
            verdicts.add(Verdict.FAILS)
        if _may_be_refused(action, before):
            verdicts.add(Verdict.MAY_FAIL)
        if action.row and (verdict := _of_deleted_deployments(action, action.row, command, before.deleted)):
            verdicts.add(verdict)
        if contradicting := _contradicting(action, before):
            verdicts.add(_of_a_contradiction(action, command, contradicting, early, updated))
    return next(verdict for verdict in (Verdict.FAILS, Verdict.MAY_FAIL, Verdict.SUCCEEDS) if verdict in verdicts)


def _of_a_contradiction(
    action: Action, command: Command, contradicting: frozenset[Pair], early: frozenset[Pair], updated: frozenset[Pair]
) -> Verdict:
    """How a command ends for what is there with another role than a resource is to be given."""
    if action.forced:
        return Verdict.MAY_FAIL  # its own role goes first, so that it could be made: to refuse it is no lie
    if command.kind == "up" and contradicting <= (early if isinstance(action.row, Table) else updated):
        return Verdict.MAY_FAIL  # the role is taken away, perhaps before this one is asked about
    if command.checks != "off":
        return Verdict.FAILS
    if command.kind == "up":
        # Without checks the create decides, and a replacement's delete may come before it.
        return Verdict.MAY_FAIL if contradicting <= early else Verdict.FAILS
    return Verdict.SUCCEEDS


def _of_deleted_deployments(action: Action, row: Declared, command: Command, deleted: frozenset[str]) -> Verdict | None:
    """How a command ends for what the program has in deployments that do not exist; None: as if they existed."""
    named = {*row.deployments, *(pair.deployment for pair in row.roles)} & deleted
    had = action.old.deployments if action.old and action.does in ("same", "update") else frozenset()
    is_new = bool((row.deployments & deleted) - had) or any(pair.deployment in deleted for pair in action.written)
    if command.checks == "off":
        return Verdict.FAILS if is_new and command.kind == "up" else None
    if named and command.checks == "strict":
        return Verdict.FAILS
    if is_new and isinstance(row, Table) and command.kind == "preview":
        return Verdict.MAY_FAIL  # of a name that nothing has, the same program may make a deployment
    return Verdict.FAILS if is_new else None


def _contradicting(action: Action, before: Snapshot) -> frozenset[Pair]:
    """What is there with another role than the resource is to be given, without its leave to change it."""
    if action.row is None or action.row.overwrite:
        return frozenset()
    return frozenset(pair for pair, role in action.given.items() if before.role(pair) not in (None, role))


def _may_be_refused(action: Action, before: Snapshot) -> bool:
    """Whether a failed run has left another role than is asked for: the inputs do not have it, so a check may refuse it."""
    if action.row is None or action.old is None or action.row.overwrite:
        return False
    left = (pair for pair, role in action.old.roles.items() if role == UNFINISHED)
    return any(before.role(pair) not in (None, action.row.roles.get(pair)) for pair in left)


def _done(
    actions: Mapping[str, Action], roles: Mapping[Pair, str], state: Mapping[str, Held], command: Command
) -> tuple[dict[Pair, str], dict[str, Held]]:
    """Roles and state after all actions were done."""
    roles, state = dict(roles), dict(state)
    claims = _claims(actions)
    for action in actions.values():
        for pair in (action.deleted | action.strangers) - claims[action.taker].keys():
            roles.pop(pair, None)
    for action in actions.values():
        roles |= action.written
    for name in list(state):
        if is_targeted(name, command):
            del state[name]
    state |= {name: held for name, action in actions.items() if (held := action.after)}
    return roles, state


def _claims(actions: Mapping[str, Action]) -> dict[bool, dict[Pair, Action]]:
    """Return the bindings that the program claims through each door; the key is true for the native one."""
    claims: dict[bool, dict[Pair, Action]] = {False: {}, True: {}}
    for action in actions.values():
        if action.row:
            claims[action.row.native] |= dict.fromkeys(action.row.roles, action)
    return claims


def _has(action: Action, pair: Pair) -> bool:
    return action.old is not None and pair in action.old.roles


def _possible_roles(
    command: Command, actions: Mapping[str, Action], before: Snapshot
) -> dict[Pair, frozenset[str | None]]:
    if not command.writes:
        return {}
    allowed: defaultdict[Pair, set[str | None]] = defaultdict(set)
    claims = _claims(actions)
    early = deleted_by(action for action in actions.values() if action.comes_early)
    for action in actions.values():
        contradicting = _contradicting(action, before) - early
        if action.forced or command.checks == "off" or not contradicting:
            for pair, role in action.written.items():
                allowed[pair].add(role)
        for pair in action.deleted | action.strangers:
            claim = claims[action.taker].get(pair)
            # The delete of a replacement, or a table's update, may come first, and what was to take the role over, or to
            # give it back because the state has it twice, may fail after it, or not be asked about any more.
            takes_over = claim is not None and (pair in claim.given or claim.blind or _has(claim, pair))
            if claim is None or (action.comes_early and takes_over):
                allowed[pair].add(None)
    return {pair: frozenset({*found, before.role(pair)}) for pair, found in allowed.items()}


def _possible_rows(
    command: Command, actions: Mapping[str, Action], before: Snapshot
) -> dict[str, frozenset[Held | None]]:
    state = before.states[command.stack]
    rows: defaultdict[str, set[Held | None]] = defaultdict(set)
    for name in {**state, **actions}:
        rows[name].add(state.get(name))
    if command.kind == "preview":
        return {name: frozenset(found) for name, found in rows.items()}
    after = refreshed(command, before)
    for name in state:
        rows[name].add(after.get(name))
    for name, action in actions.items():
        if not action.blind:
            rows[name].add(action.after)
        if action.does == "replace" and action.old:
            rows[name].add(replace(action.old, gone=True))
    for name, held in state.items():
        if held.gone and is_targeted(name, command):
            rows[name].add(None)
    return {name: frozenset(found) for name, found in rows.items()}

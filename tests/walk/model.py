"""What a command must do, by the decisions of the design, written without the product's code.

It takes what the service showed and what the state held before, and tells what has to be there afterwards.

- A plain `up` compares the program with the state, not with Astro. After a hand edit it leaves what the state and the
  program agree on as the hand left it; only a command that refreshes has to see the edit.
- Creating is idempotent: the same role there is adopted, another one is an error, unless `overwrite` is set. The program
  of a walk never declares a binding twice, so this conflict is the only error that a command without faults may meet,
  but for one that `previewChecks=off` brings (see `blind`).
- What the program declares, no delete takes away: a rename leaves the role there.
- After an error the state may hold less than the service (an answer that was lost leaves a grant that the next run
  adopts), but it never forgets a grant that stands, and never tells of one that was not made.
- One case cannot be known and is left out: a targeted delete of a binding that an untargeted resource of the program has
  in the state as well, because the engine asks the provider nothing about that one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tests.walk.snapshot import Held, Snapshot
from tests.walk.steps import Command, Pair, Row


class Verdict(Enum):
    """How a command has to end."""

    SUCCEEDS = "it has to succeed"
    FAILS = (
        "it has to fail: another role is there without overwrite, or another token under a name that nobody looks up"
    )
    MAY_FAIL = "it may fail"


@dataclass(frozen=True)
class Action:
    """What the engine has to do with one resource; `same`, `update`, `create`, `replace` or `delete`.

    Attributes:
        old: what the state holds after the refresh, if there is one; not what is gone.
        row: what the program declares.
        forced: `--replace` names it.
        blind: the program gives another token of the same deployment by its name, and the checks are off. Nobody knows
            then that this is a replacement: it is previewed as an update, and the update has to refuse it.
    """

    does: str
    old: Held | None = None
    row: Row | None = None
    forced: bool = False
    blind: bool = False

    @property
    def written(self) -> Row | None:
        """The row, if the role has to be written, or found there."""
        updated = self.does == "update" and not self.blind
        changes_role = updated and self.old and self.row and self.old.role != self.row.role
        return self.row if self.does in ("create", "replace") or changes_role else None

    @property
    def deleted(self) -> Pair | None:
        """The pair that the engine deletes."""
        return self.old.pair if self.old and self.does in ("replace", "delete") else None


@dataclass(frozen=True)
class Expected:
    """What has to be there after a command.

    Attributes:
        roles: after a success: the roles that the service shows.
        state: after a success: what the state holds.
        steps: what the engine tells as changes, as `operation name`; None: not looked at.
        possible_roles: after an error: what each pair may have; a pair that is not in it is as it was.
        possible_rows: after an error: what the state may hold of each name.
        written: the rows that the state may only tell if the service shows them, after an error too.
        uncertain: pairs whose answer a fault may have swallowed after the write.
    """

    verdict: Verdict
    roles: Mapping[Pair, str]
    state: Mapping[str, Held]
    steps: frozenset[str] | None
    possible_roles: Mapping[Pair, frozenset[str | None]]
    possible_rows: Mapping[str, frozenset[Held | None]]
    written: Mapping[str, Row]
    uncertain: frozenset[Pair]


def possible(command: Command, before: Snapshot) -> Command | None:
    """The command with those targets and replacements only that exist; None: none is left, or the outcome is unknowable."""
    state = before.states[command.stack]
    # A refresh, also that of an `up`, refuses a target that the state does not have.
    only_stored = command.refresh or command.kind in ("refresh", "destroy")
    names = state.keys() if only_stored else state.keys() | command.program.keys()
    targets = tuple(name for name in command.targets if name in names)
    forced = tuple(name for name in command.replace if name in state and name in command.program)
    if (command.targets and not targets) or (command.replace and not forced):
        return None
    restricted = command.model_copy(update={"targets": targets, "replace": forced})
    if not targets or not command.writes:
        return restricted
    kept = {
        held.pair
        for name, held in state.items()
        if name not in targets and name in command.program and not held.gone and command.program[name].pair == held.pair
    }
    deleted = {action.deleted for action in _actions(restricted, before).values()}
    return None if kept & deleted else restricted


def expect(command: Command, before: Snapshot) -> Expected:
    """What has to be there after a command that `possible` has returned."""
    actions = _actions(command, before)
    state = _refreshed(command, before)
    roles = before.roles
    if command.kind in ("up", "destroy"):
        roles, state = _done(actions, roles, state, command)
    return Expected(
        verdict=_verdict(command, actions, before),
        roles=roles,
        state=before.states[command.stack] if command.kind == "preview" else state,
        steps=_steps(command, actions),
        possible_roles=_possible_roles(command, actions, before),
        possible_rows=_possible_rows(command, actions, before),
        written={name: action.written for name, action in actions.items() if action.written},
        uncertain=frozenset(action.written.pair for action in actions.values() if action.written and command.faults),
    )


def _steps(command: Command, actions: Mapping[str, Action]) -> frozenset[str] | None:
    """The steps that the engine tells; None: not to be known, or not looked at."""
    if command.kind not in ("up", "preview"):
        return None
    kept = {action.old.pair for action in actions.values() if action.does == "same" and action.old}
    if kept & {action.deleted for action in actions.values() if action.does == "replace"}:
        # The state has a pair twice, and one of the two moves away. If the engine has it deleted before it asks about
        # the other, the other is updated, which gives the role back.
        return None
    return frozenset(f"{action.does} {name}" for name, action in actions.items() if action.does != "same")


def _is_targeted(name: str, command: Command) -> bool:
    return not command.targets or name in command.targets


def _refreshed(command: Command, before: Snapshot) -> dict[str, Held]:
    """The state after the refresh, if the command makes one."""
    state = dict(before.states[command.stack])
    if not (command.refresh or command.kind == "refresh"):
        return state
    for name, held in list(state.items()):
        if held.gone or not _is_targeted(name, command):
            continue
        role = before.role(held.pair)
        if role is None:
            del state[name]
        else:
            state[name] = replace(held, role=role)
    return state


def _actions(command: Command, before: Snapshot) -> dict[str, Action]:
    """What the engine has to do with each resource that the command is about."""
    if command.kind == "refresh":
        return {}
    state = _refreshed(command, before)
    program = {} if command.kind == "destroy" else command.program
    names = [name for name in {**state, **program} if _is_targeted(name, command)]
    return {
        name: action
        for name in names
        if (action := _action(command, state.get(name), program.get(name), forced=name in command.replace))
    }


def _action(command: Command, held: Held | None, row: Row | None, *, forced: bool) -> Action | None:
    old = None if held is None or held.gone else held
    if row is None:
        return Action("delete", old) if old else None
    if held is None:
        return Action("create", None, row)
    if old is None or old.pair != row.pair:
        unknown = command.checks == "off" and not row.by_id and not forced
        if unknown and old and old.pair.deployment == row.deployment:
            return Action("update", old, row, blind=True)
        return Action("replace", old, row)
    if forced:
        return Action("replace", old, row, forced=True)
    changed = (old.role, old.overwrite) != (row.role, row.overwrite)
    return Action("update" if changed else "same", old, row)


def _verdict(command: Command, actions: Mapping[str, Action], before: Snapshot) -> Verdict:
    verdicts = {Verdict.MAY_FAIL} if command.faults else {Verdict.SUCCEEDS}
    freed = {action.deleted for action in actions.values() if action.does == "replace"}
    for action in actions.values():
        if action.blind and command.kind == "up":
            verdicts.add(Verdict.FAILS)
        if not (row := action.written) or action.does == "update" or not _contradicts(row, before):
            continue
        if action.forced:
            # Its own role goes first, so that it could be made. To refuse it is no lie.
            verdicts.add(Verdict.MAY_FAIL)
        elif command.checks != "off":
            verdicts.add(Verdict.FAILS)
        elif command.kind == "up":
            # Without checks the create decides, and a replacement's delete may come before it.
            verdicts.add(Verdict.MAY_FAIL if row.pair in freed else Verdict.FAILS)
    return next(verdict for verdict in (Verdict.FAILS, Verdict.MAY_FAIL, Verdict.SUCCEEDS) if verdict in verdicts)


def _contradicts(row: Row, before: Snapshot) -> bool:
    return not row.overwrite and before.role(row.pair) not in (None, row.role)


def _done(
    actions: Mapping[str, Action], roles: Mapping[Pair, str], state: Mapping[str, Held], command: Command
) -> tuple[dict[Pair, str], dict[str, Held]]:
    """Roles and state after all actions were done."""
    roles, state = dict(roles), dict(state)
    claimed = {action.row.pair for action in actions.values() if action.row}
    for action in actions.values():
        if action.deleted and action.deleted not in claimed:
            roles.pop(action.deleted, None)
    roles |= {action.written.pair: action.written.role for action in actions.values() if action.written}
    for name in list(state):
        if _is_targeted(name, command):
            del state[name]
    state |= {name: _as_held(action.row) for name, action in actions.items() if action.row}
    return roles, state


def _as_held(row: Row) -> Held:
    return Held(row.pair, row.role, row.overwrite)


def _possible_roles(
    command: Command, actions: Mapping[str, Action], before: Snapshot
) -> dict[Pair, frozenset[str | None]]:
    if not command.writes:
        return {}
    allowed: defaultdict[Pair, set[str | None]] = defaultdict(set)
    claims = {action.row.pair: action for action in actions.values() if action.row}
    for action in actions.values():
        refused = action.does != "update" and not action.forced and command.checks != "off"
        if (row := action.written) and not (refused and _contradicts(row, before)):
            allowed[row.pair].add(row.role)
        if action.deleted:
            claim = claims.get(action.deleted)
            # A replacement's delete comes first, and what was to take the role over may fail after it.
            takes_over = claim is not None and (claim.does in ("create", "replace") or claim.blind)
            if claim is None or (action.does == "replace" and takes_over):
                allowed[action.deleted].add(None)
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
    after = _refreshed(command, before)
    for name in state:
        rows[name].add(after.get(name))
    for name, action in actions.items():
        if not action.blind:
            rows[name].add(_as_held(action.row) if action.row else None)
        if action.does == "replace" and action.old:
            rows[name].add(replace(action.old, gone=True))
    for name, held in state.items():
        if held.gone and _is_targeted(name, command):
            rows[name].add(None)
    return {name: frozenset(found) for name, found in rows.items()}

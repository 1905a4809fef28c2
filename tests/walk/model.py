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
- After an error the state may hold less than the service (an answer that was lost leaves a grant that the next run
  adopts), but it never forgets a grant that stands, and never tells of one that was not made. Of a table that could not be
  taken back either, it tells which roles are not known, so that the next run writes or takes them whatever its program says.
- One case cannot be known and is left out: a targeted delete of a binding that an untargeted resource of the program has
  in the state as well, because the engine asks the provider nothing about that one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tests.walk.snapshot import Held, Snapshot
from tests.walk.steps import Command, Declared, Pair, Row, Table


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
        strangers: who loses a role because the table is exclusive.
    """

    does: str
    old: Held | None = None
    row: Declared | None = None
    forced: bool = False
    blind: bool = False
    strangers: frozenset[Pair] = frozenset()

    @property
    def given(self) -> dict[Pair, str]:
        """Roles that are new to the resource: what is there already with another role is in their way."""
        if self.row is None or self.blind or self.does not in ("create", "replace", "update"):
            return {}
        had = self.old.roles if self.old and self.does == "update" else {}
        return {pair: role for pair, role in self.row.roles.items() if pair not in had}

    @property
    def written(self) -> dict[Pair, str]:
        """Roles that have to be written, or found there."""
        if self.row is None or self.blind or self.does != "update" or self.old is None:
            return self.given
        return {pair: role for pair, role in self.row.roles.items() if self.old.roles.get(pair) != role}

    @property
    def deleted(self) -> frozenset[Pair]:
        """The pairs that the engine deletes, or has the resource take."""
        if self.old is None or self.does in ("same", "create") or self.blind:
            return frozenset()
        kept = self.row.roles if self.row and self.does == "update" else {}
        return frozenset(self.old.roles.keys() - kept.keys())

    @property
    def comes_early(self) -> bool:
        """Whether what it deletes may be gone before the engine asks about another resource."""
        return self.does in ("replace", "update")

    @property
    def after(self) -> Held | None:
        """What the state has of it when all is done."""
        return self.old if self.does == "same" else _as_held(self.row) if self.row else None


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
        uncertain: pairs whose answer a fault may have swallowed after the write.
        of_tables: pairs that a table gives, changes or takes in a create or an update: either it takes back what it did,
            or the state tells that it is not known.
    """

    verdict: Verdict
    roles: Mapping[Pair, str]
    state: Mapping[str, Held]
    steps: frozenset[str] | None
    possible_roles: Mapping[Pair, frozenset[str | None]]
    possible_rows: Mapping[str, frozenset[Held | None]]
    written: Mapping[str, Mapping[Pair, str]]
    uncertain: frozenset[Pair]
    of_tables: frozenset[Pair]


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
        pair
        for name, held in state.items()
        if name not in targets and name in command.program and not held.gone
        for pair in held.roles.keys() & command.program[name].roles.keys()
    }
    return None if kept & _deleted(_actions(restricted, before).values()) else restricted


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
        uncertain=frozenset(pair for action in actions.values() for pair in action.written if command.faults),
        of_tables=_of_tables(actions.values()),
    )


def _steps(command: Command, actions: Mapping[str, Action]) -> frozenset[str] | None:
    """The steps that the engine tells; None: not to be known, or not looked at."""
    if command.kind not in ("up", "preview"):
        return None
    early = _deleted(action for action in actions.values() if action.comes_early)
    kept = {pair for action in actions.values() if action.does == "same" and action.old for pair in action.old.roles}
    if early & kept:
        # The state has a pair twice, and one of the two moves away. If the engine has it deleted before it asks about
        # the other, the other is updated, which gives the role back.
        return None
    if any(early & action.strangers for action in actions.values()):
        return None  # it may be gone before the exclusive table looks for strangers, which is then as it was
    return frozenset(f"{action.does} {name}" for name, action in actions.items() if action.does != "same")


def _of_tables(actions: Iterable[Action]) -> frozenset[Pair]:
    tables = [a for a in actions if isinstance(a.row, Table) and a.does in ("create", "update")]
    others = {pair for action in actions if action not in tables for pair in (*action.written, *action.deleted)}
    return frozenset(pair for action in tables for pair in (*action.written, *action.deleted)) - others


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
        entries = frozenset((pair, role) for pair in held.roles if (role := before.role(pair)))
        if not (entries or held.deployments):
            del state[name]
            continue
        others = frozenset((pair, before.roles[pair]) for pair in _others(held, before))
        state[name] = replace(held, entries=entries, strangers=others)
    return state


def _others(table: Held, before: Snapshot) -> frozenset[Pair]:
    """Who has a role in an exclusive table's deployments and is not in the table."""
    if "exclusive" not in table.options:
        return frozenset()
    return frozenset(p for p in before.roles if p.deployment in table.deployments and p not in table.roles)


def _deleted(actions: Iterable[Action]) -> frozenset[Pair]:
    return frozenset(pair for action in actions for pair in action.deleted)


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
        if (action := _action(command, state.get(name), program.get(name), before, forced=name in command.replace))
    }


def _action(
    command: Command, held: Held | None, row: Declared | None, before: Snapshot, *, forced: bool
) -> Action | None:
    old = None if held is None or held.gone else held
    if row is None:
        return Action("delete", old) if old else None
    moves = old is None or (isinstance(row, Row) and row.pair not in old.roles)
    unknown = moves and command.checks == "off" and not row.by_id and not forced
    if unknown and old and isinstance(row, Row) and all(pair.deployment == row.deployment for pair in old.roles):
        return Action("update", old, row, blind=True)
    strangers = _others(_as_held(row), before) - (old.roles.keys() if old else set())
    changes = (old and replace(old, strangers=frozenset())) != _as_held(row) or (strangers and command.checks != "off")
    does = "create" if held is None else "replace" if moves or forced else "update" if changes else "same"
    if does == "same":
        return Action(does, old, row)
    return Action(does, old, row, forced=forced and not moves, strangers=strangers)


def _verdict(command: Command, actions: Mapping[str, Action], before: Snapshot) -> Verdict:
    verdicts = {Verdict.MAY_FAIL} if command.faults else {Verdict.SUCCEEDS}
    early = _deleted(action for action in actions.values() if action.comes_early)
    updated = _deleted(action for action in actions.values() if action.does == "update")
    for action in actions.values():
        if action.blind and command.kind == "up":
            verdicts.add(Verdict.FAILS)
        contradicting = _contradicting(action, before)
        if not contradicting:
            continue
        if action.forced:
            # Its own role goes first, so that it could be made. To refuse it is no lie.
            verdicts.add(Verdict.MAY_FAIL)
        elif command.kind == "up" and contradicting <= (early if isinstance(action.row, Table) else updated):
            verdicts.add(Verdict.MAY_FAIL)  # the role is taken away, perhaps before this one is asked about
        elif command.checks != "off":
            verdicts.add(Verdict.FAILS)
        elif command.kind == "up":
            # Without checks the create decides, and a replacement's delete may come before it.
            verdicts.add(Verdict.MAY_FAIL if contradicting <= early else Verdict.FAILS)
    return next(verdict for verdict in (Verdict.FAILS, Verdict.MAY_FAIL, Verdict.SUCCEEDS) if verdict in verdicts)


def _contradicting(action: Action, before: Snapshot) -> frozenset[Pair]:
    """What is there with another role than the resource is to be given, without its leave to change it."""
    if action.row is None or action.row.overwrite:
        return frozenset()
    return frozenset(pair for pair, role in action.given.items() if before.role(pair) not in (None, role))


def _done(
    actions: Mapping[str, Action], roles: Mapping[Pair, str], state: Mapping[str, Held], command: Command
) -> tuple[dict[Pair, str], dict[str, Held]]:
    """Roles and state after all actions were done."""
    roles, state = dict(roles), dict(state)
    claimed = {pair for action in actions.values() if action.row for pair in action.row.roles}
    for action in actions.values():
        for pair in (action.deleted | action.strangers) - claimed:
            roles.pop(pair, None)
    for action in actions.values():
        roles |= action.written
    for name in list(state):
        if _is_targeted(name, command):
            del state[name]
    state |= {name: held for name, action in actions.items() if (held := action.after)}
    return roles, state


def _as_held(row: Declared) -> Held:
    return Held(frozenset(row.roles.items()), row.options, row.deployments)


def _possible_roles(
    command: Command, actions: Mapping[str, Action], before: Snapshot
) -> dict[Pair, frozenset[str | None]]:
    if not command.writes:
        return {}
    allowed: defaultdict[Pair, set[str | None]] = defaultdict(set)
    claims = {pair: action for action in actions.values() if action.row for pair in action.row.roles}
    early = _deleted(action for action in actions.values() if action.comes_early)
    for action in actions.values():
        contradicting = _contradicting(action, before) - early
        if action.forced or command.checks == "off" or not contradicting:
            for pair, role in action.written.items():
                allowed[pair].add(role)
        for pair in action.deleted | action.strangers:
            claim = claims.get(pair)
            # The delete of a replacement, or a table's update, may come first, and what was to take the role over may fail
            # after it.
            takes_over = claim is not None and (pair in claim.given or claim.blind)
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
    after = _refreshed(command, before)
    for name in state:
        rows[name].add(after.get(name))
    for name, action in actions.items():
        if not action.blind:
            rows[name].add(action.after)
        if action.does == "replace" and action.old:
            rows[name].add(replace(action.old, gone=True))
    for name, held in state.items():
        if held.gone and _is_targeted(name, command):
            rows[name].add(None)
    return {name: frozenset(found) for name, found in rows.items()}

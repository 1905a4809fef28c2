"""What the engine has to do with each resource of a command, by the decisions that `model.py` lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.walk.snapshot import Held, Snapshot
from tests.walk.steps import Command, Declared, Pair, Row


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
    def taker(self) -> bool:
        """Return true if the native door's process removes the roles that the resource loses."""
        by = self.old if self.old and self.does in ("delete", "replace") else self.row
        return by is not None and "native" in by.options

    @property
    def comes_early(self) -> bool:
        """Whether what it deletes may be gone before the engine asks about another resource."""
        return self.does in ("replace", "update")

    @property
    def after(self) -> Held | None:
        """What the state has of it when all is done."""
        return self.old if self.does == "same" else as_held(self.row) if self.row else None


def is_targeted(name: str, command: Command) -> bool:
    """Whether a command is about a resource."""
    return not command.targets or name in command.targets


def refreshed(command: Command, before: Snapshot) -> dict[str, Held]:
    """The state after the refresh, if the command makes one."""
    state = dict(before.states[command.stack])
    if not (command.refresh or command.kind == "refresh"):
        return state
    for name, held in list(state.items()):
        if held.gone or not is_targeted(name, command):
            continue
        entries = frozenset((pair, role) for pair in held.roles if (role := before.role(pair)))
        places = held.deployments - before.deleted
        if not (entries or places):
            del state[name]
            continue
        others = frozenset((pair, before.roles[pair]) for pair in _others(held, before))
        state[name] = replace(held, entries=entries, deployments=places, strangers=others)
    return state


def _others(table: Held, before: Snapshot) -> frozenset[Pair]:
    """Who has a role in an exclusive table's deployments and is not in the table."""
    if "exclusive" not in table.options:
        return frozenset()
    return frozenset(p for p in before.roles if p.deployment in table.deployments and p not in table.roles)


def deleted_by(actions: Iterable[Action]) -> frozenset[Pair]:
    """The pairs that these actions delete or take."""
    return frozenset(pair for action in actions for pair in action.deleted)


def actions_of(command: Command, before: Snapshot) -> dict[str, Action]:
    """What the engine has to do with each resource that the command is about."""
    if command.kind == "refresh":
        return {}
    state = refreshed(command, before)
    program = {} if command.kind == "destroy" else command.declared
    names = [name for name in {**state, **program} if is_targeted(name, command)]
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
    strangers = _others(as_held(row), before) - (old.roles.keys() if old else set())
    changes = (old and replace(old, strangers=frozenset())) != as_held(row) or (strangers and command.checks != "off")
    does = "create" if held is None else "replace" if moves or forced else "update" if changes else "same"
    if does == "same":
        return Action(does, old, row)
    return Action(does, old, row, forced=forced and not moves, strangers=strangers)


def as_held(row: Declared) -> Held:
    """What the state has of a resource that is as it is declared."""
    return Held(frozenset(row.roles.items()), row.options, row.deployments)

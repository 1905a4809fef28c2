"""Programs, options and flags at random, for which a review is compared with what an update does."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

DEPLOYMENTS, TOKENS = ("d0", "d1", "d2"), ("t0", "t1", "t2")
ROLES = ("DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR")
NAMES = ("a", "b", "c", "d")
TABLES = ("table",)
MOST_RESOURCES = 4


@dataclass(frozen=True)
class Declared:
    """One resource of a program: a binding (one row), a table, or a binding that is only read.

    Attributes:
        rows: the roles by deployment and token, each by its name in this module.
        is_read: it is read with `.get`.
        exclusive: of a table.
        overwrite: it may take over another role.
        retain: `retain_on_delete`.
        deleted_with: the name of the resource of `deleted_with`; blank: none.
        create_first: `delete_before_replace` is off.
    """

    rows: Mapping[tuple[str, str], str]
    is_read: bool = False
    exclusive: bool = False
    overwrite: bool = False
    retain: bool = False
    deleted_with: str = ""
    create_first: bool = False


@dataclass(frozen=True)
class Round:
    """What is done between two comparisons, and with which flags.

    Attributes:
        program: the program, by the resources' names.
        edits: roles that a person gives or takes (None) before the preview, by deployment and token.
        refresh: `--refresh`.
        targets: `--target`, by the resources' names.
        replaces: `--replace`, as before.
        steps_shown: `--show-sames --show-replacement-steps`.
        refused_after: how many writes are carried out before one is refused; None: none is refused.
    """

    program: Mapping[str, Declared]
    edits: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    refresh: bool = True
    targets: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    steps_shown: bool = True
    refused_after: int | None = None


class Rounds:
    """An endless sequence of rounds: the same seed, the same rounds."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._program: dict[str, Declared] = {}

    def __iter__(self) -> Rounds:
        return self

    def __next__(self) -> Round:
        old = tuple(self._program)
        for _ in range(self._chance.choice((1, 1, 2, 3))):
            self._mutate()
        names = tuple(dict.fromkeys([*old, *self._program]))
        return Round(
            dict(self._program),
            edits=self._edits(),
            refresh=self._happens(0.6),
            targets=tuple(self._chance.sample(names, 1)) if names and self._happens(0.15) else (),
            replaces=tuple(self._chance.sample(names, 1)) if names and self._happens(0.1) else (),
            steps_shown=self._happens(0.9),
            refused_after=self._chance.choice((0, 1)) if self._happens(0.25) else None,
        )

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability

    def _edits(self) -> dict[tuple[str, str], str | None]:
        if not self._happens(0.4):
            return {}
        declared = [pair for one in self._program.values() for pair in one.rows]
        pairs = declared if declared and self._happens(0.7) else [self._pair()]
        return {self._chance.choice(pairs): self._chance.choice((*ROLES, None))}

    def _pair(self) -> tuple[str, str]:
        return self._chance.choice(DEPLOYMENTS), self._chance.choice(TOKENS)

    def _mutate(self) -> None:
        chosen = self._chance.choice((*self._CHANGES, *self._CHANGES[:3]))
        before = dict(self._program)
        chosen(self)
        if not _consistent(self._program):
            self._program = before

    def _add(self) -> None:
        names = [name for name in (*NAMES, *TABLES) if name not in self._program]
        if names and len(self._program) < MOST_RESOURCES:
            name = self._chance.choice(names)
            count = self._chance.choice((1, 2, 3)) if name in TABLES else 1
            self._program[name] = Declared(
                {self._pair(): self._chance.choice(ROLES) for _ in range(count)},
                exclusive=name in TABLES and self._happens(0.5),
                overwrite=self._happens(0.4),
                retain=self._happens(0.2),
                create_first=self._happens(0.3),
                deleted_with=self._chance.choice(list(self._program)) if self._program and self._happens(0.25) else "",
            )

    def _remove(self) -> None:
        if self._program:
            gone = self._chance.choice(list(self._program))
            del self._program[gone]

    def _move(self) -> None:
        if self._program:
            name = self._chance.choice(list(self._program))
            one = self._program[name]
            rows = dict(one.rows)
            role = rows.pop(self._chance.choice(list(rows)))
            self._program[name] = replace(one, rows={**rows, self._pair(): role})

    def _change_role(self) -> None:
        if self._program:
            name = self._chance.choice(list(self._program))
            rows = dict(self._program[name].rows)
            rows[self._chance.choice(list(rows))] = self._chance.choice(ROLES)
            self._program[name] = replace(self._program[name], rows=rows)

    def _rename(self) -> None:
        names = [name for name in NAMES if name not in self._program]
        singles = [name for name in self._program if name not in TABLES]
        if names and singles:
            self._program[self._chance.choice(names)] = self._program.pop(self._chance.choice(singles))

    def _read(self) -> None:
        singles = [name for name in self._program if name not in TABLES]
        if singles:
            name = self._chance.choice(singles)
            self._program[name] = replace(self._program[name], is_read=not self._program[name].is_read)

    def _option(self) -> None:
        if self._program:
            name = self._chance.choice(list(self._program))
            one = self._program[name]
            self._program[name] = self._chance.choice(
                (replace(one, retain=not one.retain), replace(one, create_first=not one.create_first))
            )

    def _swap_for_entry(self) -> None:
        """Move a binding into the table."""
        singles = [name for name in self._program if name not in TABLES]
        if singles and "table" in self._program:
            gone = self._program.pop(self._chance.choice(singles))
            table = self._program["table"]
            self._program["table"] = replace(table, rows={**table.rows, **gone.rows})

    _CHANGES = (_add, _move, _remove, _change_role, _rename, _read, _option, _swap_for_entry)


def _consistent(program: Mapping[str, Declared]) -> bool:
    """Tell whether no binding is declared twice, and none in a deployment that a table has for itself."""
    pairs = [pair for one in program.values() for pair in one.rows]
    kept = {place for one in program.values() if one.exclusive for place, _ in one.rows}
    others = [place for one in program.values() if not one.exclusive for place, _ in one.rows]
    return len(pairs) == len(set(pairs)) and not kept & set(others) and all(one.rows for one in program.values())

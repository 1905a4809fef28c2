"""Draws a walk from a seed: the same seed, the same steps, whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from tests.walk.places import FOREIGN, NAMES, PAIRS, ROLES, STRANGERS, TABLE_NAMES, TOKENS
from tests.walk.steps import Command, Declared, ForeignEdit, HandEdit, Pair, Row, Step, Table

FEWEST_ROWS, MOST_ROWS, MOST_TABLES = 2, 5, 2
Program = dict[str, Declared]

# How often each command comes, with its flags. What writes comes most often, because only a write can lie for good.
COMMANDS: tuple[tuple[int, dict[str, Any]], ...] = (
    (6, {"kind": "up"}),
    (8, {"kind": "up", "refresh": True}),
    (2, {"kind": "up", "continue_on_error": True}),
    (3, {"kind": "up", "targeted": True}),
    (1, {"kind": "up", "targeted": True, "refresh": True}),
    (2, {"kind": "up", "forced": True}),
    (1, {"kind": "up", "forced": True, "refresh": True}),
    (2, {"kind": "refresh"}),
    (1, {"kind": "refresh", "targeted": True}),
    (1, {"kind": "refresh", "run_program": True}),
    (1, {"kind": "destroy"}),
    (2, {"kind": "destroy", "refresh": True}),
    (1, {"kind": "destroy", "targeted": True}),
    (1, {"kind": "destroy", "continue_on_error": True, "refresh": True}),
    (1, {"kind": "destroy", "run_program": True}),
    (1, {"kind": "preview"}),
    (1, {"kind": "preview", "refresh": True}),
    (1, {"kind": "preview", "targeted": True}),
)
CHECKS = ("warn", "warn", "warn", "strict", "off")
WRITE, READ, LIST = "UpdateApiTokenRoles", "GetApiToken", "ListApiTokens"
# What a retry gets over, and what an operation fails of: at once, or after all its retries (`times` None).
PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503, "times": 2},
    {"kind": "status", "status": 429, "times": 2, "headers": {"Retry-After": "0"}},
    {"kind": "drop_after", "operation": WRITE, "times": 1},
    {"kind": "drop_before", "operation": WRITE, "times": 1},
    {"kind": "truncated", "operation": WRITE, "times": 1},
    {"kind": "empty_ok", "operation": WRITE, "times": 1},
    {"kind": "html", "operation": READ, "times": 1},
    {"kind": "drop_before", "operation": LIST, "times": 1},
    {"kind": "delay", "delay_ms": 150, "operation": WRITE, "times": 2},
)
FAILING: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 403, "operation": WRITE, "times": 1},
    {"kind": "status", "status": 403, "operation": WRITE, "times": 2},
    {"kind": "status", "status": 400, "operation": WRITE, "times": 1},
    {"kind": "status", "status": 400, "operation": WRITE, "times": 2},
    {"kind": "status", "status": 500, "operation": WRITE, "times": None},
    {"kind": "drop_after", "operation": WRITE, "times": None},
    {"kind": "no_roles", "operation": READ, "times": 1},
    {"kind": "no_roles", "operation": LIST, "times": 1},
    {"kind": "status", "status": 403, "operation": READ, "times": 1},
    {"kind": "status", "status": 403, "operation": LIST, "times": 1},
    {"kind": "status", "status": 401, "times": 1},
)
# What lets one token of a table be written and not the next one, so that the first has to be taken back, or cannot be.
HALFWAY: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 403, "operation": WRITE, "times": 1, "skip": 1},
    {"kind": "status", "status": 403, "operation": WRITE, "times": 2, "skip": 1},
    {"kind": "status", "status": 500, "operation": WRITE, "times": None, "skip": 1},
    {"kind": "drop_after", "operation": WRITE, "times": None, "skip": 1},
)
# Answers in the service's own words that are not true: the token is there, and nothing was written.
LIES: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 404, "operation": READ, "times": 1},
    {"kind": "status", "status": 404, "operation": READ, "times": None},
    {"kind": "status", "status": 404, "operation": WRITE, "times": 1},
    {"kind": "status", "status": 200, "body": {}, "operation": WRITE, "times": 1},
)


def walk(seed: int) -> Iterator[Step]:
    """The steps of a seed, without end."""
    return _Drawing(random.Random(seed)).steps()


def consistent(program: Program) -> bool:
    """Whether no binding is declared twice, and nothing in a deployment that an exclusive table has for itself."""
    pairs = [pair for one in program.values() for pair in one.roles]
    return len(pairs) == len(set(pairs)) and not any(
        other is not table and pair.deployment in table.deployments
        for table in program.values()
        if "exclusive" in table.options
        for other in program.values()
        for pair in other.roles
    )


class _Drawing:
    """The programs as they are at this point of a walk."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._programs: dict[str, Program] = {"ours": {}, "theirs": {}}
        self._most_tables = chance.choice((0, 1, MOST_TABLES, MOST_TABLES))

    def steps(self) -> Iterator[Step]:
        for change in (self._add_table, self._add_table, self._add, self._add, self._add):
            self._try("ours", change)
        yield self._command("ours", {"kind": "up"}, faults=False)
        while True:
            stack = "theirs" if self._happens(0.12) else "ours"
            if self._happens(0.3):
                yield self._edit(stack)
            for _ in range(self._chance.choice((0, 1, 1, 2, 2, 3))):
                self._mutate(stack)
            faults = self._happens(0.25)
            if faults and self._most_tables:  # so that a table has several tokens to write, and may fail halfway
                self._try(stack, self._fill)
            command = self._command(
                stack, {"kind": "up"} if faults and self._happens(0.5) else self._kind(), faults=faults
            )
            yield command
            if command.faults and self._happens(0.6):
                yield self._command(stack, {"kind": "up", "refresh": self._happens(0.5)}, faults=False)

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability

    def _kind(self) -> dict[str, Any]:
        weights, kinds = zip(*COMMANDS, strict=True)
        return dict(self._chance.choices(kinds, weights)[0])

    def _command(self, stack: str, kind: dict[str, Any], *, faults: bool) -> Command:
        fields = dict(kind)
        for flag, option in (("targeted", "targets"), ("forced", "replace")):
            if fields.pop(flag, False):
                names = (*NAMES[stack], *(TABLE_NAMES[stack] if self._most_tables else ()))
                fields[option] = tuple(self._chance.sample(names, self._chance.choice((1, 2, 3))))
        if faults:
            weights = (6, 3, 1, 6 if self._most_tables else 0)
            fault = self._chance.choice(self._chance.choices((FAILING, PASSING, LIES, HALFWAY), weights)[0])
            fields["faults"] = ({"skip": self._chance.choice((0, 0, 0, 1, 2)), **fault},)
        return Command(stack=stack, program=dict(self._programs[stack]), checks=self._chance.choice(CHECKS), **fields)

    def _edit(self, stack: str) -> Step:
        if self._happens(0.3):
            token = self._chance.choice(TOKENS)
            strangers = self._chance.sample(STRANGERS, self._chance.randint(0, len(STRANGERS)))
            return ForeignEdit(token=token, entries=(FOREIGN[token][0], *strangers))
        tables = [table for table in self._tables(stack).values() if table.exclusive]
        if tables and self._happens(0.6):  # somebody comes whom the table keeps out
            table = self._chance.choice(tables)
            kept_out = sorted({Pair(*one) for one in product(TOKENS, table.deployments)} - table.roles.keys())
            if kept_out:
                pair = self._chance.choice(kept_out)
                return HandEdit(token=pair.token, deployment=pair.deployment, role=self._chance.choice(ROLES))
        used = [pair for row in self._programs[stack].values() for pair in row.roles]
        pair = self._chance.choice((*PAIRS[stack], *used))
        return HandEdit(token=pair.token, deployment=pair.deployment, role=self._chance.choice((None, *ROLES)))

    def _mutate(self, stack: str) -> None:
        """Change the program of a stack a little, or not at all if the change does not fit."""
        if len(self._programs[stack]) < FEWEST_ROWS:
            self._try(stack, self._add)
        if self._happens(0.3):
            self._try(stack, self._add_table)
        often = (self._add, self._remove, self._rename, self._move)
        seldom = (self._swap, self._change_role, self._spell, self._overwrite)
        of_entries = (self._add_entry, self._remove_entry, self._fill)
        of_tables = (*of_entries, self._add_table, self._remove_row, self._keep_others_out)
        between = (self._move_entry, self._move_entry, self._move_entry, self._move_out, self._swap_entries)
        tables = (*of_tables, *between) if self._most_tables else ()
        self._try(stack, self._chance.choice((*often, *often, *seldom, *tables)))

    def _try(self, stack: str, change: Callable[[str], None]) -> None:
        before = dict(self._programs[stack])
        change(stack)
        if not consistent(self._programs[stack]):
            self._programs[stack] = before

    def _add(self, stack: str) -> None:
        program = self._programs[stack]
        names, pairs = self._free(stack)
        if names and pairs and len(program) < MOST_ROWS:
            pair = self._chance.choice(pairs)
            program[self._chance.choice(names)] = Row(
                token=pair.token,
                deployment=pair.deployment,
                role=self._chance.choice(ROLES),
                by_id=self._happens(0.5),
                overwrite=self._happens(0.25),
            )

    def _add_table(self, stack: str) -> None:
        program = self._programs[stack]
        names = [name for name in TABLE_NAMES[stack] if name not in program]
        if names and len(self._tables(stack)) < self._most_tables:
            _, pairs = self._free(stack)
            places = sorted({pair.deployment for pair in PAIRS[stack]})
            some = self._chance.sample(places, self._chance.choice((1, 2, 2)))
            entries = [pair for pair in pairs if pair.deployment in some and self._happens(0.6)]
            program[self._chance.choice(names)] = Table(
                grid={
                    place: {pair.token: self._chance.choice(ROLES) for pair in entries if pair.deployment == place}
                    for place in some
                },
                exclusive=self._happens(0.5),
                by_id=self._happens(0.5),
                overwrite=self._happens(0.25),
            )

    def _remove(self, stack: str) -> None:
        if program := self._programs[stack]:
            del program[self._chance.choice(list(program))]

    def _rename(self, stack: str) -> None:
        program = self._programs[stack]
        if program:
            old = self._chance.choice(list(program))
            kind = TABLE_NAMES if old in TABLE_NAMES[stack] else NAMES
            if names := [name for name in kind[stack] if name not in program]:
                program[self._chance.choice(names)] = program.pop(old)

    def _move(self, stack: str) -> None:
        program = self._programs[stack]
        _, pairs = self._free(stack)
        bindings = [name for name, row in program.items() if isinstance(row, Row)]
        if bindings and pairs:
            pair, name = self._chance.choice(pairs), self._chance.choice(bindings)
            program[name] = program[name].model_copy(update={"token": pair.token, "deployment": pair.deployment})

    def _swap(self, stack: str) -> None:
        program = self._programs[stack]
        if len(program) > 1:
            one, two = self._chance.sample(list(program), 2)
            if type(program[one]) is type(program[two]):
                program[one], program[two] = program[two], program[one]

    def _change_role(self, stack: str) -> None:
        program = self._programs[stack]
        if program:
            name, role = self._chance.choice(list(program)), self._chance.choice(ROLES)
            row = program[name]
            if isinstance(row, Row):
                program[name] = row.model_copy(update={"role": role})
            elif row.roles:
                program[name] = _with(row, self._chance.choice(list(row.roles)), role)

    def _spell(self, stack: str) -> None:
        self._change(stack, by_id=self._happens(0.5))

    def _overwrite(self, stack: str) -> None:
        self._change(stack, overwrite=self._happens(0.5))

    def _change(self, stack: str, **fields: object) -> None:
        if program := self._programs[stack]:
            name = self._chance.choice(list(program))
            program[name] = program[name].model_copy(update=fields)

    def _add_entry(self, stack: str) -> None:
        _, pairs = self._free(stack)
        if pairs and (tables := self._tables(stack)):
            name, pair = self._chance.choice(list(tables)), self._chance.choice(pairs)
            self._programs[stack][name] = _with(tables[name], pair, self._chance.choice(ROLES))

    def _fill(self, stack: str) -> None:
        """Give each entry of a table a role anew, and the table what is free in a deployment."""
        if tables := self._tables(stack):
            name = self._chance.choice(list(tables))
            place = self._chance.choice(sorted(tables[name].grid))
            _, pairs = self._free(stack)
            table = tables[name]
            for pair in (*table.roles, *(pair for pair in pairs if pair.deployment == place)):
                table = _with(table, pair, self._chance.choice(ROLES))
            self._programs[stack][name] = table

    def _remove_entry(self, stack: str) -> None:
        if entries := self._entries(stack):
            name, pair = self._chance.choice(entries)
            self._programs[stack][name] = _without(self._tables(stack)[name], pair)

    def _remove_row(self, stack: str) -> None:
        for name, table in self._tables(stack).items():
            if len(table.grid) > 1:
                grid = dict(table.grid)
                del grid[self._chance.choice(list(grid))]
                self._programs[stack][name] = table.model_copy(update={"grid": grid})
                return

    def _keep_others_out(self, stack: str) -> None:
        """Toggle `exclusive`; what others have in the deployments of the table leaves the program."""
        if tables := self._tables(stack):
            name = self._chance.choice(list(tables))
            table = tables[name].model_copy(update={"exclusive": not tables[name].exclusive})
            program = self._programs[stack]
            program[name] = table
            for other, row in list(program.items()):
                if table.exclusive and isinstance(row, Row) and row.deployment in table.deployments:
                    del program[other]

    def _move_entry(self, stack: str) -> None:
        """Move what a binding or a table has to a table."""
        program, tables = self._programs[stack], self._tables(stack)
        owners = [(name, pair, role) for name, row in program.items() for pair, role in row.roles.items()]
        if tables and owners:
            (source, pair, role), target = self._chance.choice(owners), self._chance.choice(list(tables))
            if source != target:
                self._take_out(stack, source, pair)
                program[target] = _with(tables[target], pair, role)

    def _move_out(self, stack: str) -> None:
        """Move an entry of a table to a binding of its own."""
        names, _ = self._free(stack)
        if names and (entries := self._entries(stack)):
            source, pair = self._chance.choice(entries)
            role = self._programs[stack][source].roles[pair]
            self._take_out(stack, source, pair)
            row = Row(token=pair.token, deployment=pair.deployment, role=role, by_id=self._happens(0.5))
            self._programs[stack][self._chance.choice(names)] = row

    def _swap_entries(self, stack: str) -> None:
        """Let an entry of a table and what another resource has change places."""
        program, entries = self._programs[stack], self._entries(stack)
        owners = [(name, pair) for name, row in program.items() for pair in row.roles]
        if entries:
            (one, mine), (two, yours) = self._chance.choice(entries), self._chance.choice(owners)
            if one != two:
                my_role, your_role = program[one].roles[mine], program[two].roles[yours]
                program[one] = _with(_without(self._tables(stack)[one], mine), yours, your_role)
                other = program[two]
                program[two] = (
                    _with(_without(other, yours), mine, my_role)
                    if isinstance(other, Table)
                    else other.model_copy(update={**mine._asdict(), "role": my_role})
                )

    def _take_out(self, stack: str, name: str, pair: Pair) -> None:
        row = self._programs[stack][name]
        if isinstance(row, Table):
            self._programs[stack][name] = _without(row, pair)
        else:
            del self._programs[stack][name]

    def _tables(self, stack: str) -> dict[str, Table]:
        return {name: row for name, row in self._programs[stack].items() if isinstance(row, Table)}

    def _entries(self, stack: str) -> list[tuple[str, Pair]]:
        return [(name, pair) for name, table in self._tables(stack).items() for pair in table.roles]

    def _free(self, stack: str) -> tuple[list[str], list[Pair]]:
        """Names of bindings, and pairs, that the program does not use."""
        program = self._programs[stack]
        used = {pair for row in program.values() for pair in row.roles}
        return [n for n in NAMES[stack] if n not in program], [pair for pair in PAIRS[stack] if pair not in used]


def _with(table: Table, pair: Pair, role: str) -> Table:
    row = {**table.grid.get(pair.deployment, {}), pair.token: role}
    return table.model_copy(update={"grid": {**table.grid, pair.deployment: row}})


def _without(table: Table, pair: Pair) -> Table:
    row = {token: role for token, role in table.grid[pair.deployment].items() if token != pair.token}
    return table.model_copy(update={"grid": {**table.grid, pair.deployment: row}})

"""The programs of a walk, and what changes them a little at random."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.walk.places import NAMES, PAIRS, ROLES, TABLE_NAMES
from tests.walk.steps import Declared, Pair, Row, Table

FEWEST_ROWS, MOST_ROWS, MOST_TABLES = 2, 5, 2
Program = dict[str, Declared]


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


class Programs:
    """The programs of both stacks as they are at this point of a walk.

    Attributes:
        of: the program of each stack.
        most_tables: how many tables a program may have in this walk.
        deleted: the deployments that do not exist any more, for which a program asks no more than it did.

    Args:
        chance: draws.
        both_doors: a program may have resources of both doors.
    """

    def __init__(self, chance: random.Random, *, both_doors: bool) -> None:
        self._chance, self._both_doors = chance, both_doors
        self.deleted: set[str] = set()
        self.of: dict[str, Program] = {"ours": {}, "theirs": {}}
        self.most_tables = chance.choice((0, 1, MOST_TABLES, MOST_TABLES))
        for change in (self._add_table, self._add_table, self._add, self._add, self._add):
            self._try("ours", change)

    def mutate(self, stack: str) -> None:
        """Change the program of a stack a little, or not at all if the change does not fit."""
        if len(self.of[stack]) < FEWEST_ROWS:
            self._try(stack, self._add)
        if self._happens(0.3):
            self._try(stack, self._add_table)
        often = (self._add, self._remove, self._rename, self._move)
        seldom = (self._swap, self._change_role, self._spell, self._overwrite)
        of_entries = (self._add_entry, self._remove_entry, self._fill)
        of_tables = (*of_entries, self._add_table, self._remove_row, self._keep_others_out)
        between = (self._move_entry, self._move_entry, self._move_entry, self._move_out, self._swap_entries)
        tables = (*of_tables, *between) if self.most_tables else ()
        doors = (self._through_the_other_door,) * 6 if self._both_doors else ()
        self._try(stack, self._chance.choice((*often, *often, *seldom, *tables, *doors)))
        if self._happens(0.3):
            self.forget_deleted(stack)

    def fill(self, stack: str) -> None:
        """Let a table have several tokens to write, so that it may fail halfway."""
        if self.most_tables:
            self._try(stack, self._fill)

    def forget_deleted(self, stack: str) -> None:
        """Take out of a program what it has in deployments that do not exist any more."""
        program = self.of[stack]
        for name, row in list(program.items()):
            if isinstance(row, Table):
                grid = {place: tokens for place, tokens in row.grid.items() if place not in self.deleted}
                self._change_to(stack, name, grid=grid)
            if not {*program[name].deployments, *(pair.deployment for pair in row.roles)} - self.deleted:
                del program[name]

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability

    def _try(self, stack: str, change: Callable[[str], None]) -> None:
        before = dict(self.of[stack])
        change(stack)
        if not consistent(self.of[stack]):
            self.of[stack] = before

    def _add(self, stack: str) -> None:
        program = self.of[stack]
        names, pairs = self._free(stack)
        if names and pairs and len(program) < MOST_ROWS:
            pair = self._chance.choice(pairs)
            program[self._chance.choice(names)] = Row(
                token=pair.token,
                deployment=pair.deployment,
                role=self._chance.choice(ROLES),
                by_id=self._happens(0.5),
                overwrite=self._happens(0.25),
                native=self._is_native(),
            )

    def _is_native(self) -> bool:
        return self._both_doors and self._happens(0.5)

    def _through_the_other_door(self, stack: str) -> None:
        if program := self.of[stack]:
            name = self._chance.choice(list(program))
            self._change_to(stack, name, native=not program[name].native)

    def _add_table(self, stack: str) -> None:
        program = self.of[stack]
        names = [name for name in TABLE_NAMES[stack] if name not in program]
        if names and len(self.tables(stack)) < self.most_tables:
            _, pairs = self._free(stack)
            places = sorted({pair.deployment for pair in PAIRS[stack]} - self.deleted)
            some = self._chance.sample(places, min(len(places), self._chance.choice((1, 2, 2))))
            entries = [pair for pair in pairs if pair.deployment in some and self._happens(0.6)]
            program[self._chance.choice(names)] = Table(
                grid={
                    place: {pair.token: self._chance.choice(ROLES) for pair in entries if pair.deployment == place}
                    for place in some
                },
                exclusive=self._happens(0.5),
                by_id=self._happens(0.5),
                overwrite=self._happens(0.25),
                native=self._is_native(),
            )

    def _remove(self, stack: str) -> None:
        if program := self.of[stack]:
            del program[self._chance.choice(list(program))]

    def _rename(self, stack: str) -> None:
        program = self.of[stack]
        if program:
            old = self._chance.choice(list(program))
            kind = TABLE_NAMES if old in TABLE_NAMES[stack] else NAMES
            if names := [name for name in kind[stack] if name not in program]:
                program[self._chance.choice(names)] = program.pop(old)

    def _move(self, stack: str) -> None:
        program = self.of[stack]
        _, pairs = self._free(stack)
        bindings = [name for name, row in program.items() if isinstance(row, Row)]
        if bindings and pairs:
            pair, name = self._chance.choice(pairs), self._chance.choice(bindings)
            program[name] = program[name].model_copy(update={"token": pair.token, "deployment": pair.deployment})

    def _swap(self, stack: str) -> None:
        program = self.of[stack]
        if len(program) > 1:
            one, two = self._chance.sample(list(program), 2)
            if type(program[one]) is type(program[two]):
                program[one], program[two] = program[two], program[one]

    def _change_role(self, stack: str) -> None:
        program = self.of[stack]
        if program:
            name, role = self._chance.choice(list(program)), self._chance.choice(ROLES)
            row = program[name]
            if isinstance(row, Row):
                program[name] = row.model_copy(update={"role": role})
            elif row.roles:
                program[name] = row.giving(self._chance.choice(list(row.roles)), role)

    def _spell(self, stack: str) -> None:
        self._change(stack, by_id=self._happens(0.5))

    def _overwrite(self, stack: str) -> None:
        self._change(stack, overwrite=self._happens(0.5))

    def _change(self, stack: str, **fields: object) -> None:
        if program := self.of[stack]:
            self._change_to(stack, self._chance.choice(list(program)), **fields)

    def _change_to(self, stack: str, name: str, **fields: object) -> None:
        self.of[stack][name] = self.of[stack][name].model_copy(update=fields)

    def _add_entry(self, stack: str) -> None:
        _, pairs = self._free(stack)
        if pairs and (tables := self.tables(stack)):
            name, pair = self._chance.choice(list(tables)), self._chance.choice(pairs)
            self.of[stack][name] = tables[name].giving(pair, self._chance.choice(ROLES))

    def _fill(self, stack: str) -> None:
        """Give each entry of a table a role anew, and the table what is free in a deployment."""
        if tables := self.tables(stack):
            name = self._chance.choice(list(tables))
            place = self._chance.choice(sorted(tables[name].grid))
            _, pairs = self._free(stack)
            table = tables[name]
            for pair in (*table.roles, *(pair for pair in pairs if pair.deployment == place)):
                if pair.deployment not in self.deleted:
                    table = table.giving(pair, self._chance.choice(ROLES))
            self.of[stack][name] = table

    def _remove_entry(self, stack: str) -> None:
        if entries := self._entries(stack):
            name, pair = self._chance.choice(entries)
            self.of[stack][name] = self.tables(stack)[name].without(pair)

    def _remove_row(self, stack: str) -> None:
        for name, table in self.tables(stack).items():
            if len(table.grid) > 1:
                grid = dict(table.grid)
                del grid[self._chance.choice(list(grid))]
                self.of[stack][name] = table.model_copy(update={"grid": grid})
                return

    def _keep_others_out(self, stack: str) -> None:
        """Toggle `exclusive`; what others have in the deployments of the table leaves the program."""
        if tables := self.tables(stack):
            name = self._chance.choice(list(tables))
            table = tables[name].model_copy(update={"exclusive": not tables[name].exclusive})
            program = self.of[stack]
            program[name] = table
            for other, row in list(program.items()):
                if table.exclusive and isinstance(row, Row) and row.deployment in table.deployments:
                    del program[other]

    def _move_entry(self, stack: str) -> None:
        """Move what a binding or a table has to a table."""
        program, tables = self.of[stack], self.tables(stack)
        owners = [(name, pair, role) for name, row in program.items() for pair, role in row.roles.items()]
        if tables and owners:
            (source, pair, role), target = self._chance.choice(owners), self._chance.choice(list(tables))
            if source != target:
                self._take_out(stack, source, pair)
                program[target] = tables[target].giving(pair, role)

    def _move_out(self, stack: str) -> None:
        """Move an entry of a table to a binding of its own."""
        names, _ = self._free(stack)
        if names and (entries := self._entries(stack)):
            source, pair = self._chance.choice(entries)
            role, native = self.of[stack][source].roles[pair], self.of[stack][source].native
            self._take_out(stack, source, pair)
            self.of[stack][self._chance.choice(names)] = Row(
                token=pair.token,
                deployment=pair.deployment,
                role=role,
                by_id=self._happens(0.5),
                native=native,
            )

    def _swap_entries(self, stack: str) -> None:
        """Let an entry of a table and what another resource has change places."""
        program, entries = self.of[stack], self._entries(stack)
        owners = [(name, pair) for name, row in program.items() for pair in row.roles]
        if entries:
            (one, mine), (two, yours) = self._chance.choice(entries), self._chance.choice(owners)
            if one != two:
                my_role, your_role = program[one].roles[mine], program[two].roles[yours]
                program[one] = self.tables(stack)[one].without(mine).giving(yours, your_role)
                other = program[two]
                program[two] = (
                    other.without(yours).giving(mine, my_role)
                    if isinstance(other, Table)
                    else other.model_copy(update={**mine._asdict(), "role": my_role})
                )

    def _take_out(self, stack: str, name: str, pair: Pair) -> None:
        row = self.of[stack][name]
        if isinstance(row, Table):
            self.of[stack][name] = row.without(pair)
        else:
            del self.of[stack][name]

    def tables(self, stack: str) -> dict[str, Table]:
        return {name: row for name, row in self.of[stack].items() if isinstance(row, Table)}

    def _entries(self, stack: str) -> list[tuple[str, Pair]]:
        return [(name, pair) for name, table in self.tables(stack).items() for pair in table.roles]

    def _free(self, stack: str) -> tuple[list[str], list[Pair]]:
        """Names of bindings, and pairs, that the program does not use."""
        program = self.of[stack]
        used = {pair for row in program.values() for pair in row.roles}
        pairs = [pair for pair in PAIRS[stack] if pair not in used and pair.deployment not in self.deleted]
        return [name for name in NAMES[stack] if name not in program], pairs

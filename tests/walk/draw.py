"""Draws a walk from a seed: the same seed, the same steps, whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.walk.places import FOREIGN, NAMES, PAIRS, ROLES, STRANGERS, TOKENS
from tests.walk.steps import Command, ForeignEdit, HandEdit, Row, Step

FEWEST_ROWS, MOST_ROWS = 2, 5
Program = dict[str, Row]

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


class _Drawing:
    """The programs as they are at this point of a walk."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._programs: dict[str, Program] = {"ours": {}, "theirs": {}}

    def steps(self) -> Iterator[Step]:
        for _ in range(3):
            self._add("ours")
        yield self._command("ours", {"kind": "up"}, faults=False)
        while True:
            stack = "theirs" if self._happens(0.12) else "ours"
            if self._happens(0.25):
                yield self._edit(stack)
            for _ in range(self._chance.choice((0, 1, 1, 2, 2, 3))):
                self._mutate(stack)
            command = self._command(stack, self._kind(), faults=self._happens(0.25))
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
                fields[option] = tuple(self._chance.sample(NAMES[stack], self._chance.choice((1, 2, 3))))
        if faults:
            fault = self._chance.choice(self._chance.choices((FAILING, PASSING, LIES), (6, 3, 1))[0])
            fields["faults"] = ({**fault, "skip": self._chance.choice((0, 0, 0, 1, 2))},)
        return Command(stack=stack, program=dict(self._programs[stack]), checks=self._chance.choice(CHECKS), **fields)

    def _edit(self, stack: str) -> Step:
        if self._happens(0.3):
            token = self._chance.choice(TOKENS)
            strangers = self._chance.sample(STRANGERS, self._chance.randint(0, len(STRANGERS)))
            return ForeignEdit(token=token, entries=(FOREIGN[token][0], *strangers))
        used = [row.pair for row in self._programs[stack].values()]
        pair = self._chance.choice((*PAIRS[stack], *used))
        return HandEdit(token=pair.token, deployment=pair.deployment, role=self._chance.choice((None, *ROLES)))

    def _mutate(self, stack: str) -> None:
        """Change the program of a stack a little, or not at all where the change does not fit."""
        if len(self._programs[stack]) < FEWEST_ROWS:
            self._add(stack)
        often = (self._add, self._remove, self._rename, self._move)
        seldom = (self._swap, self._change_role, self._spell, self._overwrite)
        self._chance.choice((*often, *often, *seldom))(stack)

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

    def _remove(self, stack: str) -> None:
        if program := self._programs[stack]:
            del program[self._chance.choice(list(program))]

    def _rename(self, stack: str) -> None:
        program = self._programs[stack]
        names, _ = self._free(stack)
        if program and names:
            program[self._chance.choice(names)] = program.pop(self._chance.choice(list(program)))

    def _move(self, stack: str) -> None:
        program = self._programs[stack]
        _, pairs = self._free(stack)
        if program and pairs:
            pair = self._chance.choice(pairs)
            self._change(stack, token=pair.token, deployment=pair.deployment)

    def _swap(self, stack: str) -> None:
        program = self._programs[stack]
        if len(program) > 1:
            one, two = self._chance.sample(list(program), 2)
            program[one], program[two] = program[two], program[one]

    def _change_role(self, stack: str) -> None:
        self._change(stack, role=self._chance.choice(ROLES))

    def _spell(self, stack: str) -> None:
        self._change(stack, by_id=self._happens(0.5))

    def _overwrite(self, stack: str) -> None:
        self._change(stack, overwrite=self._happens(0.5))

    def _change(self, stack: str, **fields: object) -> None:
        if program := self._programs[stack]:
            name = self._chance.choice(list(program))
            program[name] = program[name].model_copy(update=fields)

    def _free(self, stack: str) -> tuple[list[str], list[Any]]:
        """Names and pairs that the program does not use."""
        program = self._programs[stack]
        used = {row.pair for row in program.values()}
        return [n for n in NAMES[stack] if n not in program], [pair for pair in PAIRS[stack] if pair not in used]

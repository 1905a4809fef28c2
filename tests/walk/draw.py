"""Draws a walk from a seed: the same seed, the same steps, whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from tests.walk.doors import Door
from tests.walk.places import DEPLOYMENTS, FOREIGN, NAMES, PAIRS, ROLES, STACKS, STRANGERS, TABLE_NAMES, TOKENS
from tests.walk.programs import Programs
from tests.walk.steps import Command, Deletion, Edit, ForeignEdit, HandEdit, Pair, Row, Step

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
# A write that is carried out and not answered, and from some read on no token can be read: whether it stands is unknown.
LOST_WRITE: dict[str, Any] = {"kind": "drop_after", "operation": WRITE, "times": 1}
NO_MORE_READS: dict[str, Any] = {"kind": "status", "status": 503, "operation": READ, "times": None}
MOST_READS_BEFORE = 4
MOST_DELETED = 1  # deployments of a walk, so that each stack has one left
TWINS = 0.1  # of the commands that check every resource
SAME_TWIN = 0.6  # of those that follow: only the next run meets two that are in the state
DELETIONS = 0.06  # of the steps
# Answers in the service's own words that are not true: the token is there, and nothing was written.
LIES: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 404, "operation": READ, "times": 1},
    {"kind": "status", "status": 404, "operation": READ, "times": None},
    {"kind": "status", "status": 404, "operation": WRITE, "times": 1},
    {"kind": "status", "status": 200, "body": {}, "operation": WRITE, "times": 1},
)


def walk(seed: int, door: Door = Door.DYNAMIC) -> Iterator[Step]:
    """The steps of a seed by a door, without end."""
    return _Drawing(random.Random(seed), door).steps()


class _Drawing:
    def __init__(self, chance: random.Random, door: Door) -> None:
        self._chance = chance
        self._programs = Programs(chance, both_doors=door is Door.BOTH)
        self._twin = ""

    def steps(self) -> Iterator[Step]:
        yield self._command("ours", {"kind": "up"}, faults=False)
        while True:
            stack = "theirs" if self._happens(0.12) else "ours"
            if len(self._programs.deleted) < MOST_DELETED and self._happens(DELETIONS):
                yield self._deletion()
            if self._happens(0.3):
                yield self._edit(stack)
            for _ in range(self._chance.choice((0, 1, 1, 2, 2, 3))):
                self._programs.mutate(stack)
            faults = self._happens(0.25)
            if faults:
                self._programs.fill(stack)
            kind = {"kind": "up"} if faults and self._happens(0.5) else self._kind()
            command = self._command(stack, kind, faults=faults)
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
                names = (*NAMES[stack], *(TABLE_NAMES[stack] if self._programs.most_tables else ()))
                fields[option] = tuple(self._chance.sample(names, self._chance.choice((1, 2, 3))))
        if faults and self._happens(0.4):
            before = self._chance.randint(1, MOST_READS_BEFORE)
            fields["faults"] = (LOST_WRITE, {**NO_MORE_READS, "skip": before})
        elif faults:
            weights = (6, 3, 1, 6 if self._programs.most_tables else 0)
            fault = self._chance.choice(self._chance.choices((FAILING, PASSING, LIES, HALFWAY), weights)[0])
            fields["faults"] = ({"skip": self._chance.choice((0, 0, 0, 1, 2)), **fault},)
        program, checks = dict(self._programs.of[stack]), self._chance.choice(CHECKS)
        if fields["kind"] in ("up", "preview") and not fields.keys() & {"targets", "replace"}:
            fields |= self._with_a_twin([name for name, row in program.items() if isinstance(row, Row)])
        return Command(stack=stack, program=program, checks=checks, **fields)

    def _with_a_twin(self, singles: Sequence[str]) -> dict[str, Any]:
        if self._twin not in singles or not self._happens(SAME_TWIN):
            self._twin = self._chance.choice(singles) if singles and self._happens(TWINS) else ""
        return {"twin": self._twin, "twin_first": self._happens(0.7)} if self._twin else {}

    def _deletion(self) -> Edit:
        """Delete a deployment, which the programs forget at once, or by and by."""
        place = self._chance.choice([one for one in DEPLOYMENTS if one not in self._programs.deleted])
        self._programs.deleted.add(place)
        if self._happens(0.4):
            for stack in STACKS:
                self._programs.forget_deleted(stack)
        return Deletion(deployment=place)

    def _edit(self, stack: str) -> Edit:
        if self._happens(0.3):
            token = self._chance.choice(TOKENS)
            strangers = self._chance.sample(STRANGERS, self._chance.randint(0, len(STRANGERS)))
            return ForeignEdit(token=token, entries=(FOREIGN[token][0], *strangers))
        tables = [table for table in self._programs.tables(stack).values() if table.exclusive]
        if tables and self._happens(0.6):  # somebody comes whom the table keeps out
            table = self._chance.choice(tables)
            there = table.deployments - self._programs.deleted
            kept_out = sorted({Pair(*one) for one in product(TOKENS, there)} - table.roles.keys())
            if kept_out:
                pair = self._chance.choice(kept_out)
                return HandEdit(token=pair.token, deployment=pair.deployment, role=self._chance.choice(ROLES))
        used = [pair for row in self._programs.of[stack].values() for pair in row.roles]
        living = [pair for pair in (*PAIRS[stack], *used) if pair.deployment not in self._programs.deleted]
        pair = self._chance.choice(living)
        return HandEdit(token=pair.token, deployment=pair.deployment, role=self._chance.choice((None, *ROLES)))

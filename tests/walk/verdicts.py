"""Holds what came against what was expected, and says each difference in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.support.stack import Outcome
from tests.walk.model import Expected, Verdict
from tests.walk.snapshot import UNFINISHED, Held, Snapshot
from tests.walk.steps import Command, Pair

TOLD = ("create", "update", "replace", "delete")


def complaints(
    command: Command, expected: Expected, before: Snapshot, outcome: Outcome, after: Snapshot
) -> Iterator[str]:
    """Everything that is not as it has to be after a command; nothing: all is well."""
    yield from _others(command, before, after)
    if outcome.failed:
        if expected.verdict is Verdict.SUCCEEDS:
            yield f"it failed, but {expected.verdict.value}: {outcome.errors or outcome.problems or outcome.lines[-12:]}"
        if not (outcome.errors or outcome.problems):
            yield f"it failed without an error of this package: {outcome.lines[-12:]}"
        yield from _after_an_error(command, expected, before, after)
        return
    if expected.verdict is Verdict.FAILS:
        yield f"it succeeded, but {expected.verdict.value}"
    steps = frozenset(step for step in outcome.steps if step.split()[0] in TOLD and not step.endswith(" default"))
    if expected.steps is not None and steps != expected.steps:
        yield f"it told {sorted(steps)}, but {sorted(expected.steps)} was to be done"
    for pair in sorted({*expected.roles, *after.entries}):
        role, wanted = after.role(pair), expected.roles.get(pair)
        if role != wanted and not (role is None and pair in expected.lost):
            yield f"the service shows {role} for {pair}, but {wanted} was expected (it was {before.role(pair)})"
    state = after.states[command.stack]
    for name in sorted({*expected.state, *state}):
        if (held := state.get(name)) != (wanted_row := expected.state.get(name)):
            yield f"the state holds {held} as {name}, but {wanted_row} was expected"


def _others(command: Command, before: Snapshot, after: Snapshot) -> Iterator[str]:
    """What is nobody's business of this command."""
    if before.foreign != after.foreign:
        yield f"foreign entries were {dict(before.foreign)} and are {dict(after.foreign)}"
    if before.rest != after.rest:
        yield "something of the service changed that no command may touch"
    other = "theirs" if command.stack == "ours" else "ours"
    if before.states[other] != after.states[other]:
        yield f"the state of {other} changed"
    touched = {
        pair for one in (*command.declared.values(), *before.states[command.stack].values()) for pair in one.roles
    }
    exclusive = [row.deployments for row in command.program.values() if "exclusive" in row.options]
    for pair in sorted({*before.entries, *after.entries} - touched):
        if any(pair.deployment in deployments for deployments in exclusive):
            continue
        if before.entries.get(pair) != after.entries.get(pair):
            yield f"{pair} is not of this stack, was {before.entries.get(pair)} and is {after.entries.get(pair)}"
    yield from (f"the state keeps {held} as {name} for a later delete" for name, held in after.doomed[command.stack])


def _after_an_error(command: Command, expected: Expected, before: Snapshot, after: Snapshot) -> Iterator[str]:
    for pair in sorted({*before.entries, *after.entries}):
        allowed = expected.possible_roles.get(pair, frozenset({before.role(pair)}))
        if after.role(pair) not in allowed:
            yield f"after the error the service shows {after.role(pair)} for {pair}, but it may only show {_any(allowed)}"
    yield from _state_after_an_error(command, expected, before, after)


def _state_after_an_error(command: Command, expected: Expected, before: Snapshot, after: Snapshot) -> Iterator[str]:
    was, state = before.states[command.stack], after.states[command.stack]
    for name in sorted({*was, *state}):
        held, possible = state.get(name), expected.possible_rows.get(name, frozenset({was.get(name)}))
        if held not in possible and not (held and _may_be_unfinished(held, possible)):
            yield f"after the error the state holds {held} as {name}, but may only hold {_any(possible)}"
        written = expected.written.get(name, {})
        if held is None or held == was.get(name) or held.gone or not written.items() <= held.roles.items():
            continue
        for pair, role in written.items():
            if after.role(pair) != role:
                yield f"after the error the state tells {held} as {name}, but the service shows {after.role(pair)} for {pair}"
    yield from _forgotten(expected, before, after, was, state)


def _forgotten(
    expected: Expected, before: Snapshot, after: Snapshot, was: Mapping[str, Held], state: Mapping[str, Held]
) -> Iterator[str]:
    """What the service shows and the state does not have, although it had it before, or one resource has written it."""
    told = {pair: role for held in state.values() if not held.gone for pair, role in held.roles.items()}
    for pair in sorted(expected.accounted):
        if after.role(pair) != before.role(pair) and told.get(pair) not in (after.role(pair), UNFINISHED):
            yield f"after the error the service shows {after.role(pair)} for {pair}, but the state tells {told.get(pair)}"
    for pair in sorted(_living(was) - _living(state)):
        if after.role(pair) is not None:
            yield f"after the error the state has forgotten {pair}, but the service shows {after.role(pair)}"


def _may_be_unfinished(held: Held, possible: frozenset[Held | None]) -> bool:
    """Whether a table in the state tells that a role is not known, and nothing of which it cannot be so."""
    not_known = {pair for pair, role in held.roles.items() if role == UNFINISHED}
    pairs = {pair for one in possible if one for pair in one.roles}
    known = held.entries - {(pair, UNFINISHED) for pair in not_known}
    return bool(not_known) and not_known <= pairs and any(known <= (one.entries if one else set()) for one in possible)


def _living(state: Mapping[str, Held]) -> set[Pair]:
    return {pair for held in state.values() if not held.gone for pair in held.roles}


def _any(allowed: frozenset[object]) -> str:
    return " or ".join(sorted(str(one) for one in allowed))

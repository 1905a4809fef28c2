"""The steps of a digest that are about our resources, as grants before and after.

    op                                 before                  after
    ---------------------------------  ----------------------  -----------------------------------
    create                             -                       what the program asks for
    update                             what the state has,     what the program asks for
                                       and what `removes` has
    replace                            what the state has      what the program asks for
    delete                             what the state has      -, unless the resource is retained
    same                               what the state has      the same
    import                             -                       what is there already
    refresh, in a digest of a preview  only compared with what the state has after the refresh
    refresh, update, delete, in a      what the state          what Astro shows
    digest of a refresh                recorded

A digest does not say of which command it is. A refresh looks at each resource once, and an update in it carries
outputs, which nothing has that is yet to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from astro_provider.access.model import Grant, Subject, access, completed, same_role, seen
from astro_provider.access.resources import MANY, OURS, grants, removed

IN_A_REFRESH = frozenset(("refresh", "update", "delete"))

Step = Mapping[str, Any]


@dataclass
class Steps:
    """What the steps tell.

    Attributes:
        is_refresh: nothing will be written.
        before: the grants before the run.
        after: the grants after it.
        drifted: subjects whose grant somebody changed or took away since the state was written.
        gaps: subjects that a replacement takes the role from before it gives one.
        imported: grants that are there and are read into the state.
        retained: how many grants stay although their resources are deleted.
    """

    is_refresh: bool
    before: dict[Subject, Grant] = field(default_factory=dict)
    after: dict[Subject, Grant] = field(default_factory=dict)
    drifted: set[Subject] = field(default_factory=set)
    gaps: set[Subject] = field(default_factory=set)
    imported: list[Grant] = field(default_factory=list)
    retained: int = 0


class _Sides(NamedTuple):
    """What one step has before and after it, and what the state recorded before a refresh."""

    before: Sequence[Grant] = ()
    after: Sequence[Grant] = ()
    recorded: Sequence[Grant] = ()


def read_steps(steps: Sequence[Step]) -> Steps:
    """Read the steps.

    Raises:
        Incomprehensible: a state of one of our types is not what it should be.
    """
    found = Steps(is_refresh(steps))
    ours = [step for step in steps if type_of(step) in OURS]
    replaced = {step["urn"] for step in ours if step["op"] == "replace"}
    sides = [_sides(step, replaced, is_refresh=found.is_refresh) for step in ours]
    before, after, recorded = ([grant for side in sides for grant in side[which]] for which in range(3))
    everything = [*before, *after, *recorded]
    found.before = access(completed(before, everything))
    found.after = access(completed(after, everything))
    found.drifted = _drifted(found.before, completed(recorded, everything))
    found.gaps = {grant.subject for grant in completed(_in_gaps(ours), everything)}
    found.gaps |= {grant.subject for grant in completed(_leaving(ours), everything)} & found.after.keys()
    found.imported = [grant for step in ours if step["op"] == "import" for grant in _asked(step)]
    if not found.is_refresh:
        found.retained = sum(grant.retained for step in ours if step["op"] == "delete" for grant in _had(step))
    return found


def type_of(step: Step) -> str:
    """The type of the resource that a step is about."""
    return str((step.get("newState") or step.get("oldState") or {}).get("type", ""))


def is_refresh(steps: Sequence[Step]) -> bool:
    """Tell whether the digest is of a refresh."""
    refreshed = {step["urn"] for step in steps if step["op"] == "refresh"}
    others = [step for step in steps if step["op"] != "refresh"]
    live = any(step["op"] == "update" and "outputs" in (step.get("newState") or {}) for step in others)
    return (
        bool(refreshed or live)
        and all(step["op"] in IN_A_REFRESH for step in others)
        and not any(step["urn"] in refreshed for step in others)
    )


def _sides(step: Step, replaced: set[str], *, is_refresh: bool) -> _Sides:
    op = step["op"]
    if op == "delete-replaced" and step["urn"] not in replaced:
        op = "delete"  # what an earlier run has replaced and could not delete
    if op == "same":
        return _Sides(_kept(step), _kept(step))
    if op == "refresh":
        if not is_refresh:
            return _Sides(recorded=_kept(step))
        return _Sides(_kept(step), _kept(step) if _is_as_recorded(step) else _asked(step))
    if op in ("update", "replace"):
        return _Sides([*_taken_from_others(step), *_had(step)], _asked(step))
    if op == "delete":
        had = _had(step)
        return _Sides(had, () if is_refresh else [grant for grant in had if grant.retained])
    return _Sides(_taken_from_others(step), _asked(step)) if op in ("create", "import") else _Sides()


def _had(step: Step) -> list[Grant]:
    state = step.get("oldState") or {}
    return grants(state, state.get("outputs") or state.get("inputs") or {}, moment="before")


def _asked(step: Step) -> list[Grant]:
    """What there will be: the inputs, or what Astro shows if the engine has read it."""
    state = step.get("newState") or {}
    found = grants(state, state.get("outputs") or state.get("inputs") or {}, moment="after")
    changed = step.get("detailedDiff")
    if step["op"] == "update" and changed and not any(name.startswith("role") for name in changed):
        # The engine says which properties change; a secret role that is not among them stays what it is.
        had = {grant.subject: grant for grant in _had(step)}
        return [had.get(grant.subject, grant) if not seen(grant.role) else grant for grant in found]
    return found


def _taken_from_others(step: Step) -> list[Grant]:
    """What an exclusive set of bindings takes from tokens that are not in it."""
    state = step.get("newState") or {}
    return removed(state, state.get("inputs") or {}, moment="before")


def _leaving(ours: Iterable[Step]) -> Iterable[Grant]:
    """Yield what leaves a set of bindings that stays: if another resource gives it, that may come afterwards."""
    for step in ours:
        if step["op"] == "update" and type_of(step) in MANY and not is_refresh([step]):
            stays = {grant.subject for grant in _asked(step)}
            yield from (grant for grant in _had(step) if grant.subject not in stays)


def _kept(step: Step) -> list[Grant]:
    """What a resource has that stays; nothing for one that is not made, because the run is aimed at others."""
    if not any((step.get(which) or {}).get("id") for which in ("oldState", "newState")):
        return []
    return _had(step) if step.get("oldState") else _asked(step)


def _is_as_recorded(step: Step) -> bool:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    return bool(old.get("outputs") == new.get("outputs"))


def _drifted(live: Mapping[Subject, Grant], recorded: Iterable[Grant]) -> set[Subject]:
    """Find what a refresh before the preview found to be other than the state said."""
    found = set()
    for grant in recorded:
        now = live.get(grant.subject)
        if now is None or (seen(now.role) and seen(grant.role) and not same_role(now.role, grant.role)):
            found.add(grant.subject)
    return found


def _in_gaps(ours: Iterable[Step]) -> Iterable[Grant]:
    """Yield what a replacement takes away, and what it gives afterwards."""
    taken: dict[str, Step] = {}
    for step in ours:
        if step["op"] == "delete-replaced":
            taken[step["urn"]] = step
        elif step["op"] == "create-replacement" and step["urn"] in taken:
            yield from (*_had(taken[step["urn"]]), *_asked(step))

"""The steps of a digest that are about our resources, and the effect of each on the roles in Astro.

    op                                 takes or releases       gives or keeps
    ---------------------------------  ----------------------  ------------------------------------------
    create                             what `removes` has      gives what the program asks for
    update                             what leaves a table,    gives what differs from the state, keeps
                                       and what `removes` has  the rest
    replace                            what the state has      gives what the program asks for
    delete, and a delete-replaced      what the state has      -
    that an earlier run left behind
    same                               -                       keeps what the state has
    import                             -                       adopts what the program asks for
    read, of what the stack managed    releases it             -
    refresh, in a digest of a preview  only compared with what the state has after the refresh
    refresh, update, delete, in a      nothing is written: from what the state recorded to what Astro
    digest of a refresh                shows

For some of these steps the engine calls no provider. The role then stays in Astro without a resource (it is
*released*), or never was the resource's:

    in the state                       at a delete or a replacement
    ---------------------------------  ------------------------------------------------------------------
    `retainOnDelete`                   released
    `deletedWith` a resource that      released if that is a binding or a table; otherwise it may be the
    goes in this run                   token or the deployment, and the role may go with it
    `external` (read by `.get`)        nothing
    `pendingReplacement`               nothing: an earlier run has deleted it
    `delete`                           an earlier run has replaced it and could not delete it; it goes now

A digest does not name its command. It is a refresh if each resource appears once and nothing is to be written: an update
then has outputs, which a preview's update cannot have before its write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Any

from astro_provider.access.model import Grant, Unseen, seen
from astro_provider.access.resources import OURS, grants, removed, vaguely_removed

IN_A_REFRESH = frozenset(("refresh", "update", "delete"))

Step = Mapping[str, Any]


class Does(Enum):
    """The effect of a part on the roles of `Part.had`, or, if it gives some, on those that `Part.asked` does not repeat."""

    GIVES = auto()
    ADOPTS = auto()
    KEEPS = auto()
    TAKES = auto()
    MAY_TAKE = auto()
    RELEASES = auto()
    SHOWS = auto()


@dataclass(frozen=True)
class Part:
    """One effect of a step."""

    does: Does
    had: Sequence[Grant] = ()  # the grants in the state; of a refresh, those that it recorded
    asked: Sequence[Grant] = ()  # the grants afterwards; of a refresh, those that Astro shows
    is_update: bool = False  # a grant that is in both `had` and `asked` with the same role is not written
    is_live: bool = False  # `had` was read from Astro in the same run: the run refreshes, or a check has read it
    is_stack: bool = True  # `had` is in the state of this stack; False: an exclusive table takes it from other owners
    # The engine asks the provider about the resource, whose check then protects its binding from another resource's
    # delete; None: the digest does not show whether the run targets other resources only.
    is_checked: bool | None = True


@dataclass
class Steps:
    """All effects of the steps of one digest."""

    is_refresh: bool  # nothing will be written
    parts: list[Part] = field(default_factory=list)
    # The grants that the state recorded before the refresh of a preview.
    recorded: list[Grant] = field(default_factory=list)
    in_gaps: list[Grant] = field(default_factory=list)  # the grants that a replacement first takes away and then gives


def read_steps(steps: Sequence[Step]) -> Steps:
    """Return the effects of the steps.

    Raises:
        Incomprehensible: a state of one of our types is not what it should be.
    """
    ours = [step for step in steps if type_of(step) in OURS]
    if is_refresh(steps):
        return Steps(is_refresh=True, parts=[_shown(step) for step in ours])
    run = _Run(steps)
    return Steps(
        is_refresh=False,
        parts=[part for step in ours for part in run.parts(step)],
        recorded=[
            grant
            for step in ours
            # Of these, Astro has the role, and the resource gave it.
            if step["op"] == "refresh" and not (_old(step).get("external") or _old(step).get("pendingReplacement"))
            for grant in _had(step)
        ],
        in_gaps=list(_in_gaps(ours)),
    )


def type_of(step: Step) -> str:
    """Return the type of the resource that a step is about."""
    return str((step.get("newState") or step.get("oldState") or {}).get("type", ""))


def is_refresh(steps: Sequence[Step]) -> bool:
    """Return whether the digest is of a refresh."""
    refreshed = {step["urn"] for step in steps if step["op"] == "refresh"}
    others = [step for step in steps if step["op"] != "refresh"]
    live = any(step["op"] == "update" and "outputs" in _new(step) for step in others)
    return (
        bool(refreshed or live)
        and all(step["op"] in IN_A_REFRESH for step in others)
        and not any(step["urn"] in refreshed for step in others)
    )


class _Run:
    """The steps of a preview: the effect of one may depend on the others."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    @cached_property
    def _refreshed(self) -> set[str]:
        """The URNs of the resources that the run refreshes: its targets."""
        return {step["urn"] for step in self._steps if step["op"] == "refresh"}

    @cached_property
    def _shows_replacements(self) -> bool:
        return any(step["op"] in ("create-replacement", "delete-replaced") for step in self._steps)

    @cached_property
    def _in_the_end(self) -> dict[str, str]:
        """The types, by URN, of the resources deleted after the program has ended; the engine plans them together."""
        return {
            step["urn"]: type_of(step)
            for step in self._steps
            if step["op"] == "delete" or (step["op"] == "delete-replaced" and _old(step).get("delete"))
        }

    @cached_property
    def _left_behind(self) -> list[Step]:
        """The steps about resources that an earlier run has replaced and could not delete."""
        if not self._shows_replacements:
            return [step for step in self._steps if step["op"] == "refresh" and _new(step).get("delete")]
        # A delete-replaced belongs to the replace of its resource and id; one beyond those is of an earlier run.
        replaced = Counter(_urn_and_id(step) for step in self._steps if step["op"] == "replace")
        found = []
        for step in self._steps:
            if step["op"] == "delete-replaced":
                if replaced[_urn_and_id(step)] > 0:
                    replaced[_urn_and_id(step)] -= 1
                else:
                    found.append(step)
        return found

    def parts(self, step: Step) -> Iterator[Part]:
        """Yield the effects of one step, by the table at the top."""
        op = step["op"]
        # First, because such a step may have any op, a refresh too.
        if any(step is one for one in self._left_behind):
            yield from self._deleted(step)
        elif op == "same":
            live = self._is_live(step)
            yield Part(Does.KEEPS, _kept(step), is_live=live, is_checked=live if self._refreshed else None)
        elif op == "update":
            yield Part(Does.GIVES, _had(step), _asked(step), is_update=True, is_live=self._is_live(step))
        elif op == "replace":
            yield from self._replaced(step)
        elif op == "delete":
            yield from self._deleted(step)
        elif op == "read" and not _old(step).get("external"):
            yield Part(Does.RELEASES, _had(step), is_live=self._is_live(step))
        elif op in ("create", "import"):
            yield Part(Does.GIVES if op == "create" else Does.ADOPTS, (), _asked(step))
        if op in ("create", "update", "replace", "import"):
            yield from _taken_from_others(step)

    def _replaced(self, step: Step) -> Iterator[Part]:
        # A resource that is only read, before or afterwards, neither takes nor gives.
        if not _old(step).get("external"):
            earlier = self._was_deleted_earlier(step)
            if not earlier:
                does = Does.MAY_TAKE if earlier is None else self._fate(step)
                yield Part(does, _had(step), is_live=self._is_live(step))
        if not _new(step).get("external"):
            yield Part(Does.GIVES, (), _asked(step))

    def _was_deleted_earlier(self, step: Step) -> bool | None:
        """Return whether an earlier run has deleted the resource that this step replaces; None: the digest hides it."""
        if not _old(step).get("pendingReplacement"):
            return False
        # The engine sets this mark also in the run that deletes, so the mark alone does not decide.
        if self._shows_replacements:
            return not any(
                one["op"] == "delete-replaced" and _urn_and_id(one) == _urn_and_id(step) for one in self._steps
            )
        # A refresh has the state from before the run: a mark there is of an earlier one.
        found = [one for one in self._steps if one["op"] == "refresh" and one["urn"] == step["urn"]]
        return any(_old(one).get("pendingReplacement") for one in found) if found else None

    def _deleted(self, step: Step) -> Iterator[Part]:
        if not _old(step).get("external"):
            yield Part(self._fate(step), _had(step), is_live=self._is_live(step))

    def _fate(self, step: Step) -> Does:
        """Return the effect of a delete, or of the delete of a replacement, on the role."""
        state = _old(step)
        if state.get("retainOnDelete") is True:
            return Does.RELEASES
        # `deletedWith` counts only if the other resource was in the state before the run.
        other = state.get("deletedWith")
        if not isinstance(other, str) or not any(_old(one) and one["urn"] == other for one in self._steps):
            return Does.TAKES
        if step["op"] == "delete" or state.get("delete"):
            # Both go at the end: the engine then calls no provider for this one.
            if other in self._in_the_end:
                return Does.RELEASES if self._in_the_end[other] in OURS else Does.MAY_TAKE
            # If the other is replaced, or the digest hides whether it is, this delete may be skipped.
            deleted = any(one["urn"] == other and one["op"] == "delete-replaced" for one in self._steps)
            return Does.MAY_TAKE if deleted or not self._shows_replacements else Does.TAKES
        # A replacement deletes before the end of the run; if the other goes there, this delete may be skipped.
        return Does.MAY_TAKE if other in self._in_the_end else Does.TAKES

    def _is_live(self, step: Step) -> bool:
        # With an alias, the refresh is under the old URN.
        return bool(self._refreshed & {step["urn"], _old(step).get("urn")})


def _shown(step: Step) -> Part:
    """Return what a step of a refresh shows."""
    if step["op"] == "delete" or not _new(step):
        return Part(Does.SHOWS, _had(step))
    # In equal outputs a secret role is the same role; two hidden roles of two moments would count as different.
    as_recorded = _old(step).get("outputs") == _new(step).get("outputs")
    return Part(Does.SHOWS, _had(step), _had(step) if as_recorded else _asked(step))


def _old(step: Step) -> Mapping[str, Any]:
    return step.get("oldState") or {}


def _new(step: Step) -> Mapping[str, Any]:
    return step.get("newState") or {}


def _urn_and_id(step: Step) -> tuple[str, Any]:
    return step["urn"], _old(step).get("id")


def _had(step: Step) -> list[Grant]:
    return grants(_old(step), moment="before") if _old(step) else []


def _asked(step: Step) -> list[Grant]:
    """Return the grants afterwards: those of the inputs, or of Astro if the engine has read it."""
    found = grants(_new(step), moment="after")
    changed = step.get("detailedDiff")
    if step["op"] == "update" and changed and not any(name.startswith("role") for name in changed):
        # The engine lists the properties that change; a secret role that is not among them stays the same.
        had = {grant.subject: grant for grant in _had(step)}
        return [had.get(grant.subject, grant) if not seen(grant.role) else grant for grant in found]
    return found


def _taken_from_others(step: Step) -> Iterator[Part]:
    """Yield the roles that an exclusive table takes from tokens outside it, and those that it may take."""
    rows = removed(_new(step), moment="before")
    certain = [one for one in rows if not isinstance(one.role, Unseen)]
    yield Part(Does.TAKES, certain, is_live=True, is_stack=False)
    # A row whose role is unknown is of a token that may turn out to be in the table.
    vague = [*(one for one in rows if one not in certain), *vaguely_removed(_new(step), moment="before")]
    yield Part(Does.MAY_TAKE, vague, is_stack=False)


def _kept(step: Step) -> list[Grant]:
    """Return the grants of a resource that stays; none if it does not exist because the run targets others."""
    if not any(state.get("id") for state in (_old(step), _new(step))):
        return []
    return _had(step) if _old(step) else _asked(step)


def _in_gaps(ours: Iterable[Step]) -> Iterator[Grant]:
    """Yield the grants of each replacement that deletes before it creates: the engine shows the two in their order."""
    taken: dict[str, Step] = {}
    for step in ours:
        if step["op"] == "delete-replaced" and not _old(step).get("retainOnDelete"):
            taken[step["urn"]] = step
        elif step["op"] == "create-replacement" and step["urn"] in taken:
            yield from (*_had(taken[step["urn"]]), *_asked(step))

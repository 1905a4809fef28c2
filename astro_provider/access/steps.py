"""The steps of a digest that are about our resources: what each of them does to the roles in Astro.

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

The engine calls no provider for some of these steps, and the role then stays in Astro without a resource (it is
*released*), or was never the resource's:

    in the state                       what happens at a delete or a replacement
    ---------------------------------  ------------------------------------------------------------------
    `retainOnDelete`                   released
    `deletedWith` a resource that      released if that is a binding or a table; else it may be the token
    goes in this run                   or the deployment, and the role may go with it
    `external` (read by `.get`)        nothing
    `pendingReplacement`               nothing: an earlier run has deleted it
    `delete`                           an earlier run has replaced it and could not delete it; it goes now

A digest does not say of which command it is. A refresh looks at each resource once, and an update in it carries
outputs, which nothing has that is yet to be written.
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
    """What a step does to the roles of `Part.had`, or, if it gives some, to what `Part.asked` does not repeat."""

    GIVES = auto()
    ADOPTS = auto()
    KEEPS = auto()
    TAKES = auto()
    MAY_TAKE = auto()
    RELEASES = auto()
    SHOWS = auto()


@dataclass(frozen=True)
class Part:
    """One thing that a step does.

    Attributes:
        does: what it does.
        had: what the state has; of a refresh, what it recorded.
        asked: what there will be; of a refresh, what Astro shows.
        is_update: what is in both `had` and `asked` with the same role is not written.
        is_live: `had` was read from Astro in the same run, because the run refreshes, or because a check has read it.
        is_stack: `had` is in the state of this stack; False for what an exclusive table takes from others.
        is_checked: the provider is asked about the resource, and so spares its binding from the delete of another
            resource; None: the digest does not show whether the run is aimed at others.
    """

    does: Does
    had: Sequence[Grant] = ()
    asked: Sequence[Grant] = ()
    is_update: bool = False
    is_live: bool = False
    is_stack: bool = True
    is_checked: bool | None = True


@dataclass
class Steps:
    """What the steps tell.

    Attributes:
        is_refresh: nothing will be written.
        parts: what they do.
        recorded: what the state recorded before the refresh of a preview.
        in_gaps: what a replacement takes the role from before it gives one.
    """

    is_refresh: bool
    parts: list[Part] = field(default_factory=list)
    recorded: list[Grant] = field(default_factory=list)
    in_gaps: list[Grant] = field(default_factory=list)


def read_steps(steps: Sequence[Step]) -> Steps:
    """Read the steps.

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
        recorded=[grant for step in ours if step["op"] == "refresh" and _is_managed(step) for grant in _had(step)],
        in_gaps=list(_in_gaps(ours)),
    )


def type_of(step: Step) -> str:
    """The type of the resource that a step is about."""
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
    """The steps of a preview, for what one of them must know of the others."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    @cached_property
    def _refreshed(self) -> set[str]:
        """The URNs of the resources that the run refreshes: those that it is aimed at."""
        return {step["urn"] for step in self._steps if step["op"] == "refresh"}

    @cached_property
    def _shows_replacements(self) -> bool:
        return any(step["op"] in ("create-replacement", "delete-replaced") for step in self._steps)

    @cached_property
    def _in_the_end(self) -> dict[str, str]:
        """The types, by URN, of what is deleted after the program has ended: the engine plans these deletes together."""
        return {
            step["urn"]: type_of(step)
            for step in self._steps
            if step["op"] == "delete" or (step["op"] == "delete-replaced" and _old(step).get("delete"))
        }

    @cached_property
    def _left_behind(self) -> list[Step]:
        """The steps about what an earlier run has replaced and could not delete."""
        if not self._shows_replacements:
            return [step for step in self._steps if step["op"] == "refresh" and _new(step).get("delete")]
        replaced = Counter((step["urn"], _old(step).get("id")) for step in self._steps if step["op"] == "replace")
        found = []
        for step in self._steps:
            if step["op"] == "delete-replaced":
                which = (step["urn"], _old(step).get("id"))
                if replaced[which] > 0:
                    replaced[which] -= 1
                else:
                    found.append(step)
        return found

    def parts(self, step: Step) -> Iterator[Part]:
        op = step["op"]
        if any(step is one for one in self._left_behind):
            yield from self._deleted(step)
        elif op == "same":
            yield Part(Does.KEEPS, _kept(step), is_live=self._is_live(step), is_checked=self._is_checked(step))
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
        if not _old(step).get("external"):
            earlier = self._was_deleted_earlier(step)
            if not earlier:
                does = Does.MAY_TAKE if earlier is None else self._fate(step)
                yield Part(does, _had(step), is_live=self._is_live(step))
        if not _new(step).get("external"):
            yield Part(Does.GIVES, (), _asked(step))

    def _was_deleted_earlier(self, step: Step) -> bool | None:
        """Return whether an earlier run has deleted what this step replaces; None: the digest does not show it.

        The engine marks what it deletes before a replacement also in the run in which it does so.
        """
        if not _old(step).get("pendingReplacement"):
            return False
        which = (step["urn"], _old(step).get("id"))
        if self._shows_replacements:
            return not any(
                one["op"] == "delete-replaced" and (one["urn"], _old(one).get("id")) == which for one in self._steps
            )
        found = [one for one in self._steps if one["op"] == "refresh" and one["urn"] == step["urn"]]
        return any(_old(one).get("pendingReplacement") for one in found) if found else None

    def _deleted(self, step: Step) -> Iterator[Part]:
        if not _old(step).get("external"):
            yield Part(self._fate(step), _had(step), is_live=self._is_live(step))

    def _fate(self, step: Step) -> Does:
        """What a delete, or the delete of a replacement, does to the role."""
        state = _old(step)
        if state.get("retainOnDelete") is True:
            return Does.RELEASES
        other = state.get("deletedWith")
        if not isinstance(other, str) or not any(_old(one) and one["urn"] == other for one in self._steps):
            return Does.TAKES
        if step["op"] == "delete" or state.get("delete"):
            if other in self._in_the_end:
                return Does.RELEASES if self._in_the_end[other] in OURS else Does.MAY_TAKE
            deleted = any(one["urn"] == other and one["op"] == "delete-replaced" for one in self._steps)
            return Does.MAY_TAKE if deleted or not self._shows_replacements else Does.TAKES
        return Does.MAY_TAKE if other in self._in_the_end else Does.TAKES

    def _is_live(self, step: Step) -> bool:
        return bool(self._refreshed & {step["urn"], _old(step).get("urn")})

    def _is_checked(self, step: Step) -> bool | None:
        return self._is_live(step) if self._refreshed else None


def _shown(step: Step) -> Part:
    """What a step of a refresh shows."""
    if step["op"] == "delete" or not _new(step):
        return Part(Does.SHOWS, _had(step))
    as_recorded = _old(step).get("outputs") == _new(step).get("outputs")
    return Part(Does.SHOWS, _had(step), _had(step) if as_recorded else _asked(step))


def _is_managed(step: Step) -> bool:
    """Return whether the state of a resource says that Astro has its role, and that the resource gave it."""
    return not (_old(step).get("external") or _old(step).get("pendingReplacement"))


def _old(step: Step) -> Mapping[str, Any]:
    return step.get("oldState") or {}


def _new(step: Step) -> Mapping[str, Any]:
    return step.get("newState") or {}


def _had(step: Step) -> list[Grant]:
    state = _old(step)
    return grants(state, state.get("outputs") or state.get("inputs") or {}, moment="before") if state else []


def _asked(step: Step) -> list[Grant]:
    """What there will be: the inputs, or what Astro shows if the engine has read it."""
    state = _new(step)
    found = grants(state, state.get("outputs") or state.get("inputs") or {}, moment="after")
    changed = step.get("detailedDiff")
    if step["op"] == "update" and changed and not any(name.startswith("role") for name in changed):
        # The engine says which properties change; a secret role that is not among them stays what it is.
        had = {grant.subject: grant for grant in _had(step)}
        return [had.get(grant.subject, grant) if not seen(grant.role) else grant for grant in found]
    return found


def _taken_from_others(step: Step) -> Iterator[Part]:
    """Yield what an exclusive table takes from tokens that are not in it, and what it may take.

    A row of `removes` whose role is unknown is of a token that may turn out to be one of the table.
    """
    state, inputs = _new(step), _new(step).get("inputs") or {}
    rows = removed(state, inputs, moment="before")
    certain = [one for one in rows if not isinstance(one.role, Unseen)]
    yield Part(Does.TAKES, certain, is_live=True, is_stack=False)
    vague = [*(one for one in rows if one not in certain), *vaguely_removed(state, inputs, moment="before")]
    yield Part(Does.MAY_TAKE, vague, is_stack=False)


def _kept(step: Step) -> list[Grant]:
    """What a resource has that stays; nothing for one that is not made, because the run is aimed at others."""
    if not any(state.get("id") for state in (_old(step), _new(step))):
        return []
    return _had(step) if _old(step) else _asked(step)


def _in_gaps(ours: Iterable[Step]) -> Iterator[Grant]:
    """Yield what a replacement takes away and what it gives afterwards, and what leaves a table that stays.

    If another resource gives what leaves a table, that may come afterwards.
    """
    taken: dict[str, Step] = {}
    for step in ours:
        if step["op"] == "delete-replaced" and not _old(step).get("retainOnDelete"):
            taken[step["urn"]] = step
        elif step["op"] == "create-replacement" and step["urn"] in taken:
            yield from (*_had(taken[step["urn"]]), *_asked(step))

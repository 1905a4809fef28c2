"""Computes what a run will have changed in Astro, from the steps of its digest and the present roles of the tokens.

A role before the run is what Astro shows, or, if Astro was not asked, what the state says; for a binding that is new to
the stack the state says nothing, so the role before is not known. A role after the run follows from the steps:

    steps about one token and deployment      role afterwards
    ----------------------------------------  --------------------------------------------------------------------
    one gives, or adopts                      that role
    one keeps, none takes                     the role before
    one keeps, another takes                  the role before if the provider is asked about the one that keeps, which
                                              spares it from the delete; none if it is not asked; else not known
    one takes                                 none
    all release                               the role before

If two resources ask for the same token and deployment, both are shown, and it is a problem: the order of two writes is
not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from astro_provider.access.facts import Facts
from astro_provider.access.model import (
    Change,
    Grant,
    Hidden,
    Kind,
    Names,
    Subject,
    Text,
    Unseen,
    same_role,
    seen,
)
from astro_provider.access.steps import Does, Part, Steps


@dataclass
class _Subject:
    """The steps about one token and deployment."""

    gives: list[Grant] = field(default_factory=list)
    keeps: list[tuple[Grant, bool | None]] = field(default_factory=list)
    takes: list[tuple[Grant, Does]] = field(default_factory=list)
    shows: list[Grant] = field(default_factory=list)
    adopted: Grant | None = None
    recorded: Grant | None = None
    is_live: bool = False
    is_of_stack: bool = False
    may_leave_first: bool = False

    def had(self, grant: Grant, part: Part) -> None:
        """Note what there was before the run."""
        self.is_live = part.is_live and (self.is_live or self.recorded is None)
        self.recorded = grant
        self.is_of_stack |= part.is_stack

    def asks(self, grant: Grant, old: Grant | None, part: Part) -> None:
        """Note what there will be, and, if the same resource had something before, what that was."""
        if part.does is Does.SHOWS:
            self.shows.append(grant)
        elif part.is_update and old is not None and same_role(old.role, grant.role):
            self.keeps.append((replace(grant, role=old.role), True))
        else:
            self.gives.append(grant)
            if part.does is Does.ADOPTS:
                self.adopted = grant


@dataclass(frozen=True)
class Outcome:
    """The changes that a run will have made.

    Attributes:
        changes: the rows of a review.
        after: what the stack's resources grant after the run.
        drifted: subjects whose grant was changed or removed outside Pulumi since the state was written.
        gaps: subjects whose role is taken before it is given.
        twice: subjects that several resources grant.
        unchanged: how many grants stay as they are.
        to_ask: deployment and token ids of all pairs whose role only Astro can tell.
    """

    changes: tuple[Change, ...]
    after: tuple[Grant, ...]
    drifted: frozenset[Subject]
    gaps: frozenset[Subject]
    twice: tuple[tuple[Grant, ...], ...]
    unchanged: int
    to_ask: frozenset[tuple[str, str]]


def outcome(steps: Steps, facts: Facts) -> Outcome:
    """Find what a run will have changed.

    Args:
        steps: its digest's steps.
        facts: what Astro shows; nothing if it was not asked.
    """
    everything = [grant for part in steps.parts for grant in (*part.had, *part.asked)]
    names = Names.of(
        [*everything, *steps.recorded],
        {one.id: one.name for one in facts.tokens.values()},
        {one.id: one.name for one in facts.deployments.values()},
    )
    subjects: dict[Subject, _Subject] = {}
    for part in steps.parts:
        _note(subjects, part, names)
    gaps = {names.completed(grant).subject for grant in steps.in_gaps}
    gaps |= {subject for subject, found in subjects.items() if found.may_leave_first and (found.gives or found.keeps)}
    changes: list[Change] = []
    unchanged = 0
    for subject, found in subjects.items():
        rows = list(_changes(subject, found, facts))
        kept = [row for row in rows if row.kind is Kind.KEEP and not row.is_new and not row.is_released]
        if len(_declaring(found)) > 1 and found.gives:
            changes += rows
        elif subject in gaps and kept:
            changes += [replace(row, kind=Kind.CHANGE) for row in kept]
        else:
            changes += [row for row in rows if row not in kept]
            unchanged += bool(kept)
    return Outcome(
        changes=tuple(changes),
        after=tuple(grant for found in subjects.values() for grant in _declaring(found)),
        drifted=frozenset(_drifted(subjects, map(names.completed, steps.recorded))),
        gaps=frozenset(gaps),
        twice=tuple(
            tuple(grants) for found in subjects.values() if found.gives and len(grants := _declaring(found)) > 1
        ),
        unchanged=unchanged,
        to_ask=frozenset(_to_ask(subjects)),
    )


def _note(subjects: dict[Subject, _Subject], part: Part, names: Names) -> None:
    """Note what a part does, at each subject that it is about."""
    before: dict[Subject, Grant] = {}
    for grant in map(names.completed, part.had):
        before[grant.subject] = grant
        subjects.setdefault(grant.subject, _Subject()).had(grant, part)
    asked = {grant.subject: grant for grant in map(names.completed, part.asked)}
    for subject, grant in asked.items():
        subjects.setdefault(subject, _Subject()).asks(grant, before.get(subject), part)
    for subject, grant in before.items():
        if part.does is Does.KEEPS:
            subjects[subject].keeps.append((grant, part.is_checked))
        elif part.does is not Does.SHOWS and subject not in asked:
            subjects[subject].may_leave_first |= part.is_update
            subjects[subject].takes.append((grant, Does.TAKES if part.is_update else part.does))


def _changes(subject: Subject, found: _Subject, facts: Facts) -> Iterator[Change]:
    """Yield what happens to a subject: one change, or several if several resources ask for it; none if nothing is there."""
    is_new = not found.is_of_stack
    before = _before(subject, found, facts)
    after: list[Grant | None] = [*found.gives]
    is_released = False
    if _is_refresh(found):
        after = [found.shows[-1] if found.shows else None]
    elif found.gives:
        after += [grant for grant, _ in found.keeps]
    elif found.keeps and not found.takes:
        after = [before]
    elif found.keeps:
        spared = {checked for _, checked in found.keeps}
        after = [before if True in spared else _unknown(before, "after") if None in spared else None]
    elif any(does is Does.TAKES for _, does in found.takes):
        after = [None]
    elif any(does is Does.MAY_TAKE for _, does in found.takes):
        after = [_unknown(before, "after")]
    else:
        after, is_released = [before], True
    for there in after:
        if before is not None or there is not None:
            kind = _kind(before, there, gives=bool(found.gives))
            yield Change(subject, before, there, kind, is_new=is_new, is_released=is_released)


def _is_refresh(found: _Subject) -> bool:
    return not (found.gives or found.keeps or found.takes)


def _before(subject: Subject, found: _Subject, facts: Facts) -> Grant | None:
    recorded = found.recorded
    if _is_refresh(found) or (found.is_live and recorded is not None and seen(recorded.role)):
        return recorded
    grant = recorded or found.adopted or found.gives[0]
    pair = _pair(subject)
    if pair is not None and pair in facts.held:
        role = facts.held[pair]
        return None if role is None else replace(grant, role=role)
    if recorded is not None or found.adopted is not None:
        return grant
    return _unknown(grant, "before")


def _unknown(grant: Grant | None, moment: str) -> Grant | None:
    return grant and replace(grant, role=Unseen(Hidden.UNKNOWN, f"{grant.urn} {grant.subject} {moment}"))


def _kind(before: Grant | None, after: Grant | None, *, gives: bool) -> Kind:
    if after is None:
        return Kind.LOSE
    if before is None:
        return Kind.GAIN
    if same_role(before.role, after.role):
        return Kind.KEEP
    if not gives and _is_unknown(after.role):
        return Kind.LOSE
    return Kind.GAIN if _is_unknown(before.role) else Kind.CHANGE


def _is_unknown(role: Text) -> bool:
    return isinstance(role, Unseen) and role.why is Hidden.UNKNOWN


def _declaring(found: _Subject) -> list[Grant]:
    """What resources grant after the run, one for each resource."""
    if _is_refresh(found):
        return found.shows
    by_resource = {grant.urn: grant for grant in (*(one for one, _ in found.keeps), *found.gives)}
    return list(by_resource.values())


def _drifted(subjects: Mapping[Subject, _Subject], recorded: Iterable[Grant]) -> Iterator[Subject]:
    """Find what a refresh before the preview found to be other than the state said."""
    for grant in recorded:
        found = subjects.get(grant.subject)
        now = found.recorded if found else None
        if now is None or (seen(now.role) and seen(grant.role) and not same_role(now.role, grant.role)):
            yield grant.subject


def _to_ask(subjects: Mapping[Subject, _Subject]) -> Iterator[tuple[str, str]]:
    for subject, found in subjects.items():
        is_known = found.is_live and found.recorded is not None and seen(found.recorded.role)
        if (found.gives or found.takes) and not is_known and (pair := _pair(subject)):
            yield pair


def _pair(subject: Subject) -> tuple[str, str] | None:
    if seen(subject.deployment_id) and seen(subject.org_token_id):
        return subject.deployment_id, subject.org_token_id
    return None

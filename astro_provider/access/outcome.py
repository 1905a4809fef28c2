"""Computes what a run will have changed in Astro, from the steps of its digest and the present roles of the tokens.

The role before the run is the one that Astro shows or, if Astro was not asked, the one in the state. Of a binding that is
new to the stack the state has none, so its role before is not known. The role after the run follows from the steps:

    steps about one token and deployment      role afterwards
    ----------------------------------------  --------------------------------------------------------------------
    one gives, or adopts                      that role
    one keeps, none takes                     the role before
    one keeps, another takes                  the role before if the engine asks the provider about the one that keeps,
                                              whose check protects it from the delete; none if it does not ask; not
                                              known if the digest does not show which
    one takes                                 none
    all release                               the role before

If two resources ask for the same token and deployment, both are shown, and it is a problem: the order of two writes is
not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from astro_provider.access.facts import Facts
from astro_provider.access.model import Change, Grant, Hidden, Kind, Names, Subject, Unseen, is_unknown, same_role, seen
from astro_provider.access.steps import Does, Part, Steps


@dataclass
class _Subject:
    """The steps about one token and deployment."""

    gives: list[Grant] = field(default_factory=list)
    keeps: list[tuple[Grant, bool | None]] = field(default_factory=list)
    takes: list[Does] = field(default_factory=list)
    shows: list[Grant] = field(default_factory=list)
    adopted: Grant | None = None
    recorded: Grant | None = None
    is_live: bool = False
    is_of_stack: bool = False
    may_leave_first: bool = False

    @property
    def is_refresh(self) -> bool:
        """True if only a refresh is about it."""
        return not (self.gives or self.keeps or self.takes)

    @property
    def is_known(self) -> bool:
        """True if the same run has read its role before from Astro."""
        return self.is_live and self.recorded is not None and seen(self.recorded.role)

    @property
    def declared(self) -> list[Grant]:
        """The grants of resources after the run, one for each resource."""
        if self.is_refresh:
            return self.shows
        return list({grant.urn: grant for grant in (*(one for one, _ in self.keeps), *self.gives)}.values())

    @property
    def is_twice(self) -> bool:
        """True if several resources ask for it, and one writes; two that only keep a role change nothing."""
        return bool(self.gives) and len(self.declared) > 1


@dataclass(frozen=True)
class Outcome:
    """The changes that a run will have made."""

    changes: tuple[Change, ...]
    after: tuple[Grant, ...]  # the grants of the stack's resources after the run
    # Subjects whose grant was changed or removed outside Pulumi since the state was written.
    drifted: frozenset[Subject]
    gaps: frozenset[Subject]  # subjects whose role is taken before it is given
    twice: tuple[tuple[Grant, ...], ...]  # the grants of each subject that several resources grant
    unchanged: int  # how many grants stay as they are
    to_ask: frozenset[tuple[str, str]]  # deployment and token ids of all pairs whose role only Astro can show


def outcome(steps: Steps, facts: Facts) -> Outcome:
    """Return what a run will have changed, by its steps and by what Astro shows: no facts if it was not asked."""
    # One subject may be named by ids in one resource and by names in another: complete all before they are compared.
    everything = [grant for part in steps.parts for grant in (*part.had, *part.asked)]
    names = Names.of([*everything, *steps.recorded], facts)
    subjects: dict[Subject, _Subject] = defaultdict(_Subject)
    for part in steps.parts:
        _note(subjects, part, names)
    # A table's update removes entries in no order that the digest shows: another resource may give the role later.
    gaps = {names.completed(grant).subject for grant in steps.in_gaps}
    gaps |= {subject for subject, found in subjects.items() if found.may_leave_first and (found.gives or found.keeps)}
    changes: list[Change] = []
    unchanged = 0
    for subject, found in subjects.items():
        rows = list(_changes(subject, found, facts))
        kept = [row for row in rows if row.kind is Kind.KEEP and not row.is_new and not row.is_released]
        if found.is_twice:
            changes += rows
        elif subject in gaps and kept:
            # The same role before and afterwards, and none in between: a reviewer must see that.
            changes += [replace(row, kind=Kind.CHANGE) for row in kept]
        else:
            changes += [row for row in rows if row not in kept]
            unchanged += bool(kept)
    return Outcome(
        changes=tuple(changes),
        after=tuple(grant for found in subjects.values() for grant in found.declared),
        drifted=frozenset(_drifted(subjects, map(names.completed, steps.recorded))),
        gaps=frozenset(gaps),
        twice=tuple(tuple(found.declared) for found in subjects.values() if found.is_twice),
        unchanged=unchanged,
        to_ask=frozenset(
            subject.pair
            for subject, found in subjects.items()
            if (found.gives or found.takes) and not found.is_known and subject.pair is not None
        ),
    )


def _note(subjects: dict[Subject, _Subject], part: Part, names: Names) -> None:
    """Note a part's effect at each subject that it is about."""
    before = {grant.subject: grant for grant in map(names.completed, part.had)}
    asked = {grant.subject: grant for grant in map(names.completed, part.asked)}
    for subject, grant in before.items():
        found = subjects[subject]
        found.is_live = part.is_live and (found.is_live or found.recorded is None)
        found.recorded = grant
        found.is_of_stack |= part.is_stack
    for subject, grant in asked.items():
        found, old = subjects[subject], before.get(subject)
        if part.does is Does.SHOWS:
            found.shows.append(grant)
        elif part.is_update and old is not None and same_role(old.role, grant.role):
            found.keeps.append((replace(grant, role=old.role), True))
        else:
            found.gives.append(grant)
            if part.does is Does.ADOPTS:
                found.adopted = grant
    for subject, grant in before.items():
        found = subjects[subject]
        if part.does is Does.KEEPS:
            found.keeps.append((grant, part.is_checked))
        elif part.does is not Does.SHOWS and subject not in asked:
            # The resource no longer has it: an entry that left a table, or the whole resource.
            found.may_leave_first |= part.is_update
            found.takes.append(Does.TAKES if part.is_update else part.does)


def _changes(subject: Subject, found: _Subject, facts: Facts) -> Iterator[Change]:
    """Yield the effect on a subject, by the table at the top.

    It is one change, several if several resources ask for the subject, and none if there is no role before or after.
    """
    before = _before(subject, found, facts)
    after: list[Grant | None] = [*found.gives]
    is_released = False
    if found.is_refresh:
        after = [found.shows[-1] if found.shows else None]
    elif found.gives:
        after += [grant for grant, _ in found.keeps]
    elif found.keeps and not found.takes:
        after = [before]
    elif found.keeps:
        checked = {is_checked for _, is_checked in found.keeps}
        after = [before if True in checked else _unknown(before, "after") if None in checked else None]
    elif Does.TAKES in found.takes:
        after = [None]
    elif Does.MAY_TAKE in found.takes:
        after = [_unknown(before, "after")]
    else:
        after, is_released = [before], True
    for there in after:
        if before is not None or there is not None:
            kind = _kind(before, there, gives=bool(found.gives))
            yield Change(subject, before, there, kind, is_new=not found.is_of_stack, is_released=is_released)


def _before(subject: Subject, found: _Subject, facts: Facts) -> Grant | None:
    """Return the grant before the run, by the best witness that there is: this run's read, Astro, the state."""
    recorded = found.recorded
    if found.is_refresh or found.is_known:
        return recorded
    grant, pair = recorded or found.adopted or found.gives[0], subject.pair
    if pair is not None and pair in facts.held:
        role = facts.held[pair]
        return None if role is None else replace(grant, role=role)
    # An import fails unless the role is there as declared, so what it adopts is the role before.
    return grant if recorded is not None or found.adopted is not None else _unknown(grant, "before")


def _unknown(grant: Grant | None, moment: str) -> Grant | None:
    return grant and replace(grant, role=Unseen(Hidden.UNKNOWN, f"{grant.urn} {grant.subject} {moment}"))


def _kind(before: Grant | None, after: Grant | None, *, gives: bool) -> Kind:
    if after is None:
        return Kind.LOSE
    if before is None:
        return Kind.GAIN
    if same_role(before.role, after.role):
        return Kind.KEEP
    # Without a step that gives, an unknown role afterwards is one that a delete may take: count the loss.
    if not gives and is_unknown(after.role):
        return Kind.LOSE
    return Kind.GAIN if is_unknown(before.role) else Kind.CHANGE


def _drifted(subjects: Mapping[Subject, _Subject], recorded: Iterable[Grant]) -> Iterator[Subject]:
    """Yield the subjects that a refresh before the preview found different from the state."""
    for grant in recorded:
        found = subjects.get(grant.subject)
        now = found.recorded if found else None
        if now is None or (seen(now.role) and seen(grant.role) and not same_role(now.role, grant.role)):
            yield grant.subject

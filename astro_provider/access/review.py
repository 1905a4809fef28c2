"""A digest as its reviewer reads it: a row for each subject whose role changes, and everything needed to judge the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from astro_provider.access.digest import Diagnostic, Digest
from astro_provider.access.facts import Facts
from astro_provider.access.flags import LOUD, Flag, Situation
from astro_provider.access.model import Change, Grant, Kind, is_unknown, text_of
from astro_provider.access.outcome import outcome
from astro_provider.access.rules import Asked, Rules, Verdict, verdicts

MOST_TWICE = 3  # sentences about bindings that several resources ask for; all of them are rows
CHANGES_WERE_SHOWN = 7  # the engine's status for --expect-no-changes if there are some: the preview itself is whole


@dataclass(frozen=True)
class Row:
    """One subject whose role changes."""

    kind: Kind
    organization_id: str | None  # None if the digest does not know it, as for the other two ids
    deployment_id: str | None
    deployment_name: str | None  # None if neither the digest nor Astro has it
    org_token_id: str | None
    org_token_name: str | None  # None if neither the digest nor Astro has it
    before: str | None  # the role before; None: none, or not shown
    after: str | None  # the role afterwards; None: none, or not shown
    before_known: bool = True  # whether the role before, or its absence, is known; a secret is known
    after_known: bool = True  # whether the role afterwards, or its absence, is known
    flags: tuple[Flag, ...] = ()  # the reasons for a second look
    undecided: tuple[Flag, ...] = ()  # the flags that it may have, and that no fact decides


@dataclass(frozen=True)
class Review:
    """The whole of a review."""

    stack: str | None  # `<project>/<stack>`, or None
    problems: tuple[str, ...]  # sentences, each a reason why the preview may lack something; none: it is complete
    rows: tuple[Row, ...]  # the most flagged first
    unchanged: int | None  # how many grants stay; None: the digest does not show them
    retained: int  # how many grants stay in Astro although their resources are deleted
    other_changes: Mapping[str, int]  # how many other resources are created, updated and so on
    diagnostics: tuple[Diagnostic, ...]
    verdicts: tuple[Verdict, ...] = ()
    is_refresh: bool = False  # nothing will be written
    asked: bool = True  # whether Astro was asked

    @property
    def is_complete(self) -> bool:
        """True if the preview went to its end."""
        return not self.problems

    def hits(self, flags: Iterable[Flag]) -> list[Flag]:
        """Return those of the flags that a row has, or may have; a broken rule counts even if no row shows it.

        A rule that is undecided because Astro was not asked counts as broken; one that the update decides does not.
        """
        there = {flag for row in self.rows for flag in (*row.flags, *row.undecided)}
        if any(verdict.decided or not self.asked for verdict in self.verdicts):
            there.add(Flag.RULE)
        return [flag for flag in flags if flag in there]


def review(
    digest: Digest,
    facts: Facts,
    *,
    production: Iterable[str] = (),
    rules: Rules | None = None,
    exit_status: int | None = None,
) -> Review:
    """Return the review of a digest.

    Args:
        digest: the digest.
        facts: with `held` for each pair in `to_ask` of the outcome, and `admins` for each deployment that loses one.
        production: patterns of names of deployments and workspaces, in addition to those of the rules.
        rules: the rules; None: none.
        exit_status: of the preview; None: not given.
    """
    house = rules or Rules()
    found = outcome(digest, facts)
    asked = [(grant, Asked.of(grant, facts)) for grant in found.after]
    said = verdicts(house, [one for _, one in asked])
    # By identity, because two resources may ask for equal grants.
    broken = {id(one) for verdict in said if verdict.decided for one in verdict.asked}
    situation = Situation(
        outcome=found,
        is_refresh=digest.is_refresh,
        facts=facts,
        production=(*production, *house.production),
        breaking=frozenset(grant.subject for grant, one in asked if id(one) in broken),
    )
    return Review(
        stack=digest.stack,
        problems=(*_problems(digest, exit_status), *_twice(found.twice, facts)),
        rows=tuple(sorted((_row(change, situation) for change in found.changes), key=_order)),
        unchanged=found.unchanged if digest.shows_unchanged else None,
        retained=sum(change.is_released for change in found.changes),
        other_changes=digest.other_changes,
        diagnostics=tuple(digest.diagnostics),
        verdicts=tuple(said),
        is_refresh=digest.is_refresh,
        asked=facts.asked,
    )


def _problems(digest: Digest, exit_status: int | None) -> Iterable[str]:
    if exit_status and (exit_status != CHANGES_WERE_SHOWN or digest.problems):
        yield f"The command ended with exit status {exit_status}."
    yield from digest.problems


def _twice(twice: Sequence[Sequence[Grant]], facts: Facts) -> Iterable[str]:
    """Yield a sentence for each binding that several resources ask for, and one that counts those beyond the first few."""
    if left_out := len(twice[MOST_TWICE:]):
        yield f"{left_out} more bindings are asked for by several resources each."
    for grants in twice[:MOST_TWICE]:
        one = Asked.of(grants[0], facts)
        resources = ", ".join(f"{grant.urn.rpartition('::')[2]!r}" for grant in grants)
        yield (
            f"Token {one.token} in deployment {one.deployment} is asked for by {len(grants)} resources ({resources}), so it is not "
            "known which role it has afterwards: remove all but one."
        )


def _row(change: Change, situation: Situation) -> Row:
    asked = Asked.of(change.grant, situation.facts)
    before, after = (there.role if there else None for there in (change.before, change.after))
    return Row(
        kind=change.kind,
        organization_id=text_of(change.subject.organization_id),
        deployment_id=asked.deployment_id,
        deployment_name=asked.deployment_name,
        org_token_id=asked.org_token_id,
        org_token_name=asked.org_token_name,
        before=text_of(before),
        after=text_of(after),
        before_known=not is_unknown(before),
        after_known=not is_unknown(after),
        flags=situation.flags(change, asked),
        undecided=tuple(sorted(situation.undecided(change, asked))),
    )


def _order(row: Row) -> tuple[object, ...]:
    return (
        -sum(flag in LOUD for flag in row.flags),
        -len(row.flags),
        row.deployment_name or row.deployment_id or "",
        row.org_token_name or row.org_token_id or "",
        row.deployment_id or "",
        row.org_token_id or "",
        row.kind,
    )

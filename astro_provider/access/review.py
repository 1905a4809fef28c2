"""A digest as a reviewer wants it: a row for each subject whose role changes, and all that it takes to judge them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from astro_provider.access.digest import Diagnostic, Digest
from astro_provider.access.facts import Facts
from astro_provider.access.flags import LOUD, Flag, Situation, renewed, without_admin
from astro_provider.access.model import Change, Grant, Kind, difference, same_role, shown
from astro_provider.access.rules import Asked, Rules, Verdict, verdicts

CHANGES_WERE_SHOWN = 7  # the engine's status for --expect-no-changes if there are some: the preview itself is whole


@dataclass(frozen=True)
class Row:
    """One subject whose role changes.

    Attributes:
        kind: gain, lose or change.
        organization_id: None if the digest does not know it, as for the other two ids.
        deployment_id: the deployment.
        deployment_name: None if neither the digest nor Astro told it.
        org_token_id: the token.
        org_token_name: as for the deployment.
        before: the role before; None: none, or not shown.
        after: the role afterwards; None: none, or not shown.
        flags: what is worth a second look.
        undecided: flags of which nobody can tell.
    """

    kind: Kind
    organization_id: str | None
    deployment_id: str | None
    deployment_name: str | None
    org_token_id: str | None
    org_token_name: str | None
    before: str | None
    after: str | None
    flags: tuple[Flag, ...] = ()
    undecided: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Review:
    """What a reviewer is shown.

    Attributes:
        stack: `<project>/<stack>`, or None.
        problems: why the preview may not tell everything; none: it is complete.
        rows: what changes, the most flagged first.
        unchanged: how many grants stay; None: the digest does not show them.
        retained: how many grants stay in Astro although their resources are deleted.
        other_changes: how many other resources each operation is about.
        diagnostics: what the run said.
        verdicts: what the rules say.
        is_refresh: nothing will be written.
        asked: whether Astro was asked.
    """

    stack: str | None
    problems: tuple[str, ...]
    rows: tuple[Row, ...]
    unchanged: int | None
    retained: int
    other_changes: Mapping[str, int]
    diagnostics: tuple[Diagnostic, ...]
    verdicts: tuple[Verdict, ...] = ()
    is_refresh: bool = False
    asked: bool = True

    @property
    def is_complete(self) -> bool:
        """Whether the preview went to its end."""
        return not self.problems

    def hits(self, flags: Iterable[Flag]) -> list[Flag]:
        """Those of the flags that a row has, or may have; a broken rule counts wherever it is.

        A rule that is undecided because Astro was not asked counts as broken; one that the update decides does not.
        """
        there = {flag for row in self.rows for flag in (*row.flags, *row.undecided)}
        if any(verdict.decided or not self.asked for verdict in self.verdicts):
            there.add(Flag.RULE)
        return [flag for flag in flags if flag in there]


@dataclass(frozen=True)
class Wanted:
    """What the reviewer asked for.

    Attributes:
        production: patterns of names of deployments and workspaces, beside those of the rules.
        rules: the rules of the house; None: none.
        exit_status: of the preview; None: not told.
    """

    production: tuple[str, ...] = ()
    rules: Rules | None = None
    exit_status: int | None = None


def changes_in(digest: Digest) -> list[Change]:
    """What changes; a role that is taken away and given again counts too, for the moment without it."""
    found = difference(digest.before, digest.after)
    changed = {change.subject for change in found}
    again = [one for one in digest.before if one in digest.gaps and one not in changed]
    return [*found, *(Change(one, digest.before[one], digest.after.get(one)) for one in again)]


def review(digest: Digest, facts: Facts, wanted: Wanted) -> Review:
    """Review a digest.

    Args:
        digest: the digest.
        facts: what Astro tells; `admins` for each deployment in which a change of `changes_in` loses an admin.
        wanted: what the reviewer asked for.
    """
    rules = wanted.rules or Rules()
    changes = changes_in(digest)
    found = [(grant, _asked(grant, facts)) for grant in digest.after.values()]
    said = verdicts(rules, [asked for _, asked in found])
    broken = {id(asked) for verdict in said if verdict.decided for asked in verdict.asked}
    situation = Situation(
        digest=digest,
        facts=facts,
        production=(*wanted.production, *rules.production),
        renewed=renewed(changes),
        without_admin=without_admin(changes, facts),
        breaking=frozenset(grant.subject for grant, asked in found if id(asked) in broken),
    )
    return Review(
        stack=digest.stack,
        problems=tuple(_problems(digest, wanted.exit_status)),
        rows=tuple(sorted((_row(change, situation) for change in changes), key=_order)),
        unchanged=digest.unchanged,
        retained=digest.retained,
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


def _row(change: Change, situation: Situation) -> Row:
    grant = change.after or change.before
    if grant is None:
        raise AssertionError("a change has a before or an after")
    asked = _asked(grant, situation.facts)
    flags = situation.flags(change, asked)
    kind, before = change.kind, change.before.role if change.before else None
    there = situation.digest.there.get((asked.deployment_id or "", asked.org_token_id or ""))
    if there is not None and kind is Kind.GAIN:
        before = there.role
        if there.overwritten and not same_role(before, grant.role):
            kind = Kind.CHANGE
            flags.add(Flag.OVERWRITES)
        else:
            flags.add(Flag.ADOPTS)
    return Row(
        kind=kind,
        organization_id=shown(change.subject.organization_id),
        deployment_id=asked.deployment_id,
        deployment_name=asked.deployment_name,
        org_token_id=asked.org_token_id,
        org_token_name=asked.org_token_name,
        before=shown(before),
        after=shown(change.after.role) if change.after else None,
        flags=tuple(flag for flag in Flag if flag in flags),
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


def _asked(grant: Grant, facts: Facts) -> Asked:
    deployment_id, token_id = shown(grant.subject.deployment_id), shown(grant.subject.org_token_id)
    deployment, token = facts.deployments.get(deployment_id or ""), facts.tokens.get(token_id or "")
    return Asked(
        deployment_id=deployment_id,
        deployment_name=deployment.name
        if deployment
        else grant.deployment_name or shown(grant.subject.deployment_name),
        workspace_name=deployment.workspace_name if deployment else None,
        org_token_id=token_id,
        org_token_name=token.name if token else grant.org_token_name or shown(grant.subject.org_token_name),
        role=shown(grant.role),
        protect=grant.protect,
        overwrite=grant.overwrite,
    )

"""What there is, beside what stacks say there is: who holds a role that nobody declared, and what was lost.

Astro is the truth about who holds a role; the exports are the truth about who manages it. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from astro_provider.access.export import Export
from astro_provider.access.facts import Facts
from astro_provider.access.model import ADMIN, Grant, same_role, seen, text_of
from astro_provider.access.rules import Asked, Rules, Verdict, fits, verdicts


class Finding(StrEnum):
    """What is worth looking after, in the order in which it is shown."""

    RULE = "rule"
    ADMIN = "admin"
    UNMANAGED = "unmanaged"
    PENDING = "pending"
    MISSING = "missing"
    DRIFTED = "drifted"
    TWO_STACKS = "two-stacks"
    EXPIRED = "expired"
    UNUSED = "unused"
    REDUNDANT = "redundant"


FINDING_MEANINGS = {
    Finding.RULE: "the grant breaks a rule",
    Finding.ADMIN: "the token is DEPLOYMENT_ADMIN in production",
    Finding.UNMANAGED: "the role is there, and none of the stacks manages it",
    Finding.PENDING: "a stack replaced the binding and could not delete it yet; its next run takes the role away",
    Finding.MISSING: "a stack's state has the role, and Astro does not",
    Finding.DRIFTED: "Astro has another role than the stack's state",
    Finding.TWO_STACKS: "more than one stack manages the role, so each takes back what the other does",
    Finding.EXPIRED: "the token has expired, so the role gives no access",
    Finding.UNUSED: "no use of the token is shown for 90 days",
    Finding.REDUNDANT: "the token is ORGANIZATION_OWNER, and may do everything without this role",
}


@dataclass(frozen=True)
class Assignment:
    """A role that an organization token holds in a deployment."""

    organization_id: str
    deployment_id: str
    org_token_id: str
    role: str

    @property
    def key(self) -> tuple[str, str]:
        """Where, and who."""
        return (self.deployment_id, self.org_token_id)


@dataclass(frozen=True)
class Found:
    """One finding.

    Attributes:
        finding: what it is.
        organization_id: the organization.
        deployment_id: the deployment.
        deployment_name: None if Astro does not show the deployment, because it is gone.
        org_token_id: the token.
        org_token_name: None if neither Astro nor a state tells it.
        role: what Astro shows; None: nothing.
        recorded_role: what the state has, of several stacks the first, or the first that drifted; None: in none, or a
            secret.
        stacks: the stacks that manage it.
    """

    finding: Finding
    organization_id: str
    deployment_id: str
    deployment_name: str | None
    org_token_id: str
    org_token_name: str | None
    role: str | None
    recorded_role: str | None
    stacks: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        organization_id: the organization.
        findings: the findings, the gravest kind first.
        assignments: all roles of organization tokens.
        facts: what Astro tells of tokens and deployments.
        verdicts: what the rules say.
        production: patterns of names of deployments and workspaces.
        stacks: the stacks whose exports were given.
        unreadable: how many grants of the exports could not be compared, because a value is secret or names nothing.
    """

    organization_id: str
    findings: tuple[Found, ...]
    assignments: tuple[Assignment, ...]
    facts: Facts
    verdicts: tuple[Verdict, ...] = ()
    production: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    unreadable: int = 0

    def hits(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those of the findings that there are."""
        there = {one.finding for one in self.findings}
        if any(verdict.decided for verdict in self.verdicts):
            there.add(Finding.RULE)
        return [finding for finding in findings if finding in there]

    def is_production(self, deployment_id: str) -> bool:
        """Return whether a deployment is production."""
        deployment = self.facts.deployments.get(deployment_id)
        names = (deployment.name, deployment.workspace_name) if deployment else ()
        return fits(self.production, (*names, deployment_id)) is True


@dataclass(frozen=True)
class _Managed:
    """What the exports say of one role: the stack, and the grant in its state, of each."""

    stacks: tuple[tuple[str, Grant], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stack for stack, _ in self.stacks))

    @property
    def grant(self) -> Grant:
        return self.stacks[0][1]

    def role_other_than(self, role: str) -> str | None:
        """The first role that a state has and that is not this one; None: all have this one, or a secret."""
        recorded = (grant.role for _, grant in self.stacks)
        return next((one for one in recorded if seen(one) and not same_role(one, role)), None)


def audit(  # noqa: PLR0913  the last two are keywords
    organization_id: str,
    assignments: Sequence[Assignment],
    facts: Facts,
    exports: Sequence[Export],
    *,
    production: Sequence[str] = (),
    rules: Rules | None = None,
) -> Audit:
    """Compare what there is with what stacks say, and with the rules.

    Args:
        organization_id: the organization.
        assignments: all roles of its tokens.
        facts: its tokens and deployments.
        exports: the stacks; none: nothing is said of what is managed.
        production: patterns of names of deployments and workspaces, beside those of the rules.
        rules: the rules of the house.
    """
    patterns = (*production, *(rules.production if rules else ()))
    managed, unreadable = _managed(organization_id, [(one.stack, one.grants) for one in exports], facts)
    pending, _ = _managed(organization_id, [(one.stack, one.pending) for one in exports], facts)
    pending = {key: one for key, one in pending.items() if key not in managed}
    asked = {one.key: _asked(one, managed.get(one.key), facts) for one in assignments}
    said = verdicts(rules, list(asked.values())) if rules else []
    broken = {id(one) for verdict in said if verdict.decided for one in verdict.asked}
    known = Audit(organization_id, (), tuple(assignments), facts, tuple(said), patterns)
    found = [*_of_assignments(known, {**managed, **pending}, exports), *_of_states(known, managed)]
    found += [_found(Finding.PENDING, one, pending, facts) for one in assignments if one.key in pending]
    found += [_found(Finding.RULE, one, managed, facts) for one in assignments if id(asked[one.key]) in broken]
    return replace(
        known,
        findings=tuple(sorted(found, key=_order)),
        stacks=tuple(export.stack for export in exports),
        unreadable=unreadable,
    )


def _of_assignments(
    known: Audit, managed: Mapping[tuple[str, str], _Managed], exports: Sequence[Export]
) -> Iterator[Found]:
    facts = known.facts
    in_production = {one: known.is_production(one) for one in {a.deployment_id for a in known.assignments}}
    for one in known.assignments:
        token = facts.tokens.get(one.org_token_id)
        if exports and one.key not in managed:
            yield _found(Finding.UNMANAGED, one, managed, facts)
        if in_production[one.deployment_id] and same_role(one.role, ADMIN):
            yield _found(Finding.ADMIN, one, managed, facts)
        if token is not None and token.has_expired(facts.now):
            yield _found(Finding.EXPIRED, one, managed, facts)
        elif token is not None and token.is_unused(facts.now):
            yield _found(Finding.UNUSED, one, managed, facts)
        if token is not None and token.is_owner:
            yield _found(Finding.REDUNDANT, one, managed, facts)


def _of_states(known: Audit, managed: Mapping[tuple[str, str], _Managed]) -> Iterator[Found]:
    there = {one.key: one for one in known.assignments}
    for key, one in managed.items():
        standing = there.get(key)
        assignment = standing or Assignment(known.organization_id, *key, role="")
        if standing is None:
            yield replace(_found(Finding.MISSING, assignment, managed, known.facts), role=None)
        elif other := one.role_other_than(standing.role):
            yield replace(_found(Finding.DRIFTED, standing, managed, known.facts), recorded_role=other)
        if len(one.names) > 1:
            found = _found(Finding.TWO_STACKS, assignment, managed, known.facts)
            yield found if standing else replace(found, role=None)


def _managed(
    organization_id: str, granted: Iterable[tuple[str, Sequence[Grant]]], facts: Facts
) -> tuple[dict[tuple[str, str], _Managed], int]:
    found: dict[tuple[str, str], list[tuple[str, Grant]]] = {}
    unreadable = 0
    tokens = _ids_by_name((one.name, one.id) for one in facts.tokens.values())
    deployments = _ids_by_name((one.name, one.id) for one in facts.deployments.values())
    for stack, grants in granted:
        for grant in grants:
            subject = grant.subject
            token_id = text_of(subject.org_token_id) or tokens.get(text_of(subject.org_token_name))
            deployment_id = text_of(subject.deployment_id) or deployments.get(text_of(subject.deployment_name))
            if deployment_id is None or token_id is None or not seen(grant.role):
                unreadable += 1
            if deployment_id and token_id and text_of(subject.organization_id) in (None, organization_id):
                found.setdefault((deployment_id, token_id), []).append((stack, grant))
    return {key: _Managed(tuple(stacks)) for key, stacks in found.items()}, unreadable


def _ids_by_name(named: Iterable[tuple[str, str]]) -> dict[str | None, str]:
    """The ids by name, of names that only one has."""
    found: dict[str | None, list[str]] = {}
    for name, identifier in named:
        found.setdefault(name, []).append(identifier)
    return {name: ids[0] for name, ids in found.items() if len(ids) == 1}


def _asked(one: Assignment, managed: _Managed | None, facts: Facts) -> Asked:
    deployment, token = facts.deployments.get(one.deployment_id), facts.tokens.get(one.org_token_id)
    return Asked(
        deployment_id=one.deployment_id,
        deployment_name=deployment.name if deployment else "",
        workspace_name=deployment.workspace_name if deployment else "",
        org_token_id=one.org_token_id,
        org_token_name=token.name if token else "",
        role=one.role,
        protect=managed.grant.protect if managed else None,
        overwrite=managed.grant.overwrite if managed else None,
        is_of_a_resource=managed is not None,
    )


def _found(finding: Finding, one: Assignment, managed: Mapping[tuple[str, str], _Managed], facts: Facts) -> Found:
    deployment, token, by = (
        facts.deployments.get(one.deployment_id),
        facts.tokens.get(one.org_token_id),
        managed.get(one.key),
    )
    return Found(
        finding=finding,
        organization_id=one.organization_id,
        deployment_id=one.deployment_id,
        deployment_name=deployment.name if deployment else None,
        org_token_id=one.org_token_id,
        org_token_name=token.name if token else (by.grant.org_token_name if by else None),
        role=one.role,
        recorded_role=text_of(by.grant.role) if by else None,
        stacks=by.names if by else (),
    )


def by_grant(findings: Iterable[Found]) -> list[list[Found]]:
    """The findings of each grant, gravest first; grants in the order of their gravest finding."""
    found: dict[tuple[str, str], list[Found]] = {}
    for one in findings:
        found.setdefault((one.deployment_id, one.org_token_id), []).append(one)
    return list(found.values())


def _order(found: Found) -> tuple[object, ...]:
    return (
        list(Finding).index(found.finding),
        found.deployment_name or found.deployment_id,
        found.org_token_name or found.org_token_id,
        found.deployment_id,
        found.org_token_id,
    )

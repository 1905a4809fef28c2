"""Compares the roles in Astro with the stacks' exports: undeclared roles, and recorded roles that are missing.

Astro is the truth about which token has a role; the exports are the truth about which stack manages it. An audit changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from astro_provider.access.export import Export
from astro_provider.access.facts import Facts
from astro_provider.access.model import ADMIN, Grant, Names, Word, same_role, seen, text_of
from astro_provider.access.rules import Asked, Rules, Verdict, fits, verdicts


class Finding(Word):
    """The kinds of findings, in the order in which they are shown."""

    RULE = "rule", "the grant breaks a rule"
    ADMIN = "admin", "the token is DEPLOYMENT_ADMIN in production"
    UNMANAGED = "unmanaged", "the role is there, and none of the stacks manages it"
    PENDING = "pending", "a stack replaced the binding and could not delete it yet; its next run takes the role away"
    MISSING = "missing", "a stack's state has the role, and Astro does not"
    DRIFTED = "drifted", "Astro has another role than the stack's state"
    TWO_STACKS = "two-stacks", "more than one stack manages the role, so each takes back what the other does"
    EXPIRED = "expired", "the token has expired, so the role gives no access"
    UNUSED = "unused", "no use of the token is shown for 90 days"
    REDUNDANT = "redundant", "the token is ORGANIZATION_OWNER, and may do everything without this role"


@dataclass(frozen=True)
class Assignment:
    """A role that an organization token has in a deployment."""

    organization_id: str
    deployment_id: str
    org_token_id: str
    role: str

    @property
    def key(self) -> tuple[str, str]:
        """The deployment and the token."""
        return (self.deployment_id, self.org_token_id)


@dataclass(frozen=True)
class Found:
    """One finding.

    Attributes:
        finding: its kind.
        organization_id: the organization.
        deployment_id: the deployment.
        deployment_name: None if Astro does not show the deployment, because it is gone.
        org_token_id: the token.
        org_token_name: None if neither Astro nor a state has it.
        role: the role in Astro; None: none.
        recorded_role: the role in the state, of several stacks the first, or the first that drifted; None: none, or a
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
    """The whole of an audit.

    Attributes:
        organization_id: the organization.
        findings: the findings, the gravest kind first.
        assignments: all roles of organization tokens.
        facts: the tokens and deployments that Astro shows.
        verdicts: the rules that are broken, or cannot be decided.
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
        """Return those of the findings that there are."""
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
    """The stacks that manage one role, each with the grant in its state."""

    stacks: tuple[tuple[str, Grant], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stack for stack, _ in self.stacks))

    @property
    def grant(self) -> Grant:
        return self.stacks[0][1]

    def role_other_than(self, role: str) -> str | None:
        """Return the first role of a state that is not this one; None: all have this one, or a secret."""
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
    """Compare the roles in Astro with the stacks' exports and with the rules.

    Args:
        organization_id: the organization.
        assignments: all roles of its tokens.
        facts: its tokens and deployments.
        exports: the stacks; none: nothing is found about management.
        production: patterns of names of deployments and workspaces, in addition to those of the rules.
        rules: the rules; None: none.
    """
    patterns = (*production, *(rules.production if rules else ()))
    managed, unreadable = _managed(organization_id, [(one.stack, one.grants) for one in exports], facts)
    pending, _ = _managed(organization_id, [(one.stack, one.pending) for one in exports], facts)
    # Of a binding that a resource still has, a check protects the role from the pending delete.
    pending = {key: one for key, one in pending.items() if key not in managed}
    asked = {one.key: _asked(one, managed.get(one.key), facts) for one in assignments}
    said = verdicts(rules, list(asked.values())) if rules else []
    broken = {id(one) for verdict in said if verdict.decided for one in verdict.asked}
    known = Audit(organization_id, (), tuple(assignments), facts, tuple(said), patterns)
    found = [*_of_assignments(known, {**managed, **pending}, is_compared=bool(exports)), *_of_states(known, managed)]
    for one in assignments:
        if one.key in pending:
            found.append(_found(Finding.PENDING, one, pending[one.key], facts))
        if id(asked[one.key]) in broken:
            found.append(_found(Finding.RULE, one, managed.get(one.key), facts))
    return replace(
        known,
        findings=tuple(sorted(found, key=_order)),
        stacks=tuple(export.stack for export in exports),
        unreadable=unreadable,
    )


def _of_assignments(known: Audit, managed: Mapping[tuple[str, str], _Managed], *, is_compared: bool) -> Iterator[Found]:
    facts = known.facts
    for one in known.assignments:
        by, token = managed.get(one.key), facts.tokens.get(one.org_token_id)
        has_expired = token is not None and token.has_expired(facts.now)
        kinds = {
            Finding.UNMANAGED: is_compared and by is None,
            Finding.ADMIN: same_role(one.role, ADMIN) and known.is_production(one.deployment_id),
            Finding.EXPIRED: has_expired,
            Finding.UNUSED: token is not None and not has_expired and token.is_unused(facts.now),
            Finding.REDUNDANT: token is not None and token.is_owner,
        }
        yield from (_found(kind, one, by, facts) for kind, is_so in kinds.items() if is_so)


def _of_states(known: Audit, managed: Mapping[tuple[str, str], _Managed]) -> Iterator[Found]:
    there = {one.key: one for one in known.assignments}
    for key, by in managed.items():
        present = there.get(key)
        one = present or Assignment(known.organization_id, *key, role="")
        # The schema of an audit has null for a role that Astro does not have.
        role = present.role if present else None
        if present is None:
            yield replace(_found(Finding.MISSING, one, by, known.facts), role=role)
        elif other := by.role_other_than(present.role):
            yield replace(_found(Finding.DRIFTED, one, by, known.facts), recorded_role=other)
        if len(by.names) > 1:
            yield replace(_found(Finding.TWO_STACKS, one, by, known.facts), role=role)


def _managed(
    organization_id: str, granted: Iterable[tuple[str, Sequence[Grant]]], facts: Facts
) -> tuple[dict[tuple[str, str], _Managed], int]:
    found: dict[tuple[str, str], list[tuple[str, Grant]]] = {}
    unreadable = 0
    names = Names.of((), facts)
    for stack, grants in granted:
        for grant in map(names.completed, grants):
            subject = grant.subject
            if subject.pair is None or not seen(grant.role):
                unreadable += 1
            if subject.pair and text_of(subject.organization_id) in (None, organization_id):
                found.setdefault(subject.pair, []).append((stack, grant))
    return {key: _Managed(tuple(stacks)) for key, stacks in found.items()}, unreadable


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


def _found(finding: Finding, one: Assignment, by: _Managed | None, facts: Facts) -> Found:
    deployment, token = facts.deployments.get(one.deployment_id), facts.tokens.get(one.org_token_id)
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
    """Return the findings of each grant, gravest first; grants in the order of their gravest finding."""
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

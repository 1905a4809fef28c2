"""Compares the roles in Astro with the stacks' exports: undeclared roles, and recorded roles that are missing.

Astro is the truth about which token has a role; the exports are the truth about which stack manages it. An audit changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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

    deployment_id: str
    org_token_id: str
    role: str

    @property
    def key(self) -> tuple[str, str]:
        """The deployment and the token."""
        return (self.deployment_id, self.org_token_id)


@dataclass(frozen=True)
class Found:
    """One finding."""

    finding: Finding
    organization_id: str
    deployment_id: str
    deployment_name: str | None  # None if Astro does not show the deployment, because it is gone
    org_token_id: str
    org_token_name: str | None  # None if neither Astro nor a state has it
    role: str | None  # the role in Astro; None: none
    # The role in the state, of several stacks the first, or the first that drifted; None: none, or a secret.
    recorded_role: str | None
    stacks: tuple[str, ...]  # the stacks that manage it


@dataclass(frozen=True)
class Audit:
    """The whole of an audit."""

    organization_id: str
    findings: tuple[Found, ...]  # the gravest kind first
    assignments: tuple[Assignment, ...]  # all roles of organization tokens
    facts: Facts
    verdicts: tuple[Verdict, ...] = ()
    production: tuple[str, ...] = ()  # patterns of names of deployments and workspaces
    stacks: tuple[str, ...] = ()  # those whose exports were given
    # How many grants of the exports could not be compared, because a value is secret or names nothing.
    unreadable: int = 0

    def hits(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return those of the findings that there are."""
        there = {one.finding for one in self.findings}
        if any(verdict.decided for verdict in self.verdicts):
            there.add(Finding.RULE)
        return [finding for finding in findings if finding in there]

    def is_production(self, deployment_id: str) -> bool:
        """Return whether a deployment is production."""
        return fits(self.production, _places(deployment_id, self.facts)) is True


_Managed = Sequence[tuple[str, Grant]]  # the stacks that manage one role, each with the grant in its state


def audit(  # noqa: PLR0913  the last two are keywords
    organization_id: str,
    assignments: Sequence[Assignment],
    facts: Facts,
    exports: Sequence[Export],
    *,
    production: Sequence[str] = (),
    rules: Rules | None = None,
) -> Audit:
    """Compare all roles of an organization with the stacks' exports and with the rules.

    Without exports nothing is found about management. `production` has patterns of names of deployments and workspaces, in
    addition to those of the rules.
    """
    house = rules or Rules()
    managed, unreadable = _managed(organization_id, [(one.stack, one.grants) for one in exports], facts)
    pending, _ = _managed(organization_id, [(one.stack, one.pending) for one in exports], facts)
    asked = {one.key: _asked(one, managed.get(one.key, ()), facts) for one in assignments}
    said = verdicts(house, list(asked.values()))
    broken = {id(one) for verdict in said if verdict.decided for one in verdict.asked}
    known = Audit(
        organization_id,
        findings=(),
        assignments=tuple(assignments),
        facts=facts,
        verdicts=tuple(said),
        production=(*production, *house.production),
        stacks=tuple(export.stack for export in exports),
        unreadable=unreadable,
    )
    found: list[Found] = []
    for key in {**asked, **managed}:
        by, there = managed.get(key, ()), asked.get(key)
        # Of a binding that a resource still has, a check protects the role from the pending delete.
        late = () if by else pending.get(key, ())
        if there and id(there) in broken:
            found.append(_found(Finding.RULE, known, key, there, by))
        found += (_found(kind, known, key, there, by or late) for kind in _findings(known, there, by, late))
    return replace(known, findings=tuple(sorted(found, key=_order)))


def _findings(known: Audit, there: Asked | None, by: _Managed, late: _Managed) -> Iterator[Finding]:
    """Yield what is found about the role that Astro has, if it has one, and the stacks that have it in their states."""
    if len(_names(by)) > 1:
        yield Finding.TWO_STACKS
    if there is None:
        yield Finding.MISSING
        return
    token, now = known.facts.tokens.get(there.org_token_id or ""), known.facts.now
    has_expired = token is not None and token.has_expired(now)
    is_there = {
        Finding.UNMANAGED: known.stacks and not by and not late,
        Finding.PENDING: late,
        Finding.DRIFTED: _drifted(there.role, by),
        Finding.ADMIN: same_role(there.role, ADMIN) and fits(known.production, there.places),
        Finding.EXPIRED: has_expired,
        Finding.UNUSED: token is not None and not has_expired and token.is_unused(now),
        Finding.REDUNDANT: token is not None and token.is_owner,
    }
    yield from (kind for kind, is_so in is_there.items() if is_so)


def _drifted(role: str | None, by: _Managed) -> str | None:
    """Return the first role of a state that is not this one; None: all have this one, or a secret."""
    return next((one.role for _, one in by if seen(one.role) and not same_role(one.role, role)), None)


def _names(by: _Managed) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stack for stack, _ in by))


def _managed(
    organization_id: str, granted: Iterable[tuple[str, Sequence[Grant]]], facts: Facts
) -> tuple[dict[tuple[str, str], list[tuple[str, Grant]]], int]:
    """Return the stacks that manage each role, by deployment and token, and the number of grants that name none."""
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
    return found, unreadable


def _places(deployment_id: str, facts: Facts) -> tuple[str, str, str]:
    # Astro's lists are whole: the name of a deployment that they lack is not unknown.
    return facts.deployment_name(deployment_id) or "", facts.workspace_name(deployment_id) or "", deployment_id


def _asked(one: Assignment, by: _Managed, facts: Facts) -> Asked:
    deployment_name, workspace_name, _ = _places(one.deployment_id, facts)
    grant = by[0][1] if by else None
    return Asked(
        deployment_id=one.deployment_id,
        deployment_name=deployment_name,
        workspace_name=workspace_name,
        org_token_id=one.org_token_id,
        org_token_name=facts.token_name(one.org_token_id) or "",
        role=one.role,
        protect=grant.protect if grant else None,
        overwrite=grant.overwrite if grant else None,
    )


def _found(finding: Finding, known: Audit, key: tuple[str, str], there: Asked | None, by: _Managed) -> Found:
    (deployment_id, token_id), grant = key, by[0][1] if by else None
    name = known.facts.token_name(token_id)
    drifted = _drifted(there.role, by) if there and finding is Finding.DRIFTED else None
    return Found(
        finding=finding,
        organization_id=known.organization_id,
        deployment_id=deployment_id,
        deployment_name=known.facts.deployment_name(deployment_id),
        org_token_id=token_id,
        org_token_name=grant.org_token_name if name is None and grant else name,
        role=there.role if there else None,
        recorded_role=drifted or (text_of(grant.role) if grant else None),
        stacks=_names(by),
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

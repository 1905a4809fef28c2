"""Access as a map from (organization, deployment, token) to a role, and the difference of two such maps.

A digest does not always know all of that: another resource of the same run has yet to produce an id, a program keeps a
value secret, or the checks were off. What is not known is never taken for equal to anything else, so that a review may
say too much about it and never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeGuard

ADMIN = "DEPLOYMENT_ADMIN"


class Hidden(StrEnum):
    """Why a value is not shown."""

    UNKNOWN = "unknown"
    SECRET = "secret"  # noqa: S105  a word, no secret


@dataclass(frozen=True)
class Unseen:
    """A value that the digest does not show.

    Attributes:
        why: it is not known yet, or it is a secret.
        place: where it stands; two of them are the same value only if they stand in the same place.
    """

    why: Hidden
    place: str


Text = str | Unseen | None


def seen(value: Text) -> TypeGuard[str]:
    """Tell whether a text is there and shown."""
    return isinstance(value, str)


def shown(value: Text) -> str | None:
    """The text, or None where it is not there or not shown."""
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Subject:
    """Which token in which deployment: what a role is given to.

    Attributes:
        organization_id: the organization; None: the digest does not say.
        deployment_id: the deployment.
        org_token_id: the token; None: the digest knows its name only.
        org_token_name: the token's name where there is no id, else None: names are not unique and change.
    """

    organization_id: Text
    deployment_id: Text
    org_token_id: Text
    org_token_name: Text = None

    @property
    def parts(self) -> tuple[Text, ...]:
        """What identifies it."""
        return (self.organization_id, self.deployment_id, self.org_token_id, self.org_token_name)


@dataclass(frozen=True)
class Grant:
    """A subject's role, as one resource of a stack declares or records it.

    Attributes:
        subject: who, and where.
        role: the role.
        org_token_name: the token's name, as the resource tells it.
        deployment_name: the deployment's name, as the resource tells it; most resources do not.
        urn: the resource.
        protect: whether Pulumi refuses to delete the resource.
        overwrite: whether the resource may take over a grant with another role.
        retained: whether the grant stays when the resource is deleted.
    """

    subject: Subject
    role: Text
    org_token_name: str | None = None
    deployment_name: str | None = None
    urn: str = ""
    protect: bool = False
    overwrite: bool = False
    retained: bool = False


Access = Mapping[Subject, Grant]


class Kind(StrEnum):
    """What happens to a subject's role."""

    GAIN = "gain"
    LOSE = "lose"
    CHANGE = "change"


@dataclass(frozen=True)
class Change:
    """What happens to one subject.

    Attributes:
        subject: who, and where.
        before: the grant that ends, or None.
        after: the grant that there will be, or None.
    """

    subject: Subject
    before: Grant | None
    after: Grant | None

    @property
    def kind(self) -> Kind:
        """Whether a role is gained, lost or changed."""
        if self.before is None:
            return Kind.GAIN
        return Kind.LOSE if self.after is None else Kind.CHANGE


def same_role(one: Text, other: Text) -> bool:
    """Tell whether two roles are the same: Astro does not care about case. What is not shown equals only itself."""
    if seen(one) and seen(other):
        return one.lower() == other.lower()
    return one == other


def access(grants: Iterable[Grant]) -> dict[Subject, Grant]:
    """The grants by their subject; the last one counts where two resources claim one subject."""
    return {grant.subject: grant for grant in grants}


def difference(before: Access, after: Access) -> list[Change]:
    """What changes from one map to the other; a subject that keeps its role is no change, whatever resource has it."""
    changes = []
    for subject in dict.fromkeys([*before, *after]):
        old, new = before.get(subject), after.get(subject)
        if old is None or new is None or not same_role(old.role, new.role):
            changes.append(Change(subject, old, new))
    return changes


def completed(grants: Iterable[Grant], known: Iterable[Grant]) -> list[Grant]:
    """Grants with the ids that the checks, being off, did not find, as far as other grants tell them.

    Args:
        grants: what is to be completed.
        known: all grants of the digest.

    Returns:
        The grants; an organization is filled in if the others name exactly one, a token's id if exactly one token has
        the name there.
    """
    organizations: set[str] = set()
    ids: dict[str, set[str]] = {}
    for grant in known:
        if seen(grant.subject.organization_id):
            organizations.add(grant.subject.organization_id)
        if seen(grant.subject.org_token_id) and grant.org_token_name is not None:
            ids.setdefault(grant.org_token_name, set()).add(grant.subject.org_token_id)
    return [replace(grant, subject=_completed(grant.subject, organizations, ids)) for grant in grants]


def _completed(subject: Subject, organizations: set[str], ids: Mapping[str, set[str]]) -> Subject:
    organization_id, token_id, name = subject.organization_id, subject.org_token_id, subject.org_token_name
    if organization_id is None and len(organizations) == 1:
        (organization_id,) = organizations
    if token_id is None and seen(name) and len(ids.get(name, ())) == 1:
        (token_id,), name = ids[name], None
    return Subject(organization_id, subject.deployment_id, token_id, name)

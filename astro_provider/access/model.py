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
    """The text, or None if it is not there or not shown."""
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Subject:
    """Which token in which deployment: what a role is given to.

    Attributes:
        organization_id: the organization; None: the digest does not say.
        deployment_id: the deployment; None: the digest knows its name only.
        org_token_id: the token; None: as for the deployment.
        org_token_name: the token's name if there is no id, else None: names are not unique and change.
        deployment_name: the deployment's name if there is no id, else None.
    """

    organization_id: Text
    deployment_id: Text
    org_token_id: Text
    org_token_name: Text = None
    deployment_name: Text = None

    @property
    def parts(self) -> tuple[Text, ...]:
        """What identifies it."""
        return (
            self.organization_id,
            self.deployment_id,
            self.org_token_id,
            self.org_token_name,
            self.deployment_name,
        )


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
    """The grants by their subject; the last one counts if two resources claim one subject."""
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
        The grants; an organization is filled in if the others name exactly one, the id of a token or a deployment if
        exactly one has the name.
    """
    organizations: set[str] = set()
    tokens: dict[str, set[str]] = {}
    deployments: dict[str, set[str]] = {}
    for grant in known:
        subject = grant.subject
        if seen(subject.organization_id):
            organizations.add(subject.organization_id)
        if seen(subject.org_token_id) and grant.org_token_name is not None:
            tokens.setdefault(grant.org_token_name, set()).add(subject.org_token_id)
        if seen(subject.deployment_id) and grant.deployment_name is not None:
            deployments.setdefault(grant.deployment_name, set()).add(subject.deployment_id)
    return [replace(one, subject=_completed(one.subject, organizations, tokens, deployments)) for one in grants]


def _completed(
    subject: Subject,
    organizations: set[str],
    tokens: Mapping[str, set[str]],
    deployments: Mapping[str, set[str]],
) -> Subject:
    organization_id = subject.organization_id
    if organization_id is None and len(organizations) == 1:
        (organization_id,) = organizations
    token_id, token_name = _identified(subject.org_token_id, subject.org_token_name, tokens)
    deployment_id, deployment_name = _identified(subject.deployment_id, subject.deployment_name, deployments)
    return Subject(organization_id, deployment_id, token_id, token_name, deployment_name)


def _identified(identifier: Text, name: Text, ids: Mapping[str, set[str]]) -> tuple[Text, Text]:
    """An id, and the name if there is no id."""
    if identifier is None and seen(name) and len(ids.get(name, ())) == 1:
        (found,) = ids[name]
        return found, None
    return identifier, name

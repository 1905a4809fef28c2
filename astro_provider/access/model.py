"""The roles of tokens in deployments, as a digest or a state shows them, and how a run changes them.

A digest does not always know all of that: another resource of the same run has yet to produce an id, a program keeps a
value secret, or the checks were off. What is not known is never taken for equal to anything else, so that a review may
say too much about it and never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    """Return whether a text is there and shown."""
    return isinstance(value, str)


def text_of(value: Text) -> str | None:
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


class Kind(StrEnum):
    """What happens to a subject's role."""

    GAIN = "gain"
    LOSE = "lose"
    CHANGE = "change"
    KEEP = "keep"


@dataclass(frozen=True)
class Change:
    """What happens to one subject.

    Attributes:
        subject: the token and the deployment.
        before: the grant that ends, or None.
        after: the grant that there will be, or None.
        kind: a role is gained, lost, changed or kept. If a role before or after is not known, the kind that gives more.
        is_new: no resource of the stack had the binding before.
        is_released: no resource of the stack has it afterwards, and the role stays in Astro.
    """

    subject: Subject
    before: Grant | None
    after: Grant | None
    kind: Kind
    is_new: bool = False
    is_released: bool = False


def same_role(one: Text, other: Text) -> bool:
    """Return whether two roles are the same: Astro does not care about case. What is not shown equals only itself."""
    if seen(one) and seen(other):
        return one.lower() == other.lower()
    return one == other


@dataclass
class Names:
    """The ids that names mean, as far as the grants of a digest and Astro show it: each name may have several.

    Attributes:
        organizations: the ids of all organizations.
        tokens: the ids of tokens, by name.
        deployments: the ids of deployments, by name.
    """

    organizations: set[str] = field(default_factory=set)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    deployments: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, grants: Iterable[Grant], tokens: Mapping[str, str], deployments: Mapping[str, str]) -> Names:
        """The names in grants, and those of tokens and deployments, by id, that Astro lists."""
        found = cls()
        for grant in grants:
            subject = grant.subject
            if seen(subject.organization_id):
                found.organizations.add(subject.organization_id)
            if seen(subject.org_token_id) and grant.org_token_name is not None:
                found.tokens.setdefault(grant.org_token_name, set()).add(subject.org_token_id)
            if seen(subject.deployment_id) and grant.deployment_name is not None:
                found.deployments.setdefault(grant.deployment_name, set()).add(subject.deployment_id)
        for ids, listed in ((found.tokens, tokens), (found.deployments, deployments)):
            for identifier, name in listed.items():
                ids.setdefault(name, set()).add(identifier)
        return found

    def completed(self, grant: Grant) -> Grant:
        """The grant with the ids that the checks, being off, did not find.

        The organization is filled in if there is exactly one, the id of a token or a deployment if exactly one has the
        name.
        """
        subject = grant.subject
        organization_id = subject.organization_id
        if organization_id is None and len(self.organizations) == 1:
            (organization_id,) = self.organizations
        token_id, token_name = _identified(subject.org_token_id, subject.org_token_name, self.tokens)
        deployment_id, deployment_name = _identified(subject.deployment_id, subject.deployment_name, self.deployments)
        return replace(grant, subject=Subject(organization_id, deployment_id, token_id, token_name, deployment_name))


def _identified(identifier: Text, name: Text, ids: Mapping[str, set[str]]) -> tuple[Text, Text]:
    """An id, and the name if there is no id."""
    if identifier is None and seen(name) and len(ids.get(name, ())) == 1:
        (found,) = ids[name]
        return found, None
    return identifier, name

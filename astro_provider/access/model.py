"""The roles of tokens in deployments, as a digest or a state records them, and how a run changes them.

Some values are missing from a digest: another resource of the same run has yet to produce an id, the program marks a
value as secret, or the checks were off. A missing value is never equal to another one, so a review may report a change
too many, and never one too few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self, TypeGuard, cast

from astro_provider.access.facts import Facts

ADMIN = "DEPLOYMENT_ADMIN"
OWNER = "ORGANIZATION_OWNER"


class Word(StrEnum):
    """A word of a review or of an audit, with the sentence that explains it to a reader."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make a member from its two texts."""
        word = str.__new__(cls, value)
        word._value_ = value
        word.meaning = meaning
        return word


class Hidden(StrEnum):
    """The reason why a value is not shown."""

    UNKNOWN = "unknown"
    SECRET = "secret"  # noqa: S105  a word, no secret


@dataclass(frozen=True)
class Unseen:
    """A value that the digest does not show.

    `place` is its resource, property and moment; two hidden values are equal only if all three are.
    """

    why: Hidden
    place: str


Text = str | Unseen | None


def seen(value: Text) -> TypeGuard[str]:
    """Return whether a value is present and shown."""
    return isinstance(value, str)


def text_of(value: Text) -> str | None:
    """Return a value that is present and shown, else None."""
    return value if isinstance(value, str) else None


def is_unknown(value: Text) -> bool:
    """Return whether a value is not known yet; a secret is known, to the program."""
    return isinstance(value, Unseen) and value.why is Hidden.UNKNOWN


@dataclass(frozen=True)
class Subject:
    """A token and a deployment: one role is given to the pair.

    None: the digest does not have the value; of a name also if there is an id, because names are not unique and change.
    """

    organization_id: Text
    deployment_id: Text
    org_token_id: Text
    org_token_name: Text = None
    deployment_name: Text = None

    @property
    def pair(self) -> tuple[str, str] | None:
        """The ids of deployment and token, by which Astro can be asked; None if one is not shown."""
        if seen(self.deployment_id) and seen(self.org_token_id):
            return self.deployment_id, self.org_token_id
        return None


@dataclass(frozen=True)
class Grant:
    """A subject's role, as one resource of a stack declares or records it."""

    subject: Subject
    role: Text
    org_token_name: str | None = None  # the token's name in the resource
    deployment_name: str | None = None  # the deployment's name in the resource; most resources have none
    urn: str = ""
    protect: bool = False  # whether Pulumi refuses to delete the resource
    overwrite: bool = False  # whether the resource may take over a grant with another role


class Kind(StrEnum):
    """The effect of a run on a subject's role."""

    GAIN = "gain"
    LOSE = "lose"
    CHANGE = "change"
    KEEP = "keep"


@dataclass(frozen=True)
class Change:
    """The effect of a run on one subject."""

    subject: Subject
    before: Grant | None  # the grant that ends
    after: Grant | None  # the grant that there will be
    # A role is gained, lost, changed or kept; if a role before or after is not known, the kind that gives more.
    kind: Kind
    is_new: bool = False  # no resource of the stack had the binding before
    is_released: bool = False  # no resource of the stack has it afterwards, and the role stays in Astro

    @property
    def grant(self) -> Grant:
        """The grant after the run or, if there is none, the one before; a change has one of the two."""
        return cast(Grant, self.after or self.before)

    @property
    def values(self) -> list[Text]:
        """Everything that the change is about: the parts of its subject, and its roles."""
        return [*vars(self.subject).values(), *(grant.role for grant in (self.before, self.after) if grant)]


def same_role(one: Text, other: Text) -> bool:
    """Return whether two roles are the same. Astro ignores case; a hidden role equals only itself."""
    if seen(one) and seen(other):
        return one.lower() == other.lower()
    return one == other


@dataclass
class Names:
    """The ids that names stand for, from the grants of a digest and from Astro's lists; a name may have several ids."""

    organizations: set[str] = field(default_factory=set)
    tokens: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    deployments: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, grants: Iterable[Grant], facts: Facts) -> Names:
        """Return the names in these grants, and those that Astro lists."""
        found = cls()
        for grant in grants:
            subject = grant.subject
            if seen(subject.organization_id):
                found.organizations.add(subject.organization_id)
            if seen(subject.org_token_id) and grant.org_token_name is not None:
                found.tokens[grant.org_token_name].add(subject.org_token_id)
            if seen(subject.deployment_id) and grant.deployment_name is not None:
                found.deployments[grant.deployment_name].add(subject.deployment_id)
        for token in facts.tokens.values():
            found.tokens[token.name].add(token.id)
        for deployment in facts.deployments.values():
            found.deployments[deployment.name].add(deployment.id)
        return found

    def completed(self, grant: Grant) -> Grant:
        """Return a grant with the ids that the checks, being off, did not find.

        A missing organization is filled in if there is exactly one, a missing id if exactly one token or deployment has
        the name.
        """
        subject = grant.subject
        organization_id = subject.organization_id
        if organization_id is None and len(self.organizations) == 1:
            (organization_id,) = self.organizations
        token_id, token_name = _identified(subject.org_token_id, subject.org_token_name, self.tokens)
        deployment_id, deployment_name = _identified(subject.deployment_id, subject.deployment_name, self.deployments)
        return replace(grant, subject=Subject(organization_id, deployment_id, token_id, token_name, deployment_name))


def _identified(identifier: Text, name: Text, ids: Mapping[str, set[str]]) -> tuple[Text, Text]:
    """Return an id, and the name only if there is no id."""
    if identifier is None and seen(name) and len(ids.get(name, ())) == 1:
        (found,) = ids[name]
        return found, None
    return identifier, name

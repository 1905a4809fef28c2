"""What is worth a second look about a change of access.

A flag says what is known. What cannot be known, because Astro was not asked, is undecided; whoever wants to fail on a
flag fails on that too: refuse rather than guess.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from astro_provider.access.facts import Facts
from astro_provider.access.model import ADMIN, Change, Hidden, Kind, Subject, Text, Unseen, same_role, seen, text_of
from astro_provider.access.outcome import Outcome
from astro_provider.access.rules import Asked, fits


class Flag(StrEnum):
    """What is worth a second look, in the order in which it is shown."""

    LAST_ADMIN = "last-admin"
    PRODUCTION = "production"
    ADMIN = "admin"
    RULE = "rule"
    OVERWRITES = "overwrites"
    REFUSED = "refused"
    UNKNOWN_NAME = "unknown-name"
    DRIFT_REVERTED = "drift-reverted"
    DRIFTED = "drifted"
    GAP = "gap"
    TOKEN_RENEWED = "token-renewed"  # noqa: S105  a word, no secret
    ADOPTS = "adopts"
    RELEASED = "released"
    EXPIRED = "expired"
    UNUSED = "unused"
    UNKNOWN = "unknown"
    SECRET = "secret"  # noqa: S105  as above


LOUD = frozenset(
    (Flag.LAST_ADMIN, Flag.PRODUCTION, Flag.RULE, Flag.OVERWRITES, Flag.REFUSED, Flag.UNKNOWN_NAME)
)  # a reader must not overlook these

MEANINGS = {
    Flag.LAST_ADMIN: (
        "no organization token will be DEPLOYMENT_ADMIN there any more (people and workspace tokens are not seen)"
    ),
    Flag.PRODUCTION: "the deployment's or workspace's name fits a pattern of production",
    Flag.ADMIN: "the token becomes DEPLOYMENT_ADMIN",
    Flag.RULE: "a rule is broken; it stands below the table",
    Flag.OVERWRITES: "the token has another role there already, which the run replaces",
    Flag.REFUSED: "the token has another role there already, and the resource may not overwrite it, so the update will fail",
    Flag.UNKNOWN_NAME: "Astro has no token, deployment or role of that name, so the update fails unless this program makes it",
    Flag.DRIFT_REVERTED: "somebody changed this outside Pulumi, and the run takes it back",
    Flag.DRIFTED: "somebody changed this outside Pulumi",
    Flag.GAP: "the run takes the role away before it gives one, so there is a moment without",
    Flag.TOKEN_RENEWED: "another token of the same name takes this one's place",
    Flag.ADOPTS: "the token has this role already; from now on this stack manages it",
    Flag.RELEASED: "the role stays in Astro, and this stack stops managing it",
    Flag.EXPIRED: "the token has expired, so the role gives no access",
    Flag.UNUSED: "no use of the token is shown for 90 days",
    Flag.UNKNOWN: "something about it is not known before the update, or was not asked",
    Flag.SECRET: "the program keeps a value of it secret",
}


@dataclass(frozen=True)
class Situation:
    """What the flags of one change depend on beside the change itself.

    Attributes:
        outcome: what the run will have changed.
        is_refresh: nothing will be written.
        facts: what Astro tells.
        production: patterns of names of deployments and workspaces.
        renewed: the subjects of tokens that take another one's place, or give it up.
        without_admin: the deployments that have no admin after the run.
        breaking: the subjects whose new grant breaks a rule.
    """

    outcome: Outcome
    is_refresh: bool
    facts: Facts
    production: Sequence[str] = ()
    renewed: frozenset[Subject] = frozenset()
    without_admin: frozenset[Text] = frozenset()
    breaking: frozenset[Subject] = frozenset()

    def flags(self, change: Change, asked: Asked) -> set[Flag]:
        """The flags of a change."""
        found = {*self._of_values(change), *self._of_the_run(change.subject), *_of_what_was_there(change)}
        if change.after is not None and not change.is_released:
            found |= set(self._of_what_is_given(change, change.after.role, asked))
        if fits(self.production, asked.places) is not False:
            found.add(Flag.PRODUCTION if fits(self.production, asked.places) else Flag.UNKNOWN)
        if loses_admin(change) and change.subject.deployment_id in self.without_admin:
            found.add(Flag.LAST_ADMIN)
        return found

    def undecided(self, change: Change, asked: Asked) -> Iterator[Flag]:
        """Flags of which nobody can tell."""
        if fits(self.production, asked.places) is None:
            yield Flag.PRODUCTION
        if self.facts.asked:
            return
        if change.after is not None:
            yield from (Flag.EXPIRED, Flag.UNUSED)
        if change.is_new and change.after is not None:
            yield Flag.OVERWRITES if change.after.overwrite else Flag.ADOPTS
        if loses_admin(change):
            yield Flag.LAST_ADMIN

    def _of_values(self, change: Change) -> Iterator[Flag]:
        subject = change.subject
        values: list[Text] = [*subject.parts, *(grant.role for grant in (change.before, change.after) if grant)]
        hidden = {value.why for value in values if isinstance(value, Unseen)}
        if Hidden.SECRET in hidden:
            yield Flag.SECRET
        if Hidden.UNKNOWN in hidden or None in (subject.organization_id, subject.deployment_id, subject.org_token_id):
            yield Flag.UNKNOWN

    def _of_the_run(self, subject: Subject) -> Iterator[Flag]:
        if self.is_refresh:
            yield Flag.DRIFTED
        if subject in self.outcome.drifted:
            yield Flag.DRIFT_REVERTED
        if subject in self.outcome.gaps:
            yield Flag.GAP
        if subject in self.renewed:
            yield Flag.TOKEN_RENEWED

    def _of_what_is_given(self, change: Change, role: Text, asked: Asked) -> Iterator[Flag]:
        if same_role(role, ADMIN):
            yield Flag.ADMIN
        if change.subject in self.breaking:
            yield Flag.RULE
        if self._is_of_an_unknown_name(change, role):
            yield Flag.UNKNOWN_NAME
        token = self.facts.tokens.get(asked.org_token_id or "")
        if token is not None and token.has_expired(self.facts.now):
            yield Flag.EXPIRED
        elif token is not None and token.is_unused(self.facts.now):
            yield Flag.UNUSED

    def _is_of_an_unknown_name(self, change: Change, role: Text) -> bool:
        """Return whether Astro was asked, and has no such role, token or deployment."""
        if not self.facts.asked or change.is_released or self.is_refresh:
            return False
        subject = change.subject
        no_token = _is_not_listed(subject.org_token_id, subject.org_token_name, self.facts.tokens)
        no_deployment = _is_not_listed(subject.deployment_id, subject.deployment_name, self.facts.deployments)
        no_role = self.facts.roles is not None and seen(role) and role.lower() not in self.facts.roles
        return no_token or no_deployment or no_role


def _is_not_listed(identifier: Text, name: Text, listed: Container[str]) -> bool:
    """Return whether Astro lists no token, or no deployment, of an id, or of a name that has no id."""
    # A state still has the id of a token or a deployment that was deleted in Astro.
    return identifier not in listed if seen(identifier) else identifier is None and seen(name)


def _of_what_was_there(change: Change) -> Iterator[Flag]:
    if change.is_released:
        yield Flag.RELEASED
    if change.is_new and change.before is not None and change.after is not None and seen(change.before.role):
        if change.kind is Kind.KEEP:
            yield Flag.ADOPTS
        else:
            yield Flag.OVERWRITES if change.after.overwrite else Flag.REFUSED


def loses_admin(change: Change) -> bool:
    """Return whether a token ceases to be admin, or may."""
    was = change.before is not None and same_role(change.before.role, ADMIN) and not change.is_released
    return was and not (change.after is not None and same_role(change.after.role, ADMIN))


def renewed(changes: Iterable[Change]) -> frozenset[Subject]:
    """Find tokens that lose a role in a deployment where another token of the same name gains one, and that other."""
    by_name: dict[tuple[Text, str], list[Change]] = {}
    for change in changes:
        grant = change.after or change.before
        name = (grant.org_token_name if grant else None) or text_of(change.subject.org_token_name)
        if name is not None:
            where = change.subject.deployment_id or change.subject.deployment_name
            by_name.setdefault((where, name), []).append(change)
    return frozenset(
        change.subject
        for together in by_name.values()
        if {Kind.GAIN, Kind.LOSE} <= {change.kind for change in together}
        for change in together
    )


def without_admin(changes: Sequence[Change], facts: Facts) -> frozenset[Text]:
    """Find deployments in which organization tokens were looked for, and none is admin after the run."""
    left = {deployment_id: set(admins) for deployment_id, admins in facts.admins.items()}
    for change in changes:
        if loses_admin(change) and seen(change.subject.deployment_id):
            left.get(change.subject.deployment_id, set()).discard(text_of(change.subject.org_token_id) or "")
    for change in changes:
        gains = change.after is not None and same_role(change.after.role, ADMIN)
        if gains and seen(change.subject.deployment_id):
            left.get(change.subject.deployment_id, set()).add(text_of(change.subject.org_token_id) or "one not made yet")
    return frozenset(deployment_id for deployment_id, admins in left.items() if not admins)

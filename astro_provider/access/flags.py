"""The reasons for a second look at a change of access.

A flag says what is known. A flag that depends on facts which were not read is undecided, and `--fail-on` counts it as
set: refuse rather than guess.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from astro_provider.access.facts import Facts
from astro_provider.access.model import (
    ADMIN,
    Change,
    Grant,
    Hidden,
    Kind,
    Subject,
    Text,
    Unseen,
    Word,
    is_unknown,
    same_role,
    seen,
    text_of,
)
from astro_provider.access.outcome import Outcome
from astro_provider.access.rules import Asked, fits


class Flag(Word):
    """The flags, in the order in which they are shown."""

    LAST_ADMIN = (
        "last-admin",
        "no organization token will be DEPLOYMENT_ADMIN there any more (people and workspace tokens are not seen)",
    )
    PRODUCTION = "production", "the deployment's or workspace's name fits a pattern of production"
    ADMIN = "admin", "the token becomes DEPLOYMENT_ADMIN"
    RULE = "rule", "a rule is broken; the sentence is below the table"
    OVERWRITES = "overwrites", "the token has another role there already, which the run replaces"
    REFUSED = (
        "refused",
        "the token has another role there already, and the resource may not overwrite it, so the update will fail",
    )
    UNKNOWN_NAME = (
        "unknown-name",
        "Astro has no such token, deployment or role, so the update fails unless this program creates it",
    )
    DRIFT_REVERTED = "drift-reverted", "the role was changed outside Pulumi, and the run changes it back"
    DRIFTED = "drifted", "the role was changed outside Pulumi"
    GAP = "gap", "the run takes the role away before it gives one, so there is a moment without"
    TOKEN_RENEWED = "token-renewed", "another token of the same name takes this one's place"
    ADOPTS = "adopts", "the token has this role already; from now on this stack manages it"
    RELEASED = "released", "the role stays in Astro, and this stack stops managing it"
    EXPIRED = "expired", "the token has expired, so the role gives no access"
    UNUSED = "unused", "no use of the token is shown for 90 days"
    UNKNOWN = "unknown", "a value of it is not known before the update, or Astro was not asked"
    SECRET = "secret", "the program keeps a value of it secret"


LOUD = frozenset(
    (Flag.LAST_ADMIN, Flag.PRODUCTION, Flag.RULE, Flag.OVERWRITES, Flag.REFUSED, Flag.UNKNOWN_NAME)
)  # a reader must not overlook these


@dataclass(frozen=True)
class Situation:
    """The run around one change, on which its flags depend.

    `production` has patterns of names of deployments and workspaces, `breaking` the subjects whose new grant breaks a rule.
    """

    outcome: Outcome
    is_refresh: bool
    facts: Facts
    production: Sequence[str] = ()
    breaking: frozenset[Subject] = frozenset()

    @cached_property
    def _renewed(self) -> frozenset[Subject]:
        """The subjects of tokens that lose a role in a deployment where another token of the same name gains one."""
        by_name: dict[tuple[Text, str], list[Change]] = {}
        for change in self.outcome.changes:
            if change.grant.org_token_name is not None:
                where = change.subject.deployment_id or change.subject.deployment_name
                by_name.setdefault((where, change.grant.org_token_name), []).append(change)
        return frozenset(
            change.subject
            for together in by_name.values()
            if {Kind.GAIN, Kind.LOSE} <= {change.kind for change in together}
            for change in together
        )

    @cached_property
    def _without_admin(self) -> frozenset[str]:
        """The deployments whose organization tokens were read, and of which none is admin after the run."""
        left = {deployment_id: set(admins) for deployment_id, admins in self.facts.admins.items()}
        # Losses first, then gains: a token that loses the role by one resource and gains it by another counts as an admin.
        for change in sorted(self.outcome.changes, key=_is_admin_after):
            admins = left.get(text_of(change.subject.deployment_id) or "", set())
            token_id = text_of(change.subject.org_token_id)
            if _is_admin_after(change):
                admins.add(token_id or "one not made yet")
            elif loses_admin(change):
                admins.discard(token_id or "")
        return frozenset(deployment_id for deployment_id, admins in left.items() if not admins)

    def flags(self, change: Change, asked: Asked) -> tuple[Flag, ...]:
        """Return the flags of a change; `asked` is its grant, as the rules see it."""
        subject, before, after = change.subject, change.before, change.after
        # A role that the stack releases is not given by the run, so the flags about new roles do not apply.
        given = after if after is not None and not change.is_released else None
        # Of a binding that is new to the stack, a role before the run is one that the stack did not give.
        found = before if change.is_new and after is not None and before is not None and seen(before.role) else None
        may_overwrite = after is not None and after.overwrite
        is_production = fits(self.production, asked.places)
        token = self.facts.tokens.get(asked.org_token_id or "") if given else None
        has_expired = token is not None and token.has_expired(self.facts.now)
        ids = (subject.organization_id, subject.deployment_id, subject.org_token_id)
        is_set = {
            Flag.LAST_ADMIN: loses_admin(change) and subject.deployment_id in self._without_admin,
            Flag.PRODUCTION: is_production is True,
            Flag.ADMIN: given and same_role(given.role, ADMIN),
            Flag.RULE: given and subject in self.breaking,
            Flag.OVERWRITES: found and change.kind is not Kind.KEEP and may_overwrite,
            Flag.REFUSED: found and change.kind is not Kind.KEEP and not may_overwrite,
            Flag.UNKNOWN_NAME: given and self._is_missing_in_astro(given),
            Flag.DRIFT_REVERTED: subject in self.outcome.drifted,
            Flag.DRIFTED: self.is_refresh,
            Flag.GAP: subject in self.outcome.gaps,
            Flag.TOKEN_RENEWED: subject in self._renewed,
            Flag.ADOPTS: found and change.kind is Kind.KEEP,
            Flag.RELEASED: change.is_released,
            Flag.EXPIRED: has_expired,
            Flag.UNUSED: token is not None and not has_expired and token.is_unused(self.facts.now),
            # A name without an id is known only once the checks, which were off, have resolved it.
            Flag.UNKNOWN: is_production is None or None in ids or any(map(is_unknown, change.values)),
            Flag.SECRET: any(isinstance(value, Unseen) and value.why is Hidden.SECRET for value in change.values),
        }
        return tuple(flag for flag in Flag if is_set[flag])

    def undecided(self, change: Change, asked: Asked) -> Iterator[Flag]:
        """Yield the flags that a change may have, and that no fact decides."""
        if fits(self.production, asked.places) is None:
            yield Flag.PRODUCTION
        if self.facts.asked:
            return
        if change.after is not None:
            yield from (Flag.EXPIRED, Flag.UNUSED)
        # Of a binding that is new to the stack, only Astro has the role before.
        if change.is_new and change.after is not None:
            yield Flag.OVERWRITES if change.after.overwrite else Flag.ADOPTS
        if loses_admin(change):
            yield Flag.LAST_ADMIN

    def _is_missing_in_astro(self, grant: Grant) -> bool:
        """Return whether Astro was asked, and has no such role, token or deployment."""
        # What a refresh shows is in Astro, whatever its name.
        if not self.facts.asked or self.is_refresh:
            return False
        subject, role = grant.subject, grant.role
        no_token = _is_not_listed(subject.org_token_id, subject.org_token_name, self.facts.tokens)
        no_deployment = _is_not_listed(subject.deployment_id, subject.deployment_name, self.facts.deployments)
        no_role = self.facts.roles is not None and seen(role) and role.lower() not in self.facts.roles
        return no_token or no_deployment or no_role


def _is_not_listed(identifier: Text, name: Text, listed: Container[str]) -> bool:
    """Return whether Astro lists no token, or no deployment, of an id, or of a name that has no id."""
    # A state still has the id of a token or a deployment that was deleted in Astro.
    return identifier not in listed if seen(identifier) else identifier is None and seen(name)


def loses_admin(change: Change) -> bool:
    """Return whether a token ceases to be admin, or may."""
    was = change.before is not None and same_role(change.before.role, ADMIN) and not change.is_released
    return was and not _is_admin_after(change)


def _is_admin_after(change: Change) -> bool:
    return change.after is not None and same_role(change.after.role, ADMIN)

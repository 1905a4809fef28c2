"""What Astro tells of tokens and deployments, as far as a review or an audit needs it; read by whoever calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

UNUSED_AFTER = timedelta(days=90)


@dataclass(frozen=True)
class Token:
    """A token.

    Attributes:
        id: its id.
        name: its name.
        created_at: when it was made; None: not told.
        expires_at: when it ends; None: never, or not told.
        last_used_at: when it was last used; None: not told, which does not mean never.
        is_owner: whether it is ORGANIZATION_OWNER, and so may do everything everywhere; None: not told.
    """

    id: str
    name: str
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    is_owner: bool | None = None

    def has_expired(self, now: datetime) -> bool:
        """Return whether its end has passed."""
        return self.expires_at is not None and _aware(self.expires_at) <= now

    def is_unused(self, now: datetime) -> bool:
        """Return whether it is older than 90 days and no use in the last 90 is shown."""
        shown = [_aware(at) for at in (self.created_at, self.last_used_at) if at is not None]
        return bool(shown) and max(shown) <= now - UNUSED_AFTER


@dataclass(frozen=True)
class Deployment:
    """A deployment.

    Attributes:
        id: its id.
        name: its name.
        workspace_name: the name of its workspace; empty if Astro does not tell it.
        organization_id: the organization; empty if it does not matter.
    """

    id: str
    name: str
    workspace_name: str = ""
    organization_id: str = ""


@dataclass(frozen=True)
class Facts:
    """What was read at one moment.

    Attributes:
        now: the moment.
        asked: whether Astro was asked at all.
        tokens: the tokens by id.
        deployments: the deployments by id.
        admins: the ids of the organization tokens that are DEPLOYMENT_ADMIN, by the deployments that were looked at.
        held: the role, by deployment and token, of each pair that was looked at; None: no role.
        roles: the names of the roles that a deployment can have, in lower case; None: they were not asked for.
    """

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    asked: bool = False
    tokens: Mapping[str, Token] = field(default_factory=dict)
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    admins: Mapping[str, frozenset[str]] = field(default_factory=dict)
    held: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    roles: frozenset[str] | None = None


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)

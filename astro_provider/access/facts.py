"""The facts of Astro that a review or an audit needs. The caller reads them; nothing here asks the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

UNUSED_AFTER = timedelta(days=90)


@dataclass(frozen=True)
class Token:
    """A token; its times have a zone."""

    id: str
    name: str
    created_at: datetime | None = None  # None: Astro does not show it
    expires_at: datetime | None = None  # None: never, or Astro does not show it
    last_used_at: datetime | None = None  # None: Astro does not show it, which does not mean never
    # Whether it is ORGANIZATION_OWNER, and so may do everything everywhere; None: Astro does not show it.
    is_owner: bool | None = None

    def has_expired(self, now: datetime) -> bool:
        """Return whether its end has passed."""
        return self.expires_at is not None and self.expires_at <= now

    def is_unused(self, now: datetime) -> bool:
        """Return whether it is older than 90 days and no use in the last 90 is shown."""
        shown = [at for at in (self.created_at, self.last_used_at) if at is not None]
        return bool(shown) and max(shown) <= now - UNUSED_AFTER


@dataclass(frozen=True)
class Deployment:
    """A deployment; the name of its workspace is empty if Astro does not show it, its organization if no caller needs it."""

    id: str
    name: str
    workspace_name: str = ""
    organization_id: str = ""


@dataclass(frozen=True)
class Facts:
    """The facts of one moment."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    asked: bool = False  # whether Astro was asked at all
    tokens: Mapping[str, Token] = field(default_factory=dict)  # by id
    deployments: Mapping[str, Deployment] = field(default_factory=dict)  # by id
    # The ids of the organization tokens that are DEPLOYMENT_ADMIN, by deployment, of those that were read.
    admins: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # The role, by deployment and token, of each pair that was read; None: no role.
    held: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    # The names of the roles that a token can have in a deployment, in lower case; None: they were not read.
    roles: frozenset[str] | None = None

    # Names by ids; None: the id is not known, or Astro does not list it.

    def token_name(self, token_id: str | None) -> str | None:
        """Return the name of a token."""
        token = self.tokens.get(token_id or "")
        return token.name if token else None

    def deployment_name(self, deployment_id: str | None) -> str | None:
        """Return the name of a deployment."""
        deployment = self.deployments.get(deployment_id or "")
        return deployment.name if deployment else None

    def workspace_name(self, deployment_id: str | None) -> str | None:
        """Return the name of a deployment's workspace."""
        deployment = self.deployments.get(deployment_id or "")
        return deployment.workspace_name if deployment else None

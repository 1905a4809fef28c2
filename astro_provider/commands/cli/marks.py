"""What a table marks on a token: that it has expired, that nobody uses it, that it is of the kind DIRECT_ACCESS."""

from __future__ import annotations

from datetime import datetime

from astro_provider.access.facts import UNUSED_AFTER, Token
from astro_provider.astro.rows import DeploymentOrgToken

UNUSED = "unused"
DIRECT_ACCESS = "DIRECT_ACCESS"
UNUSED_IN_WORDS = (
    f"{UNUSED}: older than {UNUSED_AFTER.days} days, and Astro shows no use in the last {UNUSED_AFTER.days}."
)


def marks(row: DeploymentOrgToken, now: datetime) -> str:
    """Return the marks, for example `expired 2024-03-30, unused`; blank if there are none."""
    token = Token(
        row.id,
        row.name,
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at),
        last_used_at=moment(row.last_used_at),
    )
    found = []
    if token.expires_at is not None and token.has_expired(now):
        found.append(f"expired {token.expires_at:%Y-%m-%d}")
    if token.is_unused(now):
        found.append(UNUSED)
    if row.kind == DIRECT_ACCESS:
        found.append(DIRECT_ACCESS)
    return ", ".join(found)


def moment(text: str | None) -> datetime | None:
    """A time of the service; None if it is not told, or odd."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None

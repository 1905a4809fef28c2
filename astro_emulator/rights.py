"""What a credential may do, as far as the emulator models it: read, and write.

A credential that is the secret of a token has the rights of that token's roles at the moment of the call: everybody
may read, and who has the permission `organization.apiTokens.access` may write. That a read needs less than a write is
inferred; Astronomer documents the permission for all calls on tokens. A credential of no token has what it was given.
"""

from __future__ import annotations

from datetime import UTC, datetime

from astro_emulator.identity import parsed
from astro_emulator.state import Record, State

ACCESS = "organization.apiTokens.access"
# Other permissions for other writes are inferred from the names of documented ones.
PERMISSIONS = {"UpdateDeployment": "deployment.update", "DeleteDeployment": "deployment.delete"}


def may_write(state: State, token: Record) -> bool:
    """Tell whether a role that the token holds in its organization has the permission to write."""
    for held in token["roles"]:
        if held["entityType"] == "ORGANIZATION":
            role = state.role(token["organizationId"], "ORGANIZATION", held["role"])
            if role is not None and ACCESS in role.get("permissions", ()):
                return True
    return False


def effective(state: State, bearer: str) -> Record | None:
    """Return a copy of a credential's record with the rights that it has now, or None for an unknown one."""
    record = state.credentials.get(bearer)
    if record is None:
        return None
    token = state.tokens.get(record["api_token_id"])
    if token is None:
        return dict(record)
    return {
        **record,
        "expired": record["expired"] or _has_ended(token),
        "can_write": record["can_write"] and may_write(state, token),
    }


def _has_ended(token: Record) -> bool:
    end = parsed(token.get("endAt"))
    return end is not None and end <= datetime.now(UTC)

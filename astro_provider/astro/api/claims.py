"""The claims of a credential that is a JWT, read and not verified: the service alone verifies them.

Astro's API tokens name themselves in the claim `apiTokenId`, and their organization in `permissions`, as
`organizationId:<id>` (the CLI reads both). A person's token names no API token, and an opaque one names nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any


def claims_in(credential: str) -> dict[str, Any]:
    """Return the claims of a credential, unverified; none if it is no JWT."""
    try:
        payload = credential.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def permissions_in(claims: Mapping[str, Any], kind: str) -> list[str]:
    """Return the ids that the claim `permissions` holds as `<kind>:<id>`."""
    permissions = claims.get("permissions")
    texts = [one for one in permissions if isinstance(one, str)] if isinstance(permissions, list) else []
    return [one.removeprefix(f"{kind}:") for one in texts if one.startswith(f"{kind}:")]


def own_token_in(claims: Mapping[str, Any]) -> str | None:
    """Return the id of the API token whose secret the credential is; None if the claims name none.

    Some credentials were seen with the id inside `permissions` instead, so that form counts if the claim is missing.
    """
    own = claims.get("apiTokenId")
    if isinstance(own, str) and own:
        return own
    return next(iter(permissions_in(claims, "apiTokenId")), None)

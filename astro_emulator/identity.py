"""Ids, times and credentials in the shapes that Astro gives them.

Everything here is deterministic, so that an `export` copied from one run still fits the next one, and a failing test
fails with the same ids again. The credentials are no secrets: their signature signs nothing, and this emulator is the
only service that takes them.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

ISSUER = "https://astro-emulator.invalid/"
ISSUED_AT = 1_735_689_600
EXPIRED_AT = 1_738_368_000
CUID_LENGTH = 25
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def cuid(*seed: object) -> str:
    """Return an id that looks like a cuid; the same seed gives the same id."""
    number = int.from_bytes(hashlib.sha256(repr(seed).encode()).digest())
    tail = []
    for _ in range(CUID_LENGTH - 2):
        number, digit = divmod(number, len(_ALPHABET))
        tail.append(_ALPHABET[digit])
    return "cm" + "".join(tail)


def now() -> str:
    """Return the present time as Astro writes it: UTC, milliseconds, a Z."""
    return written(datetime.now(UTC))


def later_than(time: str) -> str:
    """Return the present time, or the next millisecond after `time` if that lies ahead: two writes never share one."""
    before = parsed(time)
    present = datetime.now(UTC)
    return written(present if before is None else max(present, before + timedelta(milliseconds=1)))


def parsed(time: Any) -> datetime | None:
    """Return a time of a record, in UTC unless it has a zone; None for none, a malformed one, and Go's zero time."""
    try:
        read = datetime.fromisoformat(time)
    except (TypeError, ValueError):
        return None
    if read.year == 1:
        return None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def written(time: datetime) -> str:
    """Return a time in UTC as Astro writes it."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def credential(
    api_token_id: str,
    organization_id: str | None,
    *,
    expired: bool = False,
    ends: datetime | None = None,
    secret_id: str | None = None,
) -> str:
    """Return a bearer credential: a JWT with Astro's claims.

    Args:
        api_token_id: the token whose secret this is.
        organization_id: goes into the claim `permissions`; None leaves it out, as old tokens do.
        expired: adds a claim `exp` that lies in the past.
        ends: adds a claim `exp`. Without either there is no `exp` at all.
        secret_id: a claim `jti`, which differs for each secret of a token; the first secret of a token has none.
    """
    permissions = [] if organization_id is None else [f"organizationId:{organization_id}"]
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": api_token_id,
        "aud": "astronomer-ee",
        "iat": ISSUED_AT,
        "apiTokenId": api_token_id,
        "isAstronomerGenerated": True,
        "version": "1",  # the CLI knows the claim; its value is inferred
        "permissions": permissions,
    }
    if expired:
        claims["exp"] = EXPIRED_AT
    if ends is not None:
        claims["exp"] = int(ends.timestamp())
    if secret_id is not None:
        claims["jti"] = secret_id
    signed = f"{_segment({'alg': 'RS256', 'kid': 'emulator', 'typ': 'JWT'})}.{_segment(claims)}"
    return f"{signed}.{_base64url(hashlib.sha512(signed.encode()).digest())}"


def _segment(content: dict[str, object]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()

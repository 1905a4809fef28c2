"""What `review` and `audit` read: files, and what Astro tells of tokens and deployments."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from astro_provider.access.facts import Deployment, Facts, Token
from astro_provider.access.model import ADMIN, same_role
from astro_provider.access.rules import Rules
from astro_provider.access.rules_file import read_rules
from astro_provider.astro import api
from astro_provider.astro.reading.assignments import assigned_tokens
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.errors import UnusableInput

STANDARD_INPUT = "-"
OWNER = "ORGANIZATION_OWNER"


def read_text(name: str) -> tuple[str, str]:
    """Read a file, or standard input for `-`.

    Returns:
        Its text, and what a message calls it. PowerShell writes UTF-16, so the encoding is found as JSON's is.

    Raises:
        UnusableInput: it cannot be read.
    """
    source = "Standard input" if name == STANDARD_INPUT else name
    try:
        content = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
        return content.decode(json.detect_encoding(content)).removeprefix("\ufeff"), source
    except OSError as error:
        raise UnusableInput(f"{source} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UnusableInput(f"{source} is no text in UTF-8 or UTF-16.") from None


def read_rules_file(name: Path | None) -> Rules | None:
    """Read `access.toml`, if one is given.

    Raises:
        UnusableInput: it cannot be read, or is wrong; the text names the line.
    """
    if name is None:
        return None
    return read_rules(*read_text(str(name)))


def facts(reader: Reader, organization_ids: Iterable[str], admins_of: Iterable[tuple[str, str]]) -> Facts:
    """Ask for what a review needs: the tokens, the deployments, and the admins of some of these.

    Args:
        reader: the service.
        organization_ids: the organizations; one list of tokens and one of deployments each.
        admins_of: organization and deployment, of each deployment whose admins are to be told; one list each.
    """
    tokens: dict[str, Token] = {}
    deployments: dict[str, Deployment] = {}
    found: dict[str, api.Deployment] = {}
    for organization_id in organization_ids:
        tokens |= {one.id: token_facts(one) for one in reader.tokens(organization_id).listed}
        found |= reader.deployments(organization_id)
    deployments = {one.id: deployment_facts(one) for one in found.values()}
    admins = {
        deployment_id: frozenset(
            row.id
            for row in assigned_tokens(reader, organization_id, [found[deployment_id]])
            if same_role(row.deployment_role, ADMIN)
        )
        for organization_id, deployment_id in admins_of
        if deployment_id in found
    }
    return Facts(datetime.now(UTC), asked=True, tokens=tokens, deployments=deployments, admins=admins)


def token_facts(token: api.ApiToken) -> Token:
    """What is worth knowing of a token."""
    organization_roles = [one.role for one in token.roles or () if one.entity_type == ORGANIZATION]
    return Token(
        id=token.id,
        name=token.name,
        created_at=_date(token.created_at),
        expires_at=token.end_at,
        last_used_at=_date(token.last_used_at),
        is_owner=any(same_role(role, OWNER) for role in organization_roles) if organization_roles else None,
    )


def deployment_facts(deployment: api.Deployment) -> Deployment:
    """What is worth knowing of a deployment."""
    name = (deployment.model_extra or {}).get("workspaceName")
    return Deployment(deployment.id, deployment.name, name if isinstance(name, str) else "")


def _date(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None

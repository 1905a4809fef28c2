"""Reads for `review` and `audit`: files, and the facts of tokens and deployments in Astro."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from astro_provider.access.digest import Digest
from astro_provider.access.facts import Deployment, Facts, Token
from astro_provider.access.flags import loses_admin
from astro_provider.access.model import ADMIN, same_role, seen, text_of
from astro_provider.access.outcome import outcome
from astro_provider.astro import api
from astro_provider.astro.reading.assignments import BUILT_IN, assigned_tokens
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.roles import ORGANIZATION, held_roles, require_roles, role_key
from astro_provider.errors import NotFound, UnusableInput

STANDARD_INPUT = "-"
OWNER = "ORGANIZATION_OWNER"


def read_text(name: str) -> tuple[str, str]:
    """Read a file, or standard input for `-`.

    Returns:
        Its text, and its name in messages. PowerShell writes UTF-16, so the encoding is found as JSON's is.

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


def listed(readers: Sequence[Reader]) -> Facts:
    """Read the tokens and the deployments of organizations: one list of each."""
    tokens: dict[str, Token] = {}
    deployments: dict[str, Deployment] = {}
    for reader in readers:
        tokens |= {one.id: token_facts(one) for one in reader.tokens().listed}
        deployments |= {one.id: deployment_facts(one, reader.organization_id) for one in reader.deployments().values()}
    return Facts(datetime.now(UTC), asked=True, tokens=tokens, deployments=deployments)


def looked_up(readers: Readers, facts: Facts, digest: Digest) -> Facts:
    """Add the roles that a review of the digest needs to the facts that `listed` has read.

    Returns:
        The facts with `admins` of each deployment that loses an admin (one list each), with `held` of the pairs that
        the digest leaves open (one list for each of their deployments, or one read for each of their tokens, whichever
        is fewer), and with `roles` if one is given that is not built in (one list for each organization).
    """
    expected = outcome(digest, facts)
    losing = {
        deployment_id
        for change in expected.changes
        if loses_admin(change) and (deployment_id := text_of(change.subject.deployment_id) or "") in facts.deployments
    }
    admins: dict[str, frozenset[str]] = {}
    held: dict[tuple[str, str], str | None] = {}
    for deployment_id in sorted(losing):
        roles = _roles_in(readers, facts.deployments[deployment_id])
        admins[deployment_id] = frozenset(token_id for token_id, role in roles.items() if same_role(role, ADMIN))
        held |= {pair: roles.get(pair[1]) for pair in expected.to_ask if pair[0] == deployment_id}
    held |= _held(readers, facts, expected.to_ask - held.keys())
    given = {change.after.role for change in expected.changes if change.after is not None}
    custom = any(seen(role) and role.upper() not in BUILT_IN for role in given)
    organizations = {one.organization_id for one in facts.deployments.values()}
    named = (
        frozenset(role_key(role.name) for one in organizations for role in readers.of(one).roles()) if custom else None
    )
    return replace(facts, admins=admins, held=held, roles=named)


def _roles_in(readers: Readers, deployment: Deployment) -> dict[str, str]:
    """The roles of organization tokens in a deployment, by token."""
    reader = readers.of(deployment.organization_id)
    of = reader.deployments()[deployment.id]
    return {row.id: row.deployment_role for row in assigned_tokens(reader, [of])}


def _held(readers: Readers, facts: Facts, pairs: AbstractSet[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """The roles of pairs of a deployment and a token; pairs in a deployment that Astro does not list are left out."""
    there = [pair for pair in pairs if pair[0] in facts.deployments]
    deployments, tokens = (sorted({pair[which] for pair in there}) for which in range(2))
    # A list shows all tokens of one deployment, a read all deployments of one token: take the fewer calls.
    if len(deployments) < len(tokens):
        lists = in_parallel([partial(_roles_in, readers, facts.deployments[one]) for one in deployments])
        in_deployment = dict(zip(deployments, lists, strict=True))
        return {pair: in_deployment[pair[0]].get(pair[1]) for pair in there}
    organization = {token: facts.deployments[deployment].organization_id for deployment, token in there}
    reads = in_parallel([partial(_roles_of, readers.of(organization[one]), one) for one in tokens])
    of_token = dict(zip(tokens, reads, strict=True))
    return {pair: of_token[pair[1]].get(pair[0]) for pair in there}


def _roles_of(reader: Reader, token_id: str) -> dict[str, str]:
    """The roles of a token, by deployment; none of a token that is gone."""
    try:
        return held_roles(require_roles(reader.whole_token(token_id)))
    except NotFound:
        return {}


def token_facts(token: api.ApiToken) -> Token:
    """The facts of a token."""
    organization_roles = [one.role for one in token.roles or () if one.entity_type == ORGANIZATION]
    return Token(
        id=token.id,
        name=token.name,
        created_at=moment(token.created_at),
        expires_at=token.end_at,
        last_used_at=moment(token.last_used_at),
        is_owner=any(same_role(role, OWNER) for role in organization_roles) if organization_roles else None,
    )


def deployment_facts(deployment: api.Deployment, organization_id: str) -> Deployment:
    """The facts of a deployment."""
    return Deployment(deployment.id, deployment.name, deployment.workspace_name or "", organization_id)


def moment(text: str | None) -> datetime | None:
    """A time of the service, read as UTC if it has no zone; None if there is none, or if it is malformed."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

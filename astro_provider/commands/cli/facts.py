"""Reads for `review` and `audit`: files, and the facts of tokens and deployments in Astro."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from astro_provider.access.digest import Digest
from astro_provider.access.facts import Deployment, Facts, Token
from astro_provider.access.flags import loses_admin
from astro_provider.access.model import ADMIN, OWNER, same_role, seen, text_of
from astro_provider.access.outcome import outcome
from astro_provider.astro import api
from astro_provider.astro.reading.assignments import BUILT_IN, assigned_tokens
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.roles import ORGANIZATION, held_roles, require_roles, role_key
from astro_provider.errors import NotFound, UnusableInput

STANDARD_INPUT = "-"


def read_text(name: str) -> tuple[str, str]:
    """Return the text of a file, or of standard input for `-`, and its name in messages.

    Raises:
        UnusableInput: it cannot be read.
    """
    source = "Standard input" if name == STANDARD_INPUT else name
    try:
        content = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
        # PowerShell writes UTF-16.
        return content.decode(json.detect_encoding(content)).removeprefix("\ufeff"), source
    except OSError as error:
        raise UnusableInput(f"{source} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UnusableInput(f"{source} is no text in UTF-8 or UTF-16.") from None


def looked_up(readers: Readers, organization_ids: Sequence[str | None], digest: Digest) -> Facts:
    """Read what a review of the digest needs.

    Returns:
        The tokens and the deployments of the organizations (one list of each), `admins` of each deployment that loses an
        admin (one list each), `held` of the pairs that the digest leaves open (one list for each of their deployments, or
        one read for each of their tokens, whichever is fewer), and `roles` if one is given that is not built in (one list
        for each organization).
    """
    tokens: list[api.ApiToken] = []
    deployments: dict[str, Deployment] = {}
    for reader in map(readers.of, organization_ids):
        tokens += reader.tokens().listed
        deployments |= deployments_of(reader)
    facts = facts_of(tokens, deployments)
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
    """Return the roles of organization tokens in a deployment, by token."""
    reader = readers.of(deployment.organization_id)
    rows = assigned_tokens(reader, [reader.deployments()[deployment.id]])
    return {row.id: row.deployment_role for row in rows}


def _held(readers: Readers, facts: Facts, pairs: AbstractSet[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """Return the roles of pairs of a deployment and a token; pairs in a deployment that Astro does not list are left out."""
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
    """Return the roles of a token, by deployment; none of a token that is gone."""
    try:
        return held_roles(require_roles(reader.whole_token(token_id)))
    except NotFound:
        return {}


def facts_of(tokens: Iterable[api.ApiToken], deployments: Mapping[str, Deployment]) -> Facts:
    """Return the facts of tokens and deployments."""
    return Facts(asked=True, tokens={one.id: _token(one) for one in tokens}, deployments=deployments)


def deployments_of(reader: Reader) -> dict[str, Deployment]:
    """Return the facts of an organization's deployments, by id."""
    return {
        one.id: Deployment(one.id, one.name, one.workspace_name or "", reader.organization_id)
        for one in reader.deployments().values()
    }


def _token(token: api.ApiToken) -> Token:
    organization_roles = [one.role for one in token.roles or () if one.entity_type == ORGANIZATION]
    return Token(
        id=token.id,
        name=token.name,
        created_at=moment(token.created_at),
        expires_at=token.end_at,
        last_used_at=moment(token.last_used_at),
        is_owner=any(same_role(role, OWNER) for role in organization_roles) if organization_roles else None,
    )


def moment(text: str | None) -> datetime | None:
    """Return a time of the service, read as UTC if it has no zone; None if there is none, or if it is malformed."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

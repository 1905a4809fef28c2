"""Records in the shapes of the API, and the ids of the organization that every emulator starts with.

That organization itself is in `seeds/example.yaml`; the ids are constants here, so that tests may quote them.
"""

from __future__ import annotations

from typing import Any

from astro_emulator.state import Record

ORGANIZATION_ID = "clk2v5d8n000108mk4g7bz1qf"
DATA_PLATFORM_ID = "clk2v6a3e000208mkh9x5c2wd"
FINANCE_ID = "clm5t1r9b000308ldg6q8y4nz"
OWNER_TOKEN_ID = "clm8q7f6q000008lcgyougpsk"  # noqa: S105 an id, no secret
ETL_PRODUCTION_ID = "clm9x2k4t000408l6c3f7h8va"
ETL_STAGING_ID = "clm9x5p7w000508l6e1j9d2rb"
ML_TRAINING_ID = "clp6d4z9g000708l6f2t8u3xd"
FINANCE_CLOSE_ID = "clq1h7n5c000808l6w9b2v6ye"

ADA = {
    "id": "clk2v5f1x000008jt7r3n9kqe",
    "subjectType": "USER",
    "fullName": "Ada Byron",
    "username": "ada@example.com",
}


def entry(kind: str, entity_id: str, role: str, **more: str) -> Record:
    """Return an entry of a role list."""
    return {"entityType": kind, "entityId": entity_id, "role": role, **more}


def token(
    token_id: str, name: str, *, roles: list[Record], at: str, organization_id: str = ORGANIZATION_ID, **more: Any
) -> Record:
    """Return a token's record; `more` replaces or adds any of its attributes."""
    return {
        "id": token_id,
        "organizationId": organization_id,
        "name": name,
        "description": "",
        "scope": "ORGANIZATION",
        "kind": "STANDARD",
        "shortToken": token_id[-6:],
        "startAt": at,
        "createdAt": at,
        "updatedAt": at,
        "createdBy": ADA,
        "updatedBy": ADA,
        "roles": roles,
        **more,
    }


def deployment(  # noqa: PLR0913 all of them are attributes
    deployment_id: str,
    name: str,
    workspace_id: str,
    *,
    at: str,
    organization_id: str = ORGANIZATION_ID,
    description: str = "",
    status: str = "HEALTHY",
) -> Record:
    """Return a deployment's record."""
    return {
        "id": deployment_id,
        "name": name,
        "description": description,
        "organizationId": organization_id,
        "workspaceId": workspace_id,
        "status": status,
        "createdAt": at,
        "updatedAt": at,
    }


def custom_role(  # noqa: PLR0913 all of them are attributes
    role_id: str,
    name: str,
    *,
    scope_type: str = "DEPLOYMENT",
    restricted_workspace_ids: list[str] | None = None,
    organization_id: str = ORGANIZATION_ID,
    at: str = "2025-03-11T12:00:00.000Z",
) -> Record:
    """Return a custom role's record."""
    return {
        "id": role_id,
        "name": name,
        "description": "",
        "organizationId": organization_id,
        "scopeType": scope_type,
        "restrictedWorkspaceIds": restricted_workspace_ids or [],
        "createdAt": at,
        "updatedAt": at,
    }


def credential_record(bearer: str, organization_id: str, api_token_id: str) -> Record:
    """Return a credential's record: whose it is, and that it may do everything."""
    return {
        "token": bearer,
        "organization_id": organization_id,
        "api_token_id": api_token_id,
        "expired": False,
        "can_read": True,
        "can_write": True,
    }

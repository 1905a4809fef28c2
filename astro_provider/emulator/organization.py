"""The organization that every emulator starts with: small, believable, and the same every time.

Ids and times are constants, so that documentation may quote them. Every oddity that the real service is known for has
one specimen here: two tokens of one name, an expired token, one of kind DIRECT_ACCESS, one with a role in a DAG, one
bound to a deployment already, tokens of all three scopes, and a custom role that is restricted to one workspace.
"""

from __future__ import annotations

from typing import Any

from astro_provider.emulator.identity import credential
from astro_provider.emulator.state import Record, State

ORGANIZATION_ID = "clk2v5d8n000108mk4g7bz1qf"
DATA_PLATFORM_ID = "clk2v6a3e000208mkh9x5c2wd"
FINANCE_ID = "clm5t1r9b000308ldg6q8y4nz"
OWNER_TOKEN_ID = "clm8q7f6q000008lcgyougpsk"  # noqa: S105 an id, no secret

_ADA = {
    "id": "clk2v5f1x000008jt7r3n9kqe",
    "subjectType": "USER",
    "fullName": "Ada Byron",
    "username": "ada@example.com",
}
_GRACE = {
    "id": "clm4w8s2d000108jp1v6e5hzu",
    "subjectType": "USER",
    "fullName": "Grace Murray",
    "username": "grace@example.com",
}
_PIPELINE = {"id": OWNER_TOKEN_ID, "subjectType": "SERVICEKEY", "apiTokenName": "platform-owner"}

_DEPLOYMENTS = (
    ("clm9x2k4t000408l6c3f7h8va", "etl-production", DATA_PLATFORM_ID, "HEALTHY", "2024-02-12T09:30:11.204Z"),
    ("clm9x5p7w000508l6e1j9d2rb", "etl-staging", DATA_PLATFORM_ID, "HEALTHY", "2024-02-12T10:02:47.881Z"),
    ("cln3b8q1y000608l6a7m4s5kc", "etl-development", DATA_PLATFORM_ID, "HIBERNATING", "2024-07-01T14:15:09.530Z"),
    ("clp6d4z9g000708l6f2t8u3xd", "ml-training", DATA_PLATFORM_ID, "UNHEALTHY", "2025-05-20T08:44:33.117Z"),
    ("clq1h7n5c000808l6w9b2v6ye", "finance-close", FINANCE_ID, "HEALTHY", "2025-09-03T07:00:00.642Z"),
    ("cls8j3m2r000908l6k5p1x7zf", "finance-reporting", FINANCE_ID, "HEALTHY", "2026-06-17T16:21:58.093Z"),
)
ETL_PRODUCTION_ID, ETL_STAGING_ID, _, ML_TRAINING_ID, FINANCE_CLOSE_ID, _ = (row[0] for row in _DEPLOYMENTS)


def initial_state() -> State:
    """Return the organization as it is at every start, made anew."""
    owner = credential(OWNER_TOKEN_ID, ORGANIZATION_ID)
    return State(
        organizations=_by_id(
            {"id": ORGANIZATION_ID, "name": "Example Airlines", "product": "HOSTED", "status": "ACTIVE"}
        ),
        workspaces=_by_id(
            {"id": DATA_PLATFORM_ID, "name": "Data Platform", "organizationId": ORGANIZATION_ID},
            {"id": FINANCE_ID, "name": "Finance", "organizationId": ORGANIZATION_ID},
        ),
        deployments=_by_id(
            *(
                deployment(deployment_id, name, workspace_id, at=at, status=status)
                for deployment_id, name, workspace_id, status, at in _DEPLOYMENTS
            )
        ),
        roles=_by_id(
            custom_role("clr4f6w8h000a08l6s2d9q7ug", "Release Engineer"),
            custom_role("clr4f9x3j000b08l6v5g1t8eh", "Ledger Auditor", restricted_workspace_ids=[FINANCE_ID]),
            custom_role("clr5a2c7k000c08l6n8y4z3mi", "DAG Trigger", scope_type="DAG"),
        ),
        tokens=_by_id(*_tokens()),
        credentials={owner: credential_record(owner, ORGANIZATION_ID, OWNER_TOKEN_ID)},
    )


def entry(kind: str, entity_id: str, role: str, **more: str) -> Record:
    """Return an entry of a role list."""
    return {"entityType": kind, "entityId": entity_id, "role": role, **more}


def token(token_id: str, name: str, *, roles: list[Record], at: str, **more: Any) -> Record:
    """Return a token's record; `more` replaces or adds any of its attributes."""
    return {
        "id": token_id,
        "organizationId": ORGANIZATION_ID,
        "name": name,
        "description": "",
        "scope": "ORGANIZATION",
        "kind": "STANDARD",
        "shortToken": token_id[-6:],
        "startAt": at,
        "createdAt": at,
        "updatedAt": at,
        "createdBy": _ADA,
        "updatedBy": _ADA,
        "roles": roles,
        **more,
    }


def deployment(deployment_id: str, name: str, workspace_id: str, *, at: str, status: str = "HEALTHY") -> Record:
    """Return a deployment's record."""
    return {
        "id": deployment_id,
        "name": name,
        "description": "",
        "organizationId": ORGANIZATION_ID,
        "workspaceId": workspace_id,
        "status": status,
        "createdAt": at,
        "updatedAt": at,
    }


def custom_role(
    role_id: str,
    name: str,
    *,
    scope_type: str = "DEPLOYMENT",
    restricted_workspace_ids: list[str] | None = None,
    at: str = "2025-03-11T12:00:00.000Z",
) -> Record:
    """Return a custom role's record."""
    return {
        "id": role_id,
        "name": name,
        "description": "",
        "organizationId": ORGANIZATION_ID,
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


def _tokens() -> list[Record]:
    member = entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")
    return [
        token(
            OWNER_TOKEN_ID,
            "platform-owner",
            description="The infra repository's pipeline",
            roles=[entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_OWNER")],
            at="2024-01-08T08:12:55.310Z",
            lastUsedAt="2026-11-23T22:41:07.000Z",
        ),
        token(
            "cln7c3v5p000d08l6q4h8w2aj",
            "ci-deployer",
            description="Deploys from main",
            roles=[member],
            at="2025-01-15T10:20:30.456Z",
            endAt="2036-01-15T10:20:30.456Z",
            expiryPeriodInDays=4017,
        ),
        token(
            "clu2e9b6s000e08l6r1k7y5dk",
            "ci-deployer",
            description="Deploys from main, after the move",
            roles=[member],
            at="2026-08-30T17:05:12.778Z",
            createdBy=_PIPELINE,
            updatedBy=_PIPELINE,
        ),
        token(
            "clo8g1x4m000f08l6t9c3z6vl",
            "observability",
            description="Reads metrics of production",
            roles=[member, entry("DEPLOYMENT", ETL_PRODUCTION_ID, "DEPLOYMENT_ACCESSOR")],
            at="2025-04-02T06:59:01.002Z",
            createdBy=_GRACE,
        ),
        token(
            "clj5a7d2w000g08l6p6n4u9bm",
            "airflow-1-migration",
            roles=[member],
            at="2023-10-02T13:37:00.000Z",
            endAt="2024-03-30T13:37:00.000Z",
            expiryPeriodInDays=180,
        ),
        token(
            "clt4k6r8f000h08l6m3v1e7cn",
            "snowflake-direct",
            kind="DIRECT_ACCESS",
            roles=[member],
            at="2026-05-11T09:09:09.909Z",
            createdBy=_PIPELINE,
        ),
        token(
            "clv9m2t3q000i08l6b8x5g4do",
            "model-trainer",
            roles=[
                member,
                entry("DEPLOYMENT", ML_TRAINING_ID, "DEPLOYMENT_ACCESSOR"),
                entry("DAG", "train_demand_model", "DAG_AUTHOR", deploymentId=ML_TRAINING_ID),
            ],
            at="2026-10-19T15:48:26.661Z",
            createdBy=_GRACE,
        ),
        token(
            "clq3p8y7h000j08l6z2s9f1ep",
            "finance-workspace",
            scope="WORKSPACE",
            roles=[
                entry("WORKSPACE", FINANCE_ID, "WORKSPACE_OPERATOR"),
                entry("DEPLOYMENT", FINANCE_CLOSE_ID, "Ledger Auditor"),
            ],
            at="2025-09-03T07:30:44.120Z",
        ),
        token(
            "clw1s5z9d000k08l6g7a2j3fq",
            "staging-deploys",
            scope="DEPLOYMENT",
            roles=[entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN")],
            at="2026-11-20T11:11:11.111Z",
        ),
    ]


def _by_id(*records: Record) -> dict[str, Record]:
    return {record["id"]: record for record in records}

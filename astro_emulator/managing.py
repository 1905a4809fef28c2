"""Makes, changes, rotates and deletes tokens, deployments and custom roles themselves.

The provider never makes these calls; users who rehearse an incident do. Published are paths, bodies and answers, and
that a deleted deployment takes its own tokens along. Inferred are: a description that is left out stays; rotation
restarts the expiry period; a deployment's name alone may be posted; roles in a deleted deployment stay in the lists of
their tokens; a renamed custom role is renamed in these lists too, and a deleted one stays there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from astro_emulator import organization
from astro_emulator.answers import ApiError, FieldError
from astro_emulator.identity import credential, later_than, now, parsed, written
from astro_emulator.organization import credential_record, entry
from astro_emulator.reading import shown_deployment, shown_role, shown_token
from astro_emulator.state import DAG_KINDS, Record, State
from astro_emulator.writing import checked

Body = TypeVar("Body", bound="_Body")
Name = Annotated[str, Field(min_length=1, max_length=256)]
Description = Annotated[str, Field(max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class NewToken(_Body):
    """The body of CreateApiToken."""

    name: Name
    role: str
    scope: Literal["ORGANIZATION", "WORKSPACE", "DEPLOYMENT"]
    description: Description = ""
    entityId: str | None = None  # noqa: N815 the API's spelling
    kind: Literal["STANDARD", "DIRECT_ACCESS"] = "STANDARD"
    tokenExpiryPeriodInDays: Annotated[int, Field(ge=1, le=3650)] | None = None  # noqa: N815 as above


class TokenChange(_Body):
    """The body of UpdateApiToken."""

    name: Name
    description: Description | None = None


class RoleChange(_Body):
    """The body of UpdateCustomRole."""

    name: Annotated[str, Field(min_length=1)]
    permissions: Annotated[list[str], Field(min_length=1)]
    description: str | None = None
    restrictedWorkspaceIds: list[str] = []  # noqa: N815 as above


class NewRole(RoleChange):
    """The body of CreateCustomRole."""

    scopeType: Literal["DEPLOYMENT", "DAG"]  # noqa: N815 as above


class DeploymentChange(_Body):
    """The part of the body of UpdateDeployment that the emulator looks at."""

    name: Name


def create_token(state: State, organization_id: str, body: object, token_id: str, writer: Record) -> Record:
    """Make a token and return it with its secret; ApiError 400 or 404, and then nothing has changed."""
    new = _valid(NewToken, body)
    if new.scope != "ORGANIZATION" and new.entityId is None:
        fault = FieldError(
            "required", "entityId", f"A token of scope {new.scope} needs the entityId of its {new.scope}."
        )
        raise ApiError(400, "Invalid request.", field_errors=[fault])
    entity_id = organization_id if new.scope == "ORGANIZATION" else str(new.entityId)
    by = subject(state, writer)
    record = organization.token(
        token_id,
        new.name,
        roles=[],
        at=now(),
        organization_id=organization_id,
        description=new.description,
        scope=new.scope,
        kind=new.kind,
        createdBy=by,
        updatedBy=by,
    )
    record["roles"] = [checked(state, record, entry(new.scope, entity_id, new.role), [])]
    if new.tokenExpiryPeriodInDays is not None:
        record["expiryPeriodInDays"] = new.tokenExpiryPeriodInDays
        _start_expiry(record)
    state.tokens[token_id] = record
    return {**shown_token(record), "token": _secret_of(state, record)}


def update_token(state: State, organization_id: str, token_id: str, body: object, writer: Record) -> Record:
    """Change a token's name and description, and return it; ApiError 400 or 404."""
    record = state.token(organization_id, token_id)
    change = _valid(TokenChange, body)
    record["name"] = change.name
    if change.description is not None:
        record["description"] = change.description
    record.update(updatedAt=later_than(record["updatedAt"]), updatedBy=subject(state, writer))
    return shown_token(record)


def rotate_token(state: State, organization_id: str, token_id: str, secret_id: str, writer: Record) -> Record:
    """Give a token another secret, end its earlier ones, and return it with the new one; ApiError 404."""
    record = state.token(organization_id, token_id)
    by = subject(state, writer)
    _end_secrets(state, token_id)
    at = later_than(record["updatedAt"])
    record.update(lastRotatedAt=at, updatedAt=at, updatedBy=by)
    if record.get("expiryPeriodInDays") is not None:
        record["startAt"] = at
        _start_expiry(record)
    return {**shown_token(record), "token": _secret_of(state, record, secret_id)}


def delete_token(state: State, organization_id: str, token_id: str) -> None:
    """Delete a token; its secrets end with it; ApiError 404."""
    state.token(organization_id, token_id)
    _end_secrets(state, token_id)
    del state.tokens[token_id]


def update_deployment(state: State, organization_id: str, deployment_id: str, body: object) -> Record:
    """Change a deployment's name, and return it; ApiError 400 or 404."""
    record = state.deployment(organization_id, deployment_id)
    name = _valid(DeploymentChange, body).name
    for other in state.deployments.values():
        if other is not record and (other["workspaceId"], other["name"]) == (record["workspaceId"], name):
            raise ApiError(400, f"Invalid request: a deployment named {name} exists already in the workspace")
    record["name"] = name
    record["updatedAt"] = later_than(record["updatedAt"])
    return shown_deployment(state, record)


def delete_deployment(state: State, organization_id: str, deployment_id: str) -> None:
    """Delete a deployment, and the tokens of its own scope with their secrets; ApiError 404."""
    state.deployment(organization_id, deployment_id)
    drop_deployment(state, deployment_id)


def drop_deployment(state: State, deployment_id: str) -> None:
    """Take a deployment that is there out of the state, and the tokens of its own scope with it."""
    del state.deployments[deployment_id]
    for token_id, token in list(state.tokens.items()):
        if token["scope"] == "DEPLOYMENT" and any(held["entityId"] == deployment_id for held in token["roles"]):
            _end_secrets(state, token_id)
            del state.tokens[token_id]


def create_role(state: State, organization_id: str, body: object, role_id: str, writer: Record) -> Record:
    """Make a custom role and return it; ApiError 400 or 404, and then nothing has changed."""
    new = _valid(NewRole, body)
    _require_new_name(state, organization_id, new.scopeType, new.name)
    record = organization.custom_role(
        role_id,
        new.name,
        scope_type=new.scopeType,
        restricted_workspace_ids=[state.workspace(organization_id, one)["id"] for one in new.restrictedWorkspaceIds],
        organization_id=organization_id,
        at=now(),
    )
    by = subject(state, writer)
    record.update(description=new.description or "", permissions=new.permissions, createdBy=by, updatedBy=by)
    state.roles[role_id] = record
    return shown_role(record)


def update_role(state: State, organization_id: str, role_id: str, body: object, writer: Record) -> Record:
    """Change a custom role, its name in the lists of tokens included, and return it; ApiError 400 or 404."""
    record = state.custom_role(organization_id, role_id)
    change = _valid(RoleChange, body)
    if change.name.casefold() != record["name"].casefold():
        _require_new_name(state, organization_id, record["scopeType"], change.name)
    restricted = [state.workspace(organization_id, one)["id"] for one in change.restrictedWorkspaceIds]
    kinds = DAG_KINDS if record["scopeType"] == "DAG" else (record["scopeType"],)
    for token in state.tokens.values():
        token["roles"] = [
            {**held, "role": change.name} if held["entityType"] in kinds and held["role"] == record["name"] else held
            for held in token["roles"]
        ]
    if change.description is not None:
        record["description"] = change.description
    record.update(name=change.name, permissions=change.permissions, restrictedWorkspaceIds=restricted)
    record.update(updatedAt=later_than(record["updatedAt"]), updatedBy=subject(state, writer))
    return shown_role(record)


def delete_role(state: State, organization_id: str, role_id: str) -> None:
    """Delete a custom role; entries that name it stay, and no list that names it is taken; ApiError 404."""
    state.custom_role(organization_id, role_id)
    del state.roles[role_id]


def _require_new_name(state: State, organization_id: str, scope_type: str, name: str) -> None:
    if state.role(organization_id, scope_type, name) is not None:
        raise ApiError(400, f"Invalid request: a role named {name} exists already")


def subject(state: State, writer: Record) -> Record:
    """Return the profile of a credential's token, as `createdBy` and `updatedBy` show it."""
    by: Record = {"id": writer["api_token_id"], "subjectType": "SERVICEKEY"}
    if (own := state.tokens.get(by["id"])) is not None:
        by["apiTokenName"] = own["name"]
    return by


def _valid(kind: type[Body], body: object) -> Body:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        faults = [
            FieldError(one["type"], ".".join(map(str, one["loc"])) or "body", one["msg"])
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise ApiError(400, "Invalid request.", field_errors=faults) from None


def _start_expiry(record: Record) -> None:
    start = parsed(record["startAt"]) or datetime.now(UTC)
    record["endAt"] = written(start + timedelta(days=record["expiryPeriodInDays"]))


def _secret_of(state: State, record: Record, secret_id: str | None = None) -> str:
    ends = parsed(record.get("endAt"))
    bearer = credential(record["id"], record["organizationId"], ends=ends, secret_id=secret_id)
    state.credentials[bearer] = credential_record(bearer, record["organizationId"], record["id"])
    return bearer


def _end_secrets(state: State, token_id: str) -> None:
    for bearer in [key for key, one in state.credentials.items() if one["api_token_id"] == token_id]:
        del state.credentials[bearer]

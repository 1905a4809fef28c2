"""What the API does to tokens and deployments themselves: make, change, rotate, delete.

The provider never makes these calls; people who rehearse do. Paths, bodies and answers are Astronomer's. Inferred are:
a description that is left out stays; rotation starts the expiry period anew; a deployment's name alone may be posted;
roles in a deleted deployment stay in the lists of the tokens that hold them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from astro_emulator import organization
from astro_emulator.answers import ApiError, FieldError
from astro_emulator.identity import credential, later_than, now, parsed, written
from astro_emulator.organization import credential_record, entry
from astro_emulator.reading import shown_deployment, shown_token
from astro_emulator.state import Record, State
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
    record["name"] = _valid(DeploymentChange, body).name
    record["updatedAt"] = later_than(record["updatedAt"])
    return shown_deployment(state, record)


def delete_deployment(state: State, organization_id: str, deployment_id: str) -> None:
    """Delete a deployment; ApiError 404."""
    state.deployment(organization_id, deployment_id)
    del state.deployments[deployment_id]


def subject(state: State, writer: Record) -> Record:
    """Return the profile of whoever holds a credential, as `createdBy` and `updatedBy` show it."""
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

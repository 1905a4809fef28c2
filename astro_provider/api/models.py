"""The service's objects, as far as this project reads them.

One base for all: fields that the service adds later are kept, because role entries go back field for field. Optional
here is wider than in the service's own description, because answers may leave out what the caller may not see.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel


def _date_or_none(value: Any, parse: ValidatorFunctionWrapHandler) -> datetime | None:
    """One odd date of anybody's token must not make the whole list unreadable."""
    try:
        date: datetime | None = parse(value)
    except ValidationError:
        return None
    return date


class Wire(BaseModel):
    """camelCase on the wire, snake_case here, frozen, unknown fields kept."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


AnyText = InstanceOf[str]  # also one with half a character in it, which pydantic's own str refuses


class ApiTokenRole(Wire):
    """One entry of a token's role list: a role in one entity.

    `entity_type` is ORGANIZATION, WORKSPACE, DEPLOYMENT, DAG or DAG_TAG today; other kinds pass through untouched.
    """

    entity_type: AnyText
    entity_id: AnyText | None = None
    role: AnyText | None = None
    deployment_id: AnyText | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return exactly the fields that came from the service, nulls included and none added."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class SubjectProfile(Wire):
    """Who made a token: a USER or a SERVICEKEY (another token)."""

    id: str
    full_name: str | None = None
    api_token_name: str | None = None
    username: str | None = None

    @property
    def display_name(self) -> str:
        """Full name, else token name, else user name, else id: what the CLI's list shows as CREATED BY."""
        return self.full_name or self.api_token_name or self.username or self.id


class ApiToken(Wire):
    """A token. `roles` is None where the answer left it out: unknown, not empty."""

    id: str
    name: str
    description: str | None = None
    scope: str | None = None
    kind: str | None = None
    created_at: str | None = None
    created_by: SubjectProfile | None = None
    end_at: Annotated[datetime | None, WrapValidator(_date_or_none)] = None
    roles: tuple[ApiTokenRole, ...] | None = None

    def has_expired(self, now: datetime) -> bool:
        """Tell whether the token's end has passed; a time without a zone is taken for UTC."""
        return (
            self.end_at is not None and (self.end_at if self.end_at.tzinfo else self.end_at.replace(tzinfo=UTC)) <= now
        )


class DeploymentRole(Wire):
    """A role in a deployment, as the answer to a write shows it."""

    deployment_id: str
    role: str


class SubjectRoles(Wire):
    """The answer to a write of roles: what the token holds now."""

    deployment_roles: tuple[DeploymentRole, ...] | None = None

    def role_in(self, deployment_id: str) -> str | None:
        """The role in that deployment, or None where there is none."""
        return next((r.role for r in self.deployment_roles or () if r.deployment_id == deployment_id), None)


class Deployment(Wire):
    """A deployment, as far as a binding cares."""

    id: str
    name: str
    workspace_id: str | None = None
    created_at: str | None = None


class Role(Wire):
    """A role that can be given in a deployment. Built-in roles have no id and no restriction."""

    name: str
    id: str | None = None
    scope_type: str | None = None
    restricted_workspace_ids: tuple[str, ...] | None = None


class Organization(Wire):
    """An organization that the credential can see."""

    id: str
    name: str | None = None

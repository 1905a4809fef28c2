"""The service's objects, as far as this project reads them.

One base for all: fields that the service adds later are kept, because role entries go back field for field. Optional
here is wider than in the service's own description, because answers may leave out what the caller may not see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, InstanceOf, ValidationError, WrapValidator
from pydantic.alias_generators import to_camel


def given(date: datetime | None) -> datetime | None:
    """Return a date, or None for the zero time of Go (`0001-01-01T00:00:00Z`), which stands for no date at all."""
    return None if date is None or date.year == 1 else date


def _date_or_none(value: Any, parse: Callable[[Any], datetime | None]) -> datetime | None:
    """A date in UTC; one without a zone is taken for UTC. An odd date must not make the whole list unreadable.

    The zone is the standard library's: objects of pydantic's own kind of zone that live until the interpreter ends are freed
    too early then, and a garbage collection after that reads what was freed (seen with pydantic 2.14, PYTHONDEVMODE=1).
    """
    try:
        date = given(parse(value))
        return None if date is None else date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValidationError, OverflowError):
        return None


def _text_of_date(value: str | None) -> str | None:
    """A date as the service wrote it; None for the zero time of Go."""
    return None if value is not None and value.startswith("0001-01-01T") else value


_Date = Annotated[datetime | None, WrapValidator(_date_or_none)]
_DateText = Annotated[str | None, AfterValidator(_text_of_date)]
NAMELESS = "a role without a name"


def agreed(roles: Sequence[str | None]) -> str | None:
    """The role on which several entries of one deployment agree; the names of all, joined with `and`, if they do not."""
    if len(roles) == 1:  # nearly always, and lists have thousands
        return roles[0]
    different = {(role or "").lower(): role for role in reversed(roles)}
    if len(different) <= 1:
        return next(iter(roles), None)
    return " and ".join(sorted(role or NAMELESS for role in different.values()))


class Wire(BaseModel):
    """camelCase on the wire, snake_case here, frozen, unknown fields kept.

    `essential` names the fields, as on the wire, without which an object is of no use. Any other field that is not what
    the API promises is left out of its object, so that one odd object does not hide the others.
    """

    essential: ClassVar[frozenset[str]] = frozenset({"id"})

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
    """The maker or the last writer of a token: a USER or a SERVICEKEY (another token)."""

    id: str
    full_name: str | None = None
    api_token_name: str | None = None
    username: str | None = None

    @property
    def display_name(self) -> str:
        """Full name, otherwise token name, user name or id: the CLI's list shows it as CREATED BY."""
        return self.full_name or self.api_token_name or self.username or self.id


class ApiToken(Wire):
    """A token. `roles` is None if the answer left it out: unknown, not empty. An odd name is "", which no token has."""

    id: str
    name: str = ""
    description: str | None = None
    scope: str | None = None
    kind: str | None = None
    created_at: _DateText = None
    created_by: SubjectProfile | None = None
    updated_at: _Date = None
    updated_by: SubjectProfile | None = None
    end_at: _Date = None
    last_used_at: _DateText = None
    roles: tuple[ApiTokenRole, ...] | None = None

    @property
    def updated_epoch(self) -> float | None:
        """When the token was changed last, in seconds since 1970; None if the answer has no such time."""
        return None if self.updated_at is None else self.updated_at.timestamp()

    def has_expired(self, now: datetime) -> bool:
        """Return whether the token's end has passed."""
        return self.end_at is not None and self.end_at <= now


class DeploymentRole(Wire):
    """A role in a deployment, as the answer to a write shows it."""

    deployment_id: str
    role: str


class SubjectRoles(Wire):
    """The answer to a write of roles: what the token holds now."""

    essential: ClassVar[frozenset[str]] = frozenset({"deploymentRoles"})

    organization_role: str | None = None
    deployment_roles: tuple[DeploymentRole, ...] | None = None

    @property
    def shows_roles(self) -> bool:
        """True if the answer shows roles at all. An organization token always keeps its role in the organization."""
        return self.organization_role is not None or self.deployment_roles is not None

    @property
    def roles_by_deployment(self) -> dict[str, str | None]:
        """The role in each deployment that has one; all of them, if several disagree."""
        held: dict[str, list[str | None]] = {}
        for entry in self.deployment_roles or ():
            held.setdefault(entry.deployment_id, []).append(entry.role)
        return {deployment_id: agreed(found) for deployment_id, found in held.items()}


class Deployment(Wire):
    """A deployment, as far as a binding cares. An odd name is ""."""

    id: str
    name: str = ""
    workspace_id: str | None = None
    workspace_name: str | None = None
    created_at: _DateText = None


class Role(Wire):
    """A role that can be given in a deployment. Built-in roles have no id and no restriction."""

    essential: ClassVar[frozenset[str]] = frozenset({"name", "scopeType", "restrictedWorkspaceIds"})

    name: str
    id: str | None = None
    scope_type: str | None = None
    restricted_workspace_ids: tuple[str, ...] | None = None


class Organization(Wire):
    """An organization that the credential can see."""

    id: str
    name: str | None = None

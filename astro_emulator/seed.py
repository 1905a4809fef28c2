"""The form of a seed file: an organization in YAML, in the API's own spelling of attributes.

Entities are referred to by name or by id; `planting.py` looks the references up. An unknown key is refused, because
with a misspelled `endAt` a token would never end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from astro_emulator.identity import written
from astro_emulator.places import Document

SHIPPED = Path(__file__).with_name("seeds")
DEFAULT = "example"

Id = Annotated[str, StringConstraints(pattern=r"^[^\s/]+$")]
Name = Annotated[str, StringConstraints(min_length=1)]
Reference = Name


AGE = re.compile(r"([+-])(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


def resolve(time: str, now: datetime) -> str:
    """Return a time of a seed as Astro writes it.

    Args:
        time: a time with its zone, which comes back as it is; or an age, in days, hours and minutes before (`-6d3h`) or
            after (`+30d`) `now`. What a seed shows as an age is the same on any day.
        now: the moment at which the emulator starts.

    Raises:
        ValueError: the text is neither.
    """
    age = AGE.fullmatch(time)
    try:
        if age is not None:
            days, hours, minutes = (int(number or 0) for number in age.groups()[1:])
            distance = timedelta(days=days, hours=hours, minutes=minutes)
            return written(now - distance if age[1] == "-" else now + distance)
        if datetime.fromisoformat(time).tzinfo is not None:
            return time
    except (OverflowError, ValueError):
        pass
    reason = "has to be an age (-90d, -6d3h, +30d) or a time with its zone, for example 2026-01-31T12:00:00.000Z"
    raise ValueError(reason)


def _is_time(text: str) -> str:
    resolve(text, datetime.now(UTC))
    return text


Time = Annotated[str, AfterValidator(_is_time)]


class Part(BaseModel):
    """A mapping of the file; its keys are in camel case, and there are no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class OrganizationPart(Part):
    """The organization."""

    id: Id | None = None
    name: Name
    product: Literal["HOSTED", "HYBRID"] = "HOSTED"


class PersonPart(Part):
    """A user who makes tokens."""

    id: Id | None = None
    full_name: Name
    username: Name


class WorkspacePart(Part):
    """A workspace."""

    id: Id | None = None
    name: Name


class DeploymentPart(Part):
    """A deployment, and the workspace that it is in."""

    id: Id | None = None
    name: Name
    workspace: Reference
    description: str = ""
    status: Literal["CREATING", "DEPLOYING", "HEALTHY", "UNHEALTHY", "UNKNOWN", "HIBERNATING"] = "HEALTHY"
    created_at: Time | None = None


class CustomRolePart(Part):
    """A custom role. `permissions` count for the rights of a credential, and are not shown."""

    id: Id | None = None
    name: Name
    scope_type: Literal["DAG", "DEPLOYMENT", "ORGANIZATION", "WORKSPACE"] = "DEPLOYMENT"
    restricted_to: list[Reference] = []
    permissions: list[Name] = []
    created_at: Time | None = None


class HeldRolePart(Part):
    """A role of a token: in the organization, unless a workspace, deployment or DAG is given."""

    role: Name
    workspace: Reference | None = None
    deployment: Reference | None = None
    dag: Name | None = None
    dag_tag: Name | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        given = [name for name in ("workspace", "dag", "dag_tag") if getattr(self, name) is not None]
        if len(given) > 1 or (self.workspace and self.deployment):
            reason = "has to be a role in one workspace, one deployment, one DAG or one DAG tag"
            raise ValueError(reason)
        if (self.dag or self.dag_tag) and not self.deployment:
            reason = "needs the deployment of its DAG"
            raise ValueError(reason)
        return self


class TokenPart(Part):
    """A token.

    Without `roles`, a token of scope ORGANIZATION is a member of its organization, and any other holds no role. Roles
    that are given are held as they are written, none (`[]`) and two in one deployment included.
    """

    id: Id | None = None
    name: Name
    description: str = ""
    scope: Literal["ORGANIZATION", "WORKSPACE", "DEPLOYMENT"] = "ORGANIZATION"
    kind: Literal["STANDARD", "DIRECT_ACCESS"] = "STANDARD"
    created_at: Time | None = None
    created_by: Reference | None = None
    updated_at: Time | None = None
    updated_by: Reference | None = None
    start_at: Time | None = None
    end_at: Time | None = None
    expiry_period_in_days: Annotated[int, Field(ge=1)] | None = None
    last_used_at: Time | None = None
    last_rotated_at: Time | None = None
    roles: list[HeldRolePart] | None = None


class CredentialsPart(Part):
    """The tokens whose secrets the emulator prints: one that may write, and one that may only read."""

    update: Reference | None = None
    preview: Reference | None = None


class Seed(Part):
    """An organization."""

    organization: OrganizationPart
    people: list[PersonPart] = []
    workspaces: list[WorkspacePart]
    deployments: list[DeploymentPart] = []
    roles: list[CustomRolePart] = []
    tokens: list[TokenPart]
    credentials: CredentialsPart = CredentialsPart()


def read(named: str | Path) -> tuple[Seed, Document]:
    """Return the seed of a file, or of one that ships with the package, and the file that it came from.

    Args:
        named: a path; a plain name without suffix (`example`, `adopt`) is one that ships.

    Raises:
        SeedError: the file cannot be used.
    """
    is_shipped = Path(named).name == str(named) and (SHIPPED / f"{named}.yaml").is_file()
    return _read_shipped(str(named)) if is_shipped else _read(Path(named), str(named))


@cache  # hundreds of emulators of one test process start from the same file
def _read_shipped(name: str) -> tuple[Seed, Document]:
    return _read(SHIPPED / f"{name}.yaml", name)


def _read(path: Path, named: str) -> tuple[Seed, Document]:
    document = Document(path, named)
    try:
        return Seed.model_validate(document.content), document
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise document.error(first["loc"], _what_is_wrong(first)) from None


def _what_is_wrong(error: Any) -> str:
    says: dict[str, Callable[[], str]] = {
        "missing": lambda: "this key is missing",
        "extra_forbidden": lambda: "there is no such key; the keys here are " + ", ".join(_keys_at(error["loc"][:-1])),
        "value_error": lambda: str(error["ctx"]["error"]),
        "model_type": lambda: "has to be a mapping of keys to values",
        "list_type": lambda: "has to be a list",
        "string_type": lambda: "has to be a text",
        "string_pattern_mismatch": lambda: "has to be an id, without blanks and slashes",
        "string_too_short": lambda: "is empty",
    }
    said = says.get(error["type"])
    return said() if said else str(error["msg"]).replace("Input should be", "has to be")


def _keys_at(place: tuple[str | int, ...]) -> list[str]:
    parts: dict[str, type[Part]] = {
        "organization": OrganizationPart,
        "people": PersonPart,
        "workspaces": WorkspacePart,
        "deployments": DeploymentPart,
        "roles": CustomRolePart,
        "tokens": TokenPart,
        "credentials": CredentialsPart,
    }
    part: type[Part] = Seed
    if place:
        part = HeldRolePart if "roles" in place[1:] else parts[str(place[0])]
    return [str(field.alias) for field in part.model_fields.values()]

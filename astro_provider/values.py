"""What a binding is asked to be (`Inputs`) and what it is (`outputs`), as typed values instead of property bags.

The names of the fields are the names of the properties: they stand in users' programs and state, so changing one is a
breaking change. A value that another resource has yet to produce is `UNKNOWN`, in previews only.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from astro_provider.api import ApiToken
from astro_provider.errors import InputError, InvalidInputs
from astro_provider.identity import BindingId, is_identifier


class Unknown(enum.Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Text = str | Literal[Unknown.UNKNOWN]

IDENTITY = ("organization_id", "deployment_id", "org_token_id")
IN_PLACE = ("role", "org_token_name", "workspace_id", "overwrite")
FACTS = ("description", "scope", "created_at", "created_by")


def known(value: Text | None) -> TypeGuard[str]:
    """Tell whether a text is there and no longer unknown."""
    return isinstance(value, str)


@dataclass(frozen=True)
class Inputs:
    """A binding as the program asks for it. None: not given."""

    deployment_id: Text
    role: Text
    org_token_id: Text | None = None
    org_token_name: Text | None = None
    workspace_id: Text | None = None
    organization_id: Text | None = None
    overwrite: bool | Literal[Unknown.UNKNOWN] = False

    def properties(self) -> dict[str, Any]:
        """The property bag: what is given, nothing that is not."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def binding(self) -> BindingId | None:
        """The id, or None while a part of it is unknown."""
        if known(self.organization_id) and known(self.deployment_id) and known(self.org_token_id):
            return BindingId(self.organization_id, self.deployment_id, self.org_token_id)
        return None


def parse_inputs(properties: Mapping[str, Any], *, resolved: bool = False) -> Inputs:
    """Read a property bag.

    Args:
        properties: what the program gave; or, where `resolved`, what `check` made of it: token id and name beside
            each other.
        resolved: as above.

    Raises:
        InvalidInputs: one or more properties are missing or malformed.
    """
    problems: list[InputError] = []

    def text(name: str, what: str, *, required: bool = False, is_id: bool = False) -> Text | None:
        value = properties.get(name)
        try:
            return _text(name, value, what, required=required, is_id=is_id)
        except InputError as problem:
            problems.append(problem)
            return None

    fields: dict[str, Any] = {
        "deployment_id": text("deployment_id", "the id of the deployment", required=True, is_id=True),
        "role": text("role", "DEPLOYMENT_ADMIN, or the name of another deployment role", required=True),
        "org_token_id": text("org_token_id", "the id of the organization token", is_id=True),
        "org_token_name": text("org_token_name", "the name of the organization token"),
        "workspace_id": text("workspace_id", "the id of the workspace that the deployment must belong to", is_id=True),
        "organization_id": text("organization_id", "the id of the organization", is_id=True),
    }
    given = [name for name in ("org_token_name", "org_token_id") if properties.get(name) is not None]
    if len(given) > 1 and not resolved:
        problems.append(InputError("org_token_name", "give org_token_name or org_token_id, not both."))
    elif not given:
        problems.append(InputError("org_token_name", "is missing: give org_token_name or org_token_id."))
    overwrite = properties.get("overwrite")
    if overwrite is not None and not isinstance(overwrite, (bool, Unknown)):
        problems.append(InputError("overwrite", f"must be true or false, not {overwrite!r}."))
    if problems:
        raise InvalidInputs(problems)
    return Inputs(**fields, overwrite=overwrite or False)


def outputs(inputs: Inputs, token: ApiToken) -> dict[str, Any]:
    """The property bag of a binding that exists: its inputs, and what the CLI's list shows of the token.

    `created_at` is absolute, so that a refresh never shows drift by the clock.
    """
    facts = {
        "org_token_id": token.id,
        "org_token_name": inputs.org_token_name or token.name,
        "description": token.description,
        "scope": token.scope,
        "created_at": token.created_at,
        "created_by": token.created_by.display_name if token.created_by else None,
    }
    return {**inputs.properties(), **{name: value for name, value in facts.items() if value is not None}}


def binding_in(properties: Mapping[str, Any]) -> BindingId | None:
    """The id that a stored property bag tells, or None where a part is missing or unknown."""
    parts = [properties.get(name) for name in IDENTITY]
    texts = [part for part in parts if isinstance(part, str)]
    return BindingId(*texts) if len(texts) == len(IDENTITY) else None


def _text(name: str, value: Any, what: str, *, required: bool, is_id: bool) -> Text | None:
    if isinstance(value, Unknown):
        return value
    if value is None:
        if required:
            raise InputError(name, f"is missing: write {what}.")
        return None
    if not isinstance(value, str):
        raise InputError(name, f"must be text ({what}), not {value!r}.")
    if not value.strip():
        raise InputError(name, f"is blank: write {what}.")
    if value != value.strip() and (is_id or name == "role"):
        raise InputError(name, f"{value!r} has blanks around it: write {value.strip()!r}.")
    if is_id and not is_identifier(value):
        raise InputError(name, f"{value!r} is no id: write {what}, without slashes and blanks.")
    return value

"""What a binding is asked to be (`Inputs`) and what it is (`outputs`), as typed values instead of property bags.

The names of the fields are the names of the properties: they stand in users' programs and state, so changing one is a
breaking change. A value that another resource has yet to produce is `UNKNOWN`, in previews only.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from pydantic import SecretStr

from astro_provider.astro.api import ApiToken
from astro_provider.astro.identity import BindingId, holds_secret, is_identifier, no_secret
from astro_provider.errors import InputError, InvalidInputs
from astro_provider.messages.words import in_words


class Unknown(enum.Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Text = str | Literal[Unknown.UNKNOWN]

IDENTITY = ("organization_id", "deployment_id", "org_token_id")
NAMES = ("deployment_name", "org_token_name")
IN_PLACE = ("role", *NAMES, "workspace_id", "overwrite")
FACTS = ("description", "scope", "created_at", "created_by")


def known(value: Text | None) -> TypeGuard[str]:
    """Tell whether a text is there and no longer unknown."""
    return isinstance(value, str)


@dataclass(frozen=True)
class Inputs:
    """A binding as the program asks for it. None: not given."""

    role: Text
    deployment_id: Text | None = None
    deployment_name: Text | None = None
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
        return _binding(self.organization_id, self.deployment_id, self.org_token_id)

    @property
    def token_given_by(self) -> str:
        """The property by which a program gives the token: its id, if it gives both."""
        return "org_token_name" if self.org_token_id is None else "org_token_id"

    @property
    def deployment_given_by(self) -> str:
        """The property by which a program gives the deployment: its id, if it gives both."""
        return "deployment_name" if self.deployment_id is None else "deployment_id"

    @property
    def in_words(self) -> str:
        """How a message speaks of the binding: names first, then ids."""
        return f"{self.token_in_words} in {self.deployment_in_words}"

    @property
    def token_in_words(self) -> str:
        """How a message speaks of the token."""
        return in_words("token", self.org_token_name, self.org_token_id)

    @property
    def deployment_in_words(self) -> str:
        """How a message speaks of the deployment."""
        return in_words("deployment", self.deployment_name, self.deployment_id)


@dataclass(frozen=True)
class Stored:
    """A binding's properties as the engine has them, without judgement. None: missing, or of another type.

    A state of an earlier version, or one that was made while the checks were off, may lack any of them.
    """

    organization_id: Text | None = None
    deployment_id: Text | None = None
    deployment_name: Text | None = None
    org_token_id: Text | None = None
    org_token_name: Text | None = None
    role: Text | None = None
    workspace_id: Text | None = None
    overwrite: bool | Literal[Unknown.UNKNOWN] = False
    description: Text | None = None
    scope: Text | None = None
    created_at: Text | None = None
    created_by: Text | None = None

    @classmethod
    def parse(cls, properties: Mapping[str, Any]) -> Stored:
        """Read a property bag of the state, inputs or outputs."""
        texts = {name: _text_or_none(properties.get(name)) for name in cls.__dataclass_fields__ if name != "overwrite"}
        overwrite = properties.get("overwrite")
        return cls(**texts, overwrite=overwrite if isinstance(overwrite, (bool, Unknown)) else False)

    @property
    def binding(self) -> BindingId | None:
        """The id, or None if a part of it is missing."""
        return _binding(self.organization_id, self.deployment_id, self.org_token_id)

    @property
    def facts(self) -> dict[str, Any]:
        """The outputs that are no inputs, and the names, as far as they are there."""
        return {name: value for name in (*FACTS, *NAMES) if (value := getattr(self, name)) is not None}

    def in_words(self, binding: BindingId) -> str:
        """How a message speaks of a binding that has these properties: names first, then ids."""
        token = in_words("token", self.org_token_name, binding.token_id)
        return f"{token} in {in_words('deployment', self.deployment_name, binding.deployment_id)}"


def parse_inputs(properties: Mapping[str, Any], *, credential: SecretStr | None = None) -> Inputs:
    """Read a property bag of a program, or what `check` made of it.

    A name and an id may stand beside each other: `check` adds the one to the other, and `ignore_changes` has the engine
    add the stored one. Whether they mean the same is for the preflight to say.

    Args:
        properties: the bag.
        credential: what must not stand in it, nor in a message about it.

    Raises:
        InvalidInputs: one or more properties are missing or malformed.
    """
    inputs, problems = read_inputs(properties, credential=credential)
    if problems:
        raise InvalidInputs(problems)
    return inputs


def read_inputs(
    properties: Mapping[str, Any], *, credential: SecretStr | None = None
) -> tuple[Inputs, list[InputError]]:
    """As `parse_inputs`, but what is missing or malformed is UNKNOWN, so that the rest can be examined all the same.

    Returns:
        The inputs, and a problem for each property that is missing or malformed.
    """
    problems: list[InputError] = []

    def text(name: str, what: str, *, required: bool = False, is_id: bool = False) -> Text | None:
        value = properties.get(name)
        try:
            if isinstance(value, str) and holds_secret(value, credential):
                raise InputError(name, no_secret(what), is_secret=True)  # noqa: TRY301  one of the problems, as those of `_text` are
            return _text(name, value, what, required=required, is_id=is_id)
        except InputError as problem:
            problems.append(problem)
            return UNKNOWN

    fields: dict[str, Any] = {
        "deployment_id": text("deployment_id", "the id of the deployment", is_id=True),
        "deployment_name": text("deployment_name", "the name of the deployment"),
        "role": text("role", "DEPLOYMENT_ADMIN, or the name of another deployment role", required=True),
        "org_token_id": text("org_token_id", "the id of the organization token", is_id=True),
        "org_token_name": text("org_token_name", "the name of the organization token"),
        "workspace_id": text("workspace_id", "the id of the workspace that the deployment must belong to", is_id=True),
        "organization_id": text("organization_id", "the id of the organization", is_id=True),
    }
    for either, other in (("deployment_id", "deployment_name"), ("org_token_name", "org_token_id")):
        if properties.get(either) is None and properties.get(other) is None:
            problems.append(InputError(either, f"is missing: give {either} or {other}."))
            fields[either] = UNKNOWN
    overwrite = properties.get("overwrite")
    if overwrite is not None and not isinstance(overwrite, (bool, Unknown)):
        problems.append(InputError("overwrite", f"must be true or false, not {overwrite!r}."))
        overwrite = UNKNOWN
    return Inputs(**fields, overwrite=overwrite or False), problems


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


def _binding(*parts: Text | None) -> BindingId | None:
    texts = [part for part in parts if known(part)]
    return BindingId(*texts) if len(texts) == len(parts) else None


def _text_or_none(value: Any) -> Text | None:
    return value if isinstance(value, (str, Unknown)) else None


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

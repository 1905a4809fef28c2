"""A binding as a program asks for it (`Inputs`) and as it exists (`outputs`), as typed values instead of property bags.

The names of the fields are the names of the properties: they stand in users' programs and state, so changing one is a
breaking change. A value that another resource has yet to produce is `UNKNOWN`, in previews only.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeGuard

from pydantic import SecretStr

from astro_provider.astro.api import ApiToken
from astro_provider.astro.identity import BindingId, holds_secret, is_identifier, no_secret
from astro_provider.errors import InputError, InvalidInputs
from astro_provider.messages.words import in_words
from astro_provider.names import UNFINISHED

if TYPE_CHECKING:
    from astro_provider.lifecycle.resolving import Examined


class Unknown(enum.Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Text = str | Literal[Unknown.UNKNOWN]
Flag = bool | Literal[Unknown.UNKNOWN]


class Entry(NamedTuple):
    """One role that a resource asks for, by its deployment and its token as a program spells them: by name or by id."""

    deployment: str
    token: str

    @property
    def place(self) -> str:
        """Return the place of a finding about the role: the entry of a table, or the property of a binding."""
        return "role" if self == ONLY else place(*self)


ROLES = "roles"  # the property of a table
ONLY = Entry("", "")  # the entry of a binding, which has no keys


def place(*keys: str) -> str:
    """Return the words of a message for a deployment of a table, or for a token in it."""
    return ROLES + "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in keys)


IDENTITY = ("organization_id", "deployment_id", "org_token_id")
NAMES = ("deployment_name", "org_token_name")
FACTS = ("description", "scope", "created_at", "created_by")

A_ROLE = "DEPLOYMENT_ADMIN, or the name of another deployment role"
_TEXTS = {
    "deployment_id": "the id of the deployment",
    "deployment_name": "the name of the deployment",
    "role": A_ROLE,
    "org_token_id": "the id of the organization token",
    "org_token_name": "the name of the organization token",
    "workspace_id": "the id of the workspace that the deployment must belong to",
    "organization_id": "the id of the organization",
}


def known(value: Text | None) -> TypeGuard[str]:
    """Return whether a text is there and no longer unknown."""
    return isinstance(value, str)


@dataclass(frozen=True)
class Inputs:
    """A binding, as the program asks for it or as the state has it. None: not given, or lost from a state."""

    role: Text | None = None
    deployment_id: Text | None = None
    deployment_name: Text | None = None
    org_token_id: Text | None = None
    org_token_name: Text | None = None
    workspace_id: Text | None = None
    organization_id: Text | None = None
    overwrite: Flag = False
    # In outputs only: ONLY, if a run has sent a role, and it is not known whether that stands.
    unfinished: frozenset[Entry] = frozenset()

    @classmethod
    def parse(cls, properties: Mapping[str, Any], parser: Parser | None = None) -> Inputs:
        """Read a property bag of a program, or what `check` made of it.

        A name and an id may stand together: `check` adds the one to the other, and `ignore_changes` has the engine add the
        stored one. The examination decides whether they mean the same.

        Args:
            properties: the bag.
            parser: collects the problems; without one, they are raised as InvalidInputs.
        """
        read = parser or Parser(None)
        found: dict[str, Any] = {
            name: read.id(name, value, what)
            if name.endswith("_id")
            else read.text(name, value, what, required=name == "role", trimmed=name == "role")
            for name, what in _TEXTS.items()
            for value in [properties.get(name)]
        }
        for either, other in (("deployment_id", "deployment_name"), ("org_token_name", "org_token_id")):
            if properties.get(either) is None and properties.get(other) is None:
                found[either] = read.refuse(either, f"is missing: give {either} or {other}.")
        inputs = cls(**found, overwrite=read.flag("overwrite", properties.get("overwrite")))
        if parser is None:
            read.require_none()
        return inputs

    @classmethod
    def stored(cls, properties: Mapping[str, Any]) -> Inputs:
        """Read a property bag of the state or of a check, without judgement."""
        texts = {name: text_or_none(properties.get(name)) for name in _TEXTS}
        overwrite = flag_or_false(properties.get("overwrite"))
        unfinished = frozenset([ONLY] if properties.get(UNFINISHED) is True else [])
        return cls(**texts, overwrite=overwrite, unfinished=unfinished)

    def properties(self) -> dict[str, Any]:
        """Return the property bag: what is given, nothing that is not."""
        return {name: value for name, value in vars(self).items() if value is not None and name != UNFINISHED}

    @property
    def entries(self) -> dict[Entry, Text]:
        """Return the one role by its entry; it is unknown, if a state has lost it."""
        return {ONLY: self.role or UNKNOWN}

    @property
    def binding(self) -> BindingId | None:
        """Return the id, or None while a part of it is missing or unknown."""
        ids = [one for one in (self.organization_id, self.deployment_id, self.org_token_id) if known(one)]
        return BindingId(*ids) if len(ids) == len(IDENTITY) else None

    @property
    def bindings(self) -> dict[BindingId, Entry]:
        """Return the entry by its id, if that is known."""
        return {} if self.binding is None else {self.binding: ONLY}

    @property
    def roles_by_binding(self) -> dict[BindingId, Text]:
        """Return the role by its id, if that is known."""
        return dict.fromkeys(self.bindings, self.role or UNKNOWN)

    def of(self, identifier: BindingId | str) -> Inputs:
        """Return the same with the ids of the resource's id, for a state that has lost them.

        Raises:
            InputError: it is the id of a resource of another kind.
        """
        binding = BindingId.parse(identifier) if isinstance(identifier, str) else identifier
        return replace(
            self,
            organization_id=binding.organization_id,
            deployment_id=binding.deployment_id,
            org_token_id=binding.token_id,
        )

    def is_another(self, asked: Inputs) -> bool:
        """Return whether inputs would replace this binding of a state, as far as the ids are known."""
        ids = ((getattr(asked, name), getattr(self, name)) for name in IDENTITY)
        return any(known(now) and known(was) and now != was for now, was in ids)

    def has(self, binding: BindingId, _entry: Entry) -> bool:
        """Return whether this is a binding, as far as its ids are known."""
        return not self.is_another(Inputs().of(binding))

    def completed(self, examined: Examined) -> Inputs:
        """Return the inputs with what was found: ids, names, and the role in Astro's spelling.

        An id is missing if nothing has the name yet.
        """
        deployment, token = examined.deployments[ONLY.deployment], examined.tokens[ONLY.token]
        return replace(
            self,
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            org_token_id=token.id,
            org_token_name=token.name,
            role=examined.roles[ONLY],
        )

    def spellings(self, _entry: Entry = ONLY) -> list[Entry]:
        """Return what a program may write for the binding: the deployment and the token each by name or id."""
        return [
            Entry(deployment, token)
            for deployment in (self.deployment_name, self.deployment_id)
            for token in (self.org_token_name, self.org_token_id)
            if known(deployment) and known(token)
        ]

    @property
    def claimed(self) -> list[BindingId | Entry]:
        """Return what a check claims that asks nothing of Astro: the binding, or its spellings if an id is missing."""
        return [self.binding] if self.binding is not None else [*self.spellings()]

    def in_words(self, _entry: Entry = ONLY) -> str:
        """Return the words of a message for the binding: names, then ids."""
        return f"{self.token_in_words} in {self.deployment_in_words}"

    @property
    def token_in_words(self) -> str:
        """Return the words of a message for the token."""
        return in_words("token", self.org_token_name, self.org_token_id)

    @property
    def deployment_in_words(self) -> str:
        """Return the words of a message for the deployment."""
        return in_words("deployment", self.deployment_name, self.deployment_id)


class Parser:
    """Reads the values of a program's property bag, and collects what is wrong with them, each problem at its place.

    A value that is missing or malformed becomes UNKNOWN, so that the rest can be examined all the same.

    Args:
        credential: may stand neither in a bag nor in a message about it.
    """

    def __init__(self, credential: SecretStr | None) -> None:
        self.problems: list[InputError] = []
        self._credential = credential

    def text(self, place: str, value: Any, what: str, *, required: bool = False, trimmed: bool = False) -> Text | None:
        """Read a text at a place; `what` is what to write there, and if `trimmed`, blanks around it are a mistake."""
        if isinstance(value, Unknown) or (value is None and not required):
            return value
        if self.is_secret(value):
            return self.refuse(place, no_secret(what), is_secret=True)
        if value is None:
            reason = f"is missing: write {what}."
        elif not isinstance(value, str):
            reason = f"must be text ({what}), not {value!r}."
        elif not value.strip():
            reason = f"is blank: write {what}."
        elif trimmed and value != value.strip():
            reason = f"{value!r} has blanks around it: write {value.strip()!r}."
        else:
            return value
        return self.refuse(place, reason)

    def id(self, place: str, value: Any, what: str) -> Text | None:
        """Read an id: a text without slashes and blanks."""
        found = self.text(place, value, what, trimmed=True)
        if known(found) and not is_identifier(found):
            return self.refuse(place, f"{value!r} is no id: write {what}, without slashes and blanks.")
        return found

    def flag(self, place: str, value: Any) -> Flag:
        """Read a flag; false, if it is not given."""
        if value is not None and not isinstance(value, bool | Unknown):
            return self.refuse(place, f"must be true or false, not {value!r}.")
        return value or False

    def is_secret(self, value: Any) -> bool:
        """Return whether a value is the secret value of a token, or the credential."""
        return isinstance(value, str) and holds_secret(value, self._credential)

    def refuse(self, place: str, reason: str, *, is_secret: bool = False) -> Literal[Unknown.UNKNOWN]:
        """Note a problem. Beside a secret the engine would print the value, so the problem then stands on no property."""
        self.problems.append(InputError(place, reason, is_secret=is_secret))
        return UNKNOWN

    def require_none(self) -> None:
        """Raise InvalidInputs with all problems, if there are some."""
        if self.problems:
            raise InvalidInputs(self.problems)


def outputs(inputs: Inputs, token: ApiToken) -> dict[str, Any]:
    """Return the property bag of a binding that exists: its inputs, and what the CLI's list shows of the token."""
    facts = {
        "org_token_id": token.id,
        "org_token_name": inputs.org_token_name or token.name,
        "description": token.description,
        "scope": token.scope,
        "created_at": token.created_at,  # absolute, so that a refresh never shows drift by the clock
        "created_by": token.created_by.display_name if token.created_by else None,
    }
    return {**inputs.properties(), **{name: value for name, value in facts.items() if value is not None}}


def text_or_none(value: Any) -> Text | None:
    """Return a text of a state, without judgement."""
    return value if isinstance(value, str | Unknown) else None


def flag_or_false(value: Any) -> Flag:
    """Return a flag of a state, without judgement."""
    return value if isinstance(value, bool | Unknown) else False

"""Typed values instead of property bags, for a binding and a table alike, and the parser of what a program gives.

A value that another resource has yet to produce is `UNKNOWN`, in previews only.
"""

from __future__ import annotations

import enum
import json
from typing import Any, Final, Literal, NamedTuple, TypeGuard

from pydantic import SecretStr

from astro_provider.astro.identity import holds_secret, is_identifier, no_secret
from astro_provider.errors import InputError, InvalidInputs


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


A_ROLE = "DEPLOYMENT_ADMIN, or the name of another deployment role"


def known(value: Text | None) -> TypeGuard[str]:
    """Return whether a text is there and no longer unknown."""
    return isinstance(value, str)


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


def text_or_none(value: Any) -> Text | None:
    """Return a text of a state, without judgement."""
    return value if isinstance(value, str | Unknown) else None


def flag_or_false(value: Any) -> Flag:
    """Return a flag of a state, without judgement."""
    return value if isinstance(value, bool | Unknown) else False

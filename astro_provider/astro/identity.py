"""The id of a binding, `<organization>/<deployment>/<token>`: the one place that makes it and takes it apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import SecretStr

from astro_provider.errors import InputError

JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")  # what the secret value of an API token looks like


class TokenKey(NamedTuple):
    """A token of an organization."""

    organization_id: str
    token_id: str


@dataclass(frozen=True, order=True)
class BindingId:
    """A token and the deployment it is bound to. Ids, never names: names are not unique and change."""

    organization_id: str
    deployment_id: str
    token_id: str

    def __str__(self) -> str:
        return f"{self.organization_id}/{self.deployment_id}/{self.token_id}"

    @classmethod
    def parse(cls, text: str) -> BindingId:
        """Take an id apart; an InputError if it has not exactly three non-blank parts, or holds a secret."""
        if holds_secret(text):
            raise InputError("id", no_secret("<organization id>/<deployment id>/<token id>"))
        parts = text.split("/")
        if len(parts) != len(cls.__dataclass_fields__) or not all(is_identifier(part) for part in parts):
            raise InputError("id", f"{text!r} is no binding's id: write <organization id>/<deployment id>/<token id>.")
        return cls(*parts)

    @property
    def token_key(self) -> TokenKey:
        """The token, whatever deployment it is bound to."""
        return TokenKey(self.organization_id, self.token_id)

    @property
    def in_words(self) -> str:
        """The words of a message for a binding whose names are not known."""
        return f"token {self.token_id} in deployment {self.deployment_id}"


def holds_secret(text: str, credential: SecretStr | None = None) -> bool:
    """Return whether a text that is meant as an id or a name holds the secret value of a token, or is the credential."""
    return JWT.search(text) is not None or (credential is not None and credential.get_secret_value() == text)


def no_secret(instead: str) -> str:
    """The end of a sentence that refuses a text with a secret, which must not be repeated; `instead` is what to write."""
    return (
        f"holds what looks like the secret value of an API token, so it is not shown here: write {instead}. If that "
        "value was committed or logged, rotate the token in Astro."
    )


def is_identifier(text: str) -> bool:
    """Return whether a text can be one part of an id: without slashes and blanks, and no relative path."""
    return bool(text) and text not in (".", "..") and not any(c == "/" or c.isspace() for c in text)

"""The id of a binding, `<organization>/<deployment>/<token>`: the one place that makes it and takes it apart."""

from __future__ import annotations

from dataclasses import dataclass

from astro_provider.errors import InputError


@dataclass(frozen=True, order=True)
class BindingId:
    """Which token is bound to which deployment. Ids, never names: names are not unique and change."""

    organization_id: str
    deployment_id: str
    token_id: str

    def __str__(self) -> str:
        return f"{self.organization_id}/{self.deployment_id}/{self.token_id}"

    @classmethod
    def parse(cls, text: str) -> BindingId:
        """Take an id apart.

        Raises:
            InputError: the text has not exactly three non-blank parts.
        """
        parts = text.split("/")
        if len(parts) != len(cls.__dataclass_fields__) or not all(is_identifier(part) for part in parts):
            raise InputError("id", f"{text!r} is no binding's id: write <organization id>/<deployment id>/<token id>.")
        return cls(*parts)

    @property
    def in_words(self) -> str:
        """How a message speaks of a binding whose names are not known."""
        return f"token {self.token_id} in deployment {self.deployment_id}"


def is_identifier(text: str) -> bool:
    """Tell whether a text can be one part of an id: without slashes and blanks, and no relative path."""
    return bool(text) and text not in (".", "..") and not any(c == "/" or c.isspace() for c in text)

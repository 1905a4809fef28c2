"""The findings of an examination: each has its weight, its place and its text.

The place is the property of a binding, or the entry of a table, as in `roles["etl"]["ci"]`. A message about a table
begins with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from astro_provider.astro.settings import PreviewChecks
from astro_provider.errors import InputError
from astro_provider.messages import notices

ROLES = "roles"  # the property of a table
MOST_TOLD = 20  # findings of one kind; the rest is counted


class Weight(Enum):
    """The weight of a finding: an error stops, a warning may come true, a note is for the reader."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Entry(NamedTuple):
    """One role that a resource asks for, by the keys of its deployment and its token. A binding has one entry."""

    deployment: str
    token: str

    @property
    def place(self) -> str:
        """Return the words of a message for the entry of a table."""
        return place(self.deployment, self.token)


def place(*keys: str) -> str:
    """Return the words of a message for a deployment of a table, or for a token in it."""
    return ROLES + "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in keys)


@dataclass(frozen=True)
class Finding:
    """Something to say about a resource."""

    weight: Weight
    place: str  # empty for the resource as a whole
    text: str
    entries: tuple[Entry, ...] = ()  # an error weighs less if all entries that it is about are in the state and stay


def report(findings: Sequence[Finding], checks: PreviewChecks, *, with_places: bool) -> list[InputError]:
    """Print the warnings and notes, and return what stops the preview or the update at these checks.

    Args:
        findings: what there is to say.
        checks: with strict ones, a warning stops as well.
        with_places: a message begins with its place.
    """
    stops = {Weight.ERROR, Weight.WARNING} if checks is PreviewChecks.STRICT else {Weight.ERROR}
    for weight, say in ((Weight.WARNING, notices.warn), (Weight.NOTE, notices.note)):
        if weight not in stops:
            say_all(
                say,
                [f"{one.place}: {one.text}" if with_places else one.text for one in findings if one.weight is weight],
            )
    return [InputError(one.place, one.text) for one in findings if one.weight in stops]


def say_all(say: notices.Say, texts: Sequence[str]) -> None:
    """Print the first texts, and how many more there are."""
    for text in texts[:MOST_TOLD]:
        say(text)
    if len(texts) > MOST_TOLD:
        say(f"And {len(texts) - MOST_TOLD} more of the same table.")


def as_one(problems: Iterable[InputError], property_name: str = "") -> InputError:
    """All problems of a table as one error; for the engine on no property, because it prints the value of a property, too."""
    texts = [str(one) for one in problems]
    if len(texts) == 1:
        return InputError(property_name, texts[0])
    listed = " ".join(f"({number}) {text}" for number, text in enumerate(texts[:MOST_TOLD], start=1))
    and_more = f" And {len(texts) - MOST_TOLD} more." if len(texts) > MOST_TOLD else ""
    return InputError(property_name, f"{len(texts)} entries or keys of this table cannot be right: {listed}{and_more}")

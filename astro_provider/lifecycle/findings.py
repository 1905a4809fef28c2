"""The findings of an examination: each has its weight, its place and its text.

The place is the property of a binding, or the entry of a table, as in `roles["etl"]["ci"]`. A message about a table
begins with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from astro_provider.astro.settings import PreviewChecks
from astro_provider.errors import InputError
from astro_provider.lifecycle.values import Entry
from astro_provider.messages import notices

MOST_NAMED = 20  # findings of one kind; the rest is counted


class Weight(Enum):
    """The weight of a finding: an error stops, a warning may come true, a note is for the reader."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """A fact about a resource that its user should know."""

    weight: Weight
    place: str  # empty for the resource as a whole
    text: str
    entries: tuple[Entry, ...] = ()  # an error weighs less if all entries that it is about are in the state and stay


def report(findings: Sequence[Finding], checks: PreviewChecks, *, with_places: bool) -> list[InputError]:
    """Print the warnings and notes, and return what stops the preview or the update.

    Args:
        findings: of one resource.
        checks: with strict ones, a warning stops as well.
        with_places: a message begins with its place.
    """
    stops = {Weight.ERROR, Weight.WARNING} if checks is PreviewChecks.STRICT else {Weight.ERROR}
    for weight, say in ((Weight.WARNING, notices.warn), (Weight.NOTE, notices.note)):
        if weight not in stops:
            these = [one for one in findings if one.weight is weight]
            say_all(say, [f"{one.place}: {one.text}" if with_places else one.text for one in these])
    return [InputError(one.place, one.text) for one in findings if one.weight in stops]


def say_all(say: notices.Say, texts: Sequence[str]) -> None:
    """Print the first texts, and how many more there are."""
    for text in texts[:MOST_NAMED]:
        say(text)
    if len(texts) > MOST_NAMED:
        say(f"And {len(texts) - MOST_NAMED} more of the same table.")


def as_one(problems: Iterable[InputError], property_name: str = "") -> InputError:
    """Return all problems of a table as one error.

    It stands on no property for the engine, which would print the value of the property beside it.
    """
    texts = [str(one) for one in problems]
    if len(texts) == 1:
        return InputError(property_name, texts[0])
    listed = " ".join(f"({number}) {text}" for number, text in enumerate(texts[:MOST_NAMED], start=1))
    and_more = f" And {len(texts) - MOST_NAMED} more." if len(texts) > MOST_NAMED else ""
    return InputError(property_name, f"{len(texts)} entries or keys of this table cannot be right: {listed}{and_more}")

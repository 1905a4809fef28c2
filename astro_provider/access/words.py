"""The words of a review, one for each thing, whichever way it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from astro_provider.access.model import Kind
from astro_provider.access.review import Review, Row

VERBS = {Kind.GAIN: "gains", Kind.LOSE: "loses", Kind.CHANGE: "changes", Kind.KEEP: "keeps"}
CHANGES = (Kind.GAIN, Kind.LOSE, Kind.CHANGE)  # of access; a role that is kept is new to the stack, or left by it


def headline(review: Review) -> str:
    """What the whole is called."""
    return "Access that drifted" if review.is_refresh else "Access changes"


def role_in_words(row: Row, *, before: bool) -> str:
    """What stands in the place of a role that is not shown."""
    if not (row.before_known if before else row.after_known):
        return "not known"
    ends = row.kind is Kind.GAIN if before else row.kind is Kind.LOSE
    return "none" if ends else "secret"


def counts(review: Review) -> str:
    """How much changes, in one sentence or two; an incomplete preview never sounds like none."""
    counted = Counter(row.kind for row in review.rows)
    parts = [f"{number} {kind.value if number != 1 else VERBS[kind]}" for kind in CHANGES if (number := counted[kind])]
    if parts:
        text = f"Tokens: {', '.join(parts)} a role."
    elif review.problems:
        text = "No change of access is shown, but the preview did not go to its end."
    else:
        text = "No change of access."
    if kept := counted[Kind.KEEP] - review.retained:
        text += f" {_of(kept, 'token')} {'keeps' if kept == 1 else 'keep'} a role that this stack will manage."
    if kept := review.retained:
        text += f" {_of(kept, 'token')} {'keeps' if kept == 1 else 'keep'} a role that this stack stops managing."
    if review.unchanged is not None:
        text += f" {_of(review.unchanged, 'grant')} unchanged."
    others = ", ".join(f"{number} {op}" for op, number in review.other_changes.items())
    return f"{text} Other resources: {others}." if others else text


def notes(review: Review) -> Iterable[str]:
    """What a reader must know to judge the rest."""
    if review.is_refresh:
        yield "Nothing will be written: before is what the state recorded, after is what Astro shows."
    if not review.asked:
        yield (
            "Astro was not asked: names of deployments, expired and unused tokens, production and last admins are known "
            "only as far as the digest tells them."
        )


def _of(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

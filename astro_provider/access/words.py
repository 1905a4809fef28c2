"""The words of a review, one for each thing, whichever way it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from astro_provider.access.flags import Flag
from astro_provider.access.model import Kind
from astro_provider.access.review import Review, Row

VERBS = {Kind.GAIN: "gains", Kind.LOSE: "loses", Kind.CHANGE: "changes"}
KEEPS = "keeps"  # a role that is adopted: new to the stack, but not to the token


def headline(review: Review) -> str:
    """What the whole is called."""
    return "Access that drifted" if review.is_refresh else "Access changes"


def verb(row: Row) -> str:
    """What happens to the token."""
    return KEEPS if Flag.ADOPTS in row.flags else VERBS[row.kind]


def role_in_words(row: Row, *, before: bool) -> str:
    """What stands in the place of a role that is not shown."""
    ends = row.kind is Kind.GAIN if before else row.kind is Kind.LOSE
    if ends:
        return "none"
    return "secret" if Flag.SECRET in row.flags else "not known yet"


def counts(review: Review) -> str:
    """How much changes, in one sentence or two; an incomplete preview never sounds like none."""
    counted = Counter(map(verb, review.rows))
    parts = [
        f"{number} {kind.value if number != 1 else VERBS[kind]}" for kind in Kind if (number := counted[VERBS[kind]])
    ]
    if parts:
        text = f"Tokens: {', '.join(parts)} a role."
    elif review.problems:
        text = "No change of access is shown, but the preview did not go to its end."
    else:
        text = "No change of access."
    if kept := counted[KEEPS]:
        text += f" {_of(kept, 'token')} {KEEPS if kept == 1 else 'keep'} a role that this stack will manage."
    if review.unchanged is not None:
        text += f" {_of(review.unchanged, 'grant')} unchanged."
    others = ", ".join(f"{number} {op}" for op, number in review.other_changes.items())
    return f"{text} Other resources: {others}." if others else text


def notes(review: Review) -> Iterable[str]:
    """What a reader must know to judge the rest."""
    if review.is_refresh:
        yield "Nothing will be written: before is what the state recorded, after is what Astro shows."
    if review.retained:
        verb_ = "stays" if review.retained == 1 else "stay"
        yield f"{_of(review.retained, 'grant')} {verb_} in Astro, but this stack gives up managing (retain_on_delete)."
    if not review.asked:
        yield (
            "Astro was not asked: names of deployments, expired and unused tokens, production and last admins are known "
            "only as far as the digest tells them."
        )


def _of(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

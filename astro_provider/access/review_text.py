"""A review as a comment on a pull request, and the sentences that every form of a review has.

A comment has room for so many characters only. Notes are left out first, then rows without a flag, then errors and
warnings, then the least flagged rows, each with a count, and no sentence is cut. The sentence that the preview is
incomplete is never left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from astro_provider.access import markdown
from astro_provider.access.digest import NOTE
from astro_provider.access.flags import LOUD, Flag
from astro_provider.access.markdown import FEW_VERDICTS, MOST_VERDICTS
from astro_provider.access.model import Kind
from astro_provider.access.review import Review, Row
from astro_provider.messages.words import counted

VERBS = {Kind.GAIN: "gains", Kind.LOSE: "loses", Kind.CHANGE: "changes", Kind.KEEP: "keeps"}
MARKS = {Kind.GAIN: "🟢", Kind.LOSE: "🔴", Kind.CHANGE: "🟡", Kind.KEEP: "⚪"}
MOST_NOTES = 20


def headline(review: Review) -> str:
    """Return the title of a review."""
    return "Access that drifted" if review.is_refresh else "Access changes"


def role_in_words(row: Row, *, before: bool) -> str:
    """Return the word in the place of a role that is not shown."""
    if not (row.before_known if before else row.after_known):
        return "not known"
    ends = row.kind is Kind.GAIN if before else row.kind is Kind.LOSE
    return "none" if ends else "secret"


def counts(review: Review) -> str:
    """Return how much changes, in a few sentences; of an incomplete preview they never read like "nothing"."""
    kinds = Counter(row.kind for row in review.rows)
    changes = (Kind.GAIN, Kind.LOSE, Kind.CHANGE)
    parts = [f"{number} {kind.value if number != 1 else VERBS[kind]}" for kind in changes if (number := kinds[kind])]
    if parts:
        text = f"Tokens: {', '.join(parts)} a role."
    elif review.problems:
        text = "No change of access is shown, but the preview did not go to its end."
    else:
        text = "No change of access."
    # A role that is kept is a row only if the stack begins or ceases to manage it.
    for kept, then in ((kinds[Kind.KEEP] - review.retained, "will manage"), (review.retained, "stops managing")):
        if kept:
            text += f" {counted(kept, 'token')} {'keeps' if kept == 1 else 'keep'} a role that this stack {then}."
    if review.unchanged is not None:
        text += f" {counted(review.unchanged, 'grant')} unchanged."
    others = ", ".join(f"{number} {op}" for op, number in review.other_changes.items())
    return f"{text} Other resources: {others}." if others else text


def notes(review: Review) -> Iterable[str]:
    """Yield the facts that a reader needs to judge the rest."""
    if review.is_refresh:
        yield "Nothing will be written: before is what the state recorded, after is what Astro shows."
    if not review.asked:
        yield (
            "Astro was not asked: names of deployments, expired and unused tokens, production and last admins are known "
            "only as far as the digest has them."
        )


def marker(stack: str | None) -> str:
    """Return the HTML comment by which a sticky comment finds itself: of this command, and of this stack."""
    name = re.sub(r"[^A-Za-z0-9._/]+", "-", stack or "")
    return f"<!-- astro-provider review{f' {name}' if name else ''} -->"


def as_markdown(review: Review, max_length: int) -> str:
    """Return the comment, of at most so many characters."""
    rows, flagged = len(review.rows), sum(bool(row.flags) for row in review.rows)
    sentences = len(review.diagnostics)

    def fitting(room: Callable[[int], tuple[int, int, int, int]], most: int) -> str | None:
        return markdown.most_rows(lambda number: _comment(review, *room(number)), most, max_length)

    for few, verdicts in ((MOST_NOTES, MOST_VERDICTS), (0, MOST_VERDICTS), (0, FEW_VERDICTS)):
        text = _comment(review, rows, sentences, verdicts, few)
        if len(text) <= max_length:
            return text
    return (
        # First without some of the rows that have no flag, then without some of the errors and warnings,
        fitting(lambda most: (flagged + most, sentences, FEW_VERDICTS, 0), rows - flagged)
        or fitting(lambda most: (flagged, most, FEW_VERDICTS, 0), sentences)
        # then without some flagged rows, as long as one error has room, and then without any error,
        or fitting(lambda most: (most, 1, FEW_VERDICTS, 0), flagged)
        or fitting(lambda most: (most, 0, FEW_VERDICTS, 0), flagged)
        # and at last with rows alone: the rules go before the last row.
        or fitting(lambda most: (most, 0, 0, 0), rows)
        or _comment(review, 0, 0, 0, 0)
    )


def _comment(review: Review, most: int, most_sentences: int, most_verdicts: int, most_notes: int) -> str:
    rows, said = review.rows[:most], review.diagnostics
    several = len({row.organization_id for row in review.rows}) > 1
    there = {flag for row in rows for flag in row.flags}
    return markdown.comment(
        marker=marker(review.stack),
        title=f"{headline(review)}: {markdown.in_code(review.stack)}" if review.stack else headline(review),
        problems=review.problems,
        summary=counts(review),
        # Each whole: they say what will fail.
        said=[one for one in said if one.severity != NOTE],
        most_said=most_sentences,
        head=("", "Token", "Deployment", "Before", "After", "Flags"),
        rows=[_cells(row, several=several) for row in rows],
        rows_left_out=len(review.rows[most:]),
        verdicts=review.verdicts,
        most_verdicts=most_verdicts,
        remarks=notes(review),
        kind="flags",
        words=[flag for flag in Flag if flag in there],
        notes=[one for one in said if one.severity == NOTE],
        most_notes=most_notes,
    )


def _cells(row: Row, *, several: bool) -> Sequence[str]:
    where = markdown.named(row.deployment_name, row.deployment_id)
    before, after = (
        role_in_words(row, before=is_before) if role is None else markdown.in_cell(role)
        for role, is_before in ((row.before, True), (row.after, False))
    )
    return (
        f"{MARKS[row.kind]} {VERBS[row.kind]}",
        markdown.named(row.org_token_name, row.org_token_id),
        f"{where} in organization {markdown.named(None, row.organization_id)}" if several else where,
        before,
        after,
        ", ".join(f"**{flag}**" if flag in LOUD else flag for flag in row.flags),
    )

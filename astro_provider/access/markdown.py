"""A review as a comment beside a pull request.

Every text that somebody else may have chosen stands in a code span, where Markdown, HTML, mentions and links have no
effect. A comment has room for so many characters only: notes go first, then rows without a flag, then errors and
warnings, then the least flagged rows, each with a count of what is left out, and no sentence is cut; that the preview is
incomplete is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from astro_provider.access.digest import NOTE
from astro_provider.access.flags import LOUD, MEANINGS, Flag
from astro_provider.access.harmless import in_cell, in_code
from astro_provider.access.model import Kind
from astro_provider.access.review import Review, Row
from astro_provider.access.room import most_rows
from astro_provider.access.words import VERBS, counts, headline, notes, role_in_words

MARKS = {Kind.GAIN: "🟢", Kind.LOSE: "🔴", Kind.CHANGE: "🟡", Kind.KEEP: "⚪"}
LEAST_LENGTH = 2000  # characters; what a comment needs that has room for no row
MOST_NOTES = 20
MOST_VERDICTS = 50
FEW_VERDICTS = 5  # if there is not even room for all rows


def marker(stack: str | None) -> str:
    """The comment by which a sticky comment finds itself: of this command, and of this stack."""
    name = re.sub(r"[^A-Za-z0-9._/]+", "-", stack or "")
    return f"<!-- astro-provider review{f' {name}' if name else ''} -->"


@dataclass(frozen=True)
class _Room:
    """How many of each there is room for."""

    rows: int
    sentences: int
    verdicts: int
    notes: int


def as_markdown(review: Review, max_length: int) -> str:
    """The comment.

    Args:
        review: what it tells.
        max_length: how many characters it may have.
    """
    rows, flagged = len(review.rows), sum(bool(row.flags) for row in review.rows)
    sentences = len(review.diagnostics)
    for few, verdicts in ((MOST_NOTES, MOST_VERDICTS), (0, MOST_VERDICTS), (0, FEW_VERDICTS)):
        text = _comment(review, _Room(rows, sentences, verdicts, few))
        if len(text) <= max_length:
            return text
    shorter = (
        lambda most: _Room(flagged + most, sentences, FEW_VERDICTS, 0),
        lambda most: _Room(flagged, most, FEW_VERDICTS, 0),
        lambda most: _Room(most, 1, FEW_VERDICTS, 0),
        lambda most: _Room(most, 0, FEW_VERDICTS, 0),
        lambda most: _Room(most, 0, 0, 0),
    )
    for room, most in zip(shorter, (rows - flagged, sentences, flagged, flagged, rows), strict=True):
        found = most_rows(lambda number, room=room: _comment(review, room(number)), most, max_length)  # type: ignore[misc]
        if found is not None:
            return found
    return _comment(review, _Room(0, 0, 0, 0))


def _comment(review: Review, room: _Room) -> str:
    rows = review.rows[: room.rows]
    stack = f": {in_code(review.stack)}" if review.stack else ""
    parts = [f"{marker(review.stack)}\n### {headline(review)}{stack}"]
    if review.problems:
        lines = ["**The preview is incomplete. What stands here may not be all.**", *map(in_code, review.problems)]
        parts.append("\n".join(["> [!CAUTION]", *(f"> {line}" for line in lines)]))
    parts += [counts(review), _sentences(review, room.sentences)]
    if rows:
        parts.append(_table(review, rows))
    if left_out := len(review.rows) - len(rows):
        parts.append(f"**{left_out} more {'row is' if left_out == 1 else 'rows are'} left out for want of room.**")
    parts += [_verdicts(review, room.verdicts), *notes(review), _legend(rows), _notes(review, room.notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(review: Review, rows: Sequence[Row]) -> str:
    several = len({row.organization_id for row in review.rows}) > 1
    lines = ["| | Token | Deployment | Before | After | Flags |", "|---|---|---|---|---|---|"]
    for row in rows:
        where = _named(row.deployment_name, row.deployment_id)
        if several:
            where += f" in organization {_named(None, row.organization_id)}"
        cells = (
            f"{MARKS[row.kind]} {VERBS[row.kind]}",
            _named(row.org_token_name, row.org_token_id),
            where,
            _role(row, before=True),
            _role(row, before=False),
            ", ".join(f"**{flag}**" if flag in LOUD else flag for flag in row.flags),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _role(row: Row, *, before: bool) -> str:
    role = row.before if before else row.after
    return role_in_words(row, before=before) if role is None else in_cell(role)


def _named(name: str | None, identifier: str | None) -> str:
    shown = [in_cell(text) for text in (name, identifier) if text]
    return " ".join(shown) if shown else "*not known yet*"


def _verdicts(review: Review, most: int) -> str:
    if not review.verdicts:
        return ""
    lines = [f"- {in_code(one.text)}" for one in review.verdicts[:most]]
    if left_out := len(review.verdicts) - len(lines):
        lines.append(f"- and {left_out} more")
    return "\n".join(["**Rules**", "", *lines])


def _legend(rows: Sequence[Row]) -> str:
    there = {flag for row in rows for flag in row.flags}
    lines = [f"- **{flag}**: {MEANINGS[flag]}." for flag in Flag if flag in there]
    return "\n".join(["<details><summary>What the flags mean</summary>", "", *lines, "", "</details>"]) if lines else ""


def _sentences(review: Review, most: int) -> str:
    """The errors and warnings, each whole: they say what will fail."""
    said = [one for one in review.diagnostics if one.severity != NOTE]
    lines = [f"- {one.severity}: {in_code(one.message)}" for one in said[:most]]
    if left_out := len(said) - len(lines):
        lines.append(
            f"- **{left_out} {'error or warning is' if left_out == 1 else 'errors or warnings are'} left out for want of room**"
        )
    return "\n".join(["**Errors and warnings of the preview**", "", *lines]) if said else ""


def _notes(review: Review, most: int) -> str:
    said = [one for one in review.diagnostics if one.severity == NOTE]
    if not said or most == 0:
        return ""
    lines = [f"- {one.severity}: {in_code(one.message)}" for one in said[:most]]
    if left_out := len(said) - len(lines):
        lines.append(f"- and {left_out} more")
    title = f"<details><summary>What the preview said ({len(said)})</summary>"
    return "\n".join([title, "", *lines, "", "</details>"])

"""A review as a comment beside a pull request.

Every text that somebody else may have chosen stands in a code span, where Markdown, HTML, mentions and links have no
effect. A comment has room for so many characters only: the diagnostics go first, then the least flagged rows, with a
count of what is left out; that the preview is incomplete is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from astro_provider.access.flags import LOUD, MEANINGS, Flag
from astro_provider.access.harmless import in_cell, in_code
from astro_provider.access.model import Kind
from astro_provider.access.review import Review, Row
from astro_provider.access.room import most_rows
from astro_provider.access.words import VERBS, counts, headline, notes, role_in_words

MARKS = {Kind.GAIN: "🟢", Kind.LOSE: "🔴", Kind.CHANGE: "🟡", Kind.KEEP: "⚪"}
LEAST_LENGTH = 2000  # characters; what a comment needs that has room for no row
MOST_DIAGNOSTICS = 20
MOST_VERDICTS = 50
FEW_VERDICTS = 5  # if there is not even room for all rows


def marker(stack: str | None) -> str:
    """The comment by which a sticky comment finds itself: of this command, and of this stack."""
    name = re.sub(r"[^A-Za-z0-9._/]+", "-", stack or "")
    return f"<!-- astro-provider review{f' {name}' if name else ''} -->"


def as_markdown(review: Review, max_length: int) -> str:
    """The comment.

    Args:
        review: what it tells.
        max_length: how many characters it may have.
    """
    everything = len(review.rows)
    for diagnostics, verdicts in ((MOST_DIAGNOSTICS, MOST_VERDICTS), (0, MOST_VERDICTS), (0, FEW_VERDICTS)):
        text = _comment(review, everything, diagnostics, verdicts)
        if len(text) <= max_length:
            return text
    return (
        most_rows(lambda rows: _comment(review, rows, 0, FEW_VERDICTS), everything, max_length)
        or most_rows(lambda rows: _comment(review, rows, 0, 0), everything, max_length)
        or _comment(review, 0, 0, 0)
    )


def _comment(review: Review, fewer_rows: int, diagnostics: int, verdicts: int) -> str:
    rows = review.rows[:fewer_rows]
    stack = f": {in_code(review.stack)}" if review.stack else ""
    parts = [f"{marker(review.stack)}\n### {headline(review)}{stack}"]
    if review.problems:
        lines = ["**The preview is incomplete. What stands here may not be all.**", *map(in_code, review.problems)]
        parts.append("\n".join(["> [!CAUTION]", *(f"> {line}" for line in lines)]))
    parts.append(counts(review))
    if rows:
        parts.append(_table(review, rows))
    if left_out := len(review.rows) - len(rows):
        parts.append(f"**{left_out} more {'row is' if left_out == 1 else 'rows are'} left out for want of room.**")
    parts += [_verdicts(review, verdicts), *notes(review), _legend(rows), _diagnostics(review, diagnostics)]
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


def _diagnostics(review: Review, most: int) -> str:
    if not review.diagnostics or most == 0:
        return ""
    lines = [f"- {said.severity}: {in_code(said.message)}" for said in review.diagnostics[:most]]
    if left_out := len(review.diagnostics) - len(lines):
        lines.append(f"- and {left_out} more")
    title = f"<details><summary>What the preview said ({len(review.diagnostics)})</summary>"
    return "\n".join([title, "", *lines, "", "</details>"])

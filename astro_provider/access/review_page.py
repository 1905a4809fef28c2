"""A review as a page."""

from __future__ import annotations

from astro_provider.access.flags import LOUD, MEANINGS, Flag
from astro_provider.access.harmless import in_html
from astro_provider.access.model import Kind
from astro_provider.access.page import Cell, alarm, items, marks, meanings, named, page, table, text
from astro_provider.access.review import Review, Row
from astro_provider.access.words import VERBS, counts, headline, notes, role_in_words

HEADS = ("Change", "Token", "Deployment", "Before", "After", "Flags")


def review_page(review: Review) -> str:
    """The page."""
    there = {flag for row in review.rows for flag in row.flags}
    several = len({row.organization_id for row in review.rows}) > 1
    title = f"{headline(review)}: {review.stack}" if review.stack else headline(review)
    return page(
        title,
        [
            alarm("The preview is incomplete. What stands here may not be all.", review.problems)
            if review.problems
            else "",
            f"<p>{in_html(counts(review))}</p>",
            *(f'<p class="faint">{in_html(note)}</p>' for note in notes(review)),
            _table(review, several=several) if review.rows else "",
            items("Rules", [verdict.text for verdict in review.verdicts]),
            meanings("What the flags mean", [(flag, MEANINGS[flag]) for flag in Flag if flag in there]),
            items("What the preview said", [f"{said.severity}: {said.message}" for said in review.diagnostics]),
        ],
    )


def _table(review: Review, *, several: bool) -> str:
    rows = (
        (
            Cell(VERBS[row.kind], "" if row.kind is Kind.KEEP else row.kind),
            Cell(named(row.org_token_name, row.org_token_id)),
            Cell(_where(row, several=several)),
            Cell(_role(row, before=True)),
            Cell(_role(row, before=False)),
            Cell(marks((flag, flag in LOUD) for flag in row.flags)),
        )
        for row in review.rows
    )
    return table("changes", "Each token whose role in a deployment changes", HEADS, rows, header=1)


def _where(row: Row, *, several: bool) -> str:
    where = named(row.deployment_name, row.deployment_id)
    organization = f'<span class="id">in {in_html(row.organization_id or "an organization not known yet")}</span>'
    return where + (organization if several else "")


def _role(row: Row, *, before: bool) -> str:
    role = row.before if before else row.after
    if role is None:
        return f'<span class="faint">{role_in_words(row, before=before)}</span>'
    return text(role)

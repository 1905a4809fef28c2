"""An audit as a page: the findings, and a matrix of tokens and deployments that shows who may touch production."""

from __future__ import annotations

from collections.abc import Sequence

from astro_provider.access.audit import FINDING_MEANINGS, Audit, Finding, Found
from astro_provider.access.audit_text import HEADLINE, LOUD_FINDINGS, remarks, summary
from astro_provider.access.harmless import in_html
from astro_provider.access.matrix import matrix
from astro_provider.access.page import Cell, items, marks, meanings, named, page, table, text

HEADS = ("Finding", "Token", "Deployment", "In Astro", "In the state", "Stacks")


def audit_page(found: Audit) -> str:
    """The page."""
    there = {one.finding for one in found.findings}
    return page(
        HEADLINE,
        [
            f"<p>{in_html(summary(found))}</p>",
            *(f'<p class="faint">{in_html(one)}</p>' for one in remarks(found)),
            matrix(found),
            table("findings", "What is worth looking after", HEADS, map(_row, found.findings), header=1)
            if found.findings
            else "",
            items("Rules", [verdict.text for verdict in found.verdicts]),
            meanings("What the findings mean", [(one, FINDING_MEANINGS[one]) for one in Finding if one in there]),
        ],
    )


def _row(one: Found) -> Sequence[Cell]:
    return (
        Cell(marks([(one.finding, one.finding in LOUD_FINDINGS)])),
        Cell(named(one.org_token_name, one.org_token_id)),
        Cell(named(one.deployment_name, one.deployment_id)),
        Cell(text(one.role) if one.role else '<span class="faint">none</span>'),
        Cell(text(one.recorded_role) if one.recorded_role else ""),
        Cell("<br>".join(map(text, one.stacks))),
    )

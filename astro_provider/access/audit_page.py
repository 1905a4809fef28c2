"""An audit as a page: the findings, and a matrix of tokens and deployments that shows who may touch production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from astro_provider.access.audit import FINDING_MEANINGS, Assignment, Audit, Finding, Found
from astro_provider.access.audit_text import HEADLINE, LOUD_FINDINGS, remarks, summary
from astro_provider.access.harmless import in_html
from astro_provider.access.model import ADMIN, same_role
from astro_provider.access.page import Cell, items, marks, meanings, named, page, table, text

HEADS = ("Finding", "Token", "Deployment", "In Astro", "In the state", "Stacks")
MOST_CELLS = 60_000  # a browser shows no more than that without pain


def audit_page(found: Audit) -> str:
    """The page."""
    there = {one.finding for one in found.findings}
    return page(
        HEADLINE,
        [
            f"<p>{in_html(summary(found))}</p>",
            *(f'<p class="faint">{in_html(one)}</p>' for one in remarks(found)),
            _matrix(found),
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


def _matrix(found: Audit) -> str:
    """Tokens by deployments, production first; of a large organization only as much as a browser can show."""
    if not found.assignments:
        return ""
    roles = {one.key: one.role for one in found.assignments}
    deployments = sorted({one.deployment_id for one in found.assignments}, key=lambda one: _place(found, one))
    reach: dict[str, list[Assignment]] = {}
    for one in found.assignments:
        reach.setdefault(one.org_token_id, []).append(one)
    tokens = sorted(reach, key=lambda one: _rank(found, one, reach))
    left_out = ""
    if len(deployments) * len(tokens) > MOST_CELLS:
        deployments = [one for one in deployments if found.is_production(one)] or deployments
        tokens = [one for one in tokens if any((deployment, one) in roles for deployment in deployments)]
        tokens = tokens[: max(1, MOST_CELLS // len(deployments))]
        left_out = (
            f"<p>There is too much to show it all: {len(tokens)} of {len(reach)} tokens, and {len(deployments)} of "
            f"{len({one.deployment_id for one in found.assignments})} deployments.</p>"
        )
    head = "".join(_head(found, one) for one in deployments)
    rows = "\n".join(_tokens_row(found, one, deployments, roles) for one in tokens)
    return (
        f'<h2 id="matrix-title">Who may touch what</h2>\n<p class="faint">Deployments of production come first, and '
        f"tokens that reach them. A red field is {ADMIN} there.</p>{left_out}\n"
        '<div class="wide" role="region" aria-labelledby="matrix-title" tabindex="0"><table class="matrix"><thead><tr>'
        f'<th scope="col">Token</th>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'
    )


def _head(found: Audit, deployment_id: str) -> str:
    deployment = found.facts.deployments.get(deployment_id)
    mark = marks([("production", True)]) if found.is_production(deployment_id) else ""
    return f'<th scope="col">{named(deployment.name if deployment else None, deployment_id)}{mark}</th>'


def _tokens_row(found: Audit, token_id: str, deployments: Sequence[str], roles: Mapping[tuple[str, str], str]) -> str:
    token = found.facts.tokens.get(token_id)
    cells = []
    for deployment_id in deployments:
        role = roles.get((deployment_id, token_id))
        kind = ""
        if role is not None and found.is_production(deployment_id):
            kind = ' class="admin"' if same_role(role, ADMIN) else ' class="production"'
        cells.append(f"<td{kind}>{text(role) if role is not None else ''}</td>")
    return f'<tr><th scope="row">{named(token.name if token else None, token_id)}</th>{"".join(cells)}</tr>'


def _place(found: Audit, deployment_id: str) -> tuple[bool, str, str]:
    deployment = found.facts.deployments.get(deployment_id)
    return (not found.is_production(deployment_id), deployment.name if deployment else "", deployment_id)


def _rank(found: Audit, token_id: str, reach: Mapping[str, Sequence[Assignment]]) -> tuple[int, int, str, str]:
    """Tokens that reach production come first, and of these the admins."""
    production = [one for one in reach[token_id] if found.is_production(one.deployment_id)]
    admin = sum(same_role(one.role, ADMIN) for one in production)
    token = found.facts.tokens.get(token_id)
    return (-admin, -len(production), token.name if token else "", token_id)

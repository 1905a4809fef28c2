"""An audit as Markdown, for an issue or a job's summary, and as CSV; and the sentences that every form of it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields

from astro_provider.access import markdown
from astro_provider.access.audit import Audit, Finding, Found, by_grant
from astro_provider.messages import shown
from astro_provider.messages.words import counted

MARKER = "<!-- astro-provider audit -->"
HEADLINE = "Access audit"
LOUD_FINDINGS = frozenset((Finding.RULE, Finding.ADMIN, Finding.UNMANAGED, Finding.MISSING, Finding.DRIFTED))


def summary(found: Audit) -> str:
    """Return the number of roles, and of findings of each kind."""
    kinds = Counter(one.finding for one in found.findings)
    parts = ", ".join(f"{kinds[kind]} {kind}" for kind in Finding if kinds[kind])
    size = f"{counted(len(found.assignments), 'role')} of organization tokens in deployments"
    return f"{size}; found: {parts}." if parts else f"{size}; nothing found."


def in_words(one: Found, quoted: Callable[[str], str] = str) -> str:
    """Return a finding, with the role of the state if that is not the one in Astro; `quoted` makes the role harmless."""
    of = {Finding.MISSING: " ", Finding.DRIFTED: " from "}.get(one.finding)
    return one.finding if of is None or one.recorded_role is None else f"{one.finding}{of}{quoted(one.recorded_role)}"


def remarks(found: Audit) -> Iterable[str]:
    """Yield the facts that a reader needs to judge the rest."""
    if not found.stacks:
        yield "Neither --state nor --all-stacks was given, so it is not known which roles stacks manage."
    if not found.production:
        yield "No pattern of production was given, so no admin in production is looked for."
    if found.unreadable:
        grants = counted(found.unreadable, "grant")
        yield f"{grants} of the exports could not be compared: a value is secret, or names nothing that is there."
    yield "Of roles in the organization only ORGANIZATION_OWNER is seen; roles in workspaces, and people, are not."


def as_markdown(found: Audit, max_length: int) -> str:
    """Return the findings as Markdown of at most so many characters; the last rows are left out first, with a count."""
    rows = len(by_grant(found.findings))

    def fitting(most_verdicts: int) -> str | None:
        return markdown.most_rows(lambda most: _written(found, most, most_verdicts), rows, max_length)

    return fitting(markdown.MOST_VERDICTS) or fitting(markdown.FEW_VERDICTS) or fitting(0) or _written(found, 0, 0)


def as_csv(found: Audit) -> str:
    """Return the findings as CSV, with a head; no cell can start a formula."""
    rows = ({**vars(one), "stacks": " ".join(one.stacks)}.values() for one in found.findings)
    return shown.csv_text([one.name for one in fields(Found)], rows)


def _written(found: Audit, most: int, most_verdicts: int) -> str:
    grants = by_grant(found.findings)
    there = {one.finding for findings in grants[:most] for one in findings}
    return markdown.comment(
        marker=MARKER,
        title=HEADLINE,
        problems=(),
        summary=summary(found),
        said=(),
        head=("Deployment", "Token", "Role", "Findings", "Stacks"),
        rows=list(map(_cells, grants[:most])),
        rows_left_out=len(grants[most:]),
        verdicts=found.verdicts,
        most_verdicts=most_verdicts,
        remarks=remarks(found),
        kind="findings",
        words=[one for one in Finding if one in there],
        notes=(),
    )


def _cells(findings: Sequence[Found]) -> Sequence[str]:
    one = findings[0]
    return (
        markdown.named(one.deployment_name, one.deployment_id),
        markdown.named(one.org_token_name, one.org_token_id),
        markdown.in_cell(one.role) if one.role else "none",
        ", ".join(_finding(each) for each in findings),
        " ".join(markdown.in_cell(stack) for stack in one.stacks),
    )


def _finding(one: Found) -> str:
    text = in_words(one, markdown.in_cell)
    return text.replace(one.finding, f"**{one.finding}**", 1) if one.finding in LOUD_FINDINGS else text

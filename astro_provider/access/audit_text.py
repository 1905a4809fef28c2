"""An audit as Markdown, for an issue or a job's summary, and as CSV; and the sentences that every form of it has."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from astro_provider.access.audit import FINDING_MEANINGS, Audit, Finding, Found, by_grant
from astro_provider.access.document import finding_row
from astro_provider.access.harmless import in_cell, in_code
from astro_provider.access.markdown import FEW_VERDICTS, MOST_VERDICTS
from astro_provider.access.room import most_rows
from astro_provider.messages import shown

MARKER = "<!-- astro-provider audit -->"
HEADLINE = "Access audit"
LOUD_FINDINGS = frozenset((Finding.RULE, Finding.ADMIN, Finding.UNMANAGED, Finding.MISSING, Finding.DRIFTED))
KEYS = (
    "finding",
    "organization_id",
    "deployment_id",
    "deployment_name",
    "org_token_id",
    "org_token_name",
    "role",
    "recorded_role",
    "stacks",
)


def summary(found: Audit) -> str:
    """How much there is, and how much was found."""
    counted = Counter(one.finding for one in found.findings)
    parts = ", ".join(f"{counted[kind]} {kind}" for kind in Finding if counted[kind])
    size = f"{_of(len(found.assignments), 'role')} of organization tokens in deployments"
    return f"{size}; found: {parts}." if parts else f"{size}; nothing found."


def in_words(one: Found, quoted: Callable[[str], str] = str) -> str:
    """A finding beside the role in Astro: with the role of the state, if that is another one.

    Args:
        one: the finding.
        quoted: makes a role's name harmless where it is printed.
    """
    of = {Finding.MISSING: " ", Finding.DRIFTED: " from "}.get(one.finding)
    return one.finding if of is None or one.recorded_role is None else f"{one.finding}{of}{quoted(one.recorded_role)}"


def remarks(found: Audit) -> Iterable[str]:
    """What a reader must know to judge the rest."""
    if not found.stacks:
        yield "Neither --state nor --all-stacks was given, so nothing is said of what stacks manage."
    if not found.production:
        yield "No pattern of production was given, so no admin in production is looked for."
    if found.unreadable:
        yield f"{_of(found.unreadable, 'grant')} of the exports could not be compared: a value is secret, or names nothing that is there."
    yield "Of roles in the organization only ORGANIZATION_OWNER is seen; roles in workspaces, and people, are not."


def as_markdown(found: Audit, max_length: int) -> str:
    """The findings as Markdown.

    Args:
        found: the audit.
        max_length: how many characters it may have; the last rows go first, with a count.
    """
    everything = len(by_grant(found.findings))
    return (
        most_rows(lambda rows: _written(found, rows, MOST_VERDICTS), everything, max_length)
        or most_rows(lambda rows: _written(found, rows, FEW_VERDICTS), everything, max_length)
        or most_rows(lambda rows: _written(found, rows, 0), everything, max_length)
        or _written(found, 0, 0)
    )


def as_csv(found: Audit) -> str:
    """The findings as CSV, with a head; no cell can start a formula."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(KEYS)
    for one in found.findings:
        row = {**finding_row(one), "stacks": " ".join(one.stacks)}
        writer.writerow([shown.csv_cell(row[key] or "") for key in KEYS])
    return text.getvalue()


def _written(found: Audit, most: int, most_verdicts: int) -> str:
    grants = by_grant(found.findings)
    rows = grants[:most]
    parts = [f"{MARKER}\n### {HEADLINE}", summary(found)]
    if rows:
        lines = ["| Deployment | Token | Role | Findings | Stacks |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(_cells(one))} |" for one in rows]
        parts.append("\n".join(lines))
    if left_out := len(grants) - len(rows):
        parts.append(f"**{left_out} more {'row is' if left_out == 1 else 'rows are'} left out for want of room.**")
    if verdicts := [f"- {in_code(one.text)}" for one in found.verdicts[:most_verdicts]]:
        if left_out := len(found.verdicts) - len(verdicts):
            verdicts.append(f"- and {left_out} more")
        parts.append("\n".join(["**Rules**", "", *verdicts]))
    parts += remarks(found)
    there = {one.finding for findings in rows for one in findings}
    meanings = [f"- **{kind}**: {FINDING_MEANINGS[kind]}." for kind in Finding if kind in there]
    if meanings:
        parts.append("\n".join(["<details><summary>What the findings mean</summary>", "", *meanings, "", "</details>"]))
    return "\n\n".join(parts) + "\n"


def _cells(findings: Sequence[Found]) -> tuple[str, ...]:
    one = findings[0]
    return (
        _named(one.deployment_name, one.deployment_id),
        _named(one.org_token_name, one.org_token_id),
        in_cell(one.role) if one.role else "none",
        ", ".join(_finding(each) for each in findings),
        " ".join(in_cell(stack) for stack in one.stacks),
    )


def _finding(one: Found) -> str:
    text = in_words(one, in_cell)
    return text.replace(one.finding, f"**{one.finding}**", 1) if one.finding in LOUD_FINDINGS else text


def _named(name: str | None, identifier: str) -> str:
    return " ".join(in_cell(text) for text in (name, identifier) if text)


def _of(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

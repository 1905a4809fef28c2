"""Audits the roles in Astro: compares them with the states of stacks, and prints the findings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.text import Text

from astro_provider.access.audit import Assignment, Audit, Finding, Found, by_grant
from astro_provider.access.audit import audit as audited
from astro_provider.access.audit_text import HEADLINE, as_csv, as_markdown, in_words, remarks, summary
from astro_provider.access.document import audit_document
from astro_provider.access.export import Export, read_export
from astro_provider.access.model import text_of
from astro_provider.access.pages import audit_page
from astro_provider.access.rules import Rules
from astro_provider.access.rules_file import read_rules
from astro_provider.astro.reading.assignments import assigned_tokens
from astro_provider.astro.reading.reader import Reader
from astro_provider.commands.cli.exit_statuses import FLAGGED, print_failed_on
from astro_provider.commands.cli.facts import deployments_of, facts_of, read_text
from astro_provider.commands.cli.options import OutputOfAudit, WrongUsage
from astro_provider.commands.cli.session import opened
from astro_provider.commands.cli.table import print_table
from astro_provider.commands.cli.terminal import console, print_text, progress_bar
from astro_provider.commands.stacks import all_exports
from astro_provider.errors import AbsenceNotProven, UnusableInput
from astro_provider.messages import shown


def run(  # noqa: PLR0913  the command's options
    *,
    states: Sequence[str],
    all_stacks: bool,
    output: OutputOfAudit,
    production: Sequence[str],
    rules: Path | None,
    fail_on: Sequence[Finding],
    organization_id: str | None,
    max_length: int,
) -> None:
    """Audit, print, and end with the status that the command's help documents."""
    house = None if rules is None else read_rules(*read_text(str(rules)))
    if states and all_stacks:
        raise WrongUsage("--state and --all-stacks contradict each other: write one of them.")
    if all_stacks:
        with progress_bar("Reading stacks", "stacks") as progress:
            exports = all_exports(progress)
    else:
        exports = [read_export(*read_text(name)) for name in states]
    with opened(organization_id) as session:
        if not all_stacks:  # a backend may have stacks of other organizations as well
            _require_organization(exports, session.reader.organization_id)
        found = _audited(session.reader, exports, production, house)
    if output == "json":
        print_text(shown.json_text(audit_document(found)))
    elif output == "csv":
        print_text(as_csv(found))
    elif output == "html":
        print_text(audit_page(found))
    elif output == "markdown":
        print_text(as_markdown(found, max_length))
    else:
        _print_table(found)
    if hits := found.hits(fail_on):
        print_failed_on(hits)
        raise typer.Exit(FLAGGED)


def _audited(reader: Reader, exports: Sequence[Export], production: Sequence[str], rules: Rules | None) -> Audit:
    tokens, deployments = reader.organization_tokens(), list(reader.deployments().values())
    with progress_bar("Reading assignments") as progress:
        rows = assigned_tokens(reader, deployments, tokens=tokens, progress=progress)
    facts = facts_of(tokens, deployments_of(reader))
    assignments = [Assignment(row.deployment_id, row.id, row.deployment_role) for row in rows]
    found = audited(reader.organization_id, assignments, facts, exports, production=production, rules=rules)
    # Only now is it known whether a finding depends on what the credential cannot see.
    _require_sight(reader, found)
    return found


def _require_sight(reader: Reader, found: Audit) -> None:
    """Refuse to report a recorded role as missing unless the credential is known to see all roles.

    Raises:
        AbsenceNotProven: it is not, and a recorded role was not seen.
    """
    missing = [one for one in found.findings if one.finding is Finding.MISSING]
    if missing and (doubt := reader.evidence.doubt()) is not None:
        first = missing[0]
        recorded = "1 recorded role was" if len(missing) == 1 else f"{len(missing)} recorded roles were"
        raise AbsenceNotProven(
            f"{recorded} not seen, the first of token {first.org_token_id} in deployment {first.deployment_id}, but it "
            f"is not known whether they are missing in Astro, because {doubt}. Run the audit again with the credential "
            "of an Organization Owner."
        )


def _require_organization(exports: Sequence[Export], organization_id: str) -> None:
    """Refuse the state of another organization: all its bindings would be reported as missing."""
    for export in exports:
        for grant in export.grants:
            other = text_of(grant.subject.organization_id)
            if other not in (None, organization_id):
                raise UnusableInput(
                    f"The export of {export.stack} has bindings of organization {other}, and this audit is about "
                    f"{organization_id}: omit it, or write --organization-id."
                )


def _print_table(found: Audit) -> None:
    if found.findings:
        print_table([_cells(findings) for findings in by_grant(found.findings)])
    aside = console(sys.stderr)
    for line in (f"{HEADLINE}: {summary(found)}", *(one.text for one in found.verdicts), *remarks(found)):
        aside.print(Text(shown.line(line)), soft_wrap=not sys.stderr.isatty())


def _cells(findings: Sequence[Found]) -> dict[str, str]:
    one = findings[0]
    return {
        "DEPLOYMENT": one.deployment_name or "(not in Astro)",
        "DEPLOYMENT ID": one.deployment_id,
        "TOKEN": one.org_token_name or "",
        "TOKEN ID": one.org_token_id,
        "ROLE": one.role or "(none)",
        "FINDINGS": ", ".join(map(in_words, findings)),
        "STACKS": " ".join(one.stacks),
    }

"""`astro-provider audit`: what there is in Astro, beside what the states of stacks say there is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from astro_provider.access.audit import Assignment, Audit, Finding, Found, by_grant
from astro_provider.access.audit import audit as audited
from astro_provider.access.audit_text import HEADLINE, as_csv, as_markdown, in_words, remarks, summary
from astro_provider.access.document import as_json, audit_document
from astro_provider.access.export import Export, read_export
from astro_provider.access.facts import Facts
from astro_provider.access.pages import audit_page
from astro_provider.access.rules import Rules
from astro_provider.commands.cli.answers import answer, say_failed_on
from astro_provider.commands.cli.exit_statuses import FLAGGED
from astro_provider.commands.cli.options import OutputOfAudit, WrongUsage
from astro_provider.commands.cli.terminal import progress_bar
from astro_provider.commands.stacks import all_exports
from astro_provider.errors import AbsenceNotProven, UnusableInput
from astro_provider.messages import shown

if TYPE_CHECKING:
    from astro_provider.astro.reading.reader import Reader

HEADS = ("DEPLOYMENT", "DEPLOYMENT ID", "TOKEN", "TOKEN ID", "ROLE", "FINDINGS", "STACKS")


def run(  # noqa: PLR0913  the command's options
    *,
    states: Sequence[str],
    all_stacks: bool = False,
    output: OutputOfAudit,
    production: Sequence[str],
    rules: Path | None,
    fail_on: Sequence[Finding],
    organization_id: str | None,
    max_length: int,
) -> None:
    """Audit, print, and end with the status that the command's help tells.

    Args:
        states: files of exports.
        all_stacks: export all stacks of the backend.
        output: how the findings are written.
        production: patterns of the names of what is production.
        rules: the house's rules.
        fail_on: the findings that end with a status of their own.
        organization_id: as given on the command line.
        max_length: characters of the Markdown.
    """
    from astro_provider.commands.cli.facts import read_rules_file, read_text  # noqa: PLC0415  half a second

    house = read_rules_file(rules)
    if states and all_stacks:
        raise WrongUsage("--state and --all-stacks contradict each other: write one of them.")
    if all_stacks:
        with progress_bar("Reading stacks", "stacks") as progress:
            exports = all_exports(progress)
    else:
        exports = [read_export(*read_text(name)) for name in states]
    found = _looked(organization_id, exports, tuple(production), house, is_whole_backend=all_stacks)
    texts: dict[StrEnum, Callable[[], str]] = {
        OutputOfAudit.JSON: lambda: as_json(audit_document(found)),
        OutputOfAudit.CSV: lambda: as_csv(found),
        OutputOfAudit.HTML: lambda: audit_page(found),
        OutputOfAudit.MARKDOWN: lambda: as_markdown(found, max_length),
    }
    answer(output, texts, lambda: _print_table(found))
    if hits := found.hits(fail_on):
        say_failed_on(hits)
        raise typer.Exit(FLAGGED)


def _looked(
    organization_id: str | None,
    exports: list[Export],
    production: tuple[str, ...],
    rules: Rules | None,
    *,
    is_whole_backend: bool,
) -> Audit:
    from astro_provider.astro.reading.assignments import assigned_tokens  # noqa: PLC0415  half a second
    from astro_provider.commands.cli.facts import deployment_facts, token_facts  # noqa: PLC0415  as above
    from astro_provider.commands.cli.session import opened  # noqa: PLC0415  as above

    with opened(organization_id) as session:
        reader, organization = session.reader, session.reader.organization_id
        if not is_whole_backend:  # which may well have stacks of other organizations
            _require_organization(exports, organization)
        tokens = reader.organization_tokens()
        deployments = list(reader.deployments().values())
        with session.progress("Reading assignments") as progress:
            rows = assigned_tokens(reader, deployments, tokens=tokens, progress=progress)
        facts = Facts(
            asked=True,
            tokens={one.id: token_facts(one) for one in tokens},
            deployments={one.id: deployment_facts(one, organization) for one in deployments},
        )
        assignments = [Assignment(organization, row.deployment_id, row.id, row.deployment_role) for row in rows]
        found = audited(organization, assignments, facts, exports, production=production, rules=rules)
        _require_sight(reader, found)
    return found


def _require_sight(reader: Reader, found: Audit) -> None:
    """Refuse to call a recorded role missing if the credential may not see all roles.

    Raises:
        AbsenceNotProven: a recorded role was not seen, and the credential has not shown that it sees everything.
    """
    missing = [one for one in found.findings if one.finding is Finding.MISSING]
    if not missing:
        return
    doubt = reader.evidence.doubt()
    if doubt is not None:
        first = missing[0]
        raise AbsenceNotProven(
            f"{len(missing)} recorded {'role was' if len(missing) == 1 else 'roles were'} not seen, the first of token {first.org_token_id} in deployment "
            f"{first.deployment_id}, but it is not known whether they are missing in Astro, because {doubt}. Run the audit "
            "again with the credential of an Organization Owner."
        )


def _require_organization(exports: list[Export], organization_id: str) -> None:
    """Refuse a state of another organization, whose bindings would all seem to be lost."""
    for export in exports:
        for grant in export.grants:
            other = grant.subject.organization_id
            if isinstance(other, str) and other != organization_id:
                raise UnusableInput(
                    f"The export of {export.stack} has bindings of organization {other}, and this audit is about "
                    f"{organization_id}: leave it out, or write --organization-id."
                )


def _print_table(found: Audit) -> None:
    from rich.text import Text  # noqa: PLC0415  half a second

    from astro_provider.commands.cli.table import Kind, print_table  # noqa: PLC0415  as above
    from astro_provider.commands.cli.terminal import console  # noqa: PLC0415  as above

    if found.findings:
        kinds = (Kind.NAME, Kind.EXACT, Kind.NAME, Kind.EXACT, Kind.EXACT, Kind.PROSE, Kind.NAME)
        print_table(
            dict(zip(HEADS, kinds, strict=True)),
            [_cells(findings) for findings in by_grant(found.findings)],
            under=(("DEPLOYMENT", "DEPLOYMENT ID"), ("TOKEN", "TOKEN ID")),
            beneath=(("FINDINGS", "STACKS"), ("ROLE", "FINDINGS")),
        )
    aside = console(sys.stderr)
    for line in (f"{HEADLINE}: {summary(found)}", *(one.text for one in found.verdicts), *remarks(found)):
        aside.print(Text(shown.line(line)), soft_wrap=not sys.stderr.isatty())


def _cells(findings: Sequence[Found]) -> tuple[str, ...]:
    one = findings[0]
    return (
        one.deployment_name or "",
        one.deployment_id,
        one.org_token_name or "",
        one.org_token_id,
        one.role or "(none)",
        ", ".join(map(in_words, findings)),
        " ".join(one.stacks),
    )

"""What `astro-provider list` answers: assignments as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from io import StringIO

import typer
from rich.text import Text

from astro_provider.astro.api import Deployment
from astro_provider.astro.reading.assignments import assigned_tokens
from astro_provider.astro.rows import DeploymentOrgToken
from astro_provider.commands.cli.marks import UNUSED, UNUSED_IN_WORDS, marks, moment
from astro_provider.commands.cli.options import OutputOfList, Sort, Where
from astro_provider.commands.cli.session import Session, opened
from astro_provider.commands.cli.table import Kind, print_table
from astro_provider.commands.cli.terminal import console
from astro_provider.errors import CallRefused, NotFound
from astro_provider.messages import shown

DEPLOYMENT_COLUMNS = {"DEPLOYMENT": Kind.NAME, "DEPLOYMENT ID": Kind.EXACT}
COLUMNS = {
    "TOKEN": Kind.NAME,
    "TOKEN ID": Kind.EXACT,
    "ROLE": Kind.EXACT,
    "SCOPE": Kind.EXACT,
    "CREATED": Kind.NAME,
    "CREATED BY": Kind.NAME,
    "DESCRIPTION": Kind.PROSE,
}
MARKS_COLUMN = "MARKS"
UNDER = (("DEPLOYMENT", "DEPLOYMENT ID"), ("TOKEN", "TOKEN ID"))
BENEATH = (
    ("ROLE", MARKS_COLUMN),
    ("CREATED", "CREATED BY"),
    ("TOKEN", "DESCRIPTION"),
    ("ROLE", "SCOPE"),
    ("ROLE", "CREATED"),
)
NOT_IN_IT = (
    "CREATED is the token's age: Astro does not tell when a role was granted. Roles that a token has through its "
    "organization or workspace are not listed."
)
KEYS = tuple(field.name for field in fields(DeploymentOrgToken))


def run(
    where: Where, organization_id: str | None, output: OutputOfList, sort: Sort, *, include_other_scopes: bool
) -> None:
    """Ask the service and print the answer on standard output.

    Args:
        where: the deployments that are asked for.
        organization_id: as given on the command line.
        output: how the answer is written.
        sort: in which order.
        include_other_scopes: also tokens of a workspace or of a deployment.

    Raises:
        AstroProviderError: there is no answer; nothing has been printed.
    """
    with opened(organization_id) as session:
        found = _without_the_deployment(session, where, include_other_scopes) if output is OutputOfList.TABLE else []
        if not found:
            deployments = session.deployments(where)
            if where.by_default and deployments:
                _say_that_it_is_all(session, len(deployments))
            with session.progress("Reading assignments") as progress:
                found = assigned_tokens(
                    session.reader,
                    deployments,
                    include_other_scopes=include_other_scopes,
                    progress=progress,
                )
    found = sorted_by(sort, found)
    if output is OutputOfList.JSON:
        _print_json(found)
    elif output is OutputOfList.CSV:
        _print_csv(found)
    elif found:
        _print_table(found, where)
    else:
        kind = "tokens" if include_other_scopes else "organization tokens"
        typer.echo(f"No {kind} are assigned to {_named(deployments, where, session)}.", err=True)


def _say_that_it_is_all(session: Session, count: int) -> None:
    organization = f"organization {session.reader.organization_id}"
    typer.echo(f"Listing all {count} deployments of {organization}, in {count + 2} calls at most.", err=True)


def age(created_at: str | None, now: datetime) -> str:
    """Return how many whole days ago something was made: `325 days ago`, or `today` under one; blank if unknown."""
    try:
        created = datetime.fromisoformat(created_at or "")
    except ValueError:
        return ""
    days = (now - (created if created.tzinfo else created.replace(tzinfo=UTC))).days
    if days < 1:
        return "today"
    return "1 day ago" if days == 1 else f"{days} days ago"


def _without_the_deployment(session: Session, where: Where, include_other_scopes: bool) -> list[DeploymentOrgToken]:  # noqa: FBT001
    """Return the assignments of the one deployment that is asked for, in one call, without asking what it is.

    A table of one deployment shows neither its name nor its workspace. Nothing found, or refused: somebody has to ask
    what it is, to tell an empty one from one that does not exist.
    """
    if not where.is_one_deployment or where.deployment_names or where.workspace_id is not None:
        return []
    unseen = Deployment(id=where.deployment_ids[0], name="")
    try:
        return assigned_tokens(session.reader, [unseen], include_other_scopes=include_other_scopes)
    except (NotFound, CallRefused):
        return []


def sorted_by(sort: Sort, found: Sequence[DeploymentOrgToken]) -> list[DeploymentOrgToken]:
    """Return the rows in another order; equal ones stay as they are, and what is not told comes last."""

    def key(row: DeploymentOrgToken) -> tuple[bool, float | str]:
        if sort in (Sort.NAME, Sort.ROLE):
            return False, row.name if sort is Sort.NAME else row.deployment_role
        times = {Sort.CREATED: row.created_at, Sort.EXPIRES: row.expires_at, Sort.LAST_USED: row.last_used_at}
        at = moment(times[sort])
        return at is None, 0.0 if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

    return list(found) if sort is Sort.DEPLOYMENT else sorted(found, key=key)


def _print_table(found: Sequence[DeploymentOrgToken], where: Where) -> None:
    now = datetime.now(UTC)
    columns = dict(COLUMNS)
    rows = [
        [
            row.name,
            row.id,
            row.deployment_role,
            row.scope,
            age(row.created_at, now),
            row.created_by or "",
            row.description,
        ]
        for row in found
    ]
    if not where.is_one_deployment:
        columns = DEPLOYMENT_COLUMNS | columns
        rows = [[row.deployment_name, row.deployment_id, *cells] for cells, row in zip(rows, found, strict=True)]
    marked = [marks(row, now) for row in found]
    if any(marked):
        columns |= {MARKS_COLUMN: Kind.PROSE}
        rows = [[*cells, mark] for cells, mark in zip(rows, marked, strict=True)]
    print_table(columns, rows, under=UNDER, beneath=BENEATH, once=True)
    if sys.stdout.isatty():
        terminal = console(sys.stdout)
        terminal.print()
        unused = any(UNUSED in mark for mark in marked)
        terminal.print(Text(f"{UNUSED_IN_WORDS} {NOT_IN_IT}" if unused else NOT_IN_IT))


def _print_json(found: Sequence[DeploymentOrgToken]) -> None:
    is_unicode = "utf" in (sys.stdout.encoding or "").lower()
    text = json.dumps([asdict(row) for row in found], indent=2, ensure_ascii=not is_unicode)
    typer.echo(shown.json_text(text))


def _print_csv(found: Sequence[DeploymentOrgToken]) -> None:
    text = StringIO()
    writer = csv.DictWriter(text, KEYS, lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({key: shown.csv_cell(value or "") for key, value in asdict(row).items()})
    typer.echo(text.getvalue(), nl=False)


def _named(deployments: Sequence[Deployment], where: Where, session: Session) -> str:
    named = [f"{deployment.name!r} ({deployment.id})" for deployment in deployments]
    if where.deployment_ids or where.deployment_names:
        return f"deployment{'s' if len(named) > 1 else ''} {', '.join(named)}"
    owner = (
        f"workspace {where.workspace_id}" if where.workspace_id else f"organization {session.reader.organization_id}"
    )
    return f"any of the {len(named)} deployments of {owner}" if named else f"{owner}, which has no deployments"

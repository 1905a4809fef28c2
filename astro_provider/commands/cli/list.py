"""Prints assignments: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime

import typer
from rich.text import Text

from astro_provider.access.facts import UNUSED_AFTER, Token
from astro_provider.astro.api import Deployment
from astro_provider.astro.reading.assignments import assigned_tokens
from astro_provider.astro.rows import DeploymentOrgToken
from astro_provider.commands.cli.facts import moment
from astro_provider.commands.cli.names import chosen
from astro_provider.commands.cli.options import OutputOfList, Sort, Where
from astro_provider.commands.cli.session import Session, opened
from astro_provider.commands.cli.table import print_table
from astro_provider.commands.cli.terminal import console, print_json, progress_bar
from astro_provider.errors import CallRefused, NotFound
from astro_provider.messages import shown
from astro_provider.messages.words import counted

MARKS = "MARKS"
UNUSED = "unused"
DIRECT_ACCESS = "DIRECT_ACCESS"
UNUSED_IN_WORDS = (
    f"{UNUSED}: older than {UNUSED_AFTER.days} days, and Astro shows no use in the last {UNUSED_AFTER.days}."
)
NOT_IN_IT = (
    "CREATED is the token's age: Astro does not show when a role was granted. Roles that a token has through its "
    "organization or workspace are not listed."
)


def run(
    where: Where, organization_id: str | None, output: OutputOfList, sort: Sort, *, include_other_scopes: bool
) -> None:
    """Ask the service and print the answer on standard output.

    Raises:
        AstroProviderError: there is no answer; nothing has been printed.
    """
    with opened(organization_id) as session:
        found = _in_one_call(session, where, include_other_scopes) if output == "table" else []
        if not found:
            deployments = chosen(where, session.reader)
            if where.by_default and (count := len(deployments)):
                all_of_them = f"all {count} deployments of organization {session.reader.organization_id}"
                typer.echo(f"Listing {all_of_them}, in {count + 2} calls at most.", err=True)
            with progress_bar("Reading assignments") as progress:
                found = assigned_tokens(
                    session.reader, deployments, include_other_scopes=include_other_scopes, progress=progress
                )
    found = sorted_by(sort, found)
    if output == "json":
        print_json([asdict(row) for row in found])
    elif output == "csv":
        heads = [field.name for field in fields(DeploymentOrgToken)]
        typer.echo(shown.csv_text(heads, [asdict(row).values() for row in found]), nl=False)
    elif found:
        _print_table(found, where)
    else:
        kind = "tokens" if include_other_scopes else "organization tokens"
        typer.echo(f"No {kind} are assigned to {_named(deployments, where, session)}.", err=True)


def age(created_at: str | None, now: datetime) -> str:
    """Return how many whole days ago a token was made: `325 days ago`, or `today` under one; blank if unknown."""
    created = moment(created_at)
    if created is None:
        return ""
    days = (now - created).days
    return f"{counted(days, 'day')} ago" if days >= 1 else "today"


def _in_one_call(session: Session, where: Where, include_other_scopes: bool) -> list[DeploymentOrgToken]:  # noqa: FBT001
    """Return the assignments of the one deployment that is given by its id, without a call about the deployment itself.

    A table of one deployment shows neither its name nor its workspace. The list is empty as well if the call fails or
    finds nothing: only a call about the deployment distinguishes an empty one from one that does not exist.
    """
    if not where.is_one_deployment or where.deployment_names or where.workspace_id is not None:
        return []
    unseen = Deployment(id=where.deployment_ids[0], name="")
    try:
        return assigned_tokens(session.reader, [unseen], include_other_scopes=include_other_scopes)
    except (NotFound, CallRefused):
        return []


def sorted_by(sort: Sort, found: Sequence[DeploymentOrgToken]) -> list[DeploymentOrgToken]:
    """Return the rows in another order; equal ones keep their order, and those without the time come last."""

    def key(row: DeploymentOrgToken) -> tuple[bool, float | str]:
        if sort in ("name", "role"):
            return False, row.name if sort == "name" else row.deployment_role
        times = {"created": row.created_at, "expires": row.expires_at, "last-used": row.last_used_at}
        at = moment(times[sort])
        return at is None, 0.0 if at is None else at.timestamp()

    return list(found) if sort == "deployment" else sorted(found, key=key)


def _print_table(found: Sequence[DeploymentOrgToken], where: Where) -> None:
    now = datetime.now(UTC)
    rows = [_cells(row, now) for row in found]
    left_out = {"DEPLOYMENT", "DEPLOYMENT ID"} if where.is_one_deployment else set()
    if not any(row[MARKS] for row in rows):
        left_out.add(MARKS)
    print_table([{head: cell for head, cell in row.items() if head not in left_out} for row in rows], once=True)
    if sys.stdout.isatty():
        terminal = console(sys.stdout)
        terminal.print()
        unused = any(UNUSED in row[MARKS] for row in rows)
        terminal.print(Text(f"{UNUSED_IN_WORDS} {NOT_IN_IT}" if unused else NOT_IN_IT))


def _cells(row: DeploymentOrgToken, now: datetime) -> dict[str, str]:
    created, expires, used = map(moment, (row.created_at, row.expires_at, row.last_used_at))
    token = Token(row.id, row.name, created_at=created, expires_at=expires, last_used_at=used)
    marks = {
        f"expired {expires:%Y-%m-%d}" if expires else "": token.has_expired(now),
        UNUSED: token.is_unused(now),
        DIRECT_ACCESS: row.kind == DIRECT_ACCESS,
    }
    return {
        "DEPLOYMENT": row.deployment_name,
        "DEPLOYMENT ID": row.deployment_id,
        "TOKEN": row.name,
        "TOKEN ID": row.id,
        "ROLE": row.deployment_role,
        "SCOPE": row.scope,
        "CREATED": age(row.created_at, now),
        "CREATED BY": row.created_by or "",
        "DESCRIPTION": row.description,
        MARKS: ", ".join(mark for mark, is_so in marks.items() if is_so),
    }


def _named(deployments: Sequence[Deployment], where: Where, session: Session) -> str:
    named = [f"{deployment.name!r} ({deployment.id})" for deployment in deployments]
    if where.deployment_ids or where.deployment_names:
        return f"deployment{'s' if len(named) > 1 else ''} {', '.join(named)}"
    organization = f"organization {session.reader.organization_id}"
    owner = f"workspace {where.workspace_id}" if where.workspace_id else organization
    return f"any of the {len(named)} deployments of {owner}" if named else f"{owner}, which has no deployments"

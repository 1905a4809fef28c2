"""Finds ids by a part of a name.

It reads three lists of the service and no more: tokens, deployments, and the roles of deployments. Workspaces are those
of the deployments; one without a deployment is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import typer

from astro_provider.astro.api import ApiToken
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.reading.reader import Reader
from astro_provider.commands.cli.exit_statuses import NOTHING_FOUND
from astro_provider.commands.cli.names import workspaces
from astro_provider.commands.cli.options import OutputOfFind
from astro_provider.commands.cli.session import opened
from astro_provider.commands.cli.table import print_table
from astro_provider.commands.cli.terminal import print_json
from astro_provider.messages import shown
from astro_provider.messages.words import counted


@dataclass(frozen=True)
class Hit:
    """A token, deployment, workspace or role."""

    kind: str
    name: str
    id: str | None  # None for a built-in role, which is given by its name
    about: str  # how it differs from others of the same name, in words


def run(text: str, organization_id: str | None, output: OutputOfFind) -> None:
    """Ask the service and print the hits on standard output; without one the exit status is 5."""
    with opened(organization_id) as session:
        everything = list(_everything(session.reader))
    part = text.casefold()
    found = [hit for hit in everything if part in hit.name.casefold() or text == hit.id]
    if output == "json":
        print_json([asdict(hit) for hit in found])
    elif found:
        print_table([{"KIND": one.kind, "NAME": one.name, "ID": one.id or "", "ABOUT": one.about} for one in found])
    else:
        hint = nearest_names(text, [one.name for one in everything])
        typer.echo(f"No token, deployment, workspace or role has {shown.line(text)!r} in its name{hint}.", err=True)
    if not found:
        raise typer.Exit(NOTHING_FOUND)


def _everything(reader: Reader) -> Iterator[Hit]:
    tokens = sorted(reader.tokens().listed, key=lambda one: (one.name, one.created_at or "", one.id))
    deployments = sorted(reader.deployments().values(), key=lambda one: (one.name, one.id))
    roles = sorted(reader.roles(), key=lambda one: one.name)
    for token in tokens:
        yield Hit("token", token.name, token.id, _about_token(token))
    for deployment in deployments:
        where = deployment.workspace_name or deployment.workspace_id
        yield Hit("deployment", deployment.name, deployment.id, f"in workspace {where}" if where else "")
    known = workspaces(deployments)
    for workspace_id, name in sorted(known.items(), key=lambda item: (item[1], item[0])):
        count = sum(one.workspace_id == workspace_id for one in deployments)
        yield Hit("workspace", name, workspace_id, counted(count, "deployment"))
    for role in roles:
        only = ", ".join(known.get(one) or one for one in role.restricted_workspace_ids or ())
        about = "custom" if role.id else "built-in: write its name"
        yield Hit("role", role.name, role.id, f"{about}, only in workspace {only}" if only else about)


def _about_token(token: ApiToken) -> str:
    parts = [] if token.scope in (None, "ORGANIZATION") else [f"scope {token.scope}: cannot be bound"]
    parts += [token.description] if token.description else []
    parts += [f"made by {token.created_by.display_name}"] if token.created_by else []
    parts += [f"on {token.created_at[:10]}"] if token.created_at else []
    return ", ".join(parts)

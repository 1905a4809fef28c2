"""What `astro-provider adopt` does and says.

What it wrote and what to type next goes to standard output; what it left out, and what is worth knowing, to standard
error.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import typer

from astro_provider import shown
from astro_provider.adoption import IMPORT_FILE, PROGRAM_FILE, Found, find, program, require_room, write
from astro_provider.cli.exit_statuses import FAILED
from astro_provider.cli.options import Where
from astro_provider.cli.session import opened

PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


def run(where: Where, organization_id: str | None, out: Path, *, force: bool) -> None:
    """Find what is assigned, write both files and say so.

    Args:
        where: the deployments that are asked for.
        organization_id: as given on the command line; the program has to give it then too.
        out: the directory.
        force: replace files that are there.

    Raises:
        AstroProviderError: nothing was written.
    """
    require_room(out, force=force)
    with opened(organization_id) as session:
        deployments = session.deployments(where)
        with session.progress("Reading assignments") as progress:
            found = find(session.reader, session.organization_id, deployments, progress=progress)
        elsewhere = organization_id if organization_id != session.settings.organization_id else None
    if not found.adoptions:
        _say_aside(found)
        typer.echo("Nothing was written: there is no assignment that could be adopted.", err=True)
        raise typer.Exit(FAILED)
    from astro_provider.adoption.import_file import import_file  # noqa: PLC0415 Pulumi, which a refusal does without

    write(out, program=program(found.adoptions, elsewhere), import_file=import_file(found.adoptions))
    typer.echo("\n".join(_report(found, out)))
    _say_aside(found)


def _report(found: Found, out: Path) -> list[str]:
    paths = [str(out / name) for name in (PROGRAM_FILE, IMPORT_FILE)]
    width = max(map(len, paths))
    lines = [
        f"Wrote {found.extent}.",
        f"  {paths[0]:{width}}  the program that declares them",
        f"  {paths[1]:{width}}  their state, for pulumi import (3.254 or later)",
        "",
    ]
    if not any((out / name).exists() for name in PROJECT_FILES):
        lines += [f"{out} has no Pulumi.yaml yet: it needs one, and a stack (pulumi stack init).", ""]
    return [
        *lines,
        "Nothing in Astro was changed. Next:",
        *([] if out.resolve() == Path.cwd() else [f"  cd {shlex.quote(str(out))}"]),
        f"  pulumi import --file {IMPORT_FILE} --yes --protect=false --generate-code=false",
        "  pulumi preview",
    ]


def _say_aside(found: Found) -> None:
    _say_list(f"Left out, {len(found.left_out)}:", found.left_out)
    _say_list("Adopted, but worth knowing:", found.remarks)


def _say_list(heading: str, lines: Sequence[str]) -> None:
    if lines:
        typer.echo("\n".join(["", heading, *(f"  {shown.line(line)}" for line in lines)]), err=True)

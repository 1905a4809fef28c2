"""Writes the program and the import file of `adopt`, and prints a report and the next commands on standard output.

Assignments that were left out, bindings that are no longer declared, and remarks go to standard error. In a terminal lines
are broken between words, commands never.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import typer

from astro_provider.access.export import Export, read_export
from astro_provider.commands.adoption.files import IMPORT_FILE, PROGRAM_FILE, require_room, write
from astro_provider.commands.adoption.find import Found, find
from astro_provider.commands.adoption.program import ROWS_FILE, bindings_in, program, rows, written
from astro_provider.commands.adoption.project import PLUGIN, Door, module_path, new_project
from astro_provider.commands.cli.exit_statuses import FAILED
from astro_provider.commands.cli.facts import read_text
from astro_provider.commands.cli.names import chosen
from astro_provider.commands.cli.options import Where
from astro_provider.commands.cli.session import opened
from astro_provider.commands.cli.terminal import console, progress_bar
from astro_provider.commands.projects import PROJECT_FILE, Project, project_of
from astro_provider.errors import InputError, UnusableInput
from astro_provider.messages import shown

MOST_BINDINGS = 50  # resources of their own; each is a process's work in every run, and a table is one


@dataclass(frozen=True)
class Place:
    """The place of the files."""

    out: Path
    program_file: str  # the name of the program, or of the rows
    project: Project | None  # the project that is there; None: a new one is written
    module: str | None  # the name by which the project's program imports it; None: it is a program of its own
    door: Door  # the door through which the program declares the bindings


def run(  # noqa: PLR0913  the command's options
    where: Where,
    organization_id: str | None,
    out: Path,
    module: str | None,
    *,
    force: bool,
    as_table: bool = False,
    exclusive: bool = False,
    native: bool = False,
    all_stacks: bool = False,
    as_config: bool = False,
    states: Sequence[str] = (),
) -> None:
    """Find the assignments, write the files and print a report.

    Raises:
        AstroProviderError: nothing was written.
    """
    if as_config and (as_table or native or module is not None):
        raise _refused("as_config", "rows are no program: omit --as-table, --native and --module.")
    if exclusive and not as_table:
        raise _refused("exclusive", "only a table can be exclusive: add --as-table.")
    if exclusive and all_stacks:
        text = "an exclusive table would revoke the roles that --all-stacks leaves out: omit one of the two options."
        raise _refused("exclusive", text)
    project = project_of(out.resolve())
    given = [read_export(*read_text(name)) for name in states]
    imported_as = None if module is None else module_path(project, out, module)
    program_file = ROWS_FILE if as_config else PROGRAM_FILE if module is None else f"{module}.py"
    place = Place(out, program_file, project, imported_as, Door.NATIVE if native else Door.DYNAMIC)
    require_room(out, [program_file] if as_config else [program_file, IMPORT_FILE], force=force)
    before = None if as_config else _text(out / program_file)
    exports, unseen = _exports(place, given, all_stacks=all_stacks)
    # The bindings of the program that is replaced stay in it, or the next update would revoke them. A program that
    # cannot be read may declare any binding, so none is left out.
    declared: Collection[str] | None = frozenset() if before is None else bindings_in(before)
    managed = {pair: one.stack for one in exports for grant in one.grants if (pair := grant.subject.pair)}
    with opened(organization_id) as session:
        deployments = chosen(where, session.reader)
        with progress_bar("Reading assignments") as progress:
            found = find(
                session.reader,
                deployments,
                managed={} if declared is None else managed,
                declared=declared or frozenset(),
                progress=progress,
            )
        known, organization = session.settings.organization_id, session.reader.organization_id
    if exclusive and found.managed:
        text = f"an exclusive table would revoke roles that stacks manage ({found.managed.total()})."
        raise _refused("exclusive", text, " omit --exclusive, or move these roles first.")
    if not found.adoptions:
        _print_aside(found, unseen)
        typer.echo("Nothing was written: there is no assignment that could be adopted.", err=True)
        raise typer.Exit(FAILED)
    if as_config:
        write(out, {ROWS_FILE: rows(found.adoptions)})
        _print(_report(found, place, as_config=True), sys.stdout)
        _print_aside(found, unseen)
        return
    elsewhere = organization if organization_id and organization != known else None
    if as_table:
        from astro_provider.commands.adoption.table import NAME, table  # noqa: PLC0415 Pulumi, which a refusal does without

        declaration, state = table(
            module or NAME, found, organization, exclusive=exclusive, door=place.door, elsewhere=elsewhere
        )
    else:
        from astro_provider.commands.adoption.import_file import import_file  # noqa: PLC0415 as above

        declaration, state = program(found.adoptions, elsewhere, place.door), import_file(found.adoptions, place.door)
    new = {} if project else {PROJECT_FILE: new_project(out, strict=not found.warned, door=place.door)}
    # The import file comes last, so that it never lies beside another program than its own.
    write(out, {**new, program_file: declaration, IMPORT_FILE: state})
    _print(_report(found, place), sys.stdout)
    if before is not None:
        _print_replaced(found, place, before)
    advice = ""
    if not as_table and (count := len(found.adoptions)) > MOST_BINDINGS:
        advice = (
            f"{count} bindings are as many resources. Above {MOST_BINDINGS} a table (--as-table) serves better: it is one "
            "resource, and a run makes one write for each token."
        )
    _print_aside(found, advice, unseen)


def _refused(option: str, why: str, then: str = "") -> InputError:
    return InputError(option, f"{why} Nothing was written{':' if then else '.'}{then}")


def _exports(place: Place, given: Sequence[Export], *, all_stacks: bool) -> tuple[Sequence[Export], str]:
    """Return the exports of the stacks that may manage some of the roles already, and a warning if none could be read."""
    from astro_provider.commands.stacks import all_exports, selected_export  # noqa: PLC0415  half a second

    if all_stacks:
        with progress_bar("Reading stacks", "stacks") as progress:
            return [*given, *all_exports(progress)], ""
    if given or place.project is None:
        return given, ""
    try:
        return [selected_export(place.project.directory)], ""
    except UnusableInput as reason:
        return [], (
            f"Roles that a stack manages already were not left out: {reason} If one manages some of these, two stacks "
            "will manage them."
        )


def _report(found: Found, place: Place, *, as_config: bool = False) -> list[str]:
    """Return the lines about the files, and about the next steps."""
    if as_config:
        files = {ROWS_FILE: "rows of access:bindings, for the program of templates/infra-repo"}
    else:
        what = "program" if place.module is None else "module"
        files = {place.program_file: f"the {what} that declares them", IMPORT_FILE: "their state, for pulumi import"}
        if place.project is None:
            files[PROJECT_FILE] = f"a new project{'' if found.warned else ', with astro:previewChecks strict'}"
    paths = {str(place.out / name): about for name, about in files.items()}
    report = written(
        "report.jinja",
        found=found,
        files=paths,
        as_config=as_config,
        place=place,
        plugin=PLUGIN,
        directory=place.project.directory if place.project else place.out,
        here=Path.cwd(),
        import_file=place.out.resolve() / IMPORT_FILE,
        new_project=place.out / PROJECT_FILE,
    )
    return report.rstrip("\n").split("\n")


def _print_replaced(found: Found, place: Place, before: str) -> None:
    old = bindings_in(before)
    if old is None:
        path = place.out / place.program_file
        text = f"The bindings that {path} declared before cannot be read from it: compare the two before the next `pulumi up`."
        _print(["", text], sys.stderr)
        return
    gone = sorted(old - {one.name for one in found.adoptions})
    _print_list(f"No longer in the program, {len(gone)} (the next `pulumi up` revokes those that the stack has):", gone)


def _print_aside(found: Found, *remarks: str) -> None:
    # One line a stack, because a project of 1,500 roles would hide everything else.
    managed = [f"stack {stack}: {number}" for stack, number in sorted(found.managed.items())]
    _print_list(f"Left out because a stack manages them, {found.managed.total()}:", managed)
    _print_list(f"Left out, {len(found.left_out)}:", found.left_out)
    _print_list("Adopted, with remarks:", found.remarks)
    for text in filter(None, remarks):
        _print(["", text], sys.stderr)


def _print_list(heading: str, lines: Sequence[str]) -> None:
    if lines:
        _print(["", heading, *(f"  {shown.line(line)}" for line in lines)], sys.stderr)


def _print(lines: Iterable[str], stream: TextIO) -> None:
    width = console(stream).width if stream.isatty() else 0
    for line in lines:
        is_command = line.startswith(("  pulumi ", "  cd ", "  import "))
        indent = "    " if line.startswith("  ") else ""
        parts = [line]
        if width and not is_command:
            parts = textwrap.wrap(
                line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            ) or [""]
        for part in parts:
            typer.echo(part, file=stream)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return "("  # no program, so its bindings count as unreadable

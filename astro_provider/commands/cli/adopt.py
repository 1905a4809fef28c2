"""What `astro-provider adopt` does and says.

What it wrote and what to type next goes to standard output; what it left out, what disappears, and what is worth
knowing, to standard error. In a terminal lines are broken between words, commands never.
"""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import typer

from astro_provider.access.export import Export, read_export
from astro_provider.access.model import shown as text_of
from astro_provider.commands.adoption import (
    IMPORT_FILE,
    PLUGIN,
    PROGRAM_FILE,
    ROWS_FILE,
    Door,
    Found,
    bindings_in,
    find,
    module_path,
    new_project,
    program,
    require_room,
    rows,
    write,
    write_alone,
)
from astro_provider.commands.cli.exit_statuses import FAILED
from astro_provider.commands.cli.facts import read_text
from astro_provider.commands.cli.options import Where
from astro_provider.commands.cli.session import opened
from astro_provider.commands.cli.terminal import console, progress_bar
from astro_provider.commands.projects import PROJECT_FILE, Project, project_of
from astro_provider.errors import InputError, UnusableInput
from astro_provider.messages import shown

MOST_BINDINGS = 50  # resources of their own; each is a process's work in every run, and a table is one
IMPORT_OPTIONS = "--yes --protect=false --generate-code=false"


@dataclass(frozen=True)
class Place:
    """Where the files go.

    Attributes:
        out: the directory.
        program_file: the program's name.
        project: the project that is there; None: one is made.
        module: how the project's program imports it; None: it is a program of its own.
        door: the door through which the program declares what it declares.
    """

    out: Path
    program_file: str
    project: Project | None
    module: str | None
    door: Door

    @property
    def pulumi_directory(self) -> Path:
        """Where `pulumi` is called."""
        return self.project.directory if self.project else self.out


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
    """Find what is assigned, write the files and say so.

    Args:
        where: the deployments that are asked for.
        organization_id: as given on the command line; the program has to give it then too.
        out: the directory.
        module: the name of a module in the place of a program; None: a program.
        force: replace files that are there.
        as_table: declare all of them as one table.
        exclusive: the table lets nobody else have a role in its deployments.
        native: declare them through the native door.
        all_stacks: leave out what a stack of the backend manages.
        as_config: write rows for the program of templates/infra-repo, in the place of a program.
        states: files of exports of the stacks that may manage some already; none: the project's selected stack.

    Raises:
        AstroProviderError: nothing was written.
    """
    _require_that_rows_are_alone(as_config, of_a_program=as_table or native or module is not None)
    _require_a_table_of_all(exclusive, as_table=as_table, all_stacks=all_stacks)
    project = project_of(out.resolve())
    given = [read_export(*read_text(name)) for name in states]
    imported_as = None if module is None else module_path(project, out, module)
    door = Door.NATIVE if native else Door.DYNAMIC
    program_file = ROWS_FILE if as_config else PROGRAM_FILE if module is None else f"{module}.py"
    place = Place(out, program_file, project, imported_as, door)
    require_room(out, force=force, program_file=program_file, import_file=None if as_config else IMPORT_FILE)
    before = None if as_config else _text(out / program_file)
    exports, unseen = _exports(place, given, all_stacks=all_stacks)
    # What the program to be replaced declares stays: the next update would revoke it. Of one that nobody can read it may be any.
    declared: Collection[str] | None = frozenset() if before is None else bindings_in(before)
    managed = {} if declared is None else _managed(exports)
    with opened(organization_id) as session:
        deployments = session.deployments(where)
        with session.progress("Reading assignments") as progress:
            found = find(
                session.reader,
                deployments,
                managed=managed,
                declared=declared or frozenset(),
                progress=progress,
            )
        known = session.settings.organization_id
        organization = session.reader.organization_id
        elsewhere = organization if organization_id and organization != known else None
    if exclusive and found.managed:
        raise InputError(
            "exclusive",
            f"an exclusive table takes away what other resources give there, and stacks manage {found.managed} of these roles. "
            "Nothing was written: leave --exclusive out, or move these roles first.",
        )
    if not found.adoptions:
        _say_aside(found)
        _say(unseen, sys.stderr)
        typer.echo("Nothing was written: there is no assignment that could be adopted.", err=True)
        raise typer.Exit(FAILED)
    if as_config:
        write_alone(out, ROWS_FILE, rows(found.adoptions))
        _say(_report_of_rows(found, place), sys.stdout)
        _say_aside(found)
        _say(unseen, sys.stderr)
        return
    if as_table:
        from astro_provider.commands.adoption.table import NAME, AdoptedTable  # noqa: PLC0415 Pulumi, which a refusal does without

        table = AdoptedTable(module or NAME, found.adoptions, organization, exclusive, found.empty, found.ids, door)
        texts = table.program(elsewhere), table.import_file()
    else:
        from astro_provider.commands.adoption.import_file import import_file  # noqa: PLC0415 as above

        texts = program(found.adoptions, elsewhere, door), import_file(found.adoptions, door)
    write(
        out,
        program=texts[0],
        import_file=texts[1],
        program_file=place.program_file,
        project=None if project else new_project(out, strict=not found.warned, door=door),
    )
    _say(_report(found, place), sys.stdout)
    if before is not None:
        _say_replaced(found, place, before)
    _say_aside(found)
    if not as_table and len(found.adoptions) > MOST_BINDINGS:
        text = f"{len(found.adoptions)} bindings are as many resources. A table (--as-table) serves better from {MOST_BINDINGS} on: "
        _say(["", f"{text}it is one resource, and a run makes one write for each token."], sys.stderr)
    _say(unseen, sys.stderr)


def _require_that_rows_are_alone(as_config: bool, *, of_a_program: bool) -> None:  # noqa: FBT001  a value, no switch
    if as_config and of_a_program:
        raise InputError("as_config", "rows go without --as-table, --native and --module. Nothing was written.")


def _require_a_table_of_all(exclusive: bool, *, as_table: bool, all_stacks: bool) -> None:  # noqa: FBT001  as above
    if exclusive and not as_table:
        raise InputError("exclusive", "only a table can be exclusive: add --as-table. Nothing was written.")
    if exclusive and all_stacks:
        text = "an exclusive table takes away the roles that --all-stacks leaves out: write one of them. Nothing was written."
        raise InputError("exclusive", text)


def _exports(place: Place, given: Sequence[Export], *, all_stacks: bool) -> tuple[list[Export], list[str]]:
    """The exports of the stacks that may manage something already, and what there is to say if none could be read."""
    from astro_provider.commands.stacks import all_exports, selected_export  # noqa: PLC0415  half a second

    if all_stacks:
        with progress_bar("Reading stacks", "stacks") as progress:
            return [*given, *all_exports(progress)], []
    if given or place.project is None:
        return [*given], []
    try:
        return [selected_export(place.project.directory)], []
    except UnusableInput as reason:
        text = f"It was not looked at what a stack manages already: {reason} If one manages some of these, both will own them."
        return [], ["", text]


def _report_of_rows(found: Found, place: Place) -> Iterator[str]:
    yield f"Wrote {found.extent}."
    yield f"  {place.out / ROWS_FILE}  rows of access:bindings, for the program of templates/infra-repo"
    yield ""
    yield (
        "Nothing in Astro was changed. Next: add the rows to access:bindings in Pulumi.<stack>.yaml, in one pull request. Its "
        'comment shows each of them as "keeps", with the flag adopts.'
    )


def _managed(exports: Sequence[Export]) -> dict[tuple[str, str], str]:
    """The stacks that manage a role, by the ids of deployment and token."""
    found = {}
    for export in exports:
        for grant in export.grants:
            deployment_id, token_id = text_of(grant.subject.deployment_id), text_of(grant.subject.org_token_id)
            if deployment_id and token_id:
                found[deployment_id, token_id] = export.stack
    return found


def _report(found: Found, place: Place) -> Iterator[str]:
    what = "the program that declares them" if place.module is None else "the module that declares them"
    files = {
        place.out / place.program_file: what,
        place.out / IMPORT_FILE: "their state, for pulumi import",
    }
    if place.project is None:
        files[place.out / PROJECT_FILE] = "a new project" + (
            "" if found.warned else ", with astro:previewChecks strict"
        )
    width = max(len(str(path)) for path in files)
    yield f"Wrote {found.extent}."
    yield from (f"  {path!s:{width}}  {text}" for path, text in files.items())
    yield ""
    if place.project is not None:
        yield from _in_the_project(place, place.project)
    yield "Nothing in Astro was changed. Next:"
    if place.pulumi_directory.resolve() != Path.cwd():
        yield f"  cd {shlex.quote(str(place.pulumi_directory))}"
    if place.project is None:
        yield "  pulumi install                 # after requirements.txt names this package (docs/install.md)"
        yield "  pulumi stack init"
    import_file = (place.out.resolve() / IMPORT_FILE).relative_to(place.pulumi_directory.resolve())
    yield f"  pulumi import --file {shlex.quote(str(import_file))} {IMPORT_OPTIONS}"
    yield "  pulumi preview                 # shows no change"
    yield ""
    yield (
        "Import and program belong into one step, one pull request or one run: with the program alone, an update adopts "
        "each binding anew; with the import alone, the next update revokes them all."
    )
    yield ""
    yield from _strict(found, place)


def _strict(found: Found, place: Place) -> Iterator[str]:
    what = "With previewChecks=strict, a role or token that does not exist is an error of the pull request."
    if found.warned:
        yield (
            f"{what} It was not set, because it would refuse {found.warned} of these bindings too, of which a preview "
            "only warns (they stand below). Mend them, then:"
        )
    elif place.project is None:
        yield f"{what} It is set in {place.out / PROJECT_FILE}; take it out if the program makes tokens or roles itself."
        return
    else:
        yield f"{what} Recommended, unless this project makes tokens or roles itself:"
    yield "  pulumi config set astro:previewChecks strict"


def _in_the_project(place: Place, project: Project) -> Iterator[str]:
    if place.module is not None:
        yield f"Add this line to the program in {project.program}:"
        yield f"  import {place.module}"
        yield ""
    elif project.program != place.out.resolve():
        yield (
            f"{project.file} is the project here, and its program does not run {place.out / PROGRAM_FILE}. Move the "
            "bindings into the program, or write them as a module that it can import (--module NAME), before the next "
            "update: it would revoke what it does not declare."
        )
        yield ""
    if place.door is Door.NATIVE and project.folder_of_native_provider is None:
        yield f"{project.file} does not tell where pulumi-resource-astro is. Unless it is on PATH, add:"
        yield from (f"  {line}" for line in PLUGIN.splitlines())
        yield ""


def _say_replaced(found: Found, place: Place, before: str) -> None:
    old = bindings_in(before)
    if old is None:
        path = place.out / place.program_file
        text = f"What {path} declared before cannot be read from its text: compare the two before the next `pulumi up`."
        _say(["", text], sys.stderr)
        return
    gone = sorted(old - {one.name for one in found.adoptions})
    _say_list(f"No longer in the program, {len(gone)} (the next `pulumi up` revokes those that the stack has):", gone)


def _say_aside(found: Found) -> None:
    _say_list(f"Left out, {len(found.left_out)}:", found.left_out)
    _say_list("Adopted, but worth knowing:", found.remarks)


def _say_list(heading: str, lines: Sequence[str]) -> None:
    if lines:
        _say(["", heading, *(f"  {shown.line(line)}" for line in lines)], sys.stderr)


def _say(lines: Sequence[str] | Iterator[str], stream: TextIO) -> None:
    width = console(stream).width if stream.isatty() else 0
    for line in lines:
        is_command = line.startswith(("  pulumi ", "  cd ", "  import "))
        for part in [line] if is_command or not width else _wrapped(line, width):
            typer.echo(part, file=stream)


def _wrapped(line: str, width: int) -> list[str]:
    indent = "    " if line.startswith("  ") else ""
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return "("  # something is there, and nobody can read it

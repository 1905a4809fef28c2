"""The subcommands as a user sees them: options, help and examples.

It imports little, because every `--help` waits for it. The work of a subcommand is in the module of its name, which is
imported when the subcommand runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astro_provider.access.audit import Finding
from astro_provider.access.flags import Flag
from astro_provider.access.rules import fault_of_pattern
from astro_provider.commands.cli import options


def _whole(pattern: str) -> str:
    if fault := fault_of_pattern(pattern):
        raise typer.BadParameter(fault)
    return pattern


Production = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB", help="Names of deployments or workspaces that are production; repeatable.", parser=_whole
    ),
]
RulesFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The rules of your organization: access.toml.")]
LEAST_CHARACTERS = 2000  # what a comment needs that has room for no row
MOST_CHARACTERS = 60_000  # GitHub takes 65,536 in a comment; the rest is for what a workflow writes around it


def list_assignments(  # noqa: PLR0913 every option is a keyword
    *,
    deployment_ids: options.DeploymentIds = None,
    deployment_names: options.DeploymentNames = None,
    all_deployments: options.AllDeployments = False,
    workspace_id: options.WorkspaceId = None,
    organization_id: options.OrganizationId = None,
    include_other_scopes: Annotated[
        bool, typer.Option("--include-other-scopes", help="Also tokens of a workspace or of a deployment.")
    ] = False,
    output: Annotated[
        options.OutputOfList, typer.Option(help="For people (table) or for programs (json, csv).")
    ] = "table",
    sort: Annotated[
        options.Sort, typer.Option(help="Name, role, or a time, the earliest first; tokens without it come last.")
    ] = "deployment",
) -> None:
    """List the organization tokens that have a role in deployments: in all of them, unless options choose some.

    The credential is ASTRO_API_TOKEN. Nothing is changed.

    \b
    Examples:
      astro-provider list
      astro-provider list --deployment-id clm9x2k4t000408l6c3f7h8va
      astro-provider list --workspace-id 'Data Platform'
      astro-provider list --all-deployments --sort last-used
      astro-provider list --all-deployments --output json | jq '.[].name'
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    wanted = options.where(
        deployment_ids, deployment_names, workspace_id, all_deployments=all_deployments, all_by_default=True
    )
    from astro_provider.commands.cli.list import run  # noqa: PLC0415 half a second

    run(wanted, organization_id, output, sort, include_other_scopes=include_other_scopes)


def find(
    *,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A part of a name, in any case, or a whole id.")],
    organization_id: options.OrganizationId = None,
    output: Annotated[options.OutputOfFind, typer.Option(help="For people (table) or for programs (json).")] = "table",
) -> None:
    """Find tokens, deployments, workspaces and roles by a part of their names.

    It shows the ids that programs and the other commands take, also of tokens without a role. The credential
    is ASTRO_API_TOKEN. Nothing is changed. Exit status 5: nothing has that name or id.

    \b
    Examples:
      astro-provider find deployer
      astro-provider find production --output json | jq -r '.[].id'
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    from astro_provider.commands.cli.find import run  # noqa: PLC0415 half a second

    run(text, organization_id, output)


def adopt(  # noqa: PLR0913 the command's options
    *,
    deployment_ids: options.DeploymentIds = None,
    deployment_names: options.DeploymentNames = None,
    all_deployments: options.AllDeployments = False,
    workspace_id: options.WorkspaceId = None,
    organization_id: options.OrganizationId = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The directory for the files; made if missing.")],
    module: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write NAME.py, which the program of a project can import, not __main__.py."),
    ] = None,
    as_table: Annotated[
        bool, typer.Option("--as-table", help="Declare all of them as one table, DeploymentOrgTokenBindings.")
    ] = False,
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="With --as-table: no other token may have a role in these deployments.")
    ] = False,
    native: Annotated[
        bool, typer.Option("--native", help="Declare them through the native provider (docs/languages.md).")
    ] = False,
    all_stacks: Annotated[
        bool,
        typer.Option("--all-stacks", help="Leave out the roles that any stack of this directory's backend manages."),
    ] = False,
    as_config: Annotated[
        bool, typer.Option("--as-config", help="Write rows for the program of templates/infra-repo, no program.")
    ] = False,
    states: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="FILE",
            help="An export of `pulumi stack export`, whose bindings are left out; repeatable. Without it the project's "
            "selected stack is exported.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Write a program and an import file for the assignments that exist.

    DIR gets __main__.py, a Pulumi program that declares every assignment, and import.json, which brings them into a
    stack's state as they are. After the import, `pulumi preview` shows no change. Nothing in Astro is changed. If there
    is no Pulumi project in DIR or above it, DIR gets a Pulumi.yaml too.

    The credential is ASTRO_API_TOKEN.

    \b
    Examples:
      astro-provider adopt --all-deployments --out infra
      astro-provider adopt --workspace-id Finance --out access --module finance_tokens
      astro-provider adopt --deployment-id clm9x2k4t000408l6c3f7h8va --out infra --force
      astro-provider adopt --all-deployments --out infra --as-table --exclusive
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    wanted = options.where(deployment_ids, deployment_names, workspace_id, all_deployments=all_deployments)
    from astro_provider.commands.cli.adopt import run  # noqa: PLC0415 half a second

    run(
        wanted,
        organization_id,
        out,
        module,
        force=force,
        as_table=as_table,
        exclusive=exclusive,
        native=native,
        all_stacks=all_stacks,
        as_config=as_config,
        states=states or (),
    )


def review(  # noqa: PLR0913  the command's options
    *,
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="The digest that `pulumi preview --json` printed; - is a pipe.")
    ] = "-",
    output: Annotated[
        options.OutputOfReview | None,
        typer.Option(help="A terminal, a comment, programs, or a page; a table in a terminal, markdown elsewhere."),
    ] = None,
    production: Production = None,
    rules: RulesFile = None,
    fail_on: Annotated[
        list[Flag] | None, typer.Option(metavar="FLAG", help="End with status 3 if a row has the flag; repeatable.")
    ] = None,
    exit_code: Annotated[
        int | None, typer.Option(metavar="N", help="The exit status of the preview; other than 0: incomplete.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask Astro, and say so; needs no credential.")
    ] = False,
    max_length: Annotated[
        int,
        typer.Option(
            min=LEAST_CHARACTERS, metavar="N", help="Characters of a comment; the least flagged rows go first."
        ),
    ] = MOST_CHARACTERS,
) -> None:
    """Show who gains, loses or changes which role where.

    It reads the digest of `pulumi preview --json`, best with --show-sames --show-replacement-steps --refresh, and of
    `refresh` and `destroy` with --preview-only. Names, expiry and last use come from Astro; the credential is
    ASTRO_API_TOKEN. Nothing is changed.

    Exit status: 0 reviewed, 1 unusable input, 3 a --fail-on flag is there, 4 the preview is incomplete.

    \b
    Examples:
      astro-provider review digest.json --production '*-production'
      astro-provider review digest.json --exit-code "$status" > comment.md
      astro-provider review - --output html --rules access.toml > review.html
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    from astro_provider.commands.cli.review import run  # noqa: PLC0415 half a second

    run(
        file,
        output,
        production or (),
        rules,
        fail_on or (),
        exit_code=exit_code,
        max_length=max_length,
        offline=offline,
    )


def audit(  # noqa: PLR0913  the command's options
    *,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="FILE", help="An export of `pulumi stack export`; repeat it for more stacks."),
    ] = None,
    all_stacks: options.AllStacks = False,
    output: Annotated[
        options.OutputOfAudit, typer.Option(help="A terminal, programs, a spreadsheet, an issue, or a page.")
    ] = "table",
    production: Production = None,
    rules: RulesFile = None,
    fail_on: Annotated[
        list[Finding] | None,
        typer.Option(metavar="FINDING", help="End with status 3 if there is one of that kind; repeatable."),
    ] = None,
    organization_id: options.OrganizationId = None,
    max_length: Annotated[
        int, typer.Option(min=LEAST_CHARACTERS, metavar="N", help="Characters of the Markdown; the last rows go first.")
    ] = MOST_CHARACTERS,
) -> None:
    """Show which roles of organization tokens need attention.

    It reads all of them from Astro, and the exports of any number of stacks. Without --state or --all-stacks it reports
    nothing about what is managed. The credential is ASTRO_API_TOKEN. Nothing is changed.

    Exit status: 0 looked, 1 unusable input, 3 a --fail-on finding is there.

    \b
    Examples:
      astro-provider audit --production '*-production'
      astro-provider audit --all-stacks --fail-on unmanaged
      astro-provider audit --state prod.json --state dev.json --fail-on unmanaged
      astro-provider audit --state prod.json --output html > audit.html
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    from astro_provider.commands.cli.audit import run  # noqa: PLC0415 half a second

    run(
        states=states or (),
        all_stacks=all_stacks,
        output=output,
        production=production or (),
        rules=rules,
        fail_on=fail_on or (),
        organization_id=organization_id,
        max_length=max_length,
    )


def doctor(
    *,
    output: Annotated[
        options.OutputOfDoctor, typer.Option(help="For people (table) or for programs (json).")
    ] = "table",
) -> None:
    """Look whether everything is there for a first `pulumi up`.

    It looks at the credential, the organization, the service, the permissions, Pulumi and its interpreter, and the
    directory of locks. Nothing is changed, and no credential is shown. Call it where you would call `pulumi`: the
    project there names the interpreter.

    A tick was seen to be right, a cross has to be fixed (exit status 1); `!` works today, and `?` cannot be seen.

    \b
    Examples:
      astro-provider doctor
      astro-provider doctor --output json | jq '.checks[] | select(.status != "ok")'
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    from astro_provider.commands.cli.doctor import run  # noqa: PLC0415 half a second

    run(as_json=output == "json")


def emulator(  # noqa: PLR0913 one for each option
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port on 127.0.0.1; 0 takes any free one.")
    ] = 8765,
    latency: Annotated[float, typer.Option(min=0, metavar="MS", help="Milliseconds that every call takes.")] = 0,
    rate_limits: Annotated[bool, typer.Option("--rate-limits", help="Turn the limits of Astro on.")] = False,
    seed: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Start with the organization of a YAML file; 'adopt' and 'example' come with the package.",
        ),
    ] = None,
    updated_at_moves: Annotated[
        bool, typer.Option("--updated-at-moves", help="Change a token's updatedAt when its roles are written.")
    ] = False,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Print a second credential too, of a token that may not write.")
    ] = False,
) -> None:
    """Run an Astro API on this machine, in memory.

    It starts with a small organization, prints the variables that lead to it, and forgets everything when it ends.
    docs/emulator.md describes what it can do.

    \b
    Examples:
      astro-provider emulator
      astro-provider emulator --port 0 --latency 50 --rate-limits
      astro-provider emulator --seed organization.yaml --credentials
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    from astro_provider.commands.cli.emulator import run  # noqa: PLC0415 half a second

    run(port, latency, seed, rate_limits=rate_limits, updated_at_moves=updated_at_moves, credentials=credentials)

"""The subcommands `review` and `audit` as a user sees them; `commands.py` has the others.

The words of their flags and findings come from `access/`, which the other subcommands do not load.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astro_provider.access.audit import Finding
from astro_provider.access.flags import Flag
from astro_provider.access.markdown import LEAST_LENGTH
from astro_provider.access.rules import fault_of_pattern
from astro_provider.commands.cli.options import AllStacks, OrganizationId, OutputOfAudit, OutputOfReview


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
MOST_CHARACTERS = 60_000  # GitHub takes 65,536 in a comment; the rest is for what a workflow writes around it


def review(  # noqa: PLR0913  the command's options
    *,
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="The digest that `pulumi preview --json` printed; - is a pipe.")
    ] = "-",
    output: Annotated[
        OutputOfReview | None,
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
        typer.Option(min=LEAST_LENGTH, metavar="N", help="Characters of a comment; the least flagged rows go first."),
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
    all_stacks: AllStacks = False,
    output: Annotated[
        OutputOfAudit, typer.Option(help="A terminal, programs, a spreadsheet, an issue, or a page.")
    ] = "table",
    production: Production = None,
    rules: RulesFile = None,
    fail_on: Annotated[
        list[Finding] | None,
        typer.Option(metavar="FINDING", help="End with status 3 if there is one of that kind; repeatable."),
    ] = None,
    organization_id: OrganizationId = None,
    max_length: Annotated[
        int, typer.Option(min=LEAST_LENGTH, metavar="N", help="Characters of the Markdown; the last rows go first.")
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

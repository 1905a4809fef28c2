"""The command `astro-provider`, which registers its subcommands and nothing else.

A subcommand imports its modules when it runs, so that `--help` does not wait for a web server or a cloud SDK.
"""

from __future__ import annotations

from typing import Annotated

import typer

from astro_provider.commands.cli.commands import adopt, audit, doctor, emulator, find, list_assignments, review
from astro_provider.commands.cli.exit_statuses import Subcommands
from astro_provider.version import __version__

HELP = """See and adopt the roles of Astro organization API tokens in Deployments.

Settings come from the environment: ASTRO_API_TOKEN, and if needed ASTRO_ORGANIZATION_ID and ASTRO_API_HOST.

\b
Examples:
  astro-provider doctor
  astro-provider list
  astro-provider find deployer
  astro-provider adopt --all-deployments --out infra
"""

app = typer.Typer(
    name="astro-provider",
    cls=Subcommands,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("list", short_help="List the organization tokens that have a role in deployments.")(list_assignments)
app.command(short_help="Find ids by a part of a name.")(find)
app.command(short_help="Write a program and an import file for existing roles.")(adopt)
app.command()(review)
app.command(short_help="Show which roles in Astro need attention.")(audit)
app.command()(doctor)
app.command()(emulator)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 typer's callback
    if wanted:
        typer.echo(f"astro-provider {__version__}")
        raise typer.Exit


@app.callback()
def astro_provider(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options before a subcommand."""

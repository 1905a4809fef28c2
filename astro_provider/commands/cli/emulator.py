"""Runs an Astro API on this machine, for as long as the command runs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import typer

from astro_provider.commands.cli.table import plain_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astro_emulator import Emulator

# Distributions that only the extra `emulator` brings.
EXTRA = frozenset(("fastapi", "starlette", "uvicorn", "h11"))


def run(  # noqa: PLR0913 one for each option
    port: int, latency: float, seed: str | None, *, rate_limits: bool, updated_at_moves: bool, credentials: bool
) -> None:
    """Print how to reach the emulator, and run until Ctrl-C."""
    try:
        from astro_emulator import Emulator, SeedError  # noqa: PLC0415 half a second, and an optional extra
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        typer.echo(
            f"The emulator needs {error.name}, which is not installed. "
            "Run: pip install fastapi uvicorn, or install this package with its extra, [emulator].",
            err=True,
        )
        raise typer.Exit(1) from None
    # A shell starts background jobs with SIGINT ignored, and this command ends with nothing else.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with Emulator.running(
            latency_ms=latency, rate_limits=rate_limits, updated_at_moves=updated_at_moves, port=port, seed=seed
        ) as running:
            typer.echo("\n".join(_greeting(running, credentials=credentials)))
            running.wait()
    except SeedError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        reason = error.strerror or error
        typer.echo(f"Port {port} of 127.0.0.1 cannot be used: {reason}. Choose another with --port.", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        return


def _greeting(running: Emulator, *, credentials: bool) -> Iterator[str]:
    shown = running.store.shown()
    yield f"Astro emulator at {running.url} (in memory; Ctrl-C ends it)"
    yield ""
    yield f"export ASTRO_API_HOST={running.url}"
    yield f"export ASTRO_API_TOKEN={running.credential}"
    yield f"export ASTRO_ORGANIZATION_ID={running.organization_id}"
    yield ""
    if credentials:
        yield from _second_credential(running)
        yield ""
    workspaces = {workspace["id"]: workspace["name"] for workspace in shown["workspaces"]}
    deployments = [(one["name"], one["id"], workspaces[one["workspaceId"]]) for one in shown["deployments"]]
    yield from plain_lines([("DEPLOYMENT", "ID", "WORKSPACE"), *deployments])
    yield ""
    tokens = [(one["name"], one["id"], one["scope"]) for one in shown["tokens"]]
    yield from plain_lines([("TOKEN", "ID", "SCOPE"), *tokens])


def _second_credential(running: Emulator) -> Iterator[str]:
    bearer = running.preview_credential
    if bearer is None:
        yield "# There is no second credential: every organization token of the seed may write."
        return
    with running.store.locked() as state:
        token = state.tokens[state.credentials[bearer]["api_token_id"]]
    # A comment, so that a user who pastes the whole block into a shell keeps the first credential.
    yield f"# Of a lesser token, '{token['name']}' ({token['id']}): it may neither read tokens nor write them."
    yield f"# export ASTRO_API_TOKEN={bearer}"

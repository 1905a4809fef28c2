"""`astro-provider emulator`: an Astro API on this machine, for as long as the command runs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astro_emulator import Emulator

# Distributions that only the extra `emulator` brings.
EXTRA = frozenset(("fastapi", "starlette", "uvicorn", "h11"))


def run(  # noqa: PLR0913 one for each option
    *, port: int, latency: float, rate_limits: bool, seed: str | None, updated_at_moves: bool, credentials: bool
) -> None:
    """Run until Ctrl-C.

    Args:
        port: on 127.0.0.1; 0: any free one.
        latency: milliseconds that every call takes.
        rate_limits: whether the limits of Astro are on.
        seed: a file, or the name of a seed of the package; None: the small organization.
        updated_at_moves: whether a write of roles changes `updatedAt`.
        credentials: print the second credential, too.
    """
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
    # A shell starts background jobs with SIGINT ignored; this command has to end with it all the same.
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
    yield from _table(
        ("DEPLOYMENT", "ID", "WORKSPACE"),
        [(one["name"], one["id"], workspaces[one["workspaceId"]]) for one in shown["deployments"]],
    )
    yield ""
    yield from _table(("TOKEN", "ID", "SCOPE"), [(one["name"], one["id"], one["scope"]) for one in shown["tokens"]])


def _second_credential(running: Emulator) -> Iterator[str]:
    bearer = running.preview_credential
    if bearer is None:
        yield "# There is no second credential: every organization token of the seed may write."
        return
    with running.store.locked() as state:
        token = state.tokens[state.credentials[bearer]["api_token_id"]]
    # A comment, so that a copy of the whole block keeps the credential above.
    yield f"# Of a lesser token, '{token['name']}' ({token['id']}): it may neither read tokens nor write them."
    yield f"# export ASTRO_API_TOKEN={bearer}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    for line in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()

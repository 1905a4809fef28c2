"""`astro-provider emulator`: an Astro API on this machine, for as long as the command runs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astro_provider.emulator import Emulator

# Distributions that only the extra `emulator` brings.
EXTRA = frozenset(("fastapi", "starlette", "uvicorn", "h11"))


def emulator(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port on 127.0.0.1; 0 takes any free one.")
    ] = 8765,
    latency: Annotated[float, typer.Option(min=0, metavar="MS", help="Milliseconds that every call takes.")] = 0,
    rate_limits: Annotated[bool, typer.Option("--rate-limits", help="Turn the limits of Astro on.")] = False,
) -> None:
    """Run an Astro API on this machine, in memory.

    It starts with a small organization, prints the variables that lead to it, and forgets everything when it ends.

    \b
    Examples:
      astro-provider emulator
      astro-provider emulator --port 0 --latency 50 --rate-limits
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    try:
        from astro_provider.emulator import Emulator  # noqa: PLC0415 half a second, and an optional extra
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
        with _running(Emulator, port, latency, rate_limits=rate_limits) as running:
            typer.echo("\n".join(_greeting(running)))
            running.wait()
    except KeyboardInterrupt:
        return


def _running(kind: type[Emulator], port: int, latency_ms: float, *, rate_limits: bool) -> Emulator:
    try:
        return kind.running(port=port, latency_ms=latency_ms, rate_limits=rate_limits)
    except OSError as error:
        reason = error.strerror or error
        typer.echo(f"Port {port} of 127.0.0.1 cannot be used: {reason}. Choose another with --port.", err=True)
        raise typer.Exit(1) from None


def _greeting(running: Emulator) -> Iterator[str]:
    shown = running.store.shown()
    yield f"Astro emulator at {running.url} (in memory; Ctrl-C ends it)"
    yield ""
    yield f"export ASTRO_API_HOST={running.url}"
    yield f"export ASTRO_API_TOKEN={running.credential}"
    yield f"export ASTRO_ORGANIZATION_ID={running.organization_id}"
    yield ""
    workspaces = {workspace["id"]: workspace["name"] for workspace in shown["workspaces"]}
    yield from _table(
        ("DEPLOYMENT", "ID", "WORKSPACE"),
        [(one["name"], one["id"], workspaces[one["workspaceId"]]) for one in shown["deployments"]],
    )
    yield ""
    yield from _table(("TOKEN", "ID", "SCOPE"), [(one["name"], one["id"], one["scope"]) for one in shown["tokens"]])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    for line in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()

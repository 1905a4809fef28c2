"""The exit status of every way in which a subcommand can end, and its last words on standard error.

    0    done
    1    failed: one sentence on standard error, never a traceback
    2    usage: an option is unknown, missing, malformed or contradicts another (typer's own)
    3    done, and something that --fail-on names is there
    4    done, and the preview that was reviewed is incomplete (comes before 3)
    5    done, and `find` found nothing
    130  interrupted with Ctrl-C; nothing is printed
    141  the reader of standard output has gone (`| head -1`); nothing is printed

A shell reports 130 and 141 for a program that died of SIGINT or SIGPIPE, so scripts know them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from astro_provider.errors import AstroProviderError, InputError

FAILED = 1
FLAGGED = 3
INCOMPLETE = 4
NOTHING_FOUND = 5
INTERRUPTED = 130
BROKEN_PIPE = 141


class Subcommands(TyperGroup):
    """The subcommands, run so that each ends with the status above."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer's own name of the class
        """Run the subcommand."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # a letter that a pipe cannot spell is no failure
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()  # a broken pipe shows here, not in the interpreter's last moments
        except InputError as error:
            typer.echo(f"Error: --{error.property_name.replace('_', '-')}: {error.reason}", err=True)
            raise typer.Exit(FAILED) from None
        except AstroProviderError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(FAILED) from None
        except BrokenPipeError:
            _end_now(BROKEN_PIPE)
        except KeyboardInterrupt:
            _end_now(INTERRUPTED)
        else:
            return answer


def print_failed_on(hits: Iterable[str]) -> None:
    """Print on standard error which of --fail-on are there, each once."""
    typer.echo(f"Failed on: {', '.join(dict.fromkeys(hits))}.", err=True)


def _end_now(status: int) -> NoReturn:
    """End the process, without waiting for the calls that other threads still make; all `finally` blocks have run."""
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(status)

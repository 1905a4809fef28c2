"""Prints a line for each check of `doctor`, and beneath it the remedy."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from astro_provider.commands.cli.exit_statuses import FAILED
from astro_provider.commands.cli.terminal import console, print_json
from astro_provider.commands.diagnosis import Check, Status, diagnose

_MARKS = {Status.OK: "✓", Status.WARNING: "!", Status.UNKNOWN: "?", Status.FAILED: "✗"}
_PLAIN_MARKS = {**_MARKS, Status.OK: "+", Status.FAILED: "x"}  # for a terminal whose encoding has no tick
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.UNKNOWN: "cyan", Status.FAILED: "bold red"}


def run(*, as_json: bool) -> None:
    """Look, print, and end with status 1 if a check failed."""
    checks = diagnose(os.environ)
    healthy = not any(check.status is Status.FAILED for check in checks)
    if as_json:
        print_json({"ok": healthy, "checks": [asdict(check) for check in checks]})
    elif sys.stdout.isatty():
        _print_table(checks)
    else:
        typer.echo("\n".join(_plain(checks)))
    if not healthy:
        raise typer.Exit(FAILED)


def _print_table(checks: Sequence[Check]) -> None:
    table = Table.grid(padding=(0, 1))
    for check in checks:
        mark = Text(_marks()[check.status], _STYLES[check.status])
        table.add_row(mark, Text(f"{check.name} "), Text(check.found))
        if check.advice:
            table.add_row(Text(), Text(), Text(check.advice, "bold"))
    console(sys.stdout).print(table)


def _plain(checks: Sequence[Check]) -> list[str]:
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{_marks()[check.status]} {check.name:{width}}  {check.found}")
        if check.advice:
            lines.append(f"  {'':{width}}  {check.advice}")
    return lines


def _marks() -> dict[Status, str]:
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN_MARKS
    return _MARKS

"""How `review` and `audit` answer: in the form that was asked for, and with what --fail-on found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import typer


def answer(output: StrEnum, texts: Mapping[StrEnum, Callable[[], str]], for_people: Callable[[], None]) -> None:
    """Print the answer in one form.

    Args:
        output: the form.
        texts: what makes the text of a form, a line break at its end or not.
        for_people: prints the form that is not among them, which fits itself to the terminal.
    """
    if output not in texts:
        for_people()
        return
    text = texts[output]()
    typer.echo(text, nl=not text.endswith("\n"))


def say_failed_on(hits: Iterable[str]) -> None:
    """Say on standard error what of --fail-on is there, each once."""
    typer.echo(f"Failed on: {', '.join(dict.fromkeys(hits))}.", err=True)

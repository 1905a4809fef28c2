"""`astro-provider review`: what a preview changes about access, for the people who read it before it is applied."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

import typer

from astro_provider.access.digest import Digest, read_digest
from astro_provider.access.document import as_json, review_document
from astro_provider.access.facts import Facts
from astro_provider.access.flags import Flag
from astro_provider.access.markdown import as_markdown
from astro_provider.access.model import shown as text_of
from astro_provider.access.outcome import outcome
from astro_provider.access.pages import review_page
from astro_provider.access.review import Review, Row, Wanted
from astro_provider.access.review import review as reviewed
from astro_provider.access.words import VERBS, counts, headline, notes, role_in_words
from astro_provider.commands.cli.answers import answer, say_failed_on
from astro_provider.commands.cli.exit_statuses import FLAGGED, INCOMPLETE
from astro_provider.commands.cli.options import OutputOfReview, WrongUsage
from astro_provider.messages import shown

HEADS = ("DEPLOYMENT", "DEPLOYMENT ID", "TOKEN", "TOKEN ID", "CHANGE", "BEFORE", "AFTER", "FLAGS")


def run(  # noqa: PLR0913  the command's options
    *,
    file: str,
    output: OutputOfReview | None,
    production: Sequence[str],
    rules: Path | None,
    fail_on: Sequence[Flag],
    exit_code: int | None,
    offline: bool,
    max_length: int,
) -> None:
    """Review, print, and end with the status that the command's help tells.

    Args:
        file: the digest's file; - is a pipe.
        output: how the review is written; None: as a table into a terminal, else as a comment.
        production: patterns of the names of what is production.
        rules: the house's rules.
        fail_on: the flags that end with a status of their own.
        exit_code: the exit status of the preview, if it is known.
        offline: ask nobody.
        max_length: characters of a comment.
    """
    if file == "-" and sys.stdin.isatty():
        raise WrongUsage("Say what to review: a FILE, or pipe the output of `pulumi preview --json` in.")
    from astro_provider.commands.cli.facts import read_rules_file, read_text  # noqa: PLC0415  half a second

    house = read_rules_file(rules)
    text, source = read_text(file)
    if exit_code and not text.strip():  # it failed before the engine began; a comment must say so all the same
        digest = Digest(is_refresh=False, problems=["It failed before it began, and printed no digest."])
    else:
        digest = read_digest(text, source)
    del text
    facts = _facts(digest, offline=offline, everything=house is not None)
    found = reviewed(digest, facts, Wanted(tuple(production), house, exit_code))
    texts: dict[StrEnum, Callable[[], str]] = {
        OutputOfReview.JSON: lambda: as_json(review_document(found)),
        OutputOfReview.HTML: lambda: review_page(found),
        OutputOfReview.MARKDOWN: lambda: as_markdown(found, max_length),
    }
    if output is None:
        output = OutputOfReview.TABLE if sys.stdout.isatty() else OutputOfReview.MARKDOWN
    answer(output, texts, lambda: _print_table(found))
    hits = found.hits(fail_on)
    if hits:
        say_failed_on(hits)
    if not found.is_complete:
        typer.echo(f"The preview is incomplete. {' '.join(found.problems)}", err=True)
        raise typer.Exit(INCOMPLETE)
    if hits:
        raise typer.Exit(FLAGGED)


def _facts(digest: Digest, *, offline: bool, everything: bool) -> Facts:
    """Ask Astro, unless `offline` is set or nothing changes; `everything`: the rules look at what stays, too."""
    expected = outcome(digest, Facts())
    is_asked_for = bool(expected.changes or expected.to_ask or (everything and expected.after))
    if offline or not is_asked_for:
        return Facts(asked=not offline)
    from astro_provider.astro.reading.reader import Readers  # noqa: PLC0415  half a second
    from astro_provider.commands.cli.facts import listed, looked_up  # noqa: PLC0415  half a second
    from astro_provider.commands.cli.session import environment_settings  # noqa: PLC0415  half a second

    settings = environment_settings()
    client = settings.client()
    try:
        readers = Readers(client)
        subjects = [change.subject for change in expected.changes] + [grant.subject for grant in expected.after]
        given = dict.fromkeys(found for one in subjects if (found := text_of(one.organization_id)))
        organizations: list[str | None] = [*given] or [settings.organization_id]
        return looked_up(readers, listed([readers.of(one) for one in organizations]), digest)
    finally:
        client.close()


def _print_table(found: Review) -> None:
    from rich.text import Text  # noqa: PLC0415  half a second

    from astro_provider.commands.cli.table import Kind, print_table  # noqa: PLC0415  as above
    from astro_provider.commands.cli.terminal import console  # noqa: PLC0415  as above

    terminal = console(sys.stdout)

    def say(line: str, style: str = "") -> None:
        terminal.print(Text(shown.line(line), style), soft_wrap=not sys.stdout.isatty())

    say(f"{headline(found)}: {found.stack}" if found.stack else headline(found), "bold")
    if found.problems:
        say("THE PREVIEW IS INCOMPLETE. What stands here may not be all.", "bold red")
    for problem in found.problems:
        say(problem, "red")
    say(counts(found))
    if found.rows:
        terminal.print()
        named, exact = (Kind.NAME, Kind.EXACT), Kind.EXACT
        kinds = (*named, *named, exact, exact, exact, Kind.PROSE)
        print_table(
            dict(zip(HEADS, kinds, strict=True)),
            [_cells(row) for row in found.rows],
            under=(("DEPLOYMENT", "DEPLOYMENT ID"), ("TOKEN", "TOKEN ID")),
            beneath=(("BEFORE", "AFTER"), ("AFTER", "FLAGS"), ("CHANGE", "BEFORE")),
        )
    for lines in ([verdict.text for verdict in found.verdicts], list(notes(found))):
        if lines:
            terminal.print()
        for line in lines:
            say(line)
    if found.diagnostics:
        terminal.print()
    for said in found.diagnostics:
        say(f"{said.severity}: {said.message}", "red" if said.severity == "error" else "")


def _cells(row: Row) -> tuple[str, ...]:
    def role(*, before: bool) -> str:
        return (row.before if before else row.after) or f"({role_in_words(row, before=before)})"

    return (
        *_named(row.deployment_name, row.deployment_id),
        *_named(row.org_token_name, row.org_token_id),
        VERBS[row.kind],
        role(before=True),
        role(before=False),
        ", ".join(row.flags),
    )


def _named(name: str | None, identifier: str | None) -> tuple[str, str]:
    return (name or "", identifier or "") if name or identifier else ("(not known yet)", "")

"""Reviews a preview: prints the changes of access that it would make, before it is applied."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.text import Text

from astro_provider.access.digest import Digest, read_digest
from astro_provider.access.document import review_document
from astro_provider.access.facts import Facts
from astro_provider.access.flags import Flag
from astro_provider.access.model import text_of
from astro_provider.access.outcome import outcome
from astro_provider.access.pages import review_page
from astro_provider.access.review import Review, Row
from astro_provider.access.review import review as reviewed
from astro_provider.access.review_text import VERBS, as_markdown, counts, headline, notes, role_in_words
from astro_provider.access.rules_file import read_rules
from astro_provider.astro.reading.reader import Readers
from astro_provider.commands.cli.exit_statuses import FLAGGED, INCOMPLETE, print_failed_on
from astro_provider.commands.cli.facts import looked_up, read_text
from astro_provider.commands.cli.options import OutputOfReview, WrongUsage
from astro_provider.commands.cli.session import connected
from astro_provider.commands.cli.table import print_table
from astro_provider.commands.cli.terminal import console, print_text
from astro_provider.messages import shown


def run(  # noqa: PLR0913  the command's options
    file: str,
    output: OutputOfReview | None,
    production: Sequence[str],
    rules: Path | None,
    fail_on: Sequence[Flag],
    *,
    exit_code: int | None,
    max_length: int,
    offline: bool,
) -> None:
    """Review, print, and end with the status that the command's help documents."""
    if file == "-" and sys.stdin.isatty():
        raise WrongUsage("Give the preview: a FILE, or pipe the output of `pulumi preview --json` in.")
    house = None if rules is None else read_rules(*read_text(str(rules)))
    text, source = read_text(file)
    if exit_code and not text.strip():
        # The preview failed before the engine began. The comment on the pull request must show that as well.
        digest = Digest(is_refresh=False, problems=["It failed before the engine started, and printed no digest."])
    else:
        digest = read_digest(text, source)
    del text  # a digest may have megabytes, and the facts come on top
    facts = _facts(digest, offline=offline, everything=house is not None)
    found = reviewed(digest, facts, production=production, rules=house, exit_status=exit_code)
    if output is None:
        output = "table" if sys.stdout.isatty() else "markdown"
    if output == "json":
        print_text(shown.json_text(review_document(found)))
    elif output == "html":
        print_text(review_page(found))
    elif output == "markdown":
        print_text(as_markdown(found, max_length))
    else:
        _print_table(found)
    hits = found.hits(fail_on)
    if hits:
        print_failed_on(hits)
    if not found.is_complete:
        typer.echo(f"The preview is incomplete. {' '.join(found.problems)}", err=True)
        raise typer.Exit(INCOMPLETE)
    if hits:
        raise typer.Exit(FLAGGED)


def _facts(digest: Digest, *, offline: bool, everything: bool) -> Facts:
    """Ask Astro, unless `offline` is set or nothing changes; `everything`: the rules judge unchanged roles, too."""
    expected = outcome(digest, Facts())
    is_asked_for = bool(expected.changes or expected.to_ask or (everything and expected.after))
    if offline or not is_asked_for:
        return Facts(asked=not offline)
    subjects = [one.subject for one in expected.changes] + [one.subject for one in expected.after]
    given = dict.fromkeys(found for one in subjects if (found := text_of(one.organization_id)))
    with connected() as (settings, client):
        return looked_up(Readers(client), list(given) or [settings.organization_id], digest)


def _print_table(found: Review) -> None:
    terminal = console(sys.stdout)

    def show(line: str, style: str = "") -> None:
        terminal.print(Text(shown.line(line), style), soft_wrap=not sys.stdout.isatty())

    show(f"{headline(found)}: {found.stack}" if found.stack else headline(found), "bold")
    if found.problems:
        show("THE PREVIEW IS INCOMPLETE. Changes may be missing here.", "bold red")
    for problem in found.problems:
        show(problem, "red")
    show(counts(found))
    if found.rows:
        terminal.print()
        print_table([_cells(row) for row in found.rows])
    for lines in ([verdict.text for verdict in found.verdicts], list(notes(found))):
        if lines:
            terminal.print()
        for line in lines:
            show(line)
    if found.diagnostics:
        terminal.print()
    for one in found.diagnostics:
        show(f"{one.severity}: {one.message}", "red" if one.severity == "error" else "")


def _cells(row: Row) -> dict[str, str]:
    return {
        "DEPLOYMENT": row.deployment_name or ("" if row.deployment_id else "(not known yet)"),
        "DEPLOYMENT ID": row.deployment_id or "",
        "TOKEN": row.org_token_name or ("" if row.org_token_id else "(not known yet)"),
        "TOKEN ID": row.org_token_id or "",
        "CHANGE": VERBS[row.kind],
        "BEFORE": row.before or f"({role_in_words(row, before=True)})",
        "AFTER": row.after or f"({role_in_words(row, before=False)})",
        "FLAGS": ", ".join(row.flags),
    }

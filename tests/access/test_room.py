"""What goes first where a comment has too little room, and what never goes."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from astro_provider.access.digest import Diagnostic
from astro_provider.access.flags import Flag
from astro_provider.access.model import Kind
from astro_provider.access.review import Review, Row
from astro_provider.access.review_text import as_markdown
from astro_provider.access.rules import Rule, Verdict
from astro_provider.commands.cli.commands import LEAST_CHARACTERS


def row(number: int, *flags: Flag) -> Row:
    return Row(
        Kind.GAIN, "clo", f"clm{number:04}", "etl", f"cln{number:04}", f"token-{number:04}", None, "A", flags=flags
    )


def review(rows: int, **more: object) -> Review:
    flagged = (row(0, Flag.LAST_ADMIN, Flag.PRODUCTION), row(1, Flag.ADMIN))
    fields: dict[str, object] = {
        "stack": "bindings/test",
        "problems": (),
        "rows": (*flagged, *(row(number) for number in range(2, rows))),
        "unchanged": 0,
        "retained": 0,
        "other_changes": {},
        "diagnostics": tuple(Diagnostic("note", f"note {number} " + "n" * 200) for number in range(20)),
    }
    return Review(**{**fields, **more})  # type: ignore[arg-type]


def test_what_the_preview_said_goes_first() -> None:
    whole, short = as_markdown(review(10), 60_000), as_markdown(review(10), 4_000)

    assert "What the preview said (20)" in whole
    assert "What the preview said" not in short
    assert short.count("🟢 gains") == 10


def test_then_the_least_flagged_rows_go_with_a_count() -> None:
    text = as_markdown(review(3_000), 20_000)

    kept = text.count("🟢 gains")
    assert 19_000 < len(text) <= 20_000
    assert f"**{3_000 - kept} more rows are left out for want of room.**" in text
    assert "token-0000" in text
    assert "Tokens: 3000 gain a role." in text


def test_a_warning_is_whole_and_unfolded_and_unflagged_rows_go_before_it() -> None:
    sentence = "No deployment role is named 'DEPLOYMENT_ACESSOR' " + "in this organization " * 40 + "(nearest: A, B)."
    said = (Diagnostic("warning", sentence), Diagnostic("error", sentence))

    text = as_markdown(review(3_000, diagnostics=said), 20_000)

    assert len(text) <= 20_000
    assert text.count(sentence) == 2
    assert "<details><summary>What the preview said" not in text
    assert text.index(sentence) < text.index("| Token |")


def test_warnings_that_do_not_fit_are_counted_and_leave_the_flagged_rows() -> None:
    said = tuple(Diagnostic("warning", f"{number} " + "w" * 60 + " v" * 200) for number in range(100))

    text = as_markdown(review(300, diagnostics=said), 10_000)

    kept = text.count("- warning: ")
    assert 0 < kept < 100
    assert f"**{100 - kept} errors or warnings are left out for want of room**" in text
    assert all(f"token-{number:04}" in text for number in range(2))
    assert "token-0002" not in text


def test_sentences_about_rules_go_before_the_last_row() -> None:
    verdicts = tuple(Verdict(Rule.ROLE, f"{number} " + "r" * 300, ()) for number in range(5))

    room = range(LEAST_CHARACTERS, 5_000, 100)
    kept = [as_markdown(review(500, verdicts=verdicts), length).count("🟢 gains") for length in room]

    assert min(kept) >= 1


@pytest.mark.parametrize("length", [LEAST_CHARACTERS, 3_000, 10_000])
def test_that_the_preview_is_incomplete_never_goes_and_no_name_is_cut_in_two(length: int) -> None:
    names = "@everyone " * 25
    verdicts = tuple(Verdict(Rule.ROLE, f"{number} {names}", ()) for number in range(60))
    problems = ("The command ended with exit status 1.", "The digest has no end, so steps may be missing.")

    text = as_markdown(review(500, verdicts=verdicts, problems=problems), length)

    assert len(text) <= length
    assert all(problem in text for problem in problems)
    tokens = [
        child for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text) for child in token.children or []
    ]
    assert not [one for one in tokens if one.type == "text" and "@" in one.content]

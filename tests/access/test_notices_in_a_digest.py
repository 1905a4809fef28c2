"""What a digest's diagnostics say, of each severity, by an engine that takes notices and by one that shows what is printed."""

from __future__ import annotations

import json

import pytest

from astro_provider.access.digest import Diagnostic, read_digest

EXPIRED = "token 'ci' expired on 2020-02-02."


@pytest.mark.parametrize(
    ("severity", "message", "expected"),
    [
        ("warning", f"warning: astro: {EXPIRED}\n", Diagnostic("warning", EXPIRED)),
        ("info", f"astro: {EXPIRED}\n", Diagnostic("note", EXPIRED)),
        ("info", "astro: note: of a token of that name.\n", Diagnostic("note", "note: of a token of that name.")),
        ("info#err", f"astro: warning: {EXPIRED}\n", Diagnostic("warning", EXPIRED)),
        ("info#err", f"astro: note: {EXPIRED}\n", Diagnostic("note", EXPIRED)),
        ("warning", "warning: of another provider\n", Diagnostic("warning", "of another provider")),
        ("error", "error: update failed\n", Diagnostic("error", "update failed")),
        ("info", "said by another provider\n", None),
        ("info#err", "printed by another provider: note: no\n", None),
        ("debug", "debug: astro: no\n", None),
    ],
)
def test_notices_keep_their_severity_however_they_came(
    severity: str, message: str, expected: Diagnostic | None
) -> None:
    text = json.dumps({"steps": [], "diagnostics": [{"severity": severity, "message": message}]})

    digest = read_digest(text, "digest.json")

    assert ([expected] if expected else []) == digest.diagnostics

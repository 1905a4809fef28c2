"""docs/pull-requests.md shows the comment of a run of the kit, as it came."""

from __future__ import annotations

from tests.templates.conftest import ROOT, Machine

PAGE = ROOT / "docs" / "pull-requests.md"


def test_the_page_shows_the_kits_comment_as_it_came(machine: Machine) -> None:
    preview = machine.job("preview.yml", "preview")
    comment = machine.job("preview.yml", "comment", needs__preview__result=preview.result).comment

    assert comment
    shown = comment.partition("\n")[2].partition("<details><summary>What the preview said")[0].rstrip().splitlines()
    quoted = "\n".join(f"> {line}".rstrip() for line in shown)
    assert quoted in PAGE.read_text(), quoted

"""What the documents say, held against what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_provider import __version__, settings
from astro_provider.emulator import Emulator
from tests.support.stack import Stack

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "examples").glob("*/README.md")
)
SOURCES = [value for value in vars(settings).values() if isinstance(value, settings.Source)]


def test_the_program_of_the_readme_runs(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    environment = {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential}
    stack = Stack(engine, tmp_path, environment, lambda: exec(block[1], {}))

    up = stack.up()

    assert up.failed is False, up.text
    assert list(stack.resources()) == ["observability-in-etl-staging"]
    assert stack.outputs() == {"token_id": "clo8g1x4m000f08l6t9c3z6vl"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.variable)
def test_the_readme_names_every_setting(source: settings.Source) -> None:
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| `{source.variable}`")]

    assert len(rows) == 1
    assert f"{source.config_key}`" in rows[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_a_document_links_to_what_exists(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert versions[0] == __version__


def test_the_readme_names_the_make_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = {target for document in DOCUMENTS for target in re.findall(r"`make ([a-z]+)", document.read_text())}

    assert named <= targets

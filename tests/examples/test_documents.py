"""What the documents say, held against what there is."""

from __future__ import annotations

import dataclasses
import html
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBindingArgs, DeploymentOrgTokenBindingsArgs, __version__, errors
from astro_provider.astro import settings
from astro_provider.astro.settings import DEFAULT_HOST, DEFAULT_SETTLE_SECONDS, DEFAULT_TIMEOUT_SECONDS, PreviewChecks
from astro_provider.commands.cli import app
from astro_provider.commands.diagnosis import diagnose
from astro_provider.program.binding import OneBinding
from astro_provider.program.bindings import ManyBindings
from tests.support.forked_python import forked_python
from tests.support.stack import PYTHON_PATH, Stack, led_to

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "docs" / "settings.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md")),
    *PAGES,
    *sorted((ROOT / "examples").glob("*/README.md")),
]
SOURCES = [value for value in vars(settings).values() if isinstance(value, settings.Source)]
DEFAULTS = {
    "ASTRO_API_HOST": DEFAULT_HOST,
    "ASTRO_PREVIEW_CHECKS": PreviewChecks.WARN,
    "ASTRO_SETTLE_SECONDS": f"{DEFAULT_SETTLE_SECONDS:g}",
    "ASTRO_TIMEOUT_SECONDS": f"{DEFAULT_TIMEOUT_SECONDS:g}",
}
COMMANDS: dict[str, click.Command] = getattr(typer.main.get_command(app), "commands")  # noqa: B009  a group has them
# The page that explains a command's options; cli.md explains the others.
PAGE_OF = {"review": "pull-requests.md", "audit": "audit.md", "emulator": "emulator.md"}
OPTIONS = [
    (command, option)
    for command, declared in sorted(COMMANDS.items())
    for parameter in declared.params
    for option in parameter.opts
    if option.startswith("--") and option != "--help"
]
ERRORS = [
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.AstroProviderError)
]


def _relative(document: Path) -> str:
    return str(document.relative_to(ROOT))


def _section(document: Path, heading: str) -> str:
    """The text below a heading, up to the next one of its level."""
    text = document.read_text().split(f"\n## {heading}\n")
    assert len(text) == 2, f"{_relative(document)} has no section {heading!r}"
    return text[1].split("\n## ")[0]


def _first_cells(text: str) -> list[str]:
    """What stands as code in the first cell of each row of a table."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def _anchors(document: Path) -> set[str]:
    """The names by which a link reaches the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_program_of_the_readme_runs(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    stack = Stack(engine, tmp_path, led_to(astro), lambda: exec(block[1], {}))

    up = stack.up()

    assert up.failed is False, up.text
    assert list(stack.resources()) == ["observability-in-etl-staging"]
    assert stack.outputs() == {"token_id": "clo8g1x4m000f08l6t9c3z6vl"}


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_commands_of_the_readme_lead_to_its_emulator(tmp_path: Path) -> None:
    [commands] = re.findall(r"```shell\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    _, start, wait, lead, _ = commands.splitlines()
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    ask = 'curl --silent --fail --header "Authorization: Bearer $ASTRO_API_TOKEN" $ASTRO_API_HOST/v1/organizations'

    ended = subprocess.run(
        ["bash", "-c", f"{start}\n{wait}\n{lead}\n{ask}; status=$?; kill %1; exit $status"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "Example Airlines" in ended.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.variable)
def test_the_page_of_the_settings_names_every_setting(source: settings.Source) -> None:
    rows = [line for line in SETTINGS.read_text().splitlines() if line.startswith(f"| `{source.variable}`")]

    assert len(rows) == 1
    assert f"{source.config_key}`" in rows[0]


def test_the_programs_of_the_page_of_the_resource_run(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    declare, read, _chosen = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "resource.md").read_text(), re.DOTALL)
    stack = Stack(engine, tmp_path, led_to(astro), lambda: exec(declare + read, {}))

    up = stack.up()

    assert up.failed is False, up.text
    assert set(stack.resources()) == {"observability-in-etl-staging", "existing"}
    assert stack.outputs() == {"deployment_id": "clm9x5p7w000508l6e1j9d2rb", "role": "DEPLOYMENT_ACCESSOR"}


def test_the_program_of_the_page_of_the_table_runs(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    declare, _ = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "resource-table.md").read_text(), re.DOTALL)
    stack = Stack(engine, tmp_path, led_to(astro), lambda: exec(declare, {}))

    up = stack.up()

    assert up.failed is False, up.text
    assert stack.outputs()["token_ids"].keys() == {"observability", "model-trainer"}


def test_the_page_of_the_table_names_each_input_and_output_and_no_other() -> None:
    page = ROOT / "docs" / "resource-table.md"

    inputs = [field.name for field in dataclasses.fields(DeploymentOrgTokenBindingsArgs)]

    assert inputs == _first_cells(_section(page, "Inputs"))
    assert ["id", *ManyBindings.__annotations__] == _first_cells(_section(page, "Outputs"))


@pytest.mark.parametrize("source", [s for s in SOURCES if s.variable in DEFAULTS], ids=lambda source: source.variable)
def test_the_page_of_the_settings_names_the_default_of_a_setting(source: settings.Source) -> None:
    row = re.search(rf"^\| `{source.variable}` \|[^|]*\|([^|]*)\|", SETTINGS.read_text(), re.MULTILINE)

    assert row is not None
    assert DEFAULTS[source.variable] == row[1].strip(" `")


def test_the_page_of_the_resource_names_each_input_and_no_other() -> None:
    inputs = [field.name for field in dataclasses.fields(DeploymentOrgTokenBindingArgs)]

    assert sorted(inputs) == sorted(_first_cells(_section(ROOT / "docs" / "resource.md", "Inputs")))


def test_the_page_of_the_resource_names_each_output_and_no_other() -> None:
    outputs = ["id", *OneBinding.__annotations__]

    assert outputs == _first_cells(_section(ROOT / "docs" / "resource.md", "Outputs"))


@pytest.mark.parametrize("error", ERRORS)
def test_the_page_of_the_resource_names_every_error(error: str) -> None:
    assert f"`{error}`" in _section(ROOT / "docs" / "resource.md", "Errors to catch")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_readme_and_the_page_of_the_commands_name_every_command(command: str) -> None:
    assert f"`astro-provider {command}`" in _first_cell_texts(ROOT / "README.md")
    assert any(f"`astro-provider {command}`" in cell for cell in _first_cell_texts(ROOT / "docs" / "cli.md"))


def test_the_page_of_the_commands_shows_and_explains_each_check_of_doctor(astro: Emulator, tmp_path: Path) -> None:
    section = _section(ROOT / "docs" / "cli.md", "astro-provider doctor")
    service = {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential}
    environment = {**service, "PATH": "", "ASTRO_LOCK_DIR": str(tmp_path)}

    checks = [check.name for check in diagnose(environment, tmp_path)]

    assert checks == [name.strip() for name in re.findall(r"^[✓!?✗] (.{14})  ", section, re.MULTILINE)]
    assert {"settings", *checks} == set(_first_cells(section)) & {"settings", *checks}


def _first_cell_texts(document: Path) -> list[str]:
    return [cell.strip() for cell in re.findall(r"^\|([^|]+)\|", document.read_text(), re.MULTILINE)]


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=[f"{command} {option}" for command, option in OPTIONS])
def test_every_option_of_a_command_is_on_its_page(command: str, option: str) -> None:
    page = ROOT / "docs" / PAGE_OF.get(command, "cli.md")
    text = page.read_text() if command in PAGE_OF else _section(page, f"astro-provider {command}")

    assert re.search(rf"`[^`]*(?<![\w-]){option}(?![\w-])", text) is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=_relative)
def test_a_document_writes_no_command_and_no_option_that_there_is_not(document: Path) -> None:
    """In blocks and in code; only what is written in one line, up to a pipe or a semicolon."""
    text = document.read_text()
    written = re.findall(r"(?:^|[`$/ ])astro-provider ([a-z][^`|;>\n]*)", text, re.MULTILINE)

    unknown = [line for line in written if not _is_known(line)]

    assert unknown == []


def _is_known(line: str) -> bool:
    words = line.split()
    if words[0] not in COMMANDS:
        return False
    known = {option for parameter in COMMANDS[words[0]].params for option in parameter.opts} | {"--help"}
    return {word.split("=")[0] for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=_relative)
def test_a_link_leads_to_a_page_and_a_heading_that_exist(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", text)

    broken = []
    for path, anchor in links:
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(f"{path}#{anchor}")

    assert broken == []


@pytest.mark.usefixtures("engine")
def test_the_pictures_show_what_a_run_shows_today(tmp_path: Path) -> None:
    """Word for word, but neither numbers nor places."""
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    command = [str(forked_python(PYTHON_PATH)), "-m", "tools.pictures", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)

    for name in ("list.svg", "preview.svg", "review.svg"):
        committed, today = (_shown(directory / name) for directory in (ROOT / "docs" / "pictures", tmp_path))
        assert committed == today
        assert "DEPLOYMENT_ACCESSOR" in today


def _shown(picture: Path) -> set[str]:
    """The words of a picture, whose letters may have several colours."""
    text, end = "", ("", 0.0)
    for x, y, length, part in re.findall(
        r'<text[^>]* x="([^"]*)" y="([^"]*)" textLength="([^"]*)"[^>]*>([^<]*)</text>', picture.read_text()
    ):
        goes_on = end[0] == y and float(x) < end[1] + 1
        text += ("" if goes_on else " ") + html.unescape(part)
        end = (y, float(x) + float(length))
    return set(re.findall(r"[^\W\d]+", text))


def test_the_pictures_fetch_nothing_from_elsewhere() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.svg"))

    assert [picture.name for picture in pictures] == ["list.svg", "preview.svg", "review.svg"]
    for picture in pictures:
        assert re.search(r"(href|src)=|url\(\W?http|@import", picture.read_text()) is None


def test_the_index_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", (ROOT / "docs" / "README.md").read_text()))

    assert linked == {page.name for page in PAGES} - {"README.md"}


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert versions[0] == __version__


def test_the_readme_names_the_make_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = {target for document in DOCUMENTS for target in re.findall(r"`make ([a-z]+)", document.read_text())}

    assert named <= targets

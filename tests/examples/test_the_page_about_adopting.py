"""docs/adopt.md replayed: on the emulator with its organization, in a terminal of 120 columns, and on the real engine.

And what docs/cli.md shows of the same organization, but for tables that tell ages.
"""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.importing import import_file
from tests.support.pages import assert_shows, timeless
from tests.support.shell import Ending, run, run_in_terminal
from tests.support.stack import Stack
from tests.support.writes import writes

PAGES = Path(__file__).parents[2] / "docs"
PAGE = (PAGES / "adopt.md").read_text()
ADOPT = "astro-provider adopt --all-deployments --out infra"
IMPORT = "pulumi import --file import.json --yes --protect=false --generate-code=false"
PREVIEW = "pulumi preview --diff"


def shown(command: str) -> list[str]:
    """What the page shows below a command, each time that it stands there."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    said = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)]
    found = [part.partition("\n")[2] for part in said if part.partition("\n")[0] == command]
    assert found, command
    return found


def run_file(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


@pytest.fixture
def airlines() -> Iterator[Emulator]:
    with Emulator.running(seed="adopt") as emulator:
        yield emulator


@pytest.fixture
def adopted(airlines: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ending:
    """What `adopt` prints as the page calls it; the program is in the directory `infra`."""
    monkeypatch.chdir(tmp_path)
    return run_in_terminal(airlines, *ADOPT.split()[1:], columns=120)


def test_what_adopt_says_and_writes_is_what_the_page_shows(adopted: Ending, tmp_path: Path) -> None:
    [said] = shown(ADOPT)
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    printed = adopted.screen_text

    assert_shows(said, printed[printed.index("Wrote ") :])
    assert_shows(program, (tmp_path / "infra" / "__main__.py").read_text())


def test_the_import_and_the_previews_show_what_the_page_shows(
    engine: PulumiCommand, adopted: Ending, airlines: Emulator, tmp_path: Path
) -> None:
    program = tmp_path / "infra" / "__main__.py"
    environment = {"ASTRO_API_HOST": airlines.url, "ASTRO_API_TOKEN": airlines.credential}
    stack = Stack(engine, tmp_path / "stack", environment, lambda: run_file(program))
    [importing], [proof, change] = shown(IMPORT), shown(PREVIEW)
    assert adopted.status == 0

    imported = import_file(stack, program.with_name("import.json"))
    unchanged = stack.preview()
    program.write_text(
        program.read_text().replace('"dbt-cloud": "DEPLOYMENT_ACCESSOR"', '"dbt-cloud": "DEPLOYMENT_ADMIN"', 1)
    )
    changed = stack.preview()
    before_the_update = airlines.calls()["by_verb"]
    up = stack.up()

    for line in importing.splitlines():  # the engine imports in an order of its own
        assert line == "…" or timeless(line) in map(timeless, imported.text.splitlines())
    assert_shows(proof, unchanged.text)
    assert_shows(change, changed.text)
    assert before_the_update.keys() == {"GET"}
    assert up.failed is False, up.text
    assert writes(airlines) == 1


def test_what_the_page_of_the_commands_shows_is_what_they_print(airlines: Emulator) -> None:
    page = (PAGES / "cli.md").read_text()
    shown_there = re.findall(r"```console\n\$ astro-provider ((?:list|find) .*)\n((?:.*\n)*?)```", page)

    assert len(shown_there) == 5
    for arguments, told in shown_there:
        if "days ago" in told:  # the page says that this one is a terminal of 100 columns
            printed = run_in_terminal(airlines, *shlex.split(arguments), columns=100).screen_text
        else:
            ended = run(airlines, *shlex.split(arguments))
            printed = ended.out + ended.err
        assert [timeless(line) for line in printed.splitlines()] == [timeless(line) for line in told.splitlines()], (
            arguments
        )

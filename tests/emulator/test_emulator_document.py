"""docs/emulator.md, held against the emulator: every line of it is run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from astro_emulator import Emulator, SeedError, api
from astro_emulator.conditions import Settings
from astro_emulator.faults import Fault, Kind
from astro_emulator.planting import plant
from astro_emulator.seed import (
    CredentialsPart,
    CustomRolePart,
    DeploymentPart,
    HeldRolePart,
    OrganizationPart,
    Part,
    PersonPart,
    Seed,
    TokenPart,
    WorkspacePart,
)
from astro_provider.commands.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- answers: ([\d ]+) -->\n```bash\n(.*?)```", PAGE, re.DOTALL)


def block(mark: str) -> str:
    (found,) = re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def rows(*heads: str) -> list[str]:
    """The first cell of each row of the tables whose heads begin so."""
    tables = re.findall(r"((?:^\|.*\n)+)", PAGE, re.MULTILINE)
    chosen = [table.splitlines() for table in tables if table.startswith(tuple(f"| {head} |" for head in heads))]
    assert chosen
    return [line for lines in chosen for line in lines[2:]]


def test_every_curl_line_answers_as_the_page_says_and_no_operation_is_without_one(
    emulator: Emulator, tmp_path: Path
) -> None:
    # curl reads this file by itself, so the lines stay as they are.
    (tmp_path / ".curlrc").write_text('write-out = "%{stderr}%{http_code}\\n"\n')
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ASTRO_API_HOST": emulator.url,
        "ASTRO_API_TOKEN": emulator.credential,
        "ASTRO_ORGANIZATION_ID": emulator.organization_id,
    }
    called: set[str] = set()

    for answers, lines in BLOCKS:
        script = block("setup") + lines
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        called |= emulator.calls()["by_operation"].keys()

        assert (0, answers.split()) == (ended.returncode, ended.stderr.split()), lines

    assert called == {operation.id for operation in api.operations(api.routes(emulator.store))}


def test_no_curl_line_of_the_page_is_left_out() -> None:
    assert PAGE.count("curl -sS") == sum(lines.count("curl -sS") for _, lines in BLOCKS)


def test_the_seed_of_the_page_is_an_organization(tmp_path: Path) -> None:
    file = tmp_path / "organization.yaml"
    file.write_text(block("seed"), encoding="utf-8")

    planted = plant(file)

    (owner, ci) = planted.state.tokens.values()
    assert (owner["name"], ci["name"]) == ("owner", "ci")
    assert [held["entityType"] for held in ci["roles"]] == ["ORGANIZATION", "DEPLOYMENT", "DEPLOYMENT", "DAG"]
    assert planted.preview is not None


def test_the_page_names_every_key_of_a_seed() -> None:
    parts = {
        "organization": OrganizationPart,
        "people": PersonPart,
        "workspaces": WorkspacePart,
        "deployments": DeploymentPart,
        "roles": CustomRolePart,
        "tokens": TokenPart,
        "roles of a token": HeldRolePart,
        "credentials": CredentialsPart,
    }
    table = rows("part")

    for (name, part), row in zip(parts.items(), table, strict=True):
        first, keys = (cell.strip() for cell in row.strip("|").split("|"))
        assert name == re.sub(r"[`*]| \(custom\)", "", first)
        assert keys_of(part) == set(re.findall(r"`(\w+)`", keys)), name
        needed = {str(field.alias) for field in part.model_fields.values() if field.is_required()}
        assert needed == set(re.findall(r"\*\*`(\w+)`\*\*", keys)), name
    assert keys_of(Seed) == parts.keys() - {"roles of a token"}


def test_the_page_names_every_kind_of_fault_and_every_field_and_setting() -> None:
    kinds = {kind for row in rows("`kind`") for kind in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert set(get_args(Kind)) == kinds
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert Fault.model_fields.keys() - named == set()
    assert Settings.model_fields.keys() - named == set()


def test_the_page_names_every_option() -> None:
    group: Any = typer.main.get_command(app)
    options = {name for one in group.commands["emulator"].params for name in one.opts}

    named = {name for row in rows("option") for name in re.findall(r"`(--[\w-]+)", row)}

    assert options == named


def test_the_refusal_of_the_page_is_the_one_that_is_told(tmp_path: Path) -> None:
    (said,) = re.findall(r"^organization\.yaml, line .*$", PAGE, re.MULTILINE)
    text = block("seed").replace("name: orders", "id: clxother, name: ledger")
    text = text.replace("deployment: orders", "deployment: ledger")
    file = tmp_path / "organization.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(SeedError) as refused:
        plant(file)

    assert said == str(refused.value).replace(str(file), file.name)


def test_the_example_of_a_test_passes() -> None:
    namespace: dict[str, Any] = {}
    exec(block("example"), namespace)

    namespace["test_the_token_gets_its_role"]()


def keys_of(part: type[Part]) -> set[str]:
    return {str(field.alias) for field in part.model_fields.values()}

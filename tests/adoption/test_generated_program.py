"""What `adopt` writes is Python as a person would have left it: linted, typed and formatted."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astro_emulator import Emulator
from astro_emulator.organization import FINANCE_ID
from astro_provider.astro.reading.reader import Readers
from astro_provider.commands.adoption.find import Adoption, Found, find
from astro_provider.commands.adoption.import_file import import_file
from astro_provider.commands.adoption.program import MOST_ONE_BY_ONE, bindings_in, literal, program
from tests.support.cast import OBSERVABILITY, time_of
from tests.support.clients import Connect

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# What a linter may be asked for, less what is no business of a program of this size: where its package is, a copyright
# notice, foreign letters and long names that the organization itself uses, `token` in the name of an argument that holds
# no secret, and the two pairs of rules of which one excludes the other.
NOT_ASKED = "INP001,CPY001,RUF001,RUF003,E501,S105,S106,D203,D213,COM812"


def found_in(astro: Emulator, connect: Connect) -> Found:
    reader = Readers(connect(astro.url, credential=astro.credential)).of(astro.organization_id)
    return find(reader, list(reader.deployments().values()))


def run(tool: str, *arguments: str, file: Path) -> str:
    ended = subprocess.run(
        [BIN / tool, *arguments, file], cwd=file.parent, capture_output=True, text=True, timeout=120, check=False
    )
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


@pytest.fixture
def adoptions(crowded: Emulator, connect: Connect) -> list[Adoption]:
    return found_in(crowded, connect).adoptions


@pytest.mark.parametrize("organization_id", [None, "clk2v5d8n000108mk4g7bz1qf"])
@pytest.mark.parametrize("form", ["calls", "table"])
def test_a_program_is_linted_and_formatted(
    adoptions: list[Adoption], tmp_path: Path, form: str, organization_id: str | None
) -> None:
    written = adoptions if form == "table" else adoptions[:MOST_ONE_BY_ONE]
    file = tmp_path / "__main__.py"

    file.write_text(program(written, organization_id))

    assert run("ruff", "format", "--isolated", "--check", "--diff", file=file) == ""
    assert run("ruff", "format", "--isolated", "--line-length=120", "--check", "--diff", file=file) == ""
    assert run("ruff", "check", "--isolated", "--select=ALL", f"--ignore={NOT_ASKED}", file=file) == ""


def test_both_forms_are_typed(adoptions: list[Adoption], tmp_path: Path) -> None:
    table, calls = tmp_path / "table.py", tmp_path / "calls.py"
    table.write_text(program(adoptions))
    calls.write_text(program(adoptions[:MOST_ONE_BY_ONE]))

    # The project's own settings (strict) and its cache: without one, Pulumi alone takes twenty seconds.
    ended = subprocess.run(
        [BIN / "mypy", table, calls], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_few_are_declared_one_by_one(astro: Emulator, connect: Connect) -> None:
    later = astro.store.add_token("observability")
    astro.store.add_deployment("etl-staging", workspace_id=FINANCE_ID)
    astro.store.bind(later, "clm9x5p7w000508l6e1j9d2rb", "Release Engineer")

    text = program(found_in(astro, connect).adoptions)

    assert (
        '''\
"""The roles of organization API tokens in Astro deployments.

`astro-provider adopt` wrote this from what it found. It is yours now: change it as you like.
"""

from astro_provider import DeploymentOrgTokenBinding

# In the deployment "etl-production".
DeploymentOrgTokenBinding(
    "etl-production.observability",
    deployment_name="etl-production",
    # Several tokens are named "observability", so it is given by its id.
    # This one: Reads metrics of production, made by Grace Murray, on '''
        + time_of(astro, OBSERVABILITY, "createdAt")[:10]
        + """
    org_token_id="clo8g1x4m000f08l6t9c3z6vl",
    role="DEPLOYMENT_ACCESSOR",
)

# In the deployment "etl-staging".
DeploymentOrgTokenBinding(
    "etl-staging.observability~"""
        + later
        + """",
    # Several deployments are named "etl-staging", so it is given by its id.
    deployment_id="clm9x5p7w000508l6e1j9d2rb",
    # Several tokens are named "observability", so it is given by its id.
    # This one: made by Ada Byron, on """
        + astro.store.token(later)["createdAt"][:10]
        + """
    org_token_id=\""""
        + later
        + """",
    role="Release Engineer",
)

# In the deployment "ml-training".
DeploymentOrgTokenBinding(
    "ml-training.model-trainer",
    deployment_name="ml-training",
    org_token_name="model-trainer",
    role="DEPLOYMENT_ACCESSOR",
)
"""
        == text
    )


def test_the_threshold_between_the_forms(adoptions: list[Adoption]) -> None:
    assert "ROLES" not in program(adoptions[:MOST_ONE_BY_ONE])
    assert "ROLES" in program(adoptions[: MOST_ONE_BY_ONE + 1])


def test_the_same_organization_gives_the_same_texts(crowded: Emulator, connect: Connect) -> None:
    first, second = found_in(crowded, connect).adoptions, found_in(crowded, connect).adoptions

    assert program(first) == program(second)
    assert import_file(first) == import_file(second)


@given(text=st.text())
def test_any_text_is_spelled_so_that_python_reads_it_back(text: str) -> None:
    spelled = literal(text)

    assert ast.literal_eval(spelled) == text
    assert spelled.isprintable()


@pytest.mark.parametrize("key", ["loader-1", "etl-1"])
def test_a_renamed_token_or_deployment_is_one_value_of_the_table_and_renames_no_resource(
    crowded: Emulator, connect: Connect, key: str
) -> None:
    before = found_in(crowded, connect).adoptions
    text = program(before)

    edited = text.replace(f'"{key}": "{key}",', f'"{key}": "another name",')

    assert text != edited
    assert bindings_in(text) == bindings_in(edited) == {one.name for one in before}


def test_tokens_of_one_name_are_told_apart_by_description_and_creator(crowded: Emulator, connect: Connect) -> None:
    adoptions = found_in(crowded, connect).adoptions

    table = re.search(r"^TOKEN_IDS = {$(.*?)^}$", program(adoptions), re.MULTILINE | re.DOTALL)

    assert table is not None
    assert len(twins := table[1].strip().splitlines()) == 3
    assert len([line for line in twins if "  # same, made by hand, made by Ada Byron, on 20" in line]) == 2
    assert all(", made by " in line or "  # made by " in line for line in twins)


@pytest.mark.parametrize("namesake", [False, True])
def test_a_table_gives_an_id_beside_a_name_only_if_several_have_the_name(
    crowded: Emulator, connect: Connect, *, namesake: bool
) -> None:
    reader = Readers(connect(crowded.url, credential=crowded.credential)).of(crowded.organization_id)
    chosen = [one for one in reader.deployments().values() if one.name.startswith("etl-")]
    crowded.store.add_token("loader-1", scope="WORKSPACE")  # cannot be bound, so it cannot be meant
    if namesake:
        crowded.store.add_deployment("etl-1")

    text = program(
        find(Readers(connect(crowded.url, credential=crowded.credential)).of(crowded.organization_id), chosen).adoptions
    )

    assert '    "etl-1": "etl-1",\n' in text
    assert ("deployment_id=DEPLOYMENT_IDS.get(deployment)," in text) is namesake
    assert (f'DEPLOYMENT_IDS = {{\n    "etl-1": "{chosen[1].id}",\n}}\n' in text) is namesake
    assert "loader-1" not in text.partition("TOKEN_IDS")[2].partition("}")[0]


@pytest.mark.parametrize("form", ["calls", "table"])
def test_what_a_program_declares_can_be_read_back(adoptions: list[Adoption], form: str) -> None:
    written = adoptions if form == "table" else adoptions[:MOST_ONE_BY_ONE]

    assert {one.name for one in written} == bindings_in(program(written))


@pytest.mark.parametrize("text", ["DeploymentOrgTokenBinding(name, role=role)", "def (", "x = '\0'"])
def test_what_cannot_be_read_back_is_not_guessed_at(text: str) -> None:
    assert bindings_in(text) is None

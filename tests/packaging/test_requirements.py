"""What is pinned, held against what pyproject.toml promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from astro_provider.version import OLDEST_PULUMI
from tests.packaging.conftest import ROOT
from tools.engine.install import BUILT
from tools.yaml_host.install import BUILT as BUILT_HOST

REQUIREMENTS = ROOT / "requirements"
SETS = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PROMISED = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["emulator"]]]


def pinned(name: str) -> dict[str, str]:
    """The version of each package in a set of requirements."""
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def floor(requirement: Requirement) -> str:
    [lowest] = [each.version for each in requirement.specifier if each.operator == ">="]
    return lowest


def test_pyproject_and_the_pages_ask_for_the_same_oldest_pulumi() -> None:
    dotted = ".".join(map(str, OLDEST_PULUMI[:2]))

    assert Version(floor(next(one for one in PROMISED if one.name == "pulumi"))) == Version(
        f"{dotted}.{OLDEST_PULUMI[2]}"
    )
    for page in ("README.md", "docs/install.md", "docs/cli.md"):
        assert [dotted] == re.findall(r"`pulumi`[ |]+(3\.\d+)\b", (ROOT / page).read_text()), page


def test_the_sets_are_those_that_the_makefile_makes() -> None:
    made = re.findall(r"requirements/(\w+)\.txt|\$\(HASHED\)/(\w+)\.txt", (ROOT / "Makefile").read_text())

    assert set(SETS) == {one or other for one, other in made}


@pytest.mark.parametrize("name", SETS)
def test_a_set_pins_all_with_hashes_and_tells_no_address(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()

    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]

    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host|^-i ", text) == []


@pytest.mark.parametrize(("smaller", "larger"), [("demo", "dev"), ("dev", "bench")])
def test_a_larger_set_takes_nothing_away_from_a_smaller_one(smaller: str, larger: str) -> None:
    assert pinned(smaller).items() <= pinned(larger).items()


@pytest.mark.parametrize("requirement", PROMISED, ids=lambda requirement: requirement.name)
def test_the_oldest_set_holds_what_the_project_promises_to_run_with(requirement: Requirement) -> None:
    assert Version(floor(requirement)) == Version(pinned("oldest")[requirement.name])


@pytest.mark.parametrize("requirement", PROMISED, ids=lambda requirement: requirement.name)
@pytest.mark.parametrize("name", [name for name in SETS if name != "oldest"])
def test_a_set_is_within_what_the_project_promises(name: str, requirement: Requirement) -> None:
    assert requirement.specifier.contains(pinned(name)[requirement.name])


def test_the_engine_that_is_built_calls_itself_what_go_mod_pins() -> None:
    module = (ROOT / "tools" / "engine" / "go.mod").read_text()

    assert [f"v{BUILT}"] * 2 == re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 (\S+)", module)


def test_the_yaml_host_that_is_built_calls_itself_what_go_mod_pins() -> None:
    module = (ROOT / "tools" / "yaml_host" / "go.mod").read_text()

    assert [f"v{BUILT_HOST}"] == re.findall(r"github\.com/pulumi/pulumi-yaml (\S+)", module)


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_a_workflow_pins_its_actions_by_hash_and_starts_without_permissions(workflow: Path) -> None:
    text = workflow.read_text()

    used = re.findall(r"uses: (.*)", text)

    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []
    assert "\npermissions: {}\n" in text

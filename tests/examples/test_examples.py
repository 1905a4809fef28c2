"""The examples, run from their files on the real engine."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.automation import ConfigValue, PulumiCommand

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY, PRODUCTION, STAGING, TRAINER, TRAINING
from tests.support.key_service import SECRETS_PROVIDER
from tests.support.stack import Stack, hermetic, led_to
from tests.support.yaml_project import PLUGINS, YamlProject

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
IN_PYTHON = [name for name in NAMES if (EXAMPLES / name / "__main__.py").exists()]

ETL_DEVELOPMENT = "cln3b8q1y000608l6a7m4s5kc"


class Example(Stack):
    """A stack of an example's program, configured as its `Pulumi.dev.yaml` says."""

    def __init__(self, engine: PulumiCommand, directory: Path, astro: Emulator, name: str) -> None:
        file = EXAMPLES / name / "__main__.py"
        super().__init__(engine, directory, led_to(astro), lambda: _run_file(file))
        project = _yaml(EXAMPLES / name / "Pulumi.yaml")
        defaults = {key: given["default"] for key, given in project["config"].items() if "default" in given}
        self.configure(**(defaults | _sample_config(name)))

    def configure(self, **values: Any) -> None:
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
        self.stack.set_all_config({key: ConfigValue(text) for key, text in texts.items()})


def _run_file(file: Path) -> None:
    runpy.run_path(str(file), run_name="__main__")


def _yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def _sample_config(name: str) -> dict[str, Any]:
    config: dict[str, Any] = _yaml(EXAMPLES / name / "Pulumi.dev.yaml")["config"]
    return {key.split(":", 1)[1]: value for key, value in config.items()}


def test_the_quickstart_binds_what_its_sample_config_lists_and_leaves_other_roles_alone(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    before = [token["roles"] for token in astro.store.shown()["tokens"]]
    stack = Example(engine, tmp_path, astro, "01-quickstart")

    up = stack.up()

    assert up.failed is False, up.text
    assert set(stack.resources()) == {f"{STAGING}-observability", f"{PRODUCTION}-model-trainer"}
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(TRAINER, PRODUCTION) == "DEPLOYMENT_ACCESSOR"

    stack.configure(bindings=[])
    without_a_list = stack.up()

    assert without_a_list.failed is False, without_a_list.text
    assert stack.resources() == {}
    assert [token["roles"] for token in astro.store.shown()["tokens"]] == before


def test_many_deployments_binds_one_token_to_each_of_the_list_and_without_its_first_entry_takes_that_one_only(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    stack = Example(engine, tmp_path, astro, "02-many-deployments")
    deployments = (STAGING, ETL_DEVELOPMENT, TRAINING)

    first = stack.up()
    roles = [astro.store.deployment_role(OBSERVABILITY, deployment) for deployment in deployments]
    stack.configure(deployments=[ETL_DEVELOPMENT, TRAINING])
    second = stack.up()

    assert first.failed is False, first.text
    assert roles == ["DEPLOYMENT_ACCESSOR"] * 3
    assert second.changes == {"delete": 1, "same": 3}
    assert [astro.store.deployment_role(OBSERVABILITY, deployment) for deployment in deployments] == [
        None,
        "DEPLOYMENT_ACCESSOR",
        "DEPLOYMENT_ACCESSOR",
    ]


def test_a_component_gives_each_team_its_roles_and_takes_them_away_with_the_team(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    stack = Example(engine, tmp_path, astro, "03-component")

    up = stack.up()

    assert up.failed is False, up.text
    for deployment in (STAGING, ETL_DEVELOPMENT, TRAINING):
        assert astro.store.deployment_role(OBSERVABILITY, deployment) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ADMIN"

    stack.configure(teams=_sample_config("03-component")["teams"][:1])
    without = stack.up()

    assert without.failed is False, without.text
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(OBSERVABILITY, TRAINING) is None


def test_a_table_gives_what_its_sample_config_lists_and_with_exclusive_nobody_else_keeps_a_role(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    astro.store.bind("cln7c3v5p000d08l6q4h8w2aj", ETL_DEVELOPMENT, "DEPLOYMENT_ADMIN")
    stack = Example(engine, tmp_path, astro, "04-table")

    up = stack.up()
    stranger = astro.store.deployment_role("cln7c3v5p000d08l6q4h8w2aj", ETL_DEVELOPMENT)
    stack.configure(exclusive="true")
    preview = stack.preview()
    exclusive = stack.up()

    assert up.failed is False, up.text
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(OBSERVABILITY, ETL_DEVELOPMENT) == "DEPLOYMENT_ACCESSOR"
    assert stranger == "DEPLOYMENT_ADMIN"
    assert '+ cln7c3v5p000d08l6q4h8w2aj: "DEPLOYMENT_ADMIN"' in preview.lines
    assert exclusive.failed is False, exclusive.text
    assert astro.store.deployment_role("cln7c3v5p000d08l6q4h8w2aj", ETL_DEVELOPMENT) is None


def test_the_example_in_yaml_gives_what_it_declares_and_takes_it_away(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    before = [token["roles"] for token in astro.store.shown()["tokens"]]
    example = YamlProject(engine, tmp_path, led_to(astro))
    shutil.copy(EXAMPLES / "05-yaml" / "Pulumi.yaml", example.work)
    (example.work / ".venv").symlink_to(PLUGINS.parent)
    example.pulumi_anywhere("stack", "init", "organization/astro-yaml/test")

    up = example.up()
    role = astro.store.deployment_role(OBSERVABILITY, STAGING)
    example.set_config("role", _sample_config("05-yaml")["role"])
    changed = example.up()
    changed_role = astro.store.deployment_role(OBSERVABILITY, STAGING)
    row = astro.store.deployment_role(TRAINER, ETL_DEVELOPMENT)
    token_id = example.output("token_id")
    destroyed = example.destroy()

    assert not up.failed, up.text
    assert "warning" not in up.text.lower()
    assert changed.steps == ["update observability-in-etl-staging"], changed.text
    assert [role, changed_role, row] == ["DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN", "DEPLOYMENT_ADMIN"]
    assert token_id == OBSERVABILITY
    assert not destroyed.failed, destroyed.text
    assert [token["roles"] for token in astro.store.shown()["tokens"]] == before


def test_a_component_refuses_two_teams_that_share_a_token_in_a_deployment(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    stack = Example(engine, tmp_path, astro, "03-component")
    one = {"deployments": ["ml-training"], "tokens": {"observability": "DEPLOYMENT_ACCESSOR"}}
    stack.configure(teams=[{"name": "red", **one}, {"name": "blue", **one}])

    preview = stack.preview()

    assert preview.failed is True
    assert (
        "The resources 'red-ml-training-observability' and 'blue-ml-training-observability' both bind token "
        "'observability' to deployment ml-training. A token has one role in a deployment: remove one of the two."
    ) in preview.text


def test_the_root_is_the_quickstart_project() -> None:
    root, quickstart = _yaml(ROOT / "Pulumi.yaml"), _yaml(EXAMPLES / "01-quickstart" / "Pulumi.yaml")

    assert root.pop("main") == "examples/01-quickstart"
    assert root.pop("stackConfigDir") == "examples/01-quickstart"
    assert root == quickstart


@pytest.mark.parametrize("name", IN_PYTHON)
def test_an_example_runs_with_pip_and_a_virtual_environment_of_its_own(name: str) -> None:
    project = _yaml(EXAMPLES / name / "Pulumi.yaml")

    expected = {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert project["runtime"] == expected
    asked = (EXAMPLES / name / "requirements.txt").read_text().splitlines()
    assert asked[-1] in {"../..", "../..[emulator]"}
    assert (EXAMPLES / name / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_declares_every_key_of_its_sample_config(name: str) -> None:
    project = _yaml(EXAMPLES / name / "Pulumi.yaml")
    required = {key for key, declared in project["config"].items() if "default" not in declared}

    given = set(_sample_config(name))

    assert given <= set(project["config"])
    assert required <= given
    assert all(key.startswith(f"{project['name']}:") for key in _yaml(EXAMPLES / name / "Pulumi.dev.yaml")["config"])


@pytest.mark.parametrize("directory", [".", *(f"examples/{name}" for name in NAMES)])
def test_the_engine_finds_the_sample_config_from_the_directory_of_each_project(
    engine: PulumiCommand, tmp_path: Path, directory: str
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".venv", "node_modules", "sdks"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / "state").mkdir()
    environment = hermetic(tmp_path)

    engine.run(["stack", "init", "dev", "--secrets-provider", SECRETS_PROVIDER], str(tmp_path / directory), environment)
    shown = engine.run(["config", "--json", "--stack", "dev"], str(tmp_path / directory), environment)

    expected = _sample_config("01-quickstart" if directory == "." else Path(directory).name)
    found = {key.split(":", 1)[1]: value for key, value in json.loads(shown.stdout).items()}
    for key, value in expected.items():
        assert found[key].get("objectValue", found[key]["value"]) == value

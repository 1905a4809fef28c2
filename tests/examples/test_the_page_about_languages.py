"""docs/languages.md: its programs and commands, as they stand there. tests/yaml shows what it says beside them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import __version__
from tests.support.cast import OBSERVABILITY, STAGING, TRAINER
from tests.support.little_air import running_little_air
from tests.support.pages import assert_shows
from tests.support.stack import NATIVE_BINDING_TYPE, Stack, led_to
from tests.support.writes import writes
from tests.support.yaml_project import PLUGIN, PLUGINS, YamlProject

PAGE = (Path(__file__).parents[2] / "docs" / "languages.md").read_text()
FIRST, PACKAGES, SECOND = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
PYTHON, CHOOSING = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
[IMPORT, IMPORTED] = re.findall(r"```console\n\$ (.*?)\n(.*?)```", PAGE, re.DOTALL)[0]
NOWHERE = "http://127.0.0.1:1"  # a test asks no registry
DEVELOPMENT = "cln3b8q1y000608l6a7m4s5kc"


@pytest.fixture
def project(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> YamlProject:
    project = YamlProject(engine, tmp_path / "project", led_to(astro))
    (project.work / ".venv").symlink_to(PLUGINS.parent)
    return project


@pytest.fixture
def little_air(tmp_path: Path) -> Iterator[Emulator]:
    with running_little_air(tmp_path) as emulator:
        yield emulator


def test_the_project_of_the_page_gives_the_roles(project: YamlProject, astro: Emulator) -> None:
    project.write(FIRST["resources"], FIRST["plugins"], outputs=FIRST["outputs"])

    up = project.up()

    assert not up.failed, up.text
    assert project.output("token_id") == OBSERVABILITY
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(OBSERVABILITY, DEVELOPMENT) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(TRAINER, DEVELOPMENT) == "DEPLOYMENT_ADMIN"


def test_the_python_program_of_the_page_gives_the_role(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    stack = Stack(engine, tmp_path, led_to(astro), lambda: exec(PYTHON, {}))

    up = stack.up()

    assert not up.failed, up.text
    assert {one["type"] for one in stack.resources().values()} == {NATIVE_BINDING_TYPE}
    assert stack.outputs() == {"token_id": OBSERVABILITY}
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"


def test_the_python_program_of_the_page_chooses_deployments(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    stack = Stack(engine, tmp_path, led_to(astro), lambda: exec(CHOOSING, {}))

    up = stack.up()

    assert not up.failed, up.text
    assert stack.outputs() == {"finance": ["finance-close", "finance-reporting"]}


def test_the_provider_of_the_page_serves_another_organization(
    project: YamlProject, astro: Emulator, little_air: Emulator
) -> None:
    resources: dict[str, Any] = SECOND["resources"] | {name: FIRST["resources"][name] for name in ("access",)}
    resources["little-air"]["properties"]["host"] = little_air.url  # the page's is the live service
    project.write(resources, FIRST["plugins"], config=SECOND["config"])
    project.set_config("littleAirToken", little_air.credential, secret=True)

    up = project.up()

    assert not up.failed, up.text
    [ci] = [token for token in little_air.store.shown()["tokens"] if token["name"] == "ci"]
    assert [entry["role"] for entry in ci["roles"]] == ["ORGANIZATION_MEMBER", "DEPLOYMENT_ADMIN"]
    assert astro.store.deployment_role(TRAINER, DEVELOPMENT) == "DEPLOYMENT_ADMIN"


def test_the_import_prints_what_the_page_shows_and_the_next_preview_shows_no_change(
    project: YamlProject, astro: Emulator
) -> None:
    project.write({}, FIRST["plugins"])

    printed = project.pulumi(*shlex.split(IMPORT)[1:])
    _, _, code = printed.partition("resources:\n")
    project.write(yaml.safe_load(f"resources:\n{code}")["resources"], FIRST["plugins"])
    preview = project.preview(expect_no_changes=True)

    assert_shows(IMPORTED, printed)
    assert not preview.failed, preview.text
    assert writes(astro) == 0


def test_in_pulumis_plugin_directory_it_is_found_by_every_project_and_an_install_succeeds(project: YamlProject) -> None:
    [command] = re.findall(r"`pulumi (plugin install .*?)`", PAGE)
    line = command.replace("VERSION", __version__).replace(".venv/bin/", f"{PLUGINS}/")
    project.write(FIRST["resources"], None)
    project.set_environment(HTTPS_PROXY=NOWHERE)

    without = project.preview()
    project.pulumi_anywhere(*shlex.split(line))
    preview = project.preview()
    project.pulumi_anywhere("install")

    assert without.failed
    assert not preview.failed, preview.text
    assert "warning" not in preview.text
    assert (project.directory / "home" / "plugins" / f"resource-astro-v{__version__}" / PLUGIN).exists()


def test_an_install_of_a_yaml_project_fails_otherwise_as_the_page_says(project: YamlProject) -> None:
    project.write(FIRST["resources"], FIRST["plugins"])
    project.set_environment(HTTPS_PROXY=NOWHERE)

    with pytest.raises(AssertionError, match="could not find latest version for provider astro"):
        project.pulumi_anywhere("install")

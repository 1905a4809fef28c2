"""Where Pulumi finds `pulumi-resource-astro`, and what it says if it is not there; docs/languages.md explains each of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.support.yaml_project import IN_PROJECT, PLUGIN, PLUGINS, YamlProject, binding

PAGE = (Path(__file__).parents[2] / "docs" / "languages.md").read_text()
RESOURCES = {"metrics": binding("observability", "etl-staging")}
VENV = {"providers": [{"name": "astro", "path": ".venv/bin"}]}
ON_PATH = re.compile(rf"warning: using {PLUGIN} from \$PATH at .*/{PLUGIN}$", re.MULTILINE)


def _stable(project: YamlProject, text: str) -> str:
    """What Pulumi says in a project, as it would in Ada's, and without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace(str(project.work), "/home/ada/access")


def test_the_virtual_environment_of_the_project_is_named_by_a_relative_path(
    project: YamlProject, astro: Emulator
) -> None:
    (project.work / ".venv").symlink_to(PLUGINS.parent)
    project.write(RESOURCES, VENV)

    preview = project.preview()

    assert not preview.failed, preview.text
    assert "warning" not in preview.text
    assert astro.calls()["by_verb"].keys() == {"GET"}


def test_on_path_it_is_found_with_a_warning(project: YamlProject) -> None:
    project.environment["PATH"] += f"{os.pathsep}{PLUGINS}"
    project.write(RESOURCES, None)

    preview = project.preview()

    assert not preview.failed, preview.text
    assert ON_PATH.search(preview.text)


def test_what_the_project_names_comes_before_path(project: YamlProject, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong" / PLUGIN
    wrong.parent.mkdir()
    wrong.write_text("#!/bin/sh\nexit 1\n")
    wrong.chmod(0o755)
    project.environment["PATH"] = f"{wrong.parent}{os.pathsep}{project.environment['PATH']}"
    project.write(RESOURCES, IN_PROJECT)

    preview = project.preview()

    assert not preview.failed, preview.text


def _no_directory(project: YamlProject) -> None:
    project.write(RESOURCES, VENV)


def _directory_without_it(project: YamlProject) -> None:
    (project.work / ".venv" / "bin").mkdir(parents=True)
    project.write(RESOURCES, VENV)


def _moved(project: YamlProject) -> None:
    """The virtual environment was made elsewhere: its scripts name an interpreter that is not there."""
    script = project.work / ".venv" / "bin" / PLUGIN
    script.parent.mkdir(parents=True)
    script.write_text("#!/home/ada/elsewhere/.venv/bin/python3.11\n")
    script.chmod(0o755)
    project.write(RESOURCES, VENV)


def _nowhere(project: YamlProject) -> None:
    project.write(RESOURCES, None)


@pytest.mark.parametrize("case", [_no_directory, _directory_without_it, _moved, _nowhere])
def test_what_pulumi_says_without_it_is_on_the_page(project: YamlProject, case: object) -> None:
    assert callable(case)
    case(project)

    preview = project.preview()

    said = [line for line in _stable(project, preview.text).splitlines() if re.match("error: |Error: ", line)]
    assert preview.failed
    assert len(said) == 1, preview.text
    assert said[0] in PAGE


def test_pulumi_looks_for_a_download_as_the_page_says(project: YamlProject) -> None:
    project.set_environment(
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="",
        HTTPS_PROXY="http://127.0.0.1:1",  # a test asks nobody
    )
    _nowhere(project)

    preview = project.preview()

    said = re.search(r'could not find latest version for provider astro: Get "[^"]+"', preview.text)
    assert preview.failed
    assert said
    assert said[0] in PAGE


def test_a_stack_whose_provider_is_lost_says_so_at_destroy_and_keeps_its_state(
    project: YamlProject, astro: Emulator
) -> None:
    project.write(RESOURCES)
    project.up()
    _directory_without_it(project)

    destroyed = project.destroy()

    assert destroyed.failed
    assert f"failed to load plugin {project.work}/.venv/bin/{PLUGIN}" in destroyed.text
    assert set(project.resources()) == {"metrics"}
    assert astro.store.deployment_role("clo8g1x4m000f08l6t9c3z6vl", "clm9x5p7w000508l6e1j9d2rb") is not None

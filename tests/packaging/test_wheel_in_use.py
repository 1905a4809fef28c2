"""The wheel at work where the checkout is not: the command, the emulator, the provider process, the examples."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import __version__
from tests.packaging.conftest import ROOT, Installed, clean_environment
from tests.packaging.previewing import previewed
from tests.support.provider_process import provider_process
from tests.support.yaml_project import YamlProject

EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if (path / "__main__.py").exists())
ETL_STAGING = "clm9x5p7w000508l6e1j9d2rb"
ETL_PRODUCTION = "clm9x2k4t000408l6c3f7h8va"


def service(astro: Emulator) -> dict[str, str]:
    return {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential}


@pytest.fixture
def wheels_emulator(installed: Installed, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that lead to an emulator which the wheel's own command runs."""
    with subprocess.Popen(
        [installed.command, "emulator", "--port", "0"],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        exported: dict[str, str] = {}
        while len(exported) < 3:
            line = process.stdout.readline()
            assert line, "the emulator ended before it had printed where it is"
            if found := re.fullmatch(r"export (\w+)=(\S+)\n", line):
                exported[found[1]] = found[2]
        yield exported
        process.kill()


def test_the_wheel_holds_every_file_of_its_modules(installed: Installed) -> None:
    modules = ("astro_provider/", "astro_emulator/", "pulumi_astro/", "pulumi_astro_provider/")
    of_the_checkout = {
        str(path.relative_to(ROOT))
        for module in modules
        for path in (ROOT / module).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    packed = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}

    assert of_the_checkout == packed
    assert all(any(name.startswith(module) for name in packed) for module in modules)


def test_the_wheel_says_what_it_is_and_where_it_runs(installed: Installed) -> None:
    metadata = zipfile.ZipFile(installed.wheel).read(f"pulumi_astro_provider-{__version__}.dist-info/METADATA").decode()

    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "\nLicense-File: LICENSE\n" in metadata
    assert "Provides-Extra: emulator" in metadata
    assert "Project-URL" not in metadata  # the project has no public address yet


@pytest.mark.parametrize("way", ["script", "module"])
def test_the_command_of_the_wheel_runs_outside_the_checkout(installed: Installed, tmp_path: Path, way: str) -> None:
    command = [installed.command] if way == "script" else [installed.python, "-m", "astro_provider"]

    shown = installed.run(*command, "--help", cwd=tmp_path)
    version = installed.run(*command, "--version", cwd=tmp_path)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage: astro-provider [OPTIONS] COMMAND" in shown.stdout
    assert f"astro-provider {__version__}\n" == version.stdout


def test_the_command_of_the_wheel_is_imported_from_the_wheel(installed: Installed, tmp_path: Path) -> None:
    found = installed.run(installed.python, "-c", "import astro_provider; print(astro_provider.__file__)", cwd=tmp_path)

    assert f"{installed.site_packages / 'astro_provider' / '__init__.py'}\n" == found.stdout


def test_the_wheel_lists_what_its_own_emulator_holds(
    installed: Installed, tmp_path: Path, wheels_emulator: dict[str, str]
) -> None:
    listed = installed.run(
        installed.command,
        "list",
        "--deployment-id",
        ETL_PRODUCTION,
        "--output",
        "json",
        cwd=tmp_path,
        **wheels_emulator,
    )

    assert (listed.returncode, listed.stderr) == (0, "")
    assert [row["name"] for row in json.loads(listed.stdout)] == ["observability"]


def test_the_provider_process_of_the_wheel_answers_a_check(
    installed: Installed, astro: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(installed.python))
    program = {"deployment_id": ETL_STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}

    with provider_process(service(astro)) as process:
        process.configure({})
        checked = process.check(program)

    assert checked.failures == []
    assert checked.inputs["org_token_id"] == "clo8g1x4m000f08l6t9c3z6vl"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_that_was_copied_elsewhere_previews_with_the_wheel(
    installed: Installed, astro: Emulator, engine: PulumiCommand, tmp_path: Path, example: str
) -> None:
    project = tmp_path / "copied"
    shutil.copytree(ROOT / "examples" / example, project, ignore=shutil.ignore_patterns(".venv"))
    before = astro.store.shown()

    told = previewed(installed, engine, astro, project)

    assert list(told.changes) == ["create"]
    assert told.changes["create"] >= 2
    assert told.imported.is_relative_to(installed.site_packages)
    assert before == astro.store.shown()


def test_the_example_in_yaml_previews_with_the_executable_of_the_wheel(
    installed: Installed, astro: Emulator, engine: PulumiCommand, tmp_path: Path
) -> None:
    project = YamlProject(engine, tmp_path, service(astro))
    shutil.copy(ROOT / "examples" / "05-yaml" / "Pulumi.yaml", project.work)
    (project.work / ".venv").symlink_to(installed.directory)
    project.pulumi_anywhere("stack", "init", "organization/astro-yaml/test")
    before = astro.store.shown()

    preview = project.preview()

    assert not preview.failed, preview.text
    assert preview.changes == {"create": 3}
    assert "warning" not in preview.text.lower()
    assert before == astro.store.shown()

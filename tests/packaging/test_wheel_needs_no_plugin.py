"""`pulumi install` works: no language host takes the package for one that has a plugin to download."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from astro_provider import __version__
from tests.packaging.conftest import Installed
from tests.packaging.language_host import required_plugins

DOWNLOAD = {f"astro-provider {__version__}"}
MARK = Path("pulumi_astro_provider", "pulumi-plugin.json")


@pytest.fixture
def copy(installed: Installed, tmp_path: Path) -> Path:
    """A directory that holds what the wheel has installed, and that a test may spoil."""
    for ours in installed.site_packages.glob("*astro*"):
        shutil.copytree(ours, tmp_path / "site" / ours.name)
    return tmp_path / "site"


def test_the_installed_wheel_asks_for_no_plugin(installed: Installed) -> None:
    assert set() == required_plugins(installed.site_packages)


def test_an_editable_installation_asks_for_no_plugin_of_ours() -> None:
    assert set() == required_plugins(Path(sysconfig.get_path("purelib")))


def test_the_wheel_without_the_mark_would_ask_for_a_download(copy: Path) -> None:
    shutil.rmtree(copy / MARK.parent)

    assert required_plugins(copy) == DOWNLOAD


def test_the_module_without_its_file_would_ask_for_a_download(copy: Path) -> None:
    (copy / MARK).unlink()

    assert required_plugins(copy) == DOWNLOAD


def test_the_file_in_the_module_that_programs_import_does_not_help(copy: Path) -> None:
    shutil.move(copy / MARK, copy / "astro_provider" / MARK.name)

    assert required_plugins(copy) == DOWNLOAD


def test_the_file_is_what_says_that_there_is_no_plugin(copy: Path) -> None:
    (copy / MARK).write_text('{"resource": true}')

    assert required_plugins(copy) == DOWNLOAD


def test_another_package_with_a_plugin_is_seen(copy: Path) -> None:
    metadata = copy / "pulumi_random-4.16.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pulumi-random\nVersion: 4.16.0\n")

    assert {"random 4.16.0"} == required_plugins(copy)

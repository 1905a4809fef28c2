"""The plugin `astro_emulator.pytest`, in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SEED = """
organization: {name: Little Air}
workspaces: [{name: Data}]
deployments: [{id: clxorders, name: orders, workspace: Data}]
tokens:
  - {name: owner, roles: [{role: ORGANIZATION_OWNER}]}
"""
TESTS = """
import urllib.request

import pytest


def test_it_answers(astro_emulator):
    call = urllib.request.Request(
        f"{astro_emulator.url}/v1/organizations", headers={"Authorization": f"Bearer {astro_emulator.credential}"}
    )
    assert b"Example Airlines" in urllib.request.urlopen(call).read()


@pytest.mark.astro_seed("little.yaml")
def test_it_starts_with_the_seed_beside_the_test(astro_emulator):
    assert [one["id"] for one in astro_emulator.store.shown()["deployments"]] == ["clxorders"]


@pytest.mark.astro_seed("adopt")
class TestShipped:
    def test_it_starts_with_a_seed_that_ships(self, astro_emulator):
        assert len(astro_emulator.store.shown()["tokens"]) == 11

    def test_it_is_another_one_for_each_test(self, astro_emulator):
        assert astro_emulator.calls()["total"] == 0


@pytest.mark.astro_seed("nowhere.yaml")
def test_a_seed_that_is_not_there(astro_emulator):
    pass


@pytest.mark.astro_seed()
def test_a_mark_without_a_seed(astro_emulator):
    pass
"""


@pytest.fixture(scope="module")
def with_the_plugin(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    directory = tmp_path_factory.mktemp("with-the-plugin")
    (directory / "conftest.py").write_text('pytest_plugins = ["astro_emulator.pytest"]\n')
    return run(directory, TESTS)


def run(directory: Path, tests: str) -> subprocess.CompletedProcess[str]:
    (directory / "sub").mkdir()
    (directory / "sub" / "little.yaml").write_text(SEED)
    (directory / "sub" / "test_it.py").write_text(tests)
    options = ["-q", "--strict-markers", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    command = [sys.executable, "-m", "pytest", *options, "sub"]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


def test_the_fixture_starts_an_emulator_with_the_seed_of_the_mark(
    with_the_plugin: subprocess.CompletedProcess[str],
) -> None:
    # A busy machine may add a warning of a socket that was not closed yet.
    assert re.search(r"^4 passed,.* 2 errors", with_the_plugin.stdout, re.MULTILINE)
    assert "ERROR sub/test_it.py::test_a_seed_that_is_not_there" in with_the_plugin.stdout
    assert "ERROR sub/test_it.py::test_a_mark_without_a_seed" in with_the_plugin.stdout


def test_a_seed_that_cannot_be_used_is_one_sentence(with_the_plugin: subprocess.CompletedProcess[str]) -> None:
    printed = with_the_plugin.stdout

    assert "nowhere.yaml cannot be read: No such file or directory." in printed
    assert 'The mark astro_seed takes one seed: write @pytest.mark.astro_seed("organization.yaml").' in printed
    assert "Traceback" not in printed


def test_nothing_loads_the_plugin_by_itself(tmp_path: Path) -> None:
    ended = run(tmp_path, "def test_it(astro_emulator): pass\n")

    assert ended.returncode == 1
    assert "fixture 'astro_emulator' not found" in ended.stdout

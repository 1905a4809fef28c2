"""Programs in TypeScript, Go and Python on Pulumi's language hosts, where PATH has them."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from astro_emulator import Emulator
from astro_provider import __version__
from tests.languages.conftest import ROOT, Shell, example, needs_host
from tests.languages.git_host import git_host
from tests.support.cast import FINANCE, OBSERVABILITY, STAGING

INSTALL = ["pulumi", "install"]
UP = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev"]
DESTROY = ["pulumi", "destroy", "--yes", "--skip-preview", "--stack", "dev"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("06-typescript", marks=needs_host("python", "nodejs")),
        pytest.param("07-go", marks=needs_host("python", "go")),
    ],
)
def test_an_example_installs_the_plugin_gives_its_roles_and_takes_them_away(
    project: Shell, astro: Emulator, name: str, tmp_path: Path
) -> None:
    before = [token["roles"] for token in astro.store.shown()["tokens"]]
    shell = Shell(example(name, tmp_path), project.environment)

    shell.run(*INSTALL)
    shell.run("pulumi", "stack", "init", "dev")
    shell.run(*UP)

    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(OBSERVABILITY, FINANCE) == "DEPLOYMENT_ACCESSOR"
    assert OBSERVABILITY in shell.run("pulumi", "stack", "output", "tokenId", "--stack", "dev")

    shell.run(*DESTROY)

    assert [token["roles"] for token in astro.store.shown()["tokens"]] == before


@needs_host("python", "nodejs")
def test_a_git_address_pins_a_commit_and_an_empty_machine_installs_it_again(project: Shell, tmp_path: Path) -> None:
    (tmp_path / "repositories" / "infra").mkdir(parents=True)
    served = tmp_path / "repositories" / "infra" / "astro.git"
    _committed(tmp_path / "sources", served)
    commit = subprocess.run(
        ["git", "-C", str(served), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    shell = Shell(example("06-typescript", tmp_path), project.environment)
    _without_packages(shell.directory)

    try:
        with git_host(tmp_path / "repositories", tmp_path) as host:
            shell.environment["SSL_CERT_FILE"] = str(_trusted(host.authority, tmp_path))
            shell.run("pulumi", "package", "add", f"https://{host.address}/infra/astro.git/plugin@{commit}")
            shutil.rmtree(shell.environment["PULUMI_HOME"])
            shutil.rmtree(shell.directory / "sdks")
            shell.run(*INSTALL)
    except PermissionError:
        pytest.skip("This user may not serve on port 443 of 127.0.0.1, which a Git address without a port means.")
    shell.run("pulumi", "stack", "init", "dev")
    shell.run("pulumi", "preview", "--stack", "dev")

    assert _yaml(shell.directory)["packages"] == {"astro": f"127.0.0.1/infra/astro.git/plugin@{commit}"}


@needs_host("python")
def test_what_convert_writes_in_python_runs_with_the_package(project: Shell, astro: Emulator, tmp_path: Path) -> None:
    if shutil.which("pulumi-converter-yaml", path=project.environment["PATH"]) is None:
        pytest.skip("There is no pulumi-converter-yaml on PATH, which `pulumi convert` of YAML takes.")
    source = example("05-yaml", tmp_path)
    text = (source / "Pulumi.yaml").read_text()
    (source / "Pulumi.yaml").write_text(text.replace(".venv/bin", f"{sys.prefix}/bin"))

    Shell(source, project.environment).run(
        *("pulumi", "convert", "--from", "yaml", "--language", "python", "--generate-only", "--out", tmp_path / "made")
    )
    requirements = (tmp_path / "made" / "requirements.txt").read_text()
    made = _yaml(tmp_path / "made") | {"runtime": {"name": "python", "options": {"virtualenv": sys.prefix}}}
    (tmp_path / "made" / "Pulumi.yaml").write_text(yaml.safe_dump(made))
    shell = Shell(tmp_path / "made", project.environment)
    shell.run("pulumi", "stack", "init", "dev")
    shell.run(*UP)

    assert f"pulumi_astro=={__version__}" in requirements
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    exported = json.loads(shell.run("pulumi", "stack", "export", "--stack", "dev"))
    kinds = {one["type"] for one in exported["deployment"]["resources"]}
    assert {"astro:index:DeploymentOrgTokenBinding", "astro:index:DeploymentOrgTokenBindings"} <= kinds


def _committed(sources: Path, bare: Path) -> None:
    """A bare repository of the checkout as it is, not as it was committed."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, sources / name)
    git = ["git", "-C", str(sources), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(sources), str(bare)], check=True)


def _trusted(authority: Path, directory: Path) -> Path:
    """The certificates that this machine trusts, and the test's: npm and pip ask their registries in the same command."""
    usual = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    both = directory / "trusted.pem"
    both.write_text((Path(usual).read_text() if usual else "") + authority.read_text())
    return both


def _yaml(directory: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((directory / "Pulumi.yaml").read_text())
    return content


def _without_packages(directory: Path) -> None:
    content = _yaml(directory)
    del content["packages"]
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(content))

"""A machine as a pipeline finds it, with the kit checked out on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.packaging.conftest import Installed, clean_environment, installed
from tests.support.yaml_project import place_of
from tests.templates.workflows import SHELL, Ended, Workflow

__all__ = ["installed"]

ROOT = Path(__file__).parents[2]
KIT = ROOT / "templates" / "infra-repo"
HERE = Path(__file__).parent
NAME = "team-access"
INSTALL = "Install"


@dataclass
class Machine:
    """Where the kit's pipelines run: a checkout of it, an Astro, a backend, and programs on PATH.

    Attributes:
        directory: of one test.
        checkout: the project, made by `pulumi new`; its `.venv` is the one that all tests share.
        astro: the service.
        environment: what a machine of the pipeline has set, no secrets among it.
        secrets: what the pipeline keeps secret, and its variables, by their names in expressions.
    """

    directory: Path
    checkout: Path
    astro: Emulator
    environment: dict[str, str]
    secrets: dict[str, str]
    runs: int = 0

    def pulumi(self, *arguments: str) -> str:
        """What somebody types who has the credential; it must succeed."""
        ended = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.checkout,
            env=self.environment | {name.partition(".")[2]: value for name, value in self.secrets.items()},
            executable=shutil.which("pulumi", path=self.environment["PATH"]),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def git(self, *arguments: str) -> None:
        """Run git in the checkout."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=self.checkout, env=self.environment, check=True)

    def commit(self) -> None:
        """Commit the checkout as it is; the remote does not get it."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "A change")

    def job(self, file: str, job: str, *, fork: bool = False, installs: bool = False, **needs: str) -> Ended:
        """Run a job of a workflow, for a pull request of the repository's own or of a fork.

        Its step `Install` is passed over unless the job `installs`: `kit_environment` has done it.
        """
        self.runs += 1
        if installs:
            (self.checkout / ".venv").unlink()  # nobody installs anything into the one that is shared
        contexts = {
            "github.event.pull_request.head.repo.full_name": "mallory/access" if fork else "acme/access",
            "github.event.pull_request.head.sha": "4be9e76fd7c4901c61fb841f559994984270fce7",
            "github.event.pull_request.user.login": "ada",
            "github.event_name": "pull_request",
            "github.repository": "acme/access",
            "github.run_id": "4711",
            "github.server_url": "https://github.example",
            "github.token": "a token of the job",
            **({} if fork else self.secrets),
            **{name.replace("__", "."): value for name, value in needs.items()},
        }
        workflow = Workflow.read(self.checkout / ".github" / "workflows" / file, self.directory / "artifacts")
        checks_out = any("checkout" in step.get("uses", "") for step in workflow.content["jobs"][job]["steps"])
        directory = self.checkout if checks_out else self.directory / f"empty-{self.runs}"
        directory.mkdir(exist_ok=True)
        scratch, passed_over = self.directory / f"run-{self.runs}", frozenset(() if installs else {INSTALL})
        return workflow.run(job, directory, self.environment, contexts, scratch, passed_over)

    def replace(self, before: str, after: str, file: str = "Pulumi.production.yaml") -> None:
        """Change a file of the checkout, as a pull request does."""
        text = (self.checkout / file).read_text()
        assert before in text
        (self.checkout / file).write_text(text.replace(before, after))


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def ask_for(wheel: Path, checkout: Path) -> None:
    """Put the built wheel in the place of the address that the kit's requirements have."""
    asked = (KIT / "requirements.txt").read_text()
    line = re.compile(r"^pulumi-astro-provider @ .*$", re.MULTILINE)
    (checkout / "requirements.txt").write_text(line.sub(str(wheel), asked))


def pythons(directory: Path) -> None:
    """Put the Python there that a pipeline's machine has."""
    for name in ("python", "python3"):
        (directory / name).symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def settings(directory: Path, bin_: Path, wheels: Path) -> dict[str, str]:
    """What is set on a machine with these programs, whose user and files are of this directory; pip finds these wheels."""
    return clean_environment() | {
        "PATH": os.pathsep.join([str(bin_), os.environ["PATH"]]),
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NO_COLOR": "1",
    }


def installations() -> dict[str, str]:
    """The scripts by which jobs install, by workflow and job."""
    found: dict[str, str] = {}
    for file in sorted((KIT / ".github" / "workflows").glob("*.yml")):
        for job, described in yaml.safe_load(file.read_text())["jobs"].items():
            steps = [step["run"] for step in described["steps"] if step.get("name") == INSTALL]
            found |= {f"{file.name} {job}": step for step in steps}
    gitlab = yaml.safe_load((KIT / ".gitlab-ci.yml").read_text())
    return {**found, "gitlab": "\n".join(gitlab["default"]["before_script"])}


@pytest.fixture(scope="session")
def kit_environment(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit's `.venv`, made by what the pipelines install with, as it stands: one for all tests, who only read it.

    It takes ten times as long as anything else that a job does, and what comes out is always the same.
    """
    shared = tmp_path_factory.getbasetemp().parent if os.environ.get("PYTEST_XDIST_WORKER") else None
    directory = (shared or tmp_path_factory.getbasetemp()) / "kit-environment"
    with FileLock(f"{directory}.lock"):
        if not (directory / "done").exists():
            (directory / "bin").mkdir(parents=True)
            pythons(directory / "bin")
            ask_for(installed.wheel, directory)
            for script in dict.fromkeys(installations().values()):
                ended = subprocess.run(
                    [*SHELL, "-c", script],
                    cwd=directory,
                    env=settings(directory, directory / "bin", installed.wheels),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert ended.returncode == 0, ended.stdout + ended.stderr
            (directory / "done").touch()
    return directory / ".venv"


@pytest.fixture
def machine(
    engine: PulumiCommand, astro: Emulator, installed: Installed, kit_environment: Path, tmp_path: Path
) -> Machine:
    """The kit, made by `pulumi new`, with the built wheel for its requirement and a stack that is there and empty."""
    found = shutil.which(engine.command)
    assert found
    bin_, checkout = tmp_path / "bin", tmp_path / "checkout"
    bin_.mkdir()
    checkout.mkdir()
    place_of(Path(found), bin_ / "pulumi")
    pythons(bin_)
    program(bin_ / "pulumi-language-python", f'exec {sys.executable} {HERE / "language_host.py"} "$@"')
    program(bin_ / "gh", f'exec {sys.executable} {HERE / "gh.py"} "$@"')
    # The official one finds the project's environment by itself.
    program(bin_ / "pulumi-resource-pulumi-python", f'exec {checkout}/.venv/bin/python -u -m pulumi.dynamic "$@"')
    environment = settings(tmp_path, bin_, installed.wheels) | {
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "GH_STAND_IN": str(tmp_path),
        "ASTRO_API_HOST": astro.url,
        "ASTRO_SETTLE_SECONDS": "0",
        "ASTRO_LOCK_DIR": str(tmp_path / "locks"),
    }
    secrets = {
        "secrets.ASTRO_API_TOKEN": astro.credential,
        "secrets.PULUMI_ACCESS_TOKEN": "",
        "secrets.PULUMI_CONFIG_PASSPHRASE": "a passphrase of the house",
        "vars.ASTRO_ORGANIZATION_ID": "",
        "vars.PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
    }
    (tmp_path / "state").mkdir()
    machine = Machine(tmp_path, checkout, astro, environment, secrets)
    machine.pulumi("new", str(KIT), "--generate-only", "--yes", "--name", NAME, "--description", "Who may do what")
    ask_for(installed.wheel, checkout)
    (checkout / ".venv").symlink_to(kit_environment)
    machine.pulumi("stack", "init", "production")
    machine.git("init", "-q", "-b", "main")
    machine.commit()
    machine.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    machine.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    return machine

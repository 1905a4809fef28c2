"""A machine as a pipeline finds it, with the kit checked out on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.packaging.conftest import Installed, clean_environment, installed
from tests.support.forked_python import COMMAND, forked_python
from tests.support.stack import PYTHON_PATH
from tests.support.yaml_project import place_of
from tests.templates.workflows import SHELL, Ended, Workflow

__all__ = ["installed"]

ROOT = Path(__file__).parents[2]
KIT = ROOT / "templates" / "infra-repo"
HERE = Path(__file__).parent
NAME = "team-access"
INSTALL = "Install"
PASSPHRASE = "a passphrase of the house"
ASKED = (KIT / "requirements.txt").read_text()


@dataclass
class Machine:
    """Where the kit's pipelines run: a checkout of it, an Astro, a backend, and programs on PATH.

    Attributes:
        directory: of one test.
        checkout: the project, made by `pulumi new`, with a `.venv`.
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
        secrets = {name.partition(".")[2]: value for name, value in self.secrets.items()}
        return succeed(self.checkout, self.environment | secrets, "pulumi", *arguments, "--non-interactive")

    def git(self, *arguments: str) -> None:
        """Run git in the checkout."""
        succeed(self.checkout, self.environment, *GIT, *arguments)

    def commit(self) -> None:
        """Commit the checkout as it is; the remote does not get it."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "A change")

    def refuse_to_install(self) -> None:
        """Let every installation fail from now on, as where no package index can be reached."""
        for name in ("python", "python3"):  # `python -m venv DIRECTORY` makes a pip that fails
            (self.directory / "bin" / name).unlink()
            script = "mkdir -p $3/bin && printf '#!/bin/sh\\nexit 1\\n' > $3/bin/pip && chmod +x $3/bin/pip"
            program(self.directory / "bin" / name, script)

    def job(self, file: str, job: str, *, fork: bool = False, installs: bool = False, **needs: str) -> Ended:
        """Run a job of a workflow, for a pull request of the repository's own or of a fork.

        Its step `Install` is passed over unless the job `installs`, because the `.venv` is there.
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


GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")


def succeed(directory: Path, environment: Mapping[str, str], *command: str) -> str:
    """Run a command that must succeed; what it printed to standard output."""
    ended = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        executable=shutil.which(command[0], path=environment["PATH"]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def pythons(directory: Path) -> None:
    """Put the Python there that a pipeline's machine has."""
    for name in ("python", "python3"):
        (directory / name).symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def programs(directory: Path, pulumi: Path, python: str) -> None:
    """Put the programs into `bin` that a pipeline's machine has; that Python runs the language host."""
    bin_ = directory / "bin"
    bin_.mkdir()
    place_of(pulumi, bin_ / "pulumi")
    pythons(bin_)
    program(bin_ / "pulumi-language-python", f'exec {python} {HERE / "language_host.py"} "$@"')
    program(bin_ / "gh", f'exec {sys.executable} -I {HERE / "gh.py"} "$@"')
    # The official one finds the project's environment by itself.
    virtualenv = directory / "checkout" / ".venv"
    program(bin_ / "pulumi-resource-pulumi-python", f'exec {virtualenv}/bin/python -u -m pulumi.dynamic "$@"')


def settings(directory: Path) -> dict[str, str]:
    """The variables of a machine whose programs, user and files are of this directory."""
    return clean_environment() | {
        "PATH": os.pathsep.join([str(directory / "bin"), os.environ["PATH"]]),
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "NO_COLOR": "1",
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all processes of the test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session")
def kit_environment(installed: Installed, shared: Path) -> Path:
    """The kit's `.venv`, made by what the pipelines install with, as it stands: one for all tests, who only read it.

    What the package depends on is there before; pip would take ten times as long as anything else that a job does.
    """
    directory = shared / "kit-environment"
    with FileLock(f"{directory}.lock"):
        if not (directory / "done").exists():
            site_packages = directory / ".venv" / installed.site_packages.relative_to(installed.directory)
            site_packages.mkdir(parents=True)
            for dependency in set(installed.site_packages.iterdir()) - set(installed.site_packages.glob("*astro*")):
                (site_packages / dependency.name).symlink_to(dependency)
            asked = re.sub(r"^pulumi-astro-provider @ .*$", str(installed.wheel), ASKED, flags=re.MULTILINE)
            (directory / "requirements.txt").write_text(asked)
            (directory / "bin").mkdir()
            pythons(directory / "bin")
            offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(installed.wheels), "PIP_NO_COMPILE": "1"}
            succeed(directory, settings(directory) | offline, *SHELL, "-c", installations()["gitlab"])
            (directory / "done").touch()
    return directory / ".venv"


@pytest.fixture(scope="session")
def forked_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for the kit's `.venv`: it has the packages of the tests' own, and its programs are forks."""
    directory = tmp_path_factory.mktemp("forked-environment")
    (directory / "bin").mkdir()
    for name in ("python", COMMAND):
        (directory / "bin" / name).symlink_to(forked_python(PYTHON_PATH).with_name(name))
    return directory


@pytest.fixture(scope="session")
def kit(engine: PulumiCommand, shared: Path, forked_environment: Path) -> Path:
    """A directory with the kit, made by `pulumi new`, its stack, which is there and empty, and its remote."""
    directory = shared / "kit"
    with FileLock(f"{directory}.lock"):
        if not (directory / "done").exists():
            checkout, found = directory / "checkout", shutil.which(engine.command)
            assert found
            checkout.mkdir(parents=True)
            (directory / "state").mkdir()
            programs(directory, Path(found), f"{forked_environment}/bin/python")
            environment = settings(directory) | {
                "PULUMI_BACKEND_URL": f"file://{directory}/state",
                "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
                "PYTHONPATH": PYTHON_PATH,
            }
            described = ("--name", NAME, "--description", "Who may do what")
            for command in (
                ("pulumi", "new", str(KIT), "--generate-only", "--yes", *described, "--non-interactive"),
                ("pulumi", "stack", "init", "production", "--non-interactive"),
                ("git", "init", "-q", "-b", "main"),
                ("git", "add", "-A"),
                (*GIT, "commit", "-q", "-m", "The kit"),
                ("git", "remote", "add", "origin", "../origin.git"),
                ("git", "clone", "-q", "--bare", ".", "../origin.git"),
            ):
                succeed(checkout, environment, *command)
            (directory / "done").touch()
    return directory


@contextmanager
def machine_in(directory: Path, kit: Path, virtualenv: Path, python: str, **variables: str) -> Iterator[Machine]:
    """Lend a machine with an Astro of its own.

    Args:
        directory: of the machine.
        kit: what is checked out.
        virtualenv: the `.venv`.
        python: what runs the language host.
        variables: of its environment.
    """
    for name in ("checkout", "origin.git", "state"):
        shutil.copytree(kit / name, directory / name)
    checkout = directory / "checkout"
    (checkout / ".venv").symlink_to(virtualenv)
    programs(directory, kit / "bin" / "pulumi", python)
    with Emulator.running() as astro:
        environment = settings(directory) | {
            "GH_STAND_IN": str(directory),
            "ASTRO_API_HOST": astro.url,
            "ASTRO_SETTLE_SECONDS": "0",
            "ASTRO_LOCK_DIR": str(directory / "locks"),
        }
        secrets = {
            "secrets.ASTRO_API_TOKEN": astro.credential,
            "secrets.PULUMI_ACCESS_TOKEN": "",
            "secrets.PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "vars.ASTRO_ORGANIZATION_ID": "",
            "vars.PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
        }
        yield Machine(directory, checkout, astro, environment | variables, secrets)


@pytest.fixture
def machine_of_a_user(kit: Path, kit_environment: Path, tmp_path: Path) -> Iterator[Machine]:
    """A machine whose pipelines have installed the built wheel."""
    with machine_in(tmp_path, kit, kit_environment, sys.executable) as machine:
        yield machine


NewMachine = Callable[[], AbstractContextManager[Machine]]


@pytest.fixture(scope="session")
def new_machine(kit: Path, forked_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> NewMachine:
    """Lends a new machine, on which each program of Python is a fork."""
    python = str(forked_environment / "bin" / "python")
    return lambda: machine_in(
        tmp_path_factory.mktemp("machine"), kit, forked_environment, python, PYTHONPATH=PYTHON_PATH
    )


@pytest.fixture
def machine(new_machine: NewMachine) -> Iterator[Machine]:
    """A machine on which each program of Python is a fork; `machine_of_a_user` is the whole."""
    with new_machine() as machine:
        yield machine

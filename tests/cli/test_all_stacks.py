"""`--all-stacks`: the `pulumi` command lists and exports every stack of a backend, for `audit` and for `adopt`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.cast import FINANCE, OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING
from tests.support.key_service import SECRETS_PROVIDER, key_service
from tests.support.shell import Ending, environment, run, run_in_terminal
from tests.support.stack import NATIVE_BINDING_TYPE

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"


class Backend:
    """A backend of files with several projects, and a shell in one of them."""

    def __init__(self, engine: PulumiCommand, directory: Path) -> None:
        self.directory = directory
        (directory / "state").mkdir(exist_ok=True)
        self.variables = {
            "PATH": f"{Path(engine.command).parent}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "PULUMI_BACKEND_URL": f"file://{directory}/state",
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **key_service(),
        }

    def add(self, project: str, stack: str, *grants: tuple[str, str], organization_id: str = ORGANIZATION_ID) -> None:
        """Make a stack whose state has bindings of deployments and tokens, and another resource."""
        place = self.directory / project
        place.mkdir(exist_ok=True)
        (place / "Pulumi.yaml").write_text(f"name: {project}\nruntime: yaml\n")
        root, none = f"urn:pulumi:{stack}::{project}::", {"inputs": {}, "outputs": {}, "custom": False}
        resources = [
            {"urn": f"{root}pulumi:pulumi:Stack::{project}-{stack}", "type": "pulumi:pulumi:Stack", **none},
            {"urn": f"{root}my:Component::other", "type": "my:Component", **none},
        ]
        for number, (deployment_id, token_id) in enumerate(grants):
            properties = {
                "organizationId": organization_id,
                "deploymentId": deployment_id,
                "orgTokenId": token_id,
                "role": ACCESSOR,
            }
            resources.append(
                {
                    "urn": f"{root}{NATIVE_BINDING_TYPE}::b{number}",
                    "type": NATIVE_BINDING_TYPE,
                    "custom": True,
                    "id": f"{organization_id}/{deployment_id}/{token_id}",
                    "inputs": properties,
                    "outputs": properties,
                }
            )
        exported = {"version": 3, "deployment": {"manifest": {}, "resources": resources}}
        (place / "import.json").write_text(json.dumps(exported))
        self.pulumi(project, "stack", "init", stack, "--secrets-provider", SECRETS_PROVIDER)
        self.pulumi(project, "stack", "import", "--file", "import.json")

    def repeat(self, project: str, stack: str, other: str) -> None:
        """Make another stack of the same content."""
        stored = self.directory / "state" / ".pulumi" / "stacks" / project
        (stored / f"{other}.json").write_text((stored / f"{stack}.json").read_text().replace(stack, other))

    def pulumi(self, project: str, *arguments: str) -> None:
        """Type a command of `pulumi`."""
        command = ["pulumi", *arguments, "--non-interactive"]
        environ = {**environment(None), **self.variables}
        subprocess.run(command, cwd=self.directory / project, env=environ, check=True, capture_output=True)


@pytest.fixture(scope="module")
def three_stacks(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a backend with three stacks of two projects is, for copies."""
    made = Backend(engine, tmp_path_factory.mktemp("three-stacks"))
    made.add("infra", "dev", (STAGING, OBSERVABILITY))
    made.add("infra", "prod", (PRODUCTION, OBSERVABILITY))
    made.add("network", "prod")
    return made.directory


@pytest.fixture
def backend(engine: PulumiCommand, three_stacks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend with three stacks of two projects; the shell is in `infra`."""
    shutil.copytree(three_stacks, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "infra")
    return Backend(engine, tmp_path)


def audited(astro: Emulator, backend: Backend) -> dict[tuple[str, str], list[str]]:
    ended = run(astro, "audit", "--all-stacks", "--output", "json", **backend.variables)
    assert (ended.status, ended.err) == (0, "")
    return {
        (one["finding"], one["deployment_id"]): one["stacks"]
        for one in json.loads(ended.out)["findings"]
        if one["org_token_id"] == OBSERVABILITY
    }


def test_an_audit_knows_what_all_stacks_of_the_backend_manage(astro: Emulator, backend: Backend) -> None:
    for deployment_id in (STAGING, PRODUCTION, FINANCE):
        astro.store.bind(OBSERVABILITY, deployment_id, ACCESSOR)

    found = audited(astro, backend)

    assert [where for finding, where in found if finding == "unmanaged"] == [FINANCE]
    assert found["unused", PRODUCTION] == ["infra/prod"]
    assert found["unused", STAGING] == ["infra/dev"]


def test_stacks_of_another_organization_are_left_out(astro: Emulator, backend: Backend) -> None:
    backend.add("elsewhere", "prod", (STAGING, OBSERVABILITY), organization_id="clx0elsewhere")
    astro.store.bind(OBSERVABILITY, STAGING, ACCESSOR)
    astro.store.bind(OBSERVABILITY, PRODUCTION, ACCESSOR)

    assert audited(astro, backend)["unused", STAGING] == ["infra/dev"]


def test_adopt_leaves_out_what_a_stack_manages_already(astro: Emulator, backend: Backend) -> None:
    for deployment_id in (STAGING, FINANCE):
        astro.store.bind(OBSERVABILITY, deployment_id, ACCESSOR)

    ended = run(astro, "adopt", "--all-deployments", "--out", "new", "--all-stacks", **backend.variables)

    program = (backend.directory / "infra" / "new" / "__main__.py").read_text()
    assert ended.status == 0
    assert "finance-close" in program
    assert "etl-staging" not in program
    assert "Left out because a stack manages them, 2:\n  stack infra/dev: 1\n  stack infra/prod: 1\n" in ended.err


def refused(ended: Ending) -> str:
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    return ended.err


def test_a_stack_that_cannot_be_read_is_an_error_and_no_shorter_answer(astro: Emulator, backend: Backend) -> None:
    state = backend.directory / "state" / ".pulumi" / "stacks" / "infra" / "prod.json"
    state.write_text("{")

    ended = run(astro, "audit", "--all-stacks", **backend.variables)

    assert "Error: --all-stacks: `pulumi stack" in refused(ended)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"PATH": "/nowhere"},
            "--all-stacks: there is no pulumi on PATH. Install it, or give the exports with --state.",
        ),
        (
            {"PULUMI_BACKEND_URL": "file:///nowhere"},
            "--all-stacks: `pulumi stack ls --all --json` failed: ",
        ),
    ],
    ids=["no pulumi", "no backend"],
)
def test_without_the_stacks_there_is_no_audit(
    astro: Emulator, backend: Backend, changes: dict[str, str], reason: str
) -> None:
    ended = run(astro, "audit", "--all-stacks", **{**backend.variables, **changes})

    assert refused(ended).startswith(f"Error: {reason}")


def test_a_backend_without_a_stack_is_an_error(
    astro: Emulator, engine: PulumiCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Backend(engine, tmp_path)
    monkeypatch.chdir(tmp_path)

    ended = run(astro, "audit", "--all-stacks", **empty.variables)

    assert refused(ended) == "Error: --all-stacks: the backend of this directory has no stack with resources.\n"


def test_pulumi_does_not_get_the_credential(astro: Emulator, tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text('#!/bin/sh\n[ -z "$ASTRO_API_TOKEN" ] || echo "error: it was seen" >&2\nexit 1\n')
    program.chmod(0o755)

    ended = run(astro, "audit", "--all-stacks", PATH=f"{tmp_path}{os.pathsep}/usr/bin:/bin")

    assert "it prints nothing" in refused(ended)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (["audit", "--state", "x.json", "--all-stacks"], "--state and --all-stacks contradict each other"),
        (
            ["adopt", "--all-deployments", "--out", "x", "--as-table", "--exclusive", "--all-stacks"],
            "an exclusive table would revoke the roles that --all-stacks leaves out",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(asked: list[str], reason: str) -> None:
    ended = run(None, *asked)

    assert ended.status in (1, 2)
    assert reason in ended.err


def test_a_terminal_shows_how_many_stacks_are_read(astro: Emulator, backend: Backend) -> None:
    for number in range(8):
        backend.repeat("infra", "dev", f"more-{number}")

    ended = run_in_terminal(
        astro,
        "audit",
        "--all-stacks",
        "--output",
        "json",
        columns=120,
        only_stderr=True,
        interrupt_at=None,
        **backend.variables,
    )

    assert "Reading stacks" in ended.screen
    assert "11/11 stacks" in ended.screen_text

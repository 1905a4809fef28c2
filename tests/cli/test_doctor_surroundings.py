"""What `doctor` owes to its surroundings: it ends whatever hangs, hands nobody the credential, and looks at the stack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_emulator.organization import ORGANIZATION_ID
from astro_provider.commands import diagnosis
from astro_provider.commands.diagnosis import Check, Status, commands, diagnose, stack
from astro_provider.commands.diagnosis.checks import Look, Result, look
from astro_provider.commands.diagnosis.installation import CHECKS
from astro_provider.commands.diagnosis.service import check_service
from astro_provider.version import __version__
from tests.support.key_service import SECRETS_PROVIDER, key_service
from tests.support.raw_server import RawServer, Reply
from tests.support.shell import environment, run

OK, UNKNOWN, FAILED = Status.OK, Status.UNKNOWN, Status.FAILED


def script(file: Path, body: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def installed(environ: dict[str, str], directory: Path) -> list[Check]:
    return [Check(name, *check(environ, directory)) for name, check in CHECKS.items()]


def said(check: Check | Result) -> tuple[Status, str]:
    return check.status, check.found


@pytest.fixture
def project(tmp_path: Path, engine: PulumiCommand) -> dict[str, str]:
    """The variables of a project with a stack `dev` in the directory `infra`, on a backend of its own."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")
    variables = {
        "PATH": f"{Path(engine.command).parent}:/usr/bin:/bin",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_HOME": str(tmp_path / "home"),
        **key_service(),
        "PULUMI_PYTHON_CMD": str(script(tmp_path / "bin" / "python", f"echo {__version__}")),
        "ASTRO_LOCK_DIR": str(tmp_path / "locks"),
    }
    pulumi(tmp_path, variables, "stack", "init", "dev", "--secrets-provider", SECRETS_PROVIDER)
    return variables


def pulumi(tmp_path: Path, variables: dict[str, str], *arguments: str) -> None:
    environ = {**os.environ, **variables}
    subprocess.run(["pulumi", *arguments, "--non-interactive"], cwd=tmp_path / "infra", env=environ, check=True)


def test_a_hanging_service_and_hanging_programs_are_unknown_and_hold_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "BOUND_SECONDS", 5.0)  # long enough for a busy machine to start and end the programs
    monkeypatch.setattr(commands, "LONGEST_SECONDS", 0.3)
    for name in ("pulumi", "python3"):
        script(tmp_path / name, "sleep 60 & sleep 60")
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")

    with RawServer(lambda _request: Reply(delay=60.0)) as server:
        variables = {"ASTRO_API_HOST": server.url, "ASTRO_API_TOKEN": "abc", "PATH": f"{tmp_path}:/bin:/usr/bin"}
        found = by_name(diagnose({**variables, "ASTRO_LOCK_DIR": str(tmp_path)}, tmp_path))

    late = "Not seen: it took longer than 5 s."
    assert (UNKNOWN, late) == said(found["service"]) == said(found["credential"])
    assert (UNKNOWN, f"{tmp_path}/pulumi does not print its version: no answer in 0.3 s") == said(found["pulumi"])
    assert found["package"].status is UNKNOWN
    assert found["package"].found.endswith("did not load astro_provider: no answer in 0.3 s.")
    assert found["lock directory"].status is OK


def test_what_was_seen_before_something_hung_is_told() -> None:
    def looked() -> list[Check]:
        raise AssertionError("it broke")

    first = Check("first", OK, "seen.")

    assert [first, Check("second", UNKNOWN, "Not seen: it took longer than 5 s.")] == look(
        [Look(("first", "second"), lambda: [first])], 5.0
    )
    with pytest.raises(AssertionError, match="it broke"):
        look([Look(("first",), looked)], 5.0)


def test_an_unreachable_service_says_nothing_of_the_credential(astro: Emulator) -> None:
    astro.fault(status=503)

    found = by_name(check_service(environment(astro, {"ASTRO_TIMEOUT_SECONDS": "0.3"})))

    expected = "ASTRO_API_TOKEN is set; it is not known whether Astro takes it, because the service cannot be reached."
    assert (UNKNOWN, expected) == said(found["credential"])


def test_an_interpreter_that_a_project_names_gets_no_secret(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script(tmp_path / "own" / "bin" / "python", f"/usr/bin/env > {seen}; echo {__version__}")
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: {name: python, options: {virtualenv: own}}\n")
    secrets = dict.fromkeys(("ASTRO_API_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"), "hush")

    found = by_name(installed({"PATH": "/nowhere", "KEPT": "yes", **secrets}, tmp_path))

    assert found["package"].status is OK
    assert "KEPT=yes" in seen.read_text()
    assert "hush" not in seen.read_text()


def test_pulumi_is_asked_for_the_configuration_without_the_credential(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script(tmp_path / "pulumi", f"/usr/bin/env > {seen}; echo '{{}}'")
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")

    check, _ = stack.look_at_stack({"PATH": str(tmp_path), "ASTRO_API_TOKEN": "hush"}, tmp_path)

    assert said(check) == (OK, "The stack sets no astro: key.")
    assert "hush" not in seen.read_text()


def test_the_stacks_configuration_is_looked_at_and_its_host_is_asked(
    astro: Emulator, project: dict[str, str], tmp_path: Path
) -> None:
    pulumi(tmp_path, project, "config", "set", "astro:host", astro.url)
    pulumi(tmp_path, project, "config", "set", "astro:organizationId", ORGANIZATION_ID)
    pulumi(tmp_path, project, "config", "set", "--secret", "astro:token", astro.credential)

    alone = by_name(diagnose(project, tmp_path / "infra"))
    beside = by_name(diagnose({**project, "ASTRO_API_TOKEN": astro.credential}, tmp_path / "infra"))

    stack_sets = f"The stack sets astro:host={astro.url}, astro:organizationId={ORGANIZATION_ID}, astro:token (secret)."
    assert (OK, stack_sets) == said(alone["stack config"]) == said(beside["stack config"])
    assert said(alone["credential"]) == (
        UNKNOWN,
        "ASTRO_API_TOKEN is not set; astro:token of the stack is, a secret that was not read.",
    )
    assert alone["service"].found.startswith(f"{astro.url} answered in ")
    assert beside["credential"].status is OK
    assert beside["read tokens"].status is OK


def test_the_way_to_astro_is_the_one_that_the_stack_sets(project: dict[str, str], tmp_path: Path) -> None:
    for key, value in (("host", "http://127.0.0.1:1"), ("trace", f"{tmp_path}/trace"), ("lockDir", f"{tmp_path}/mine")):
        pulumi(tmp_path, project, "config", "set", f"astro:{key}", value)

    variables = {**project, "HTTPS_PROXY": "http://proxy.example.com", "ASTRO_LOCK_DIR": ""}
    found = by_name(diagnose(variables, tmp_path / "infra"))
    before = by_name(diagnose({**variables, "ASTRO_API_HOST": "http://127.0.0.1:2"}, tmp_path / "infra"))

    assert said(found["proxy"]) == (OK, "Calls to http://127.0.0.1:1 go through no proxy.")
    assert said(found["certificates"]) == (
        OK,
        "No certificates are needed: http://127.0.0.1:1 is this machine, in clear.",
    )
    assert (OK, f"Each call to Astro is recorded in {tmp_path}/trace (astro:trace).") == said(found["trace"])
    assert (OK, f"A lock was taken in {tmp_path}/mine and released.") == said(found["lock directory"])
    assert said(before["proxy"]) == (OK, "Calls to http://127.0.0.1:2 go through no proxy.")


def test_a_credential_in_clear_in_the_stacks_configuration_is_a_cross_and_not_shown(
    astro: Emulator, project: dict[str, str], tmp_path: Path
) -> None:
    pulumi(tmp_path, project, "config", "set", "--plaintext", "astro:token", "abcdef")

    found = by_name(diagnose({**project, "ASTRO_API_HOST": astro.url}, tmp_path / "infra"))

    assert said(found["stack config"]) == (FAILED, "astro:token is set in clear, so the provider refuses it.")
    assert "abcdef" not in str(found)


def test_a_key_that_no_setting_has_is_a_cross_with_the_nearest_key(project: dict[str, str], tmp_path: Path) -> None:
    pulumi(tmp_path, project, "config", "set", "astro:previewCheks", "strict")

    check, _ = stack.look_at_stack({**os.environ, **project}, tmp_path / "infra")

    assert said(check) == (
        FAILED,
        (
            "astro:previewCheks is no setting of this provider (nearest: 'astro:previewChecks'), so it has no effect. "
            "Correct the key, or remove it."
        ),
    )


def test_in_a_project_named_astro_the_keys_of_the_program_are_no_cross(project: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "infra" / "Pulumi.yaml").write_text("name: astro\nruntime: python\n")
    pulumi(tmp_path, project, "stack", "init", "prod", "--secrets-provider", SECRETS_PROVIDER)
    pulumi(tmp_path, project, "config", "set", "team", "data")

    check, _ = stack.look_at_stack({**os.environ, **project}, tmp_path / "infra")

    assert said(check) == (OK, "The stack sets astro:team=data.")


def test_a_project_without_a_stack_is_said_not_to_be_looked_at(
    astro: Emulator, project: dict[str, str], tmp_path: Path
) -> None:
    pulumi(tmp_path, project, "stack", "unselect")

    found = by_name(diagnose({**project, "ASTRO_API_HOST": astro.url}, tmp_path / "infra"))["stack config"]

    assert found.status is UNKNOWN
    assert found.found.startswith("Not looked at, because `pulumi config` failed: ")
    assert found.advice == "Select the stack (pulumi stack select), and look again."


def test_a_uv_workspace_is_advised_to_its_own_environment_and_the_advice_works(tmp_path: Path) -> None:
    project = tmp_path / "stacks" / "access"
    project.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["stacks/*"]\n')
    python = script(tmp_path / ".venv" / "bin" / "python", f"echo {__version__}")
    options = "name: infra\nruntime: {{name: python, options: {{toolchain: uv{}}}}}\n"

    (project / "Pulumi.yaml").write_text(options.format(""))
    advised = by_name(installed({"PATH": "/nowhere"}, project))["package"]
    (project / "Pulumi.yaml").write_text(options.format(", virtualenv: ../../.venv"))
    followed = by_name(installed({"PATH": "/nowhere"}, project))["package"]

    assert FAILED is advised.status
    assert (
        advised.advice == "The uv workspace has its virtual environment above: write `virtualenv: ../../.venv` there."
    )
    assert OK is followed.status
    assert python.samefile(followed.found.split(" (")[0])


def test_doctor_ends_with_its_answer_and_not_with_what_hangs(astro: Emulator, tmp_path: Path) -> None:
    script(tmp_path / "pulumi", "echo 3.999.0")
    python = script(tmp_path / "own" / "python", f"echo {__version__}")

    ended = run(astro, "doctor", PATH=f"{tmp_path}:/usr/bin:/bin", PULUMI_PYTHON_CMD=str(python))

    assert "✓ pulumi          3.999.0" in ended.out
    assert ended.err == ""

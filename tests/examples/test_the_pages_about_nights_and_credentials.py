"""docs/nightly.md and docs/credentials.md: which command sees what, how it ends, and with which credential."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandError, PulumiCommand

from astro_emulator import Emulator
from tests.support import shell
from tests.support.cast import OBSERVABILITY, STAGING, TRAINER
from tests.support.programs import bindings
from tests.support.stack import Stack

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM: dict[str, dict[str, Any]] = {
    name: {"deployment_name": "etl-staging", "org_token_name": token, "role": "DEPLOYMENT_ACCESSOR"}
    for name, token in (("observability", "observability"), ("trainer", "model-trainer"))
}
REFRESH = ["refresh", "--preview-only", "--expect-no-changes", "--stack", "test"]


@pytest.fixture
def stack(stack: Stack) -> Stack:
    stack.set_environment(PULUMI_EXPERIMENTAL="true")
    stack.program = bindings(**PROGRAM)
    return stack


@pytest.fixture
def lesser(astro: Emulator) -> str:
    """The credential of a token that is no Owner's."""
    assert astro.preview_credential is not None
    return astro.preview_credential


def _status(command: Callable[..., object], *arguments: Any, **options: Any) -> int:
    try:
        command(*arguments, **options)
    except CommandError as error:
        code = re.search(r"code: (\d+)", str(error))
        assert code is not None
        return int(code[1])
    return 0


def _row(command: str) -> list[str]:
    """The cells of the page's row of a command: three times what it sees, and its exit status."""
    row = next(line for line in (DOCS / "nightly.md").read_text().splitlines() if line.startswith(f"| `{command}"))
    return [cell.strip() for cell in row.split("|")[3:-1]]


def test_the_commands_of_the_night_end_as_the_page_says(
    stack: Stack, astro: Emulator, engine: PulumiCommand, tmp_path: Path
) -> None:
    stack.up()
    work = str(stack.directory / "work")
    quiet = _status(engine.run, [*REFRESH], work, stack.environment)
    astro.store.bind(OBSERVABILITY, STAGING, "DEPLOYMENT_ADMIN")
    astro.store.unbind(TRAINER, STAGING)

    plain = _status(stack.stack.preview, expect_no_changes=True)
    refreshed = _status(stack.stack.preview, expect_no_changes=True, refresh=True)
    stack.end_programs()
    refresh = _status(engine.run, [*REFRESH], work, stack.environment)
    (tmp_path / "stack.json").write_text(
        engine.run(["stack", "export", "--stack", "test"], work, stack.environment).stdout
    )
    flags = ["--fail-on", "missing", "--fail-on", "drifted"]
    audit = shell.run(astro, "audit", "--state", str(tmp_path / "stack.json"), *flags)
    stack.set_environment(ASTRO_API_TOKEN="wrong")
    failed = _status(engine.run, [*REFRESH], work, stack.environment)

    assert [quiet, plain, refreshed, refresh, audit.status, failed] == [0, 0, 7, 7, 3, 1]
    assert _row("pulumi preview --expect-no-changes`") == ["no", "no", "no", "7"]
    assert _row("pulumi preview --refresh --expect-no-changes`") == ["yes", "yes", "no", "7"]
    assert _row("pulumi refresh --preview-only") == ["yes", "yes", "no", "7"]
    assert _row("astro-provider audit") == ["yes: `drifted`", "yes: `missing`", "yes: `unmanaged`", "3"]
    assert {"missing", "drifted", "unmanaged"} <= set(re.findall(r"[a-z-]+", audit.out))


def test_one_credential_previews_and_another_one_carries_the_plan_out(
    stack: Stack, astro: Emulator, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    previewing = astro.store.add_credential()
    stack.set_environment(ASTRO_API_TOKEN=previewing)

    preview = stack.preview(plan=str(plan), refresh=True)
    stack.set_environment(ASTRO_API_TOKEN=astro.credential)
    up = stack.up(plan=str(plan), refresh=True)

    assert not preview.failed, preview.text
    assert previewing not in plan.read_text()
    assert not up.failed, up.text
    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ACCESSOR"


def test_a_lesser_credential_is_told_the_permission_of_each_call(astro: Emulator, lesser: str, tmp_path: Path) -> None:
    access, deployments = "organization.apiTokens.access", "organization.deployments.get"
    commands = {
        ("list", "--all-deployments"): deployments,
        ("find", "deployer"): access,
        ("adopt", "--all-deployments", "--out", str(tmp_path / "infra")): deployments,
        ("audit",): access,
    }

    for command, permission in commands.items():
        ended = shell.run(astro, *command, ASTRO_API_TOKEN=lesser)
        assert ended.status == 1
        assert f"The credential needs the permission {permission} (the role Organization Owner has it)." in ended.err
    doctor = shell.run(astro, "doctor", ASTRO_API_TOKEN=lesser)
    sample = re.search(r"^✗ read tokens.*\n.*$", (DOCS / "credentials.md").read_text(), re.MULTILINE)
    assert sample is not None
    assert _without_request_id(sample[0]) in _without_request_id(doctor.out)


def _without_request_id(text: str) -> str:
    return re.sub(r"requestId [0-9a-f-]+", "requestId", text)

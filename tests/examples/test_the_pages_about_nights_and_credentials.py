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
def reader(astro: Emulator) -> str:
    """A credential that may read and not write."""
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


def test_a_credential_that_may_only_read_previews_and_the_other_one_carries_the_plan_out(
    stack: Stack, astro: Emulator, reader: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    stack.set_environment(ASTRO_API_TOKEN=reader)

    preview = stack.preview(plan=str(plan), refresh=True)
    refused = stack.up()
    nothing_yet = astro.store.deployment_role(TRAINER, STAGING)
    stack.set_environment(ASTRO_API_TOKEN=astro.credential)
    up = stack.up(plan=str(plan), refresh=True)

    assert not preview.failed, preview.text
    assert reader not in plan.read_text()
    assert refused.failed
    assert any(error.startswith("error: UpdateApiTokenRoles") for error in refused.errors)
    assert nothing_yet is None
    assert not up.failed, up.text
    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ACCESSOR"


def test_the_commands_that_only_look_need_no_right_to_write(astro: Emulator, reader: str, tmp_path: Path) -> None:
    commands = (
        ("list", "--all-deployments"),
        ("find", "deployer"),
        ("adopt", "--all-deployments", "--out", str(tmp_path / "infra")),
        ("audit",),
    )

    endings = {command[0]: shell.run(astro, *command, ASTRO_API_TOKEN=reader) for command in commands}
    doctor = shell.run(astro, "doctor", ASTRO_API_TOKEN=reader)

    assert {name: ending.status for name, ending in endings.items()} == {"list": 0, "find": 0, "adopt": 0, "audit": 0}
    sample = re.search(r"^\? write tokens.*$", (DOCS / "credentials.md").read_text(), re.MULTILINE)
    assert sample is not None
    assert sample[0] in doctor.lines

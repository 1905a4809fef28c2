"""What the command says in the process of a test, where most tests call it, is what it says in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.cli.conftest import ORDERS
from tests.support.shell import run, run_process


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["list", "--all-deployments"],
        ["list", "--deployment-id", ORDERS, "--output", "json"],
        ["list", "--deployment-id", "nowhere"],
        ["find", "o"],
        ["audit", "--output", "json", "--fail-on", "unmanaged"],
        ["review", "no such file"],
        ["adopt", "--all-deployments", "--out", __file__],
        ["emulator", "--seed", "no such file"],
    ],
    ids=" ".join,
)
def test_both_end_with_the_same_status_and_the_same_words(organization: Emulator, arguments: list[str]) -> None:
    here = run(organization, *arguments)
    called = sorted(call["operation"] for call in organization.calls()["log"])
    organization.clear_calls()
    process = run_process(organization, *arguments)

    assert here == process
    assert called == sorted(call["operation"] for call in organization.calls()["log"])


def test_both_write_the_same_files(organization: Emulator, tmp_path: Path) -> None:
    here, there = (tmp_path / machine / "infra" for machine in ("here", "there"))

    run(organization, "adopt", "--all-deployments", "--out", str(here))
    run_process(organization, "adopt", "--all-deployments", "--out", str(there))

    written = {path.name: path.read_text() for path in here.iterdir()}
    assert len(written) > 1
    assert {path.name: path.read_text() for path in there.iterdir()} == written


def test_both_are_told_the_same_by_the_environment(organization: Emulator) -> None:
    organization.fault(status=503)
    changes = {"ASTRO_TIMEOUT_SECONDS": "soon", "ASTRO_ORGANIZATION_ID": "elsewhere"}

    assert run(organization, "list", "--all-deployments", **changes) == run_process(
        organization, "list", "--all-deployments", **changes
    )

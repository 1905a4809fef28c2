"""`astro-provider adopt` beside what a stack manages already, as rows of the kit, and of very many assignments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.programs import bindings
from tests.support.shell import Ending, run
from tests.support.stack import Stack, led_to

ADMIN = "DEPLOYMENT_ADMIN"


@pytest.fixture
def town(astro: Emulator) -> dict[str, str]:
    """Two deployments in which one token has a role, and nothing else."""
    store = astro.store
    for there in store.shown()["tokens"]:
        if there["name"] != "platform-owner":
            store.delete_token(there["id"])
    for place in store.shown()["deployments"]:
        store.delete_deployment(place["id"])
    ids: dict[str, str] = {
        "ci": store.add_token("ci"),
        "etl": store.add_deployment("etl"),
        "ml": store.add_deployment("ml"),
    }
    for deployment in ("etl", "ml"):
        store.bind(ids["ci"], ids[deployment], ADMIN)
    return ids


def adopt(astro: Emulator, out: Path, *arguments: str, **environment: str) -> Ending:
    return run(astro, "adopt", "--all-deployments", "--out", str(out), *arguments, **environment)


def export(directory: Path, astro: Emulator, town: dict[str, str]) -> str:
    """An export of a stack that manages the role in etl."""
    kind = "astro:index:DeploymentOrgTokenBinding"
    outputs = {
        "organizationId": astro.organization_id, "deploymentId": town["etl"], "orgTokenId": town["ci"], "role": ADMIN,
    }  # fmt: skip
    urn = f"urn:pulumi:prod::access::{kind}::etl"
    resource = {"urn": urn, "type": kind, "id": "-", "custom": True, "outputs": outputs}
    (directory / "state.json").write_text(json.dumps({"version": 3, "deployment": {"resources": [resource]}}))
    return str(directory / "state.json")


def test_what_a_given_state_manages_is_left_out(astro: Emulator, town: dict[str, str], tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--state", export(tmp_path, astro, town))

    program = (tmp_path / "infra" / "__main__.py").read_text()
    assert ended.status == 0
    assert "Wrote 1 binding: 1 organization token in 1 deployment." in ended.lines
    assert ("ml" in program, "etl" in program) == (True, False)
    assert ended.err.startswith("\nLeft out because a stack manages them, 1:\n  stack access/prod: 1\n")
    assert "Left out, " not in ended.err


def test_the_stack_of_a_project_is_found_by_itself(
    astro: Emulator, town: dict[str, str], engine: PulumiCommand, tmp_path: Path
) -> None:
    managed = {"deployment_id": town["etl"], "org_token_id": town["ci"], "role": ADMIN}
    stack = Stack(engine, tmp_path, led_to(astro), bindings(etl=managed))
    assert not stack.up().failed
    project = tmp_path / "work"
    environment = {name: value for name, value in stack.environment.items() if name.startswith(("PULUMI_", "PATH"))}
    environment["PATH"] = f"{Path(engine.command).parent}:/usr/bin:/bin"
    stack.stack.workspace.select_stack("test")

    ended = adopt(astro, project / "more", **environment)

    assert ended.status == 0, ended.err
    assert "\n  stack bindings/test: 1\n" in ended.err
    assert "etl" not in (project / "more" / "__main__.py").read_text()


def test_a_project_whose_stack_cannot_be_looked_at_is_told(
    astro: Emulator, town: dict[str, str], tmp_path: Path
) -> None:
    assert town
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")

    ended = adopt(astro, tmp_path / "out", PATH="/nowhere")

    assert ended.status == 0
    assert (
        "Roles that a stack manages already were not left out: there is no pulumi on PATH. Install it, or give the exports with "
        "--state. If one manages some of these, two stacks will manage them."
    ) in ended.err


def test_what_the_program_to_be_replaced_declares_stays(astro: Emulator, town: dict[str, str], tmp_path: Path) -> None:
    adopt(astro, tmp_path / "infra")

    again = adopt(astro, tmp_path / "infra", "--force", "--state", export(tmp_path, astro, town))

    assert "Wrote 2 bindings: 1 organization token in 2 deployments." in again.lines
    assert "Left out" not in again.err


def test_an_exclusive_table_beside_what_a_stack_manages_is_refused(
    astro: Emulator, town: dict[str, str], tmp_path: Path
) -> None:
    state = export(tmp_path, astro, town)

    ended = adopt(astro, tmp_path / "infra", "--as-table", "--exclusive", "--state", state)

    assert ended.status == 1
    assert "would revoke roles that stacks manage (1). Nothing was written: omit --exclusive" in ended.err
    assert not (tmp_path / "infra").exists()


def test_rows_for_the_kit_are_what_its_program_reads(astro: Emulator, town: dict[str, str], tmp_path: Path) -> None:
    astro.store.add_deployment("etl")

    ended = adopt(astro, tmp_path / "infra", "--as-config")

    content = yaml.safe_load((tmp_path / "infra" / "bindings.yaml").read_text())
    assert ended.status == 0
    assert content == {
        "config": {
            "access:bindings": [
                {"deployment_id": town["etl"], "org_token_name": "ci", "role": ADMIN},
                {"deployment_name": "ml", "org_token_name": "ci", "role": ADMIN},
            ]
        }
    }
    assert [path.name for path in (tmp_path / "infra").iterdir()] == ["bindings.yaml"]
    assert "rows of access:bindings" in ended.out


def test_rows_go_without_what_only_a_program_has(astro: Emulator, town: dict[str, str], tmp_path: Path) -> None:
    assert town

    ended = adopt(astro, tmp_path / "infra", "--as-config", "--as-table")

    assert ended.status == 1
    assert "rows are no program: omit --as-table, --native and --module. Nothing was written." in ended.err


def test_more_than_fifty_bindings_are_told_that_a_table_serves_better(
    astro: Emulator, town: dict[str, str], tmp_path: Path
) -> None:
    for number in range(50):
        astro.store.bind(astro.store.add_token(f"loader-{number:02}"), town["ml"], ADMIN)

    single, table = adopt(astro, tmp_path / "one"), adopt(astro, tmp_path / "two", "--as-table")

    assert "52 bindings are as many resources. Above 50 a table (--as-table) serves better: " in single.err
    assert "serves better" not in table.err

"""Assignments made by hand come under the native door: by `adopt --native`, or by the engine's own import of an id."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import yaml
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.cast import FINANCE, OBSERVABILITY, OF_WORKSPACE, ORGANIZATION_ID, PRODUCTION
from tests.support.importing import import_file, run_import
from tests.support.programs import natively
from tests.support.shell import run
from tests.support.stack import NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE, Stack, led_to
from tests.support.writes import writes

PLUGIN = {"providers": [{"name": "astro", "path": ".venv/bin"}]}


@pytest.mark.parametrize(
    ("options", "kind"),
    [((), NATIVE_BINDING_TYPE), (("--as-table", "--exclusive"), NATIVE_TABLE_TYPE)],
    ids=["bindings", "an exclusive table"],
)
def test_a_crowded_organization_becomes_a_stack_that_changes_nothing(
    engine: PulumiCommand, crowded: Emulator, tmp_path: Path, options: tuple[str, ...], kind: str
) -> None:
    program, to_import = tmp_path / "infra" / "__main__.py", tmp_path / "infra" / "import.json"
    stack = Stack(engine, tmp_path, led_to(crowded))

    def run_adopted() -> None:
        runpy.run_path(str(program), run_name="__main__")

    stack.program = run_adopted

    adopted = run(crowded, "adopt", "--all-deployments", "--out", str(program.parent), "--native", *options)
    imported = import_file(stack, to_import)
    in_state = stack.resources()
    preview, refresh = stack.preview(), stack.refresh()

    entries = json.loads(to_import.read_text())["resources"]
    assert adopted.status == 0, adopted.err
    assert imported.failed is False, imported.text
    assert {entry["type"] for entry in entries} == {kind}
    assert preview.changes == {"same": len(entries) + 1}, preview.text
    assert refresh.changes == {"same": len(entries) + 1}, refresh.text
    assert in_state == stack.resources()
    assert {one["inputs"].keys() & {"__provider"} == set() for one in in_state.values()} == {True}
    assert writes(crowded) == 0


def test_a_new_project_says_where_the_provider_is(crowded: Emulator, tmp_path: Path) -> None:
    run(crowded, "adopt", "--all-deployments", "--out", str(tmp_path / "infra"), "--native")

    project = yaml.safe_load((tmp_path / "infra" / "Pulumi.yaml").read_text())
    assert project["plugins"] == PLUGIN
    assert (
        "from astro_provider.native import DeploymentOrgTokenBinding\n"
        in (tmp_path / "infra" / "__main__.py").read_text()
    )


@pytest.mark.parametrize("says_where", [True, False])
def test_a_project_that_is_there_is_told_what_to_add(astro: Emulator, tmp_path: Path, says_where: bool) -> None:  # noqa: FBT001
    project = {"name": "infra", "runtime": "python", **({"plugins": PLUGIN} if says_where else {})}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))

    ended = run(astro, "adopt", "--all-deployments", "--out", str(tmp_path), "--native")

    told = f"{tmp_path}/Pulumi.yaml does not name the folder of pulumi-resource-astro. Unless it is on PATH, add:"
    assert (told in ended.lines) != says_where
    assert ("      path: .venv/bin" in ended.out) != says_where
    assert yaml.safe_load((tmp_path / "Pulumi.yaml").read_text()) == project


def test_the_engines_own_import_takes_an_id_and_the_next_preview_is_unchanged(stack: Stack, astro: Emulator) -> None:
    imported = run_import(stack, NATIVE_BINDING_TYPE, "b", f"{ORGANIZATION_ID}/{PRODUCTION}/{OBSERVABILITY}")
    written = {"deployment_name": "etl-production", "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
    inputs = stack.resources()["b"]["inputs"]
    stack.program = natively(b=written)
    preview = stack.preview()

    assert imported.failed is False, imported.text
    assert inputs == {
        "deploymentName": "etl-production",
        "orgTokenName": "observability",
        "role": "DEPLOYMENT_ACCESSOR",
    }
    assert preview.changes == {"same": 2}, preview.text
    assert writes(astro) == 0


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (f"{PRODUCTION}/{OBSERVABILITY}", "is no binding's id: write <organization id>/<deployment id>/<token id>."),
        (f"{ORGANIZATION_ID}/{FINANCE}/{OBSERVABILITY}", "has no role. Check the three ids."),
        (
            f"{ORGANIZATION_ID}/{FINANCE}/{OF_WORKSPACE}",
            "is of scope WORKSPACE: only ORGANIZATION tokens can be bound.",
        ),
    ],
    ids=["malformed", "not there", "of another scope"],
)
def test_an_import_of_what_is_no_binding_says_why(stack: Stack, identifier: str, text: str) -> None:
    imported = run_import(stack, NATIVE_BINDING_TYPE, "b", identifier)

    assert imported.failed
    assert text in imported.text
    assert "Traceback" not in imported.text
    assert stack.resources() == {}


def test_what_one_name_does_not_tell_stays_what_it_is_after_an_import(stack: Stack, astro: Emulator) -> None:
    deployment = astro.store.add_deployment("orders")
    token = astro.store.add_token("loader")
    astro.store.bind(token, deployment, "DEPLOYMENT_ADMIN")
    run_import(stack, NATIVE_BINDING_TYPE, "b", f"{ORGANIZATION_ID}/{deployment}/{token}")
    astro.store.add_token("loader")
    stack.program = natively(b={"deployment_name": "orders", "org_token_name": "loader", "role": "DEPLOYMENT_ADMIN"})

    preview = stack.preview()

    # The ids stand among the outputs, and the engine hands those to a check.
    assert preview.changes == {"same": 2}, preview.text
    assert f"This binding stays with {token}" in preview.text

"""Assignments made by hand become one table, and the next preview is unchanged."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.importing import import_file
from tests.support.shell import run
from tests.support.stack import Stack, led_to


def stack_for(engine: PulumiCommand, astro: Emulator, directory: Path) -> Stack:

    def program() -> None:
        runpy.run_path(str(directory / "infra" / "__main__.py"), run_name="__main__")

    return Stack(engine, directory, led_to(astro), program)


@pytest.mark.parametrize("options", [(), ("--exclusive",)], ids=["", "exclusive"])
def test_a_crowded_organization_becomes_a_table_that_changes_nothing_until_somebody_edits_it(
    engine: PulumiCommand, crowded: Emulator, tmp_path: Path, options: tuple[str, ...]
) -> None:
    program, to_import = tmp_path / "infra" / "__main__.py", tmp_path / "infra" / "import.json"
    stack = stack_for(engine, crowded, tmp_path)
    before = [token["roles"] for token in crowded.store.shown()["tokens"]]

    adopted = run(crowded, "adopt", "--all-deployments", "--out", str(program.parent), "--as-table", *options)
    imported = import_file(stack, to_import)
    preview = stack.preview()
    refresh = stack.refresh()
    crowded_calls = crowded.calls()["by_verb"]
    program.write_text(program.read_text().replace('": "DEPLOYMENT_ADMIN"', '": "DEPLOYMENT_ACCESSOR"', 1))
    edited = stack.preview()

    [entry] = json.loads(to_import.read_text())["resources"]
    assert adopted.status == 0, adopted.err
    assert imported.failed is False, imported.text
    assert entry["inputs"]["exclusive"] is bool(options)
    assert sum(len(row) for row in entry["inputs"]["roles"].values()) > 40
    assert preview.changes == {"same": 2}, preview.text
    assert refresh.changes == {"same": 2}, refresh.text
    assert set(stack.resources()) == {"access"}
    assert crowded_calls.keys() == {"GET"}
    assert [token["roles"] for token in crowded.store.shown()["tokens"]] == before
    assert edited.steps == ["update access"]
    assert '"DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"' in edited.text


def test_the_program_gives_names_and_ids_only_where_names_do_not_tell(astro: Emulator, tmp_path: Path) -> None:
    deployment = astro.store.add_deployment("orders")
    twins = [astro.store.add_token("twin", description=f"number {number}") for number in range(2)]
    lone = astro.store.add_token("lone")
    for token in (*twins, lone):
        astro.store.bind(token, deployment, "DEPLOYMENT_ADMIN")

    adopted = run(astro, "adopt", "--deployment-id", deployment, "--out", str(tmp_path), "--as-table")

    text = (tmp_path / "__main__.py").read_text()
    assert adopted.status == 0, adopted.err
    assert '    "orders": {\n' in text
    assert '        "lone": "DEPLOYMENT_ADMIN",\n' in text
    for number, token in enumerate(twins):
        assert f'        "{token}": "DEPLOYMENT_ADMIN",  # "twin", number {number}' in text
    assert text.endswith('DeploymentOrgTokenBindings(\n    "access",\n    roles=ROLES,\n)\n')


def test_an_exclusive_table_names_deployments_in_which_nobody_has_a_role(astro: Emulator, tmp_path: Path) -> None:
    astro.store.add_deployment("nobodys")

    run(astro, "adopt", "--all-deployments", "--out", str(tmp_path), "--as-table", "--exclusive")

    text = (tmp_path / "__main__.py").read_text()
    assert '    "nobodys": {},\n' in text
    assert "    exclusive=True,\n" in text


def test_only_a_table_can_be_exclusive(astro: Emulator, tmp_path: Path) -> None:
    ended = run(astro, "adopt", "--all-deployments", "--out", str(tmp_path), "--exclusive")

    assert ended.status != 0
    assert "only a table can be exclusive: add --as-table. Nothing was written." in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_replaced_is_to_be_compared_by_hand(astro: Emulator, tmp_path: Path) -> None:
    first = run(astro, "adopt", "--all-deployments", "--out", str(tmp_path), "--as-table")
    again = run(astro, "adopt", "--all-deployments", "--out", str(tmp_path), "--as-table", "--force")

    assert (first.status, again.status) == (0, 0)
    assert "cannot be read from it: compare the two before the next `pulumi up`." in again.err.replace("\n", " ")

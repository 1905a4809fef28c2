"""Assignments made by hand become a stack, and nothing is written until somebody changes the program."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.importing import import_file
from tests.support.shell import run
from tests.support.stack import Stack, led_to
from tests.support.writes import writes


def stack_for(engine: PulumiCommand, astro: Emulator, directory: Path, credential: str | None = None) -> Stack:
    environment = led_to(astro)
    return Stack(engine, directory, environment | {"ASTRO_API_TOKEN": credential or astro.credential})


def run_file(file: Path) -> None:
    runpy.run_path(str(file), run_name="__main__")


def changes(counted: dict[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counted.items() if count}


def roles(astro: Emulator) -> list[object]:
    return [token["roles"] for token in astro.store.shown()["tokens"]]


def stored(stack: Stack) -> dict[str, object]:
    return {name: (one["id"], one["inputs"], one["outputs"]) for name, one in stack.resources().items()}


def test_a_crowded_organization_becomes_a_stack_that_changes_nothing_until_somebody_edits_it(
    engine: PulumiCommand, crowded: Emulator, tmp_path: Path
) -> None:
    program, to_import = tmp_path / "infra" / "__main__.py", tmp_path / "infra" / "import.json"
    stack = stack_for(engine, crowded, tmp_path)
    stack.program = lambda: run_file(program)
    before = roles(crowded)

    adopted = run(crowded, "adopt", "--all-deployments", "--out", str(program.parent))
    imported = import_file(stack, to_import)
    in_state = stack.resources()
    preview = stack.preview()
    refresh = stack.refresh()

    entries = json.loads(to_import.read_text())["resources"]
    assert adopted.status == 0, adopted.err
    assert adopted.out.startswith(f"Wrote {len(entries)} bindings: 39 organization tokens in 30 deployments.\n")
    assert len(entries) > 40
    assert imported.failed is False, imported.text
    assert "warning" not in imported.text
    assert {entry["name"]: entry["inputs"] for entry in entries} == {n: one["inputs"] for n, one in in_state.items()}
    assert changes(preview.changes) == {"same": len(entries) + 1}, preview.text
    assert changes(refresh.changes) == {"same": len(entries) + 1}, refresh.text
    assert stack.resources() == in_state
    assert crowded.calls()["by_verb"].keys() == {"GET"}
    assert before == roles(crowded)

    text = program.read_text()
    program.write_text(
        re.sub(r'"loader-1": "Release Engineer"', '"loader-1": "DEPLOYMENT_ADMIN"', text, count=1, flags=re.IGNORECASE)
    )
    edited = stack.preview()
    up = stack.up()

    assert text != program.read_text()
    assert changes(edited.changes) == {"same": len(entries), "update": 1}, edited.text
    assert changes(up.changes) == {"same": len(entries), "update": 1}, up.text
    assert writes(crowded) == 1
    assert sum(one != other for one, other in zip(before, roles(crowded), strict=True)) == 1


def test_a_few_bindings_are_declared_one_by_one_and_change_nothing_either(
    engine: PulumiCommand, crowded: Emulator, tmp_path: Path
) -> None:
    # Neither the environment nor the credential tells the organization, so the program has to.
    credential = crowded.store.add_credential(claims=False)
    chosen = [d["id"] for d in crowded.store.shown()["deployments"] if d["name"] in ("same", "日本語のトークン")]
    program, to_import = tmp_path / "infra" / "__main__.py", tmp_path / "infra" / "import.json"
    stack = stack_for(engine, crowded, tmp_path, credential)
    stack.program = lambda: run_file(program)
    arguments = [part for deployment in chosen for part in ("--deployment-id", deployment)]
    arguments += ["--organization-id", crowded.organization_id]

    adopted = run(crowded, "adopt", *arguments, "--out", str(program.parent), ASTRO_API_TOKEN=credential)
    imported = import_file(stack, to_import)
    preview = stack.preview()
    refresh = stack.refresh()
    without_import = stack_for(engine, crowded, tmp_path / "other", credential)
    without_import.program = stack.program
    up = without_import.up()

    entries = json.loads(to_import.read_text())["resources"]
    text = program.read_text()
    assert adopted.status == 0, adopted.err
    assert imported.failed is False, imported.text
    assert "warning" not in imported.text
    assert len(chosen) == 3
    assert text.count("DeploymentOrgTokenBinding(\n") == len(entries)
    assert text.count("organization_id=ORGANIZATION_ID") == len(entries)
    assert changes(preview.changes) == {"same": len(entries) + 1}, preview.text
    assert changes(refresh.changes) == {"same": len(entries) + 1}, refresh.text
    assert up.failed is False, up.text
    assert stored(without_import) == stored(stack)
    assert crowded.calls()["by_verb"].keys() == {"GET"}


def test_a_rename_in_astro_is_one_value_of_the_adopted_program(
    engine: PulumiCommand, crowded: Emulator, tmp_path: Path
) -> None:
    program, to_import = tmp_path / "infra" / "__main__.py", tmp_path / "infra" / "import.json"
    stack = stack_for(engine, crowded, tmp_path)
    stack.program = lambda: run_file(program)
    run(crowded, "adopt", "--all-deployments", "--out", str(program.parent))
    import_file(stack, to_import)
    names, before = set(stack.resources()), roles(crowded)
    shown = crowded.store.shown()
    crowded.store.rename_token(next(one["id"] for one in shown["tokens"] if one["name"] == "loader-1"), "loader one")
    crowded.store.rename_deployment(
        next(one["id"] for one in shown["deployments"] if one["name"] == "etl-1"), "etl one"
    )

    unedited = stack.preview()
    program.write_text(
        program.read_text()
        .replace('"loader-1": "loader-1",', '"loader-1": "loader one",')
        .replace('"etl-1": "etl-1",', '"etl-1": "etl one",')
    )
    up = stack.up()
    afterwards = stack.preview()

    assert changes(unedited.changes) == {"same": len(names) + 1}, unedited.text
    assert "write 'loader one' as org_token_name" in unedited.text
    assert "write 'etl one' as deployment_name" in unedited.text
    assert up.failed is False, up.text
    assert up.changes.keys() <= {"same", "update"}, up.text
    assert changes(afterwards.changes) == {"same": len(names) + 1}, afterwards.text
    assert "is named" not in afterwards.text
    assert names == set(stack.resources())
    assert before == roles(crowded)

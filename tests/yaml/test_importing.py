"""`pulumi import` with an id, and the code that Pulumi writes for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from astro_emulator import Emulator
from tests.support.cast import DEPLOYERS, OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, TRAINER, TRAINING
from tests.support.stack import NATIVE_BINDING_TYPE
from tests.support.writes import writes
from tests.support.yaml_project import YamlProject

IDS = {
    "metrics": f"{ORGANIZATION_ID}/{PRODUCTION}/{OBSERVABILITY}",
    "trainer": f"{ORGANIZATION_ID}/{TRAINING}/{TRAINER}",
}


def _written(file: Path) -> dict[str, Any]:
    resources: dict[str, Any] = yaml.safe_load(file.read_text())["resources"]
    return resources


def test_the_code_that_an_import_writes_changes_nothing(project: YamlProject, astro: Emulator, tmp_path: Path) -> None:
    code = tmp_path / "code.yaml"
    bulk = tmp_path / "import.json"
    bulk.write_text(
        json.dumps({"resources": [{"type": NATIVE_BINDING_TYPE, "name": n, "id": id_} for n, id_ in IDS.items()]})
    )

    imported = project.import_(file=str(bulk), out=str(code))
    project.write(_written(code))
    preview = project.preview(expect_no_changes=True, refresh=True)
    destroyed = project.destroy()

    assert not imported.failed, imported.text
    assert imported.changes["import"] == 2
    assert _written(code)["metrics"]["properties"] == {
        "deploymentName": "etl-production",
        "orgTokenName": "observability",
        "role": "DEPLOYMENT_ACCESSOR",
    }
    assert not preview.failed, preview.text
    assert preview.notices == []
    assert not destroyed.failed, destroyed.text
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) is None


def test_a_name_that_two_tokens_have_is_written_as_an_id(project: YamlProject, astro: Emulator, tmp_path: Path) -> None:
    astro.store.bind(DEPLOYERS[1], PRODUCTION, "DEPLOYMENT_ADMIN")
    code = tmp_path / "code.yaml"

    imported = project.import_(
        NATIVE_BINDING_TYPE, "deployer", f"{ORGANIZATION_ID}/{PRODUCTION}/{DEPLOYERS[1]}", out=str(code)
    )
    project.write(_written(code))
    preview = project.preview(expect_no_changes=True)

    assert not imported.failed, imported.text
    assert _written(code)["deployer"]["properties"]["orgTokenId"] == DEPLOYERS[1]
    assert not preview.failed, preview.text
    assert writes(astro) == 0


def test_a_resource_with_an_import_option_is_taken_over_without_a_write(project: YamlProject, astro: Emulator) -> None:
    properties = {"orgTokenName": "observability", "deploymentName": "etl-production", "role": "DEPLOYMENT_ACCESSOR"}
    declared = {"type": NATIVE_BINDING_TYPE, "properties": properties}
    project.write({"metrics": {**declared, "options": {"import": IDS["metrics"]}}})

    up = project.up()
    project.write({"metrics": declared})
    again = project.preview(expect_no_changes=True)

    assert not up.failed, up.text
    assert up.steps == ["create default", "import metrics"]
    assert not again.failed, again.text
    assert writes(astro) == 0

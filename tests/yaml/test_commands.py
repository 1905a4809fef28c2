"""Each command of a binding's life, and of a table's, as a person types it."""

from __future__ import annotations

import json

from astro_emulator import Emulator
from tests.support.beginnings import begin_after
from tests.support.cast import OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING, TRAINER
from tests.support.stack import Outcome
from tests.support.writes import writes
from tests.support.yaml_project import YamlProject, binding, table

DEVELOPMENT = "cln3b8q1y000608l6a7m4s5kc"  # etl-development
ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"


def _succeeded(*outcomes: Outcome) -> bool:
    failed = [outcome.text for outcome in outcomes if outcome.failed]
    assert failed == []
    return True


def begin_with_metrics(project: YamlProject, astro: Emulator) -> None:
    """After an update that has made one binding, which is the program afterwards."""
    project.write({"metrics": binding("observability", "etl-staging")})
    begin_after(project, astro, "metrics in YAML", project.up)


def test_a_binding_is_made_changed_mended_and_taken_away(project: YamlProject, astro: Emulator) -> None:
    before = [token["roles"] for token in astro.store.shown()["tokens"]]
    project.write({"metrics": binding("observability", "etl-staging")})

    preview = project.preview()
    nothing_yet = writes(astro)
    made = project.up()
    unchanged = project.preview(expect_no_changes=True)
    project.write({"metrics": binding("observability", "etl-staging", ADMIN)})
    change = project.preview()
    changed = project.up()
    role_after_the_change = astro.store.deployment_role(OBSERVABILITY, STAGING)
    astro.store.bind(OBSERVABILITY, STAGING, ACCESSOR)  # by hand
    drift = project.refresh(preview_only=True)
    mended = project.up(refresh=True)
    role_after_the_mending = astro.store.deployment_role(OBSERVABILITY, STAGING)
    stored = project.resources()["metrics"]
    destroyed = project.destroy()

    assert _succeeded(preview, made, unchanged, change, changed, drift, mended, destroyed)
    assert nothing_yet == 0
    assert preview.steps == ["create default", "create metrics"]
    assert f'orgTokenId    : "{OBSERVABILITY}"' in preview.lines
    assert f'~ role: "{ACCESSOR}" => "{ADMIN}"' in change.lines
    assert [role_after_the_change, role_after_the_mending] == [ADMIN, ADMIN]
    assert drift.changes["update"] == 1
    assert mended.steps[-1] == "update metrics"
    assert stored["id"].endswith(f"/{STAGING}/{OBSERVABILITY}")
    assert stored["outputs"]["role"] == ADMIN
    assert writes(astro) == 4
    assert project.resources() == {}
    assert [token["roles"] for token in astro.store.shown()["tokens"]] == before


def test_another_deployment_is_another_binding_and_the_old_one_goes_first(
    project: YamlProject, astro: Emulator
) -> None:
    begin_with_metrics(project, astro)

    project.write({"metrics": binding("observability", "etl-development")})
    up = project.up()

    assert _succeeded(up)
    assert up.steps == ["delete-replaced metrics", "replace metrics", "create-replacement metrics"]
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None
    assert astro.store.deployment_role(OBSERVABILITY, DEVELOPMENT) == ACCESSOR


def test_a_forced_replacement_keeps_the_role(project: YamlProject, astro: Emulator) -> None:
    begin_with_metrics(project, astro)

    up = project.up(replace=project.urn("metrics"))
    role, state = astro.store.deployment_role(OBSERVABILITY, STAGING), project.exported()["resources"]
    again = project.preview(expect_no_changes=True, refresh=True)

    assert _succeeded(up, again)
    assert up.steps == ["create-replacement metrics", "replace metrics", "delete-replaced metrics"]
    assert role == ACCESSOR
    assert [one.get("delete") for one in state if one["urn"].endswith("::metrics")] == [None]
    assert writes(astro) == 0


def test_what_one_binding_tells_another_can_use_before_it_is_there(project: YamlProject, astro: Emulator) -> None:
    token_of_metrics = {"fn::select": [2, {"fn::split": ["/", "${metrics.id}"]}]}
    project.write(
        {
            "metrics": binding("observability", "etl-staging"),
            "also": binding(None, "etl-development", orgTokenId=token_of_metrics),
        },
        outputs={"since": "${also.createdAt}"},
    )

    preview = project.preview()
    up = project.up()
    again = project.preview(expect_no_changes=True)

    assert _succeeded(preview, up, again)
    assert "orgTokenId    : [unknown]" in preview.lines
    assert preview.notices == []
    assert project.resources()["also"]["outputs"]["orgTokenId"] == OBSERVABILITY
    assert project.output("since").startswith("20")
    assert astro.store.deployment_role(OBSERVABILITY, DEVELOPMENT) == ACCESSOR


def test_a_binding_that_is_read_is_not_managed(project: YamlProject, astro: Emulator) -> None:
    identifier = f"{ORGANIZATION_ID}/{PRODUCTION}/{OBSERVABILITY}"
    read = {"type": "astro:index:DeploymentOrgTokenBinding", "get": {"id": identifier}}
    project.write({"theirs": read}, outputs={"role": "${theirs.role}"})

    up = project.up()
    role = project.output("role")
    destroyed = project.destroy()

    assert _succeeded(up, destroyed)
    assert role == ACCESSOR
    assert writes(astro) == 0
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == ACCESSOR


def test_a_program_can_ask_who_has_a_role_in_a_deployment(project: YamlProject, astro: Emulator) -> None:
    ask = {"function": "astro:index:listDeploymentOrgTokens", "arguments": {"deploymentId": PRODUCTION}}
    project.write({}, variables={"asked": {"fn::invoke": ask}}, outputs={"names": "${asked.tokens}"})

    up = project.up()

    assert _succeeded(up)
    assert [one["name"] for one in json.loads(project.output("names"))] == ["observability"]
    assert writes(astro) == 0


def test_what_is_gone_leaves_the_state_with_a_note_and_comes_back_with_the_next_update(
    project: YamlProject, astro: Emulator
) -> None:
    begin_with_metrics(project, astro)
    astro.store.unbind(OBSERVABILITY, STAGING)

    refreshed = project.refresh()
    left = project.resources()
    up = project.up()

    assert _succeeded(refreshed, up)
    assert left == {}
    [note] = refreshed.notices
    assert note.startswith("astro: note: Token 'observability'")
    assert "has no role in deployment 'etl-staging'" in note
    assert up.steps == ["create metrics"]
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == ACCESSOR


def test_a_table_is_made_changed_and_taken_away(project: YamlProject, astro: Emulator) -> None:
    roles = {"etl-staging": {"observability": ADMIN, "model-trainer": ACCESSOR}}
    project.write({"access": table(roles)})

    made = project.up()
    roles_then = [astro.store.deployment_role(token, STAGING) for token in (OBSERVABILITY, TRAINER)]
    unchanged = project.preview(expect_no_changes=True)
    project.write({"access": table({"etl-staging": {"observability": ACCESSOR}})})
    change = project.preview()
    changed = project.up()
    roles_after = [astro.store.deployment_role(token, STAGING) for token in (OBSERVABILITY, TRAINER)]
    refreshed = project.refresh(expect_no_changes=True)
    destroyed = project.destroy()

    assert _succeeded(made, unchanged, change, changed, refreshed, destroyed)
    assert roles_then == [ADMIN, ACCESSOR]
    assert f'~ observability: "{ADMIN}" => "{ACCESSOR}"' in change.lines
    assert f'- model-trainer: "{ACCESSOR}"' in change.lines
    assert roles_after == [ACCESSOR, None]
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None
    assert project.resources() == {}


def test_an_exclusive_table_names_and_takes_what_a_stranger_has(project: YamlProject, astro: Emulator) -> None:
    astro.store.bind(TRAINER, STAGING, ADMIN)
    project.write({"access": table({"etl-staging": {"observability": ACCESSOR}}, exclusive=True)})

    preview = project.preview()
    kept_till_then = astro.store.deployment_role(TRAINER, STAGING)
    up = project.up()

    assert _succeeded(preview, up)
    assert kept_till_then == ADMIN
    assert any("model-trainer" in line or TRAINER in line for line in preview.lines)
    assert astro.store.deployment_role(TRAINER, STAGING) is None
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == ACCESSOR

from __future__ import annotations

from typing import Any

import pulumi

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindingArgs
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import Stack
from tests.support.writes import writes


def test_a_binding_is_previewed_made_left_alone_and_given_another_role(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    stack.program = bindings(orders=wanted)

    preview = stack.preview()

    assert preview.steps == ["create default", "create orders"]
    assert f'org_token_id   : "{token_id}"' in preview.lines
    assert f'organization_id: "{astro.organization_id}"' in preview.lines
    assert 'role           : "DEPLOYMENT_ADMIN"' in preview.lines
    assert preview.notices == []
    assert writes(astro) == 0

    up = stack.up()

    assert not up.failed
    assert writes(astro) == 1
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert stack.resources()["orders"]["id"] == f"{astro.organization_id}/{deployment_id}/{token_id}"

    again = stack.up()

    assert again.changes == {"same": 2}
    assert again.steps == again.notices == []
    assert writes(astro) == 1

    stack.program = bindings(orders={**wanted, "role": "DEPLOYMENT_ACCESSOR"})
    preview_of_change = stack.preview()
    change = stack.up()

    assert preview_of_change.steps == change.steps == ["update orders"]
    assert '~ role: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"' in preview_of_change.lines
    assert writes(astro) == 2
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"
    assert stack.resources()["orders"]["outputs"]["role"] == "DEPLOYMENT_ACCESSOR"


def test_an_up_of_forty_bindings_without_a_change_writes_nothing_and_reads_little(
    stack: Stack, astro: Emulator
) -> None:
    tokens = [astro.store.add_token(f"loader-{number}") for number in range(4)]
    deployments = [astro.store.add_deployment(f"orders-{number}") for number in range(10)]
    stack.program = bindings(
        **{
            f"{deployment}-{token}": {"deployment_id": deployment, "org_token_id": token, "role": "DEPLOYMENT_ADMIN"}
            for token in tokens
            for deployment in deployments
        }
    )
    first = stack.up()
    made = {(t, d): astro.store.deployment_role(t, d) for t in tokens for d in deployments}
    astro.clear_calls()

    second = stack.up()

    assert first.changes == {"create": 41}
    assert set(made.values()) == {"DEPLOYMENT_ADMIN"}
    assert second.changes == {"same": 41}
    assert set(astro.calls()["by_verb"]) == {"GET"}
    assert astro.calls()["total"] <= 6


def test_arguments_are_taken_as_keywords_or_as_one_object_and_outputs_are_usable_in_the_program(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    others = [astro.store.add_deployment(name) for name in ("billing", "returns")]

    def program() -> None:
        args = DeploymentOrgTokenBindingArgs(others[0], "DEPLOYMENT_ACCESSOR", org_token_name="nightly-loads")
        keywords = DeploymentOrgTokenBinding("orders", **wanted)
        DeploymentOrgTokenBinding("billing", args)
        DeploymentOrgTokenBinding("returns", args, deployment_id=others[1])
        pulumi.export("id", keywords.id)
        pulumi.export("sentence", pulumi.Output.format("{0} by {1}", keywords.role, keywords.created_by))
        pulumi.export("facts", [keywords.org_token_id, keywords.org_token_name, keywords.scope, keywords.description])
        pulumi.export("created_at", keywords.created_at)
        pulumi.export("asked", [keywords.workspace_id, keywords.overwrite, keywords.organization_id])

    stack.program = program
    stack.up()

    assert stack.outputs() == {
        "id": f"{astro.organization_id}/{deployment_id}/{token_id}",
        "sentence": "DEPLOYMENT_ADMIN by Ada Byron",
        "facts": [token_id, "nightly-loads", "ORGANIZATION", "Loads what came in over night"],
        "created_at": astro.store.token(token_id)["createdAt"],
        "asked": [None, False, astro.organization_id],
    }
    assert [astro.store.deployment_role(token_id, other) for other in others] == ["DEPLOYMENT_ACCESSOR"] * 2


def test_changes_of_the_guard_of_overwrite_and_of_the_tokens_spelling_write_nothing(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    by_id = {"deployment_id": wanted["deployment_id"], "org_token_id": token_id, "role": "DEPLOYMENT_ADMIN"}
    guarded = {**by_id, "workspace_id": "clk2v6a3e000208mkh9x5c2wd", "overwrite": True, "role": "deployment_admin"}

    stack.program = bindings(orders=by_id)
    spelled_by_id = stack.up()
    stack.program = bindings(orders=guarded)
    guard = stack.up()
    astro.store.rename_token(token_id, "hourly-loads")
    renamed = stack.preview()
    stack.program = bindings(orders={**wanted, "org_token_name": "hourly-loads"})
    spelled_by_name = stack.up()

    assert spelled_by_id.steps == []
    assert guard.steps == ["update orders"]
    assert renamed.steps == []
    assert spelled_by_name.steps == ["update orders"]
    assert writes(astro) == 0
    outputs = stack.resources()["orders"]["outputs"]
    assert outputs["org_token_name"] == "hourly-loads"
    assert outputs["overwrite"] is False
    assert "workspace_id" not in outputs
    assert outputs["created_by"] == "Ada Byron"

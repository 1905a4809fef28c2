from __future__ import annotations

from typing import Any

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.made import Made
from tests.support.stack import Stack
from tests.support.writes import writes


def test_bindings_of_a_token_that_the_same_program_makes_are_previewed_made_and_then_left_alone(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    other_id = astro.store.add_deployment("billing")
    version = 1

    def program() -> None:
        token = Made("token", token_id, version=version)
        deployment = Made("deployment", other_id)
        DeploymentOrgTokenBinding(
            "orders", deployment_id=wanted["deployment_id"], org_token_id=token.made_id, role="DEPLOYMENT_ADMIN"
        )
        DeploymentOrgTokenBinding(
            "billing", deployment_id=deployment.made_id, org_token_id=token.made_id, role="DEPLOYMENT_ACCESSOR"
        )

    stack.program = program
    preview = stack.preview()
    up = stack.up()
    again = stack.preview()

    assert not preview.failed, preview.text
    assert sorted(preview.steps) == [
        "create billing",
        "create default",
        "create deployment",
        "create orders",
        "create token",
    ]
    assert preview.notices == []
    assert not up.failed, up.text
    assert 1 <= writes(astro) <= 2  # one, where both came together
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(token_id, other_id) == "DEPLOYMENT_ACCESSOR"
    assert again.changes == {"same": 5}

    astro.clear_calls()
    version = 2
    unknown_again = stack.preview()
    same_token = stack.up()

    # The preview cannot know that the token stays the same one; the update sees it and leaves the grants alone.
    assert unknown_again.changes == {"replace": 2, "same": 2, "update": 1}
    assert same_token.steps == ["update token"]
    assert writes(astro) == 0

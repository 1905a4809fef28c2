"""A deployment that was deleted in Astro, whose entry stays on a token, through both doors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.stack import led_to
from tests.walk.doors import Door

ACCESSOR, ADMIN = "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"


@pytest.mark.parametrize("door", [Door.DYNAMIC, Door.NATIVE])
def test_another_binding_of_the_token_changes_in_one_up_and_a_refresh_takes_the_dead_one_out(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path, door: Door
) -> None:
    stack = door.stack(engine, tmp_path, led_to(astro))
    dead, alive, token = (
        astro.store.add_deployment("dead"),
        astro.store.add_deployment("alive"),
        astro.store.add_token("t"),
    )

    def row(deployment: str, role: str) -> dict[str, Any]:
        return {"deployment_id": deployment, "org_token_id": token, "role": role}

    stack.declare({"dead": row(dead, ACCESSOR), "alive": row(alive, ACCESSOR)})
    stack.up()
    astro.store.delete_deployment(dead)
    stack.declare({"dead": row(dead, ACCESSOR), "alive": row(alive, ADMIN)})

    up = stack.up()
    astro.store.set_roles(token, [*astro.store.token(token)["roles"], _entry(dead)])  # an entry that outlived it
    refresh = stack.refresh()

    assert not up.failed, up.text
    assert up.steps == ["update alive"]
    assert any(
        f"Deployment {dead} was deleted in Astro, and token {token} still had roles there" in n for n in up.notices
    )
    assert astro.store.deployment_role(token, alive) == ADMIN
    assert not refresh.failed, refresh.text
    assert stack.resources().keys() == {"alive"}
    assert any("was deleted, so a refresh takes the binding out of the state" in one for one in refresh.notices)


def _entry(deployment_id: str) -> dict[str, str]:
    return {"entityType": "DEPLOYMENT", "entityId": deployment_id, "role": ACCESSOR}

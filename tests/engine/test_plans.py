"""A saved plan holds what the program gave; `check` fills in more, and the update is held against the plan all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import Stack


@pytest.fixture
def plan(stack: Stack, tmp_path: Path) -> str:
    """Where a plan goes, for a stack whose engine may make one."""
    stack.set_environment(PULUMI_EXPERIMENTAL="true")
    return str(tmp_path / "plan.json")


def test_an_up_does_what_the_plan_of_its_preview_says(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, plan: str
) -> None:
    stack.program = bindings(orders=wanted)

    preview = stack.preview(plan=plan)
    up = stack.up(plan=plan)

    assert not preview.failed, preview.text
    assert not up.failed, up.text
    assert "create orders" in up.steps
    assert astro.store.deployment_role(token_id, wanted["deployment_id"]) == "DEPLOYMENT_ADMIN"


def test_a_plan_of_a_change_a_move_and_a_removal_is_carried_out(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, plan: str
) -> None:
    others = [astro.store.add_deployment(name) for name in ("billing", "sales", "stock")]
    by_id = {"deployment_id": others[0], "org_token_id": token_id, "role": "DEPLOYMENT_ADMIN"}
    moved, left = by_id, {**wanted, "deployment_id": others[1]}
    begin_with(stack, astro, bindings(orders=wanted, moved=moved, left=left))

    stack.program = bindings(
        orders={**wanted, "role": "DEPLOYMENT_ACCESSOR"}, moved={**moved, "deployment_id": others[2]}
    )
    preview = stack.preview(plan=plan)
    up = stack.up(plan=plan)

    assert not preview.failed, preview.text
    assert not up.failed, up.text
    roles = [astro.store.deployment_role(token_id, each) for each in (wanted["deployment_id"], *others)]
    assert roles == ["DEPLOYMENT_ACCESSOR", None, None, "DEPLOYMENT_ADMIN"]


def test_an_up_that_would_do_more_than_its_plan_is_refused_and_writes_nothing(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, plan: str
) -> None:
    stack.program = bindings(orders=wanted)
    stack.preview(plan=plan)

    stack.program = bindings(orders={**wanted, "role": "DEPLOYMENT_ACCESSOR"})
    up = stack.up(plan=plan)

    assert up.failed
    assert "properties changed: ++role[{DEPLOYMENT_ADMIN}!={DEPLOYMENT_ACCESSOR}]" in up.text
    assert None is astro.store.deployment_role(token_id, wanted["deployment_id"])

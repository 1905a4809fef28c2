"""Two resources of one binding are an error of the preview, however they are spelled, in both doors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from astro_emulator import Emulator
from tests.support.programs import bindings, natively
from tests.support.stack import Program, Stack
from tests.support.writes import writes

DOORS = pytest.mark.parametrize("declaring", [bindings, natively], ids=["dynamic", "native"])
BY_NAMES = {"deployment_name": "orders", "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}


@DOORS
def test_two_that_are_new_and_one_new_beside_one_stored_are_errors_that_name_both(
    stack: Stack, astro: Emulator, token_id: str, deployment_id: str, declaring: Callable[..., Program]
) -> None:
    by_ids = {
        "deployment_id": deployment_id,
        "org_token_id": token_id,
        "role": "DEPLOYMENT_ACCESSOR",
        "overwrite": True,
    }
    both = declaring(first=BY_NAMES, second=by_ids)

    stack.program = both
    new = stack.preview()
    written_for_two = writes(astro)
    stack.program = declaring(first=BY_NAMES)
    stack.up()
    stack.program = both
    stored = stack.preview()
    up = stack.up()

    for outcome in (new, stored, up):
        assert outcome.failed
        error = next(one for one in outcome.errors if "Two resources of this program bind" in one)
        assert f"token 'nightly-loads' ({token_id}) in deployment 'orders' ({deployment_id})" in error
        assert "DeploymentOrgTokenBinding 'first'" in error
        assert "DeploymentOrgTokenBinding 'second'" in error
    assert written_for_two == 0
    assert writes(astro) == 1
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


@DOORS
def test_without_checks_the_update_refuses_the_second_before_it_writes(
    stack: Stack, astro: Emulator, token_id: str, deployment_id: str, declaring: Callable[..., Program]
) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS="off")
    by_id = {"deployment_id": deployment_id, "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ACCESSOR"}
    stack.program = declaring(first=BY_NAMES, second=by_id)

    preview = stack.preview()
    up = stack.up(parallel=1)

    assert not preview.failed
    assert up.failed
    assert [one for one in up.errors if "Nothing was written. Two resources of this program bind" in one], up.text
    assert writes(astro) == 1
    [recorded] = stack.resources().values()  # whichever the engine created first
    assert recorded["outputs"]["role"] == astro.store.deployment_role(token_id, deployment_id)

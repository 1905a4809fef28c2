from __future__ import annotations

from typing import Any

from astro_emulator import Emulator
from astro_emulator.organization import ETL_PRODUCTION_ID, ML_TRAINING_ID, ORGANIZATION_ID
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import Stack
from tests.support.writes import writes

# Everything that a token may hold beside ours: known kinds with fields of tomorrow, and a kind of tomorrow.
FOREIGN: list[dict[str, Any]] = [
    {"entityType": "ORGANIZATION", "entityId": ORGANIZATION_ID, "role": "ORGANIZATION_MEMBER", "since": None},
    {"entityType": "DEPLOYMENT", "entityId": ETL_PRODUCTION_ID, "role": "DEPLOYMENT_ACCESSOR", "note": {"by": ["Ada"]}},
    {"entityType": "DAG", "entityId": "train", "role": "DAG_AUTHOR", "deploymentId": ML_TRAINING_ID},
    {"entityType": "GALAXY", "entityId": "milky-way", "role": "PILOT", "wormholes": [1, 2.5, None, True]},
]


def test_every_foreign_entry_of_a_token_comes_through_up_update_and_destroy_field_for_field(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    astro.store.set_roles(token_id, FOREIGN)
    begin_with(stack, astro, bindings(orders=wanted))
    after_up = astro.store.token(token_id)["roles"]
    stack.program = bindings(orders={**wanted, "role": "DEPLOYMENT_ACCESSOR"})
    stack.up()
    after_update = astro.store.token(token_id)["roles"]

    destroy = stack.destroy()

    ours = {"entityType": "DEPLOYMENT", "entityId": deployment_id}
    assert after_up == [*FOREIGN, {**ours, "role": "DEPLOYMENT_ADMIN"}]
    assert after_update == [*FOREIGN, {**ours, "role": "DEPLOYMENT_ACCESSOR"}]
    assert destroy.changes == {"delete": 2}
    assert destroy.notices == []
    assert astro.store.token(token_id)["roles"] == FOREIGN
    assert writes(astro) == 2


def test_what_leaves_the_program_is_removed_and_what_stays_is_not_touched(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    other_id = astro.store.add_deployment("billing")
    begin_with(stack, astro, bindings(orders=wanted, billing={**wanted, "deployment_id": other_id}))

    astro.clear_calls()
    stack.program = bindings(billing={**wanted, "deployment_id": other_id})
    preview = stack.preview()
    up = stack.up()

    assert preview.steps == up.steps == ["delete orders"]
    assert up.notices == []
    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert astro.store.deployment_role(token_id, other_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 1


def test_roles_in_dags_of_the_deployment_stay_and_are_named_in_a_warning(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    dag = {"entityType": "DAG", "entityId": "load", "role": "DAG_AUTHOR", "deploymentId": deployment_id}
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.set_roles(token_id, [*astro.store.token(token_id)["roles"], dag])

    destroy = stack.destroy()

    assert destroy.notices == [
        (
            f"astro: warning: Token 'nightly-loads' ({token_id}) in deployment 'orders' ({deployment_id}) lost its role, but "
            "roles in DAGs of that deployment remain: DAG load (DAG_AUTHOR)."
        )
    ]
    assert dag in astro.store.token(token_id)["roles"]
    assert astro.store.deployment_role(token_id, deployment_id) is None


def test_a_destroy_that_runs_the_program_removes_what_the_program_declares(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))

    destroy = stack.destroy(run_program=True)

    assert destroy.notices == []
    assert astro.store.deployment_role(token_id, deployment_id) is None

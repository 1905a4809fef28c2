from __future__ import annotations

from typing import Any

from astro_emulator import Emulator
from astro_emulator.organization import DATA_PLATFORM_ID, FINANCE_ID
from tests.support.programs import bindings
from tests.support.stack import Stack
from tests.support.writes import writes

PROBLEM = "error: pulumi-python:dynamic/astro:DeploymentOrgTokenBinding resource 'orders': property"


def test_a_binding_that_exists_with_the_same_role_is_adopted_without_a_write(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ADMIN")
    stack.program = bindings(orders=wanted)

    preview = stack.preview()
    up = stack.up()

    assert (
        preview.notices
        == up.notices
        == [
            (
                f"astro: note: Token 'nightly-loads' ({token_id}) already has the role DEPLOYMENT_ADMIN in deployment "
                f"'orders' ({deployment_id}). It will be adopted unchanged, and a later destroy will remove it. If this is a "
                "rename or a move within this stack, the role stays. Otherwise another stack may own it. If another resource "
                "(for example a Command) granted it and this run removes that resource, the role is removed too."
            )
        ]
    )
    assert up.steps == ["create default", "create orders"]
    assert writes(astro) == 0

    stack.destroy()

    assert astro.store.deployment_role(token_id, deployment_id) is None


def test_a_binding_that_exists_with_another_role_is_refused_until_it_may_be_overwritten(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")
    stack.program = bindings(orders=wanted)
    preview = stack.preview()
    refused = stack.up()
    writes_when_refused = writes(astro)

    stack.program = bindings(orders={**wanted, "overwrite": True})
    overwritten = stack.up()

    assert preview.failed
    assert refused.failed
    assert (
        preview.errors
        == refused.errors
        == [
            (
                f"{PROBLEM} role value {{DEPLOYMENT_ADMIN}} has a problem: Token 'nightly-loads' ({token_id}) in deployment "
                f"'orders' ({deployment_id}) already has the role DEPLOYMENT_ACCESSOR, and DEPLOYMENT_ADMIN is asked for. Set "
                "overwrite to true to change it. Another resource of this stack may have it (if resources are named by list "
                "index, removing the first entry renames all others; name them by deployment and token), another stack, or a "
                "person."
            )
        ]
    )
    assert writes_when_refused == 0
    assert overwritten.notices == [
        (
            f"astro: note: Token 'nightly-loads' ({token_id}) already has the role DEPLOYMENT_ACCESSOR in deployment "
            f"'orders' ({deployment_id}): overwrite will change DEPLOYMENT_ACCESSOR → DEPLOYMENT_ADMIN. Another stack may own "
            "it."
        )
    ]
    assert writes(astro) == 1
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_deployment_of_another_workspace_than_the_guard_says_is_refused_in_the_preview(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], deployment_id: str
) -> None:
    stack.program = bindings(orders={**wanted, "workspace_id": FINANCE_ID})

    preview = stack.preview()
    up = stack.up()

    assert preview.failed
    assert up.failed
    assert (
        preview.errors
        == up.errors
        == [
            (
                f"{PROBLEM} workspace_id value {{{FINANCE_ID}}} has a problem: Deployment 'orders' ({deployment_id}) belongs to "
                f"workspace {DATA_PLATFORM_ID}, not to {FINANCE_ID}."
            )
        ]
    )
    assert writes(astro) == 0

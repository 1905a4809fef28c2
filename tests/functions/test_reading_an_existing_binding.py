"""`DeploymentOrgTokenBinding.get` on the real engine: what somebody else made is read, and never managed."""

from __future__ import annotations

from typing import assert_type

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.beginnings import begin_after
from tests.support.stack import Program, Stack
from tests.support.writes import writes


@pytest.fixture
def binding_id(astro: Emulator, deployment_id: str, token_id: str) -> str:
    return f"{astro.organization_id}/{deployment_id}/{token_id}"


def reading(binding_id: str) -> Program:
    """The program that reads a binding and exports all that it shows."""

    def program() -> None:
        found = DeploymentOrgTokenBinding.get("orders", binding_id)
        assert_type(found, DeploymentOrgTokenBinding)
        assert_type(found.role, pulumi.Output[str])
        assert_type(found.created_by, pulumi.Output[str | None])
        for name in ("deployment_id", "org_token_id", "org_token_name", "role", "description", "created_by", "scope"):
            pulumi.export(name, getattr(found, name))

    return program


def begin_reading(stack: Stack, astro: Emulator, binding_id: str) -> None:
    """After an update of that program, which is the program afterwards."""
    stack.program = reading(binding_id)
    begin_after(stack, astro, f"reading {binding_id}", stack.up)


def test_an_existing_binding_shows_all_that_it_has(
    stack: Stack, astro: Emulator, binding_id: str, deployment_id: str, token_id: str
) -> None:
    stack.program = reading(binding_id)

    up = stack.up()

    assert not up.failed, up.text
    assert {
        "deployment_id": deployment_id,
        "org_token_id": token_id,
        "org_token_name": "nightly-loads",
        "role": "DEPLOYMENT_ADMIN",
        "description": "Loads what came in over night",
        "created_by": "Ada Byron",
        "scope": "ORGANIZATION",
    } == stack.outputs()
    assert writes(astro) == 0


def test_each_run_reads_it_anew(
    stack: Stack, astro: Emulator, binding_id: str, deployment_id: str, token_id: str
) -> None:
    begin_reading(stack, astro, binding_id)
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    stack.up()

    assert stack.outputs()["role"] == "DEPLOYMENT_ACCESSOR"
    assert writes(astro) == 0


@pytest.mark.parametrize("last", ["destroy", "removal from the program"])
def test_the_grant_stays_when_the_stack_lets_go_of_it(
    stack: Stack, astro: Emulator, binding_id: str, last: str
) -> None:
    _, deployment_id, token_id = binding_id.split("/")
    begin_reading(stack, astro, binding_id)

    stack.program = lambda: None
    ended = stack.destroy() if last == "destroy" else stack.up()

    assert not ended.failed, ended.text
    assert stack.resources() == {}
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 0


def test_a_binding_that_does_not_exist_fails_the_preview_and_the_update(
    stack: Stack, astro: Emulator, binding_id: str
) -> None:
    _, deployment_id, token_id = binding_id.split("/")
    astro.store.unbind(token_id, deployment_id)
    stack.program = reading(binding_id)

    for command in (stack.preview, stack.up):
        ended = command()

        assert ended.failed
        assert [error for error in ended.errors if "There is no binding" in error], ended.text
        assert stack.resources() == {}


def test_a_malformed_id_is_an_error_that_names_its_parts(stack: Stack) -> None:
    stack.program = reading("orders")

    preview = stack.preview()

    assert preview.failed
    assert "<organization id>/<deployment id>/<token id>" in preview.text

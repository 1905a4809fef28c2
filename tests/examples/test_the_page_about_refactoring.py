"""docs/refactoring.md on the real engine: what each change of a program shows in a preview, and does to the role."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.beginnings import begin_after
from tests.support.stack import Program, Stack, led_to
from tests.support.writes import writes

PAGE = (Path(__file__).parents[2] / "docs" / "refactoring.md").read_text()
RENAMED, COMPONENT = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TOKENS = {"observability": "clo8g1x4m000f08l6t9c3z6vl", "model-trainer": "clv9m2t3q000i08l6b8x5g4do"}
STAGING = "clm9x5p7w000508l6e1j9d2rb"


def _bind(token: str, **options: Any) -> None:
    opts = pulumi.ResourceOptions(**options)
    DeploymentOrgTokenBinding(
        token, deployment_name="etl-staging", org_token_name=token, role="DEPLOYMENT_ACCESSOR", opts=opts
    )


def _both(**options: Any) -> Program:
    """Both bindings; the options are those of the first one."""

    def program() -> None:
        _bind("observability", **options)
        _bind("model-trainer")

    return program


def _from_the_page(code: str, then: Program) -> Program:
    """Code of the page, then something of the same names."""

    def program() -> None:
        names: dict[str, Any] = {"pulumi": pulumi, "DeploymentOrgTokenBinding": DeploymentOrgTokenBinding}
        exec(code, names)
        if "Team" in names:
            names["Team"]("data")
        then()

    return program


def _roles(astro: Emulator) -> list[str | None]:
    return [astro.store.deployment_role(token, STAGING) for token in TOKENS.values()]


BOTH_ROLES = ["DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ACCESSOR"]


@pytest.fixture
def stack(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> Stack:
    """A stack that has made both bindings."""
    stack = Stack(engine, tmp_path / "first", led_to(astro), _both())
    begin_after(stack, astro, "both bindings", stack.up)
    return stack


def test_a_rename_with_the_alias_of_the_page_shows_nothing(stack: Stack, astro: Emulator) -> None:
    stack.program = _from_the_page(RENAMED, lambda: _bind("model-trainer"))
    up = stack.up()

    assert not up.failed, up.text
    assert up.steps == []
    assert {"metrics", "model-trainer"} == set(stack.resources())
    assert _roles(astro) == BOTH_ROLES


def test_the_component_of_the_page_takes_bindings_over_without_a_change(stack: Stack, astro: Emulator) -> None:
    stack.program = _from_the_page(COMPONENT, lambda: None)
    preview = stack.preview()
    up = stack.up()

    assert "    + 1 to create\n    3 unchanged" in preview.text
    assert up.steps == ["create data"]
    assert not up.failed, up.text
    assert _roles(astro) == BOTH_ROLES


def test_the_component_without_its_alias_shows_creates_and_deletes_and_the_roles_stay(
    stack: Stack, astro: Emulator
) -> None:
    stack.program = _from_the_page(COMPONENT.replace(", aliases=was_at_the_top", ""), lambda: None)
    preview = stack.preview()
    up = stack.up()

    assert "    + 3 to create\n    - 2 to delete" in preview.text
    assert (
        sum("If this is a rename or a move within this stack, the role stays." in notice for notice in preview.notices)
        == 2
    )
    assert not up.failed, up.text
    assert _roles(astro) == BOTH_ROLES


def test_a_protected_binding_that_leaves_the_program_fails_the_preview(stack: Stack, astro: Emulator) -> None:
    stack.program = _both(protect=True)
    stack.up()

    stack.program = lambda: _bind("model-trainer")
    preview = stack.preview()

    assert preview.failed
    sample = next(line for line in PAGE.splitlines() if line.startswith("error: Preview failed"))
    assert sample in preview.text
    assert _roles(astro) == BOTH_ROLES


def test_a_binding_moves_to_another_stack_by_the_steps_of_the_page(
    stack: Stack, astro: Emulator, engine: PulumiCommand, tmp_path: Path
) -> None:
    second = Stack(engine, tmp_path / "second", led_to(astro))
    before = writes(astro)

    stack.program = _both(retain_on_delete=True)
    stack.up()
    second.program = lambda: _bind("observability")
    second_preview, second_up = second.preview(), second.up()
    stack.program = lambda: _bind("model-trainer")
    preview, up = stack.preview(), stack.up()

    assert "It will be adopted unchanged" in " ".join(second_preview.notices)
    assert not second_up.failed, second_up.text
    assert "- pulumi-python:dynamic/astro:DeploymentOrgTokenBinding: (delete[retain])" in preview.text
    assert not up.failed, up.text
    assert {"observability"} == set(second.resources())
    assert {"model-trainer"} == set(stack.resources())
    assert _roles(astro) == BOTH_ROLES
    assert writes(astro) == before

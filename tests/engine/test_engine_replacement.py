from __future__ import annotations

from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import Outcome, Stack
from tests.support.writes import writes


def changed(preview: Outcome, name: str, old: str, new: str) -> bool:
    """Whether the preview shows that property with its old and its new value."""
    return any(line.lstrip("~+- ").startswith(name) and f'"{old}" => "{new}"' in line for line in preview.lines)


DELETED_FIRST = ["delete-replaced orders", "replace orders", "create-replacement orders"]


def test_another_deployment_is_a_replacement_that_deletes_first(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    other_id = astro.store.add_deployment("billing")
    begin_with(stack, astro, bindings(orders=wanted))

    stack.program = bindings(orders={**wanted, "deployment_id": other_id})
    preview = stack.preview()
    up = stack.up()

    assert preview.steps == up.steps == DELETED_FIRST
    assert changed(preview, "deployment_id", deployment_id, other_id), preview.text
    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert astro.store.deployment_role(token_id, other_id) == "DEPLOYMENT_ADMIN"
    assert stack.resources()["orders"]["id"] == f"{astro.organization_id}/{other_id}/{token_id}"
    assert writes(astro) == 2


def test_a_token_made_anew_under_the_same_name_shows_as_a_replacement(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.delete_token(token_id)
    anew_id = astro.store.add_token("nightly-loads")

    preview = stack.preview()
    up = stack.up()

    assert preview.steps == up.steps == DELETED_FIRST
    assert changed(preview, "org_token_id", token_id, anew_id), preview.text
    assert astro.store.deployment_role(anew_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_name_that_no_longer_resolves_because_of_a_rename_keeps_the_grant_with_a_warning(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.rename_token(token_id, "hourly-loads")

    preview = stack.preview()
    up = stack.up()
    after_a_refresh = stack.up(refresh=True)
    stack.set_environment(ASTRO_PREVIEW_CHECKS="strict")
    strict = stack.preview()

    warning = (
        f"Token 'nightly-loads' ({token_id}) is named 'hourly-loads' now. Its grant stays; write "
        "'hourly-loads' as org_token_name."
    )
    for outcome in (preview, up, after_a_refresh):
        assert outcome.changes == {"same": 2}
        assert f"astro: warning: {warning}" in outcome.notices
    assert strict.failed
    assert any(warning in error for error in strict.errors)
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_forced_replacement_deletes_the_binding_and_makes_it_again(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.clear_calls()

    up = stack.up(replace=["orders"])

    assert up.steps == DELETED_FIRST
    assert not [notice for notice in up.notices if "keeps its role" in notice]
    assert writes(astro) == 2
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_forced_replacement_with_another_role_is_refused_and_loses_nothing(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    # The engine checks a forced replacement without its old inputs, so it looks like a new binding that conflicts.
    begin_with(stack, astro, bindings(orders=wanted))

    stack.program = bindings(orders={**wanted, "role": "DEPLOYMENT_ACCESSOR"})
    up = stack.up(replace=["orders"])

    assert up.failed
    assert "already has the role DEPLOYMENT_ADMIN" in up.errors[0]
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert "orders" in stack.resources()


@pytest.mark.parametrize(("checks", "overwrite"), [("warn", True), ("off", False)])
def test_a_forced_replacement_that_changes_the_role_ends_with_the_new_role(  # noqa: PLR0913  fixtures
    stack: Stack,
    astro: Emulator,
    wanted: dict[str, Any],
    token_id: str,
    deployment_id: str,
    *,
    checks: str,
    overwrite: bool,
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)

    stack.program = bindings(orders={**wanted, "role": "DEPLOYMENT_ACCESSOR", "overwrite": overwrite})
    up = stack.up(replace=["orders"])

    assert not up.failed, up.text
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"
    assert stack.resources()["orders"]["outputs"]["role"] == "DEPLOYMENT_ACCESSOR"


def test_replace_on_changes_of_the_role_ends_with_the_new_role(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    options = {"opts": pulumi.ResourceOptions(replace_on_changes=["role"])}
    begin_with(stack, astro, bindings(orders={**wanted, **options}))

    stack.program = bindings(orders={**wanted, **options, "role": "DEPLOYMENT_ACCESSOR"})
    up = stack.up()

    assert not up.failed
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"
    assert stack.resources()["orders"]["outputs"]["role"] == "DEPLOYMENT_ACCESSOR"

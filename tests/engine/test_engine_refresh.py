from __future__ import annotations

import re
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.beginnings import begin_with
from tests.support.programs import bindings
from tests.support.stack import Stack
from tests.support.writes import writes


def _kept(stack: Stack) -> dict[str, Any]:
    resource = stack.resources()["orders"]
    return {name: resource[name] for name in ("id", "inputs", "outputs")}


def test_a_role_changed_behind_pulumis_back_is_found_shown_and_mended(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    refresh = stack.refresh()
    preview = stack.preview()
    up = stack.up()

    assert refresh.changes == {"same": 1, "update": 1}
    assert preview.steps == up.steps == ["update orders"]
    assert '~ role: "DEPLOYMENT_ACCESSOR" => "DEPLOYMENT_ADMIN"' in preview.lines
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 1


def test_a_refresh_without_drift_changes_nothing_even_where_case_and_names_differ(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str
) -> None:
    by_id = {"deployment_id": wanted["deployment_id"], "org_token_id": token_id, "role": "deployment_admin"}
    begin_with(stack, astro, bindings(orders=by_id))

    refresh = stack.refresh()
    preview = stack.preview()

    assert refresh.changes == {"same": 2}
    assert preview.changes == {"same": 2}
    assert writes(astro) == 0


def test_a_binding_that_vanished_leaves_the_state_and_is_made_again(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.unbind(token_id, deployment_id)

    refresh = stack.refresh()
    in_state = stack.resources()
    preview = stack.preview()
    stack.up()

    assert refresh.changes == {"delete": 1, "same": 1}
    assert refresh.notices == [
        (
            f"astro: note: Token 'nightly-loads' ({token_id}) has no role in deployment 'orders' ({deployment_id}) any more, "
            "so a refresh takes the binding out of the state."
        )
    ]
    assert in_state == {}
    assert preview.steps == ["create orders"]
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_vanished_binding_is_put_back_by_an_update_without_a_refresh(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.unbind(token_id, deployment_id)

    stack.program = bindings(orders={**wanted, "role": "DEPLOYMENT_ACCESSOR"})
    up = stack.up()

    assert up.steps == ["update orders"]
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"


def test_a_refresh_that_cannot_tell_fails_and_keeps_the_binding_in_the_state(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    before = _kept(stack)
    stack.set_environment(ASTRO_TIMEOUT_SECONDS="1")
    faults: list[tuple[dict[str, Any], str]] = [
        ({"kind": "drop_before"}, r"\w+ \(.*\): no answer from 127\.0\.0\.1 \(.*"),
        ({"status": 503}, r"\w+ \(.*\): HTTP 503 Service Unavailable: .*"),
        ({"status": 403}, r"\w+ \(.*\): HTTP 403 Forbidden: .* needs the permission .*"),
        ({"status": 401}, r"\w+ \(.*\): HTTP 401 Unauthorized: .* Check that ASTRO_API_TOKEN .*"),
        ({"kind": "no_roles"}, rf"The service left the roles out .* 'nightly-loads' \({token_id}\).*"),
    ]

    for fault, text in faults:
        astro.clear_faults()
        astro.fault(**fault)
        refresh = stack.refresh()

        assert refresh.failed
        assert [error for error in refresh.errors if re.fullmatch("error: " + text, error)]
        assert "Traceback" not in refresh.text
        assert _kept(stack) == before


def test_a_refresh_of_a_deployment_that_was_deleted_takes_its_binding_out_of_the_state(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], deployment_id: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    astro.store.delete_deployment(deployment_id, keep_roles=False)

    refresh = stack.refresh()

    assert refresh.changes == {"delete": 1, "same": 1}
    assert stack.resources() == {}


@pytest.mark.parametrize("gone", ["token", "deployment"])
def test_destroy_succeeds_where_the_token_or_the_deployment_is_gone(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, gone: str
) -> None:
    begin_with(stack, astro, bindings(orders=wanted))
    if gone == "token":
        astro.store.delete_token(token_id)
    else:
        astro.store.delete_deployment(wanted["deployment_id"])

    destroy = stack.destroy()

    assert destroy.changes == {"delete": 2}
    assert stack.resources() == {}

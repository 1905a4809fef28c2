"""A revocation, a grant or a "gone" is reported only if the service shows it."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.errors import AstroProviderError, UnexpectedAnswer, WriteNotConfirmed, WriteRefused
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.cast import OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING, TRAINER
from tests.support.processes import StartProcess, Stored, refreshed, up
from tests.support.writes import writes

ACCESSOR = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
SHOWN = f"But the list of the organization's tokens shows {OBSERVABILITY}, so it is not taken for gone."
SOON = {"timeout_seconds": 1.0}


@pytest.fixture
def stored(astro: Emulator, start: StartProcess) -> Stored:
    """A binding that stands, and of which the state knows."""
    found = up(start(), ACCESSOR)
    astro.clear_calls()
    return found


def still_there(astro: Emulator) -> bool:
    astro.clear_faults()
    return astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_a_token_that_answers_404_and_is_listed_does_not_leave_the_state(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(kind="not_found", operation="GetApiToken")
    astro.fault(status=400, path="/tokens$", operation="ListApiTokens", times=1)  # the deployment's list: each is asked

    with pytest.raises(UnexpectedAnswer) as raised:
        refreshed(start(**SOON), stored)

    assert SHOWN in str(raised.value)
    assert "Run again; if this goes on, tell Astronomer's support." in str(raised.value)


def test_a_token_that_answers_404_and_is_listed_is_not_taken_for_revoked(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(kind="not_found", operation="GetApiToken")

    with pytest.raises(UnexpectedAnswer) as raised:
        start(**SOON).delete(EngineCall(id=stored.id), stored.outputs)

    assert SHOWN in str(raised.value)
    assert writes(astro) == 0
    assert still_there(astro)


@pytest.mark.parametrize(
    "body",
    ["<html>404</html>", {"message": "no Route matched with those values"}, {"message": "gone", "requestId": "r"}],
)
def test_a_404_of_a_gateway_says_nothing_about_a_token(
    astro: Emulator, start: StartProcess, stored: Stored, body: Any
) -> None:
    process = start(**SOON)
    up(process, {**ACCESSOR, "deployment_id": STAGING, "role": "DEPLOYMENT_ADMIN"})  # the organization is known by now
    astro.clear_calls()
    astro.fault(status=404, body=body)

    with pytest.raises(AstroProviderError, match="HTTP 404"):
        process.delete(EngineCall(id=stored.id), stored.outputs)

    assert writes(astro) == 0
    assert still_there(astro)


def test_a_delete_that_is_refused_while_the_deployment_is_listed_is_an_error(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(status=400, operation="UpdateApiTokenRoles")
    astro.fault(kind="not_found", operation="GetDeployment")

    with pytest.raises(WriteRefused):
        start(**SOON).delete(EngineCall(id=stored.id), stored.outputs)

    assert still_there(astro)


def test_a_removal_that_is_answered_with_nothing_is_not_confirmed(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(status=200, body={}, operation="UpdateApiTokenRoles")

    with pytest.raises(
        WriteNotConfirmed, match="no role was written 5 times, and the service shows DEPLOYMENT_ACCESSOR"
    ):
        start(settle_seconds=0.0).delete(EngineCall(id=stored.id), stored.outputs)

    assert still_there(astro)


def test_an_answer_about_another_token_is_never_the_base_of_a_write(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    before = astro.store.token(OBSERVABILITY)["roles"]
    astro.fault(
        kind="changed", operation="GetApiToken", change={"id": TRAINER, "roles": astro.store.token(TRAINER)["roles"]}
    )

    with pytest.raises(UnexpectedAnswer):
        start(**SOON).update(EngineCall(id=stored.id), stored.outputs, {**stored.inputs, "role": "DEPLOYMENT_ADMIN"})

    astro.clear_faults()
    assert writes(astro) == 0
    assert astro.store.token(OBSERVABILITY)["roles"] == before


def test_a_list_that_holds_two_roles_of_a_deployment_is_written_as_one(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    entry = {"entityType": "DEPLOYMENT", "entityId": PRODUCTION}
    member = {"entityType": "ORGANIZATION", "entityId": ORGANIZATION_ID, "role": "ORGANIZATION_MEMBER"}
    twice = [member, {**entry, "role": "DEPLOYMENT_ACCESSOR"}, {**entry, "role": "DEPLOYMENT_ADMIN"}]
    astro.store.set_roles(OBSERVABILITY, twice)

    found = refreshed(start(), stored)
    assert found is not None
    start().update(EngineCall(id=stored.id), found.outputs, stored.inputs)

    assert found.outputs["role"] == "DEPLOYMENT_ACCESSOR and DEPLOYMENT_ADMIN"
    assert astro.store.token(OBSERVABILITY)["roles"] == [member, {**entry, "role": "DEPLOYMENT_ACCESSOR"}]


def test_a_token_without_its_organization_entry_is_not_written(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(kind="changed", operation="GetApiToken", change={"roles": []})

    with pytest.raises(AstroProviderError, match="its ORGANIZATION entry is missing, so the list is not whole"):
        start(**SOON).update(EngineCall(id=stored.id), stored.outputs, {**stored.inputs, "role": "DEPLOYMENT_ADMIN"})

    assert writes(astro) == 0
    assert still_there(astro)


def test_a_list_with_an_entry_that_cannot_be_read_does_not_show_that_a_token_is_gone(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(kind="not_found", operation="GetApiToken")
    astro.fault(kind="changed", operation="ListApiTokens", change={"id": None}, only=OBSERVABILITY)

    with pytest.raises(UnexpectedAnswer) as raised:
        start(**SOON).delete(EngineCall(id=stored.id), stored.outputs)

    assert "1 of its tokens cannot be read, so it is no evidence of what it does not show" in str(raised.value)
    assert writes(astro) == 0
    assert still_there(astro)


def test_a_list_with_an_entry_that_cannot_be_read_does_not_show_that_a_deployment_is_gone(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(status=400, operation="UpdateApiTokenRoles")
    astro.fault(kind="changed", operation="ListDeployments", change={"id": None}, only=PRODUCTION)

    with pytest.raises(WriteRefused, match="1 of its deployments cannot be read"):
        start(**SOON).delete(EngineCall(id=stored.id), stored.outputs)

    assert still_there(astro)


def test_an_entry_without_a_role_is_no_absence_and_a_delete_takes_it_away(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    member = {"entityType": "ORGANIZATION", "entityId": ORGANIZATION_ID, "role": "ORGANIZATION_MEMBER"}
    astro.store.set_roles(OBSERVABILITY, [member, {"entityType": "DEPLOYMENT", "entityId": PRODUCTION, "role": None}])

    found = refreshed(start(), stored)
    assert found is not None
    start().delete(EngineCall(id=found.id), found.outputs)

    assert found.outputs["role"] == "a role without a name"
    assert astro.store.token(OBSERVABILITY)["roles"] == [member]

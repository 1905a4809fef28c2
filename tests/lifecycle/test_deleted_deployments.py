"""A deployment that was deleted in Astro while its entry stays on a token, whose list the service then refuses."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.errors import AstroProviderError, WriteRefused
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.cast import OBSERVABILITY, PRODUCTION, STAGING, TRAINING
from tests.support.processes import StartProcess, calls_to, checked, refreshed, up

Err = pytest.CaptureFixture[str]
ROW = {"deployment_id": STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
DEAD = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
POST = "UpdateApiTokenRoles"


def deployment_roles(astro: Emulator) -> dict[str, str]:
    roles: list[dict[str, Any]] = astro.store.token(OBSERVABILITY)["roles"]
    return {entry["entityId"]: entry["role"] for entry in roles if entry["entityType"] == "DEPLOYMENT"}


def test_another_binding_of_the_token_is_written_without_the_dead_entry(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    stored = up(start(), ROW)
    foreign = [entry for entry in astro.store.token(OBSERVABILITY)["roles"] if entry["entityType"] == "ORGANIZATION"]
    astro.store.delete_deployment(PRODUCTION)
    process = start()
    astro.clear_calls()

    up(process, {**ROW, "role": "DEPLOYMENT_ADMIN"}, stored)

    printed = capsys.readouterr().err
    assert deployment_roles(astro) == {STAGING: "DEPLOYMENT_ADMIN"}
    assert foreign == [one for one in astro.store.token(OBSERVABILITY)["roles"] if one["entityType"] == "ORGANIZATION"]
    assert (
        f"astro: warning: Deployment {PRODUCTION} was deleted in Astro, and token {OBSERVABILITY} still had roles"
        in printed
    )
    assert f"DEPLOYMENT {PRODUCTION} (DEPLOYMENT_ACCESSOR)" in printed
    assert calls_to(astro)[POST] == 2


def test_a_removal_of_another_binding_goes_through_as_well(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), ROW)
    astro.store.delete_deployment(PRODUCTION)

    start().delete(EngineCall(id=stored.id), stored.outputs)

    assert deployment_roles(astro) == {}


def test_what_is_to_be_given_in_the_deleted_deployment_itself_is_refused(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), DEAD)
    process = start()
    inputs = checked(process, {**DEAD, "role": "DEPLOYMENT_ADMIN"}, stored)
    process._ready(EngineCall(), inputs, None)  # noqa: SLF001  all that it reads is remembered for a minute
    astro.store.delete_deployment(PRODUCTION)

    with pytest.raises(WriteRefused, match=f"deployment {PRODUCTION} does not exist"):
        process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert deployment_roles(astro) == {PRODUCTION: "DEPLOYMENT_ACCESSOR"}


@pytest.mark.parametrize(
    "blind",
    [
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 200, "body": {"deployments": [], "limit": 1000, "offset": 0, "totalCount": 0}},
        {"kind": "changed", "change": {"id": None}, "only": TRAINING},
    ],
    ids=["no list", "a list that shows nothing", "a list that cannot be read"],
)
def test_an_entry_is_left_out_only_by_evidence(astro: Emulator, start: StartProcess, blind: dict[str, Any]) -> None:
    stored = up(start(), ROW)
    process = start()
    inputs = checked(process, {**ROW, "role": "DEPLOYMENT_ADMIN"}, stored)
    process._ready(EngineCall(), inputs, None)  # noqa: SLF001  as above
    astro.store.delete_deployment(PRODUCTION)
    astro.fault(operation="ListDeployments", **blind)

    with pytest.raises(AstroProviderError):
        process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert deployment_roles(astro) == {PRODUCTION: "DEPLOYMENT_ACCESSOR", STAGING: "DEPLOYMENT_ACCESSOR"}


def test_a_refusal_for_another_reason_leaves_no_entry_out(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), ROW)
    process = start()
    inputs = checked(process, {**ROW, "role": "DEPLOYMENT_ADMIN"}, stored)
    astro.fault(operation=POST, status=400)

    with pytest.raises(WriteRefused):
        process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert deployment_roles(astro) == {PRODUCTION: "DEPLOYMENT_ACCESSOR", STAGING: "DEPLOYMENT_ACCESSOR"}


def test_a_refresh_takes_the_dead_binding_out_and_says_so(astro: Emulator, start: StartProcess, capsys: Err) -> None:
    stored = up(start(), DEAD)
    astro.store.delete_deployment(PRODUCTION)
    process = start()
    capsys.readouterr()

    assert refreshed(process, stored) is None
    assert capsys.readouterr().err.startswith(
        f"astro: note: Deployment 'etl-production' ({PRODUCTION}) was deleted, so a refresh takes the binding out of the state."
    )


@pytest.mark.parametrize("deployments", [[], [{"id": None, "name": "x"}, {"id": TRAINING, "name": "training"}]])
def test_a_refresh_that_cannot_tell_keeps_the_binding(
    astro: Emulator, start: StartProcess, capsys: Err, deployments: list[dict[str, Any]]
) -> None:
    stored = up(start(), DEAD)
    astro.store.delete_deployment(PRODUCTION)
    astro.fault(
        operation="ListDeployments",
        status=200,
        body={"deployments": deployments, "limit": 1000, "offset": 0, "totalCount": len(deployments)},
    )
    process = start()
    capsys.readouterr()

    found = refreshed(process, stored)

    assert found == stored
    assert "astro: warning: " in capsys.readouterr().err


def test_a_refresh_without_a_list_of_deployments_keeps_a_binding_and_warns_if_the_service_lists_no_tokens_there(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    dead, alive = up(start(), DEAD), up(start(), ROW)
    astro.store.delete_deployment(PRODUCTION)
    astro.fault(operation="ListDeployments", status=403)
    capsys.readouterr()

    assert refreshed(start(), alive) == alive
    said_of_alive = capsys.readouterr().err
    assert refreshed(start(), dead) == dead

    assert said_of_alive == ""
    assert (
        f"astro: warning: Astro does not list the tokens of deployment {PRODUCTION}, which may have been deleted."
        in capsys.readouterr().err
    )


def test_a_refresh_asks_for_no_list_of_deployments_while_the_service_lists_the_tokens_of_each(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), ROW)
    process = start()
    astro.clear_calls()

    assert refreshed(process, stored) == stored
    assert calls_to(astro) == {"ListApiTokens": 1}

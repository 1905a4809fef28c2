"""Delete: the role goes, what is gone already is no error, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.errors import CredentialRefused, Forbidden, InputError, RolesUnknown, ServiceError, WriteRefused
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.cast import (
    MEMBER,
    OBSERVABILITY,
    ORGANIZATION_ID,
    PRODUCTION,
    STAGING,
    TRAINER,
    TRAINING,
    entry,
)
from tests.support.processes import StartProcess, calls_to, checked, up
from tests.support.writes import writes

ACCESSOR = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
BINDING = f"{ORGANIZATION_ID}/{PRODUCTION}/{OBSERVABILITY}"


def test_the_role_is_taken_away_in_two_calls(astro: Emulator, start: StartProcess) -> None:
    start().delete(EngineCall(id=BINDING), {})

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) is None
    assert calls_to(astro) == {"GetApiToken": 1, "UpdateApiTokenRoles": 1}


def test_every_other_entry_stays_field_for_field(astro: Emulator, start: StartProcess) -> None:
    others = [
        {**MEMBER, "note": None},
        entry("DEPLOYMENT", STAGING, "DEPLOYMENT_ADMIN", until="2030-01-01"),
        {"entityType": "POOL", "entityId": PRODUCTION, "role": "POOL_USER", "slots": None},
    ]
    astro.store.set_roles(OBSERVABILITY, [others[0], entry("DEPLOYMENT", PRODUCTION, "DEPLOYMENT_ADMIN"), *others[1:]])

    start().delete(EngineCall(id=BINDING), {})

    assert others == astro.store.token(OBSERVABILITY)["roles"]


def test_a_role_that_drifted_is_taken_away_all_the_same(astro: Emulator, start: StartProcess) -> None:
    astro.store.bind(OBSERVABILITY, PRODUCTION, "Release Engineer")

    start().delete(EngineCall(id=BINDING), {})

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) is None


def test_a_token_that_is_gone_is_no_error(astro: Emulator, start: StartProcess) -> None:
    astro.store.delete_token(OBSERVABILITY)

    start().delete(EngineCall(id=BINDING), {})

    assert writes(astro) == 0


def test_an_entry_that_is_gone_is_no_error(astro: Emulator, start: StartProcess) -> None:
    astro.store.unbind(OBSERVABILITY, PRODUCTION)

    start().delete(EngineCall(id=BINDING), {})

    assert writes(astro) == 0


@pytest.mark.parametrize("keep_roles", [True, False])
def test_a_deployment_that_is_gone_is_no_error(astro: Emulator, start: StartProcess, keep_roles: bool) -> None:  # noqa: FBT001
    astro.store.delete_deployment(PRODUCTION, keep_roles=keep_roles)

    start().delete(EngineCall(id=BINDING), {})

    assert astro.store.token(OBSERVABILITY)["roles"] == [MEMBER]


def test_a_deployment_that_is_gone_is_no_error_also_where_roles_in_its_dags_remain(
    astro: Emulator, start: StartProcess
) -> None:
    astro.store.delete_deployment(TRAINING, keep_roles=True)

    start().delete(EngineCall(id=f"{ORGANIZATION_ID}/{TRAINING}/{TRAINER}"), {})

    assert (
        entry("DAG", "train_demand_model", "DAG_AUTHOR", deploymentId=TRAINING) in astro.store.token(TRAINER)["roles"]
    )


def test_deleting_twice_is_no_error(astro: Emulator, start: StartProcess) -> None:
    process = start()

    process.delete(EngineCall(id=BINDING), {})
    process.delete(EngineCall(id=BINDING), {})

    assert writes(astro) == 1


def test_roles_in_dags_of_the_deployment_stay_and_a_warning_names_them(
    astro: Emulator, start: StartProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    tag = entry("DAG_TAG", "nightly", "DAG_VIEWER", deploymentId=TRAINING)
    elsewhere = entry("DAG", "ingest", "DAG_VIEWER", deploymentId=PRODUCTION)
    held = astro.store.token(TRAINER)["roles"]
    astro.store.set_roles(TRAINER, [*held, tag, elsewhere])

    start().delete(EngineCall(id=f"{ORGANIZATION_ID}/{TRAINING}/{TRAINER}"), {})

    assert [MEMBER, held[2], tag, elsewhere] == astro.store.token(TRAINER)["roles"]
    assert capsys.readouterr().err == (
        f"astro: warning: Token {TRAINER} in deployment {TRAINING} lost its role, but roles in DAGs of that deployment "
        "remain: DAG train_demand_model (DAG_AUTHOR), DAG_TAG nightly (DAG_VIEWER).\n"
    )


def test_without_roles_in_dags_nothing_is_said(start: StartProcess, capsys: pytest.CaptureFixture[str]) -> None:
    start().delete(EngineCall(id=BINDING), {})

    assert capsys.readouterr().err == ""


def test_hidden_roles_are_an_error_and_nothing_is_written(astro: Emulator, start: StartProcess) -> None:
    astro.store.hide_roles(OBSERVABILITY)

    with pytest.raises(RolesUnknown):
        start().delete(EngineCall(id=BINDING), {})

    assert writes(astro) == 0


@pytest.mark.parametrize(("status", "kind"), [(401, CredentialRefused), (403, Forbidden), (503, ServiceError)])
def test_a_refused_or_failed_reading_never_means_gone(
    astro: Emulator, start: StartProcess, status: int, kind: type[ServiceError]
) -> None:
    astro.fault(operation="GetApiToken", status=status)

    with pytest.raises(kind, match=f"HTTP {status}"):
        start(timeout_seconds=0.2).delete(EngineCall(id=BINDING), {})

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_a_write_that_the_service_answers_with_404_is_not_taken_for_done(astro: Emulator, start: StartProcess) -> None:
    astro.fault(kind="not_found", operation="UpdateApiTokenRoles")

    with pytest.raises(WriteRefused, match="HTTP 404 Not Found"):
        start().delete(EngineCall(id=BINDING), {})

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


@pytest.mark.parametrize("identifier", ["", "o/d", "o/d/t/x", "o//t"])
def test_a_malformed_id_is_an_error_without_a_call(astro: Emulator, start: StartProcess, identifier: str) -> None:
    with pytest.raises(InputError, match=r"write <organization id>/<deployment id>/<token id>\."):
        start().delete(EngineCall(id=identifier), {})

    assert astro.calls()["total"] == 0


# What the program holds, no delete takes away: the steps in the order in which the engine takes them.


def test_a_rename_keeps_the_grant_and_says_so(
    astro: Emulator, start: StartProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    old = up(start(), ACCESSOR)
    process = start()
    capsys.readouterr()

    up(process, ACCESSOR)
    process.delete(EngineCall(id=old.id), old.outputs)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"
    assert (
        f"astro: note: Token 'observability' ({OBSERVABILITY}) in deployment 'etl-production' ({PRODUCTION}) keeps its role: "
        "another resource of this program binds the two (a move, or a rename?).\n"
    ) in capsys.readouterr().err


def test_a_delete_left_over_from_a_failed_run_keeps_the_grant(astro: Emulator, start: StartProcess) -> None:
    old = up(start(), ACCESSOR)
    renamed = up(start(), ACCESSOR)
    later = start()

    up(later, ACCESSOR, renamed)
    later.delete(EngineCall(id=old.id), old.outputs)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_a_forced_replacement_takes_the_grant_and_gives_it_again(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), ACCESSOR)
    process = start()
    checked(process, ACCESSOR, stored)
    inputs = checked(process, ACCESSOR)
    astro.clear_calls()

    process.delete(EngineCall(id=stored.id), stored.outputs)
    between = astro.store.deployment_role(OBSERVABILITY, PRODUCTION)
    process.create(EngineCall(), inputs)

    assert between is None
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"
    assert writes(astro) == 2


def test_the_head_of_a_list_that_goes_takes_only_its_own_grant(astro: Emulator, start: StartProcess) -> None:
    def binding(deployment_id: str) -> dict[str, str]:
        return {"deployment_id": deployment_id, "org_token_name": "model-trainer", "role": "DEPLOYMENT_ACCESSOR"}

    first = start()
    stored = [up(first, binding(deployment_id)) for deployment_id in (STAGING, PRODUCTION, TRAINING)]
    process = start()

    up(process, binding(PRODUCTION), stored[0])
    up(process, binding(TRAINING), stored[1])
    process.delete(EngineCall(id=stored[2].id), stored[2].outputs)

    roles = [astro.store.deployment_role(TRAINER, d) for d in (STAGING, PRODUCTION, TRAINING)]
    assert roles == [None, "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ACCESSOR"]


def test_destroy_and_removal_from_the_program_delete(astro: Emulator, start: StartProcess) -> None:
    kept = up(start(), {**ACCESSOR, "deployment_id": STAGING})
    removed = up(start(), ACCESSOR)

    process = start()
    up(process, {**ACCESSOR, "deployment_id": STAGING}, kept)
    process.delete(EngineCall(id=removed.id), removed.outputs)
    after_removal = astro.store.token(OBSERVABILITY)["roles"]
    start().delete(EngineCall(id=kept.id), kept.outputs)

    assert after_removal == [MEMBER, entry("DEPLOYMENT", STAGING, "DEPLOYMENT_ACCESSOR")]
    assert astro.store.token(OBSERVABILITY)["roles"] == [MEMBER]


@pytest.mark.parametrize("body", ["<html>404</html>", {"message": "Organization not found", "requestId": "r1"}])
def test_a_404_that_is_not_about_the_token_is_an_error(astro: Emulator, start: StartProcess, body: Any) -> None:
    stored = up(start(), ACCESSOR)
    astro.fault(status=404, body=body)

    with pytest.raises(ServiceError, match="HTTP 404"):
        start().delete(EngineCall(id=stored.id), stored.outputs)

    astro.clear_faults()
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"

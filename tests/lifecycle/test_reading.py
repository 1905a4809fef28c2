"""Read: by id; what is gone leaves the state, what drifted shows, what cannot be seen is an error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from astro_emulator import Emulator
from astro_provider.errors import (
    CallRefused,
    CredentialRefused,
    Forbidden,
    InputError,
    NotFound,
    RolesUnknown,
    ServiceError,
    Unavailable,
)
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.cast import (
    DATA_PLATFORM_ID,
    DEPLOYERS,
    EXPIRED,
    FINANCE,
    FINANCE_ID,
    OBSERVABILITY,
    OF_WORKSPACE,
    ORGANIZATION_ID,
    PRODUCTION,
    STAGING,
    time_of,
)
from tests.support.processes import StartProcess, Stored, calls_to, checked, refreshed, up
from tests.support.writes import writes

ACCESSOR = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
BINDING = f"{ORGANIZATION_ID}/{PRODUCTION}/{OBSERVABILITY}"
SHOWN_TOKEN = f"'observability' ({OBSERVABILITY})"
SHOWN_PRODUCTION = f"'etl-production' ({PRODUCTION})"


@pytest.fixture
def stored(astro: Emulator, start: StartProcess) -> Stored:
    """A binding in state, made by an earlier process."""
    found = up(start(), ACCESSOR)
    astro.clear_calls()
    return found


def test_what_did_not_change_reads_as_it_is_stored(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    assert stored == refreshed(start(), stored)
    assert sum(calls_to(astro).values()) == 1


def test_a_refresh_of_everything_that_can_be_given_shows_no_drift(start: StartProcess) -> None:
    everything = {
        **ACCESSOR,
        "organization_id": ORGANIZATION_ID,
        "workspace_id": DATA_PLATFORM_ID,
        "overwrite": True,
    }
    stored = up(start(), everything)

    after = refreshed(start(), stored)

    assert stored == after


def test_a_refresh_in_another_year_shows_no_drift(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3650)):
        after = refreshed(start(), stored)

    assert stored == after
    assert stored.outputs["created_at"] == time_of(astro, OBSERVABILITY, "createdAt")


def test_role_drift_shows_in_inputs_and_outputs(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    astro.store.bind(OBSERVABILITY, PRODUCTION, "Release Engineer")

    after = refreshed(start(), stored)

    assert after == Stored(
        stored.id,
        {**stored.inputs, "role": "Release Engineer"},
        {**stored.outputs, "role": "Release Engineer"},
    )


def test_drift_is_mended_by_the_next_update(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    astro.store.bind(OBSERVABILITY, PRODUCTION, "Release Engineer")
    drifted = refreshed(start(), stored)
    assert drifted is not None

    mended = up(start(), ACCESSOR, drifted)

    assert mended == stored
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_another_spelling_of_the_role_is_no_drift(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), {**ACCESSOR, "role": "deployment_accessor"})

    after = refreshed(start(), stored)

    assert stored == after
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_a_binding_that_is_gone_leaves_the_state_with_a_note(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    astro.store.unbind(OBSERVABILITY, PRODUCTION)
    process = start()
    capsys.readouterr()

    assert refreshed(process, stored) is None
    assert capsys.readouterr().err == (
        f"astro: note: Token {SHOWN_TOKEN} has no role in deployment {SHOWN_PRODUCTION} any more, so a refresh takes the "
        "binding out of the state.\n"
    )


def test_a_token_that_is_gone_leaves_the_state_with_a_note_that_says_it_was_deleted(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    astro.store.delete_token(OBSERVABILITY)

    assert refreshed(start(), stored) is None
    assert capsys.readouterr().err == (
        f"astro: note: Token {SHOWN_TOKEN} was deleted, so a refresh takes the binding out of the state.\n"
    )


def test_a_deployment_that_is_gone_with_its_roles_leaves_the_state_with_a_note_that_says_it_was_deleted(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    astro.store.delete_deployment(PRODUCTION, keep_roles=False)

    assert refreshed(start(), stored) is None
    assert capsys.readouterr().err == (
        f"astro: note: Deployment {SHOWN_PRODUCTION} was deleted, so a refresh takes the binding out of the state.\n"
    )


def test_an_entry_that_outlived_its_deployment_is_no_sign_that_the_deployment_exists(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.delete_deployment(PRODUCTION, keep_roles=True)

    assert refreshed(start(), stored) is None


def test_a_list_that_does_not_show_the_binding_is_no_proof_that_it_is_gone(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(operation="ListApiTokens", status=200, body={"tokens": [], "totalCount": 0, "limit": 1000, "offset": 0})

    assert refreshed(start(), stored) == stored


def test_a_binding_that_must_exist_and_does_not_is_an_error(astro: Emulator, start: StartProcess) -> None:
    astro.store.unbind(OBSERVABILITY, PRODUCTION)

    with pytest.raises(NotFound) as error:
        start().read(EngineCall(id=BINDING), {})

    assert str(error.value) == (
        f"There is no binding {BINDING}: token {OBSERVABILITY} in deployment {PRODUCTION} has no role. Check the three "
        "ids."
    )


@pytest.mark.parametrize("gone", ["token", "deployment"])
def test_a_binding_whose_token_or_deployment_does_not_exist_is_an_error(
    astro: Emulator, start: StartProcess, gone: str
) -> None:
    if gone == "token":
        astro.store.delete_token(OBSERVABILITY)
    else:
        astro.store.delete_deployment(PRODUCTION, keep_roles=False)

    with pytest.raises(NotFound, match=f"^There is no binding {BINDING}: "):
        start().read(EngineCall(id=BINDING), {})


def test_a_binding_is_found_by_its_id_alone(start: StartProcess) -> None:
    found = start().read(EngineCall(id=BINDING), {})

    assert found is not None
    _, outputs = found
    assert (
        outputs.items()
        >= {
            "organization_id": ORGANIZATION_ID,
            "deployment_id": PRODUCTION,
            "deployment_name": "etl-production",
            "org_token_id": OBSERVABILITY,
            "org_token_name": "observability",
            "role": "DEPLOYMENT_ACCESSOR",
            "overwrite": False,
        }.items()
    )


NAMES = {"deployment_name": "etl-production", "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}


def test_the_inputs_of_what_is_found_by_its_id_alone_are_what_a_person_would_write(start: StartProcess) -> None:
    process = start()

    found = process.read(EngineCall(id=BINDING), {})

    assert found is not None
    inputs, outputs = found
    assert inputs == NAMES
    assert process.diff(EngineCall(), outputs, checked(process, inputs)).changes is False


def test_a_name_that_means_several_things_is_given_by_its_id_instead(astro: Emulator, start: StartProcess) -> None:
    astro.store.add_deployment("etl-production", workspace_id=FINANCE_ID)
    astro.store.bind(DEPLOYERS[1], PRODUCTION, "DEPLOYMENT_ADMIN")

    found = start().read(EngineCall(id=f"{ORGANIZATION_ID}/{PRODUCTION}/{DEPLOYERS[1]}"), {})

    assert found is not None
    inputs, _ = found
    assert inputs == {"deployment_id": PRODUCTION, "org_token_id": DEPLOYERS[1], "role": "DEPLOYMENT_ADMIN"}


def test_the_organization_is_given_if_the_settings_tell_another_one(start: StartProcess) -> None:
    found = start(organization_id="another").read(EngineCall(id=BINDING), {})

    assert found is not None
    inputs, _ = found
    assert inputs == {**NAMES, "organization_id": ORGANIZATION_ID}


def test_a_token_of_another_scope_is_no_binding(astro: Emulator, start: StartProcess) -> None:
    astro.store.bind(OF_WORKSPACE, FINANCE, "DEPLOYMENT_ADMIN")

    with pytest.raises(InputError) as raised:
        start().read(EngineCall(id=f"{ORGANIZATION_ID}/{FINANCE}/{OF_WORKSPACE}"), {})

    assert str(raised.value) == (
        f"org_token_id: Token 'finance-workspace' ({OF_WORKSPACE}) is of scope WORKSPACE: only ORGANIZATION tokens can be bound."
    )


@pytest.mark.parametrize(
    ("status", "kind"), [(401, CredentialRefused), (403, Forbidden), (429, Unavailable), (500, Unavailable)]
)
def test_what_the_service_refuses_or_fails_to_tell_is_an_error_and_never_gone(
    astro: Emulator, start: StartProcess, stored: Stored, status: int, kind: type[ServiceError]
) -> None:
    astro.fault(status=status)

    with pytest.raises(kind, match=f"HTTP {status}"):
        refreshed(start(timeout_seconds=0.2), stored)


@pytest.mark.parametrize("kind", ["html", "truncated", "drop_before", "empty_ok"])
def test_what_cannot_be_read_is_an_error_and_never_gone(
    astro: Emulator, start: StartProcess, stored: Stored, kind: str
) -> None:
    astro.fault(kind=kind)

    with pytest.raises(ServiceError):
        refreshed(start(timeout_seconds=0.2), stored)


def test_roles_that_are_left_out_are_an_error_and_never_gone(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.hide_roles(OBSERVABILITY)

    with pytest.raises(RolesUnknown, match=rf"token 'observability' \({OBSERVABILITY}\), so they are unknown"):
        refreshed(start(), stored)


@pytest.mark.parametrize("identifier", ["", "deployment", f"{PRODUCTION}/{OBSERVABILITY}", "o/d/t/x", "o/ /t"])
def test_a_malformed_id_is_an_error_that_names_the_parts(astro: Emulator, start: StartProcess, identifier: str) -> None:
    with pytest.raises(InputError) as error:
        start().read(EngineCall(id=identifier), {})

    assert str(error.value) == (
        f"id: {identifier!r} is no binding's id: write <organization id>/<deployment id>/<token id>."
    )
    assert astro.calls()["total"] == 0


def test_a_rename_in_astro_is_no_drift_and_the_preview_says_what_to_write(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    astro.store.rename_token(OBSERVABILITY, "metrics")
    astro.store.rename_deployment(PRODUCTION, "etl-main")

    after = refreshed(start(), stored)
    refreshing = capsys.readouterr().err
    inputs = checked(start(), ACCESSOR, after)

    assert stored == after
    assert stored.inputs == inputs
    assert refreshing == ""
    assert capsys.readouterr().err == (
        f"astro: warning: Token {SHOWN_TOKEN} is named 'metrics' now. Its grant stays; write 'metrics' as org_token_name.\n"
    )


def test_many_bindings_of_one_token_are_refreshed_with_few_calls(astro: Emulator, start: StartProcess) -> None:
    deployments = [astro.store.add_deployment(f"deployment-{number}") for number in range(30)]
    for deployment_id in deployments:
        astro.store.bind(EXPIRED, deployment_id, "DEPLOYMENT_ACCESSOR")
    process = start()

    found = [
        process.read(EngineCall(id=f"{ORGANIZATION_ID}/{deployment_id}/{EXPIRED}"), {"role": "x"})
        for deployment_id in deployments
    ]

    assert all(found)
    assert astro.calls()["total"] <= 3


def test_many_bindings_of_one_deployment_are_refreshed_with_few_calls(astro: Emulator, start: StartProcess) -> None:
    tokens = [astro.store.add_token(f"token-{number}") for number in range(30)]
    for token_id in tokens:
        astro.store.bind(token_id, STAGING, "DEPLOYMENT_ACCESSOR")
    process = start()

    found = [
        process.read(EngineCall(id=f"{ORGANIZATION_ID}/{STAGING}/{token_id}"), {"role": "x"}) for token_id in tokens
    ]

    assert all(found)
    assert astro.calls()["total"] <= 3


def test_what_this_process_wrote_is_read_as_written(start: StartProcess) -> None:
    process = start()
    up(process, {**ACCESSOR, "deployment_id": STAGING})

    found = process.read(EngineCall(id=f"{ORGANIZATION_ID}/{STAGING}/{OBSERVABILITY}"), {"role": "DEPLOYMENT_ACCESSOR"})

    assert found is not None


def test_a_refresh_never_writes(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    process = start()

    refreshed(process, stored)
    checked(process, ACCESSOR, stored)

    assert writes(astro) == 0


@pytest.mark.parametrize("body", ["<html>404</html>", {"error": "no such route"}, []])
def test_a_404_that_is_not_the_services_is_an_error_and_never_gone(
    astro: Emulator, start: StartProcess, stored: Stored, body: Any
) -> None:
    astro.fault(status=404, body=body)

    with pytest.raises(CallRefused, match=r"HTTP 404, but not in the service's own words.*Check ASTRO_API_HOST"):
        refreshed(start(), stored)


def test_an_organization_that_is_not_found_is_an_error_and_never_gone(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(status=404, body={"message": "Organization not found", "requestId": "r1", "statusCode": 404})

    with pytest.raises(CallRefused) as error:
        refreshed(start(), stored)

    assert str(error.value) == (
        f"ListApiTokens (organization {ORGANIZATION_ID}): HTTP 404 Not Found: Organization not found (requestId r1). "
        "Check the organization's id (organization_id, or ASTRO_ORGANIZATION_ID), and whose credential it is."
    )


def test_the_bindings_of_a_deployment_that_is_gone_are_refreshed_with_few_calls(
    astro: Emulator, start: StartProcess
) -> None:
    gone = astro.store.add_deployment("gone")
    tokens = [astro.store.add_token(f"token-{number}") for number in range(30)]
    astro.store.delete_deployment(gone)
    process = start()
    astro.clear_calls()

    found = [
        process.read(EngineCall(id=f"{ORGANIZATION_ID}/{gone}/{token}"), {"role": "DEPLOYMENT_ADMIN"})
        for token in tokens
    ]

    assert found == [None] * 30
    # The second list of deployments is the evidence, and that of tokens shows that the credential has sight.
    assert calls_to(astro) == {"ListApiTokens": 2, "ListDeployments": 2, "GetApiToken": 30}

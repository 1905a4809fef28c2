"""A list is evidence of what it does not show only if the credential that reads it sees everything."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_emulator.organization import OWNER_TOKEN_ID
from astro_provider.errors import AbsenceNotProven, UnexpectedAnswer, WriteRefused
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.tables.lifecycle import TableLifecycle
from tests.support.cast import (
    MEMBER,
    OBSERVABILITY,
    OF_DEPLOYMENT,
    OF_WORKSPACE,
    ORGANIZATION_ID,
    PRODUCTION,
    TRAINER,
    TRAINING,
    entry,
)
from tests.support.processes import StartProcess, Stored, calls_to, checked, refreshed, up
from tests.support.writes import writes

ACCESSOR = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
WAY_OUT = (
    "Nothing was changed, and the state stays as it is. Run again with the credential of an Organization Owner; or, if you know "
    "that the token was deleted, take what is bound to it out of the state with `pulumi state delete <URN>`."
)
NO_ORGANIZATION_TOKEN = (
    "the list of tokens shows no token of the organization's scope, so the credential may not see them"
)


def named(token_id: str, *, within_permissions: bool = False) -> SecretStr:
    """A credential whose claims name its own token, in either form."""
    claims: dict[str, Any] = {"permissions": [f"organizationId:{ORGANIZATION_ID}"]}
    if within_permissions:
        claims["permissions"].append(f"apiTokenId:{token_id}")
    else:
        claims["apiTokenId"] = token_id
    return jwt(claims)


def jwt(claims: dict[str, Any]) -> SecretStr:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return SecretStr(f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmF0dXJl")


OPAQUE = SecretStr("opaque-credential")
OF_A_PERSON = jwt({"sub": "auth0|ada", "permissions": [f"organizationId:{ORGANIZATION_ID}"]})


@pytest.fixture
def stored(start: StartProcess) -> Stored:
    """A binding that stands, and of which the state knows."""
    return up(start(), ACCESSOR)


@pytest.fixture
def known_to_astro(astro: Emulator) -> None:
    """Let Astro take each of these credentials for one that may read and write."""
    for credential in (OPAQUE, OF_A_PERSON, *(named(one) for one in (OWNER_TOKEN_ID, OBSERVABILITY, "cl-not-listed"))):
        let_in(astro, credential)


def let_in(astro: Emulator, credential: SecretStr) -> None:
    bearer = credential.get_secret_value()
    shown = astro.store.shown()
    record = {"token": bearer, "organization_id": ORGANIZATION_ID, "api_token_id": "a-stranger", "expired": False}
    shown["credentials"].append({**record, "can_read": True, "can_write": True})
    astro.store.replace(shown)


def show_only(astro: Emulator, *token_ids: str) -> None:
    """Cut the lists of tokens, with status 200, and deny all other tokens."""
    shown = [{key: value for key, value in astro.store.token(one).items() if key != "roles"} for one in token_ids]
    body = {"tokens": shown, "limit": 1000, "offset": 0, "totalCount": len(shown)}
    astro.fault(status=200, body=body, operation="ListApiTokens")
    for one in {OBSERVABILITY, TRAINER, OWNER_TOKEN_ID} - set(token_ids):
        astro.fault(kind="not_found", operation="GetApiToken", path=one)


@pytest.mark.parametrize("whose", [OF_WORKSPACE, OF_DEPLOYMENT])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_refresh_with_a_lesser_tokens_credential_empties_no_state(
    astro: Emulator, start: StartProcess, stored: Stored, *, whose: str, is_named: bool
) -> None:
    credential = named(whose) if is_named else OPAQUE
    let_in(astro, credential)
    show_only(astro, whose)

    with pytest.raises(AbsenceNotProven) as raised:
        refreshed(start(credential=credential), stored)

    assert f"API token {OBSERVABILITY} not found" in str(raised.value)
    assert f"does not show {OBSERVABILITY} either, but it is not known whether the token was deleted" in str(
        raised.value
    )
    assert f"because {NO_ORGANIZATION_TOKEN}. {WAY_OUT}" in str(raised.value)


@pytest.mark.parametrize("credential", [OPAQUE, OF_A_PERSON, named(OWNER_TOKEN_ID)])
@pytest.mark.usefixtures("known_to_astro")
def test_an_empty_list_of_tokens_says_nothing(
    astro: Emulator, start: StartProcess, stored: Stored, credential: SecretStr
) -> None:
    show_only(astro)

    with pytest.raises(AbsenceNotProven, match=NO_ORGANIZATION_TOKEN):
        refreshed(start(credential=credential), stored)


@pytest.mark.parametrize("credential", [OPAQUE, OF_A_PERSON])
@pytest.mark.usefixtures("known_to_astro")
def test_a_token_of_the_organization_in_the_list_is_evidence_for_a_credential_without_a_name(
    astro: Emulator, start: StartProcess, stored: Stored, credential: SecretStr
) -> None:
    show_only(astro, TRAINER)

    assert refreshed(start(credential=credential), stored) is None


@pytest.mark.usefixtures("known_to_astro")
def test_the_list_must_show_the_credentials_own_token(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    show_only(astro, TRAINER)

    with pytest.raises(AbsenceNotProven, match="does not even show the credential's own token, cl-not-listed"):
        refreshed(start(credential=named("cl-not-listed")), stored)


@pytest.mark.parametrize("within_permissions", [True, False])
def test_the_credentials_own_token_must_be_an_owners(
    astro: Emulator, start: StartProcess, stored: Stored, *, within_permissions: bool
) -> None:
    credential = named(TRAINER, within_permissions=within_permissions)
    let_in(astro, credential)
    show_only(astro, TRAINER)

    with pytest.raises(AbsenceNotProven) as raised:
        refreshed(start(credential=credential), stored)

    assert (
        f"because the credential's own token 'model-trainer' ({TRAINER}) has the role ORGANIZATION_MEMBER, and only "
        "ORGANIZATION_OWNER is known to see everything."
    ) in str(raised.value)


@pytest.mark.usefixtures("known_to_astro")
def test_an_own_role_that_is_not_shown_is_no_sight(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    show_only(astro, OWNER_TOKEN_ID)
    astro.fault(kind="no_roles", operation="GetApiToken")

    with pytest.raises(AbsenceNotProven, match=r"the role of the credential's own token 'platform-owner' .* not shown"):
        refreshed(start(credential=named(OWNER_TOKEN_ID)), stored)


@pytest.mark.usefixtures("known_to_astro")
def test_an_owners_credential_shows_that_a_token_is_gone(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    astro.store.delete_token(OBSERVABILITY)
    astro.store.set_roles(OWNER_TOKEN_ID, [entry("ORGANIZATION", ORGANIZATION_ID, "organization_owner")])

    assert refreshed(start(credential=named(OWNER_TOKEN_ID)), stored) is None


def test_a_delete_without_sight_is_no_success(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    let_in(astro, OPAQUE)
    show_only(astro, OF_WORKSPACE)
    astro.clear_calls()

    with pytest.raises(AbsenceNotProven, match=r"it is not known whether the token was deleted"):
        start(credential=OPAQUE).delete(EngineCall(id=stored.id), stored.outputs)

    assert writes(astro) == 0
    astro.clear_faults()
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def show_only_deployments(astro: Emulator, *deployment_ids: str) -> None:
    every = {one["id"]: one for one in astro.store.shown()["deployments"]}
    shown = [every[one] for one in deployment_ids]
    body = {"deployments": shown, "limit": 1000, "offset": 0, "totalCount": len(shown)}
    astro.fault(status=200, body=body, operation="ListDeployments")


def test_an_empty_list_of_deployments_does_not_turn_a_refused_removal_into_a_success(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.fault(status=400, operation="UpdateApiTokenRoles")
    show_only_deployments(astro)

    with pytest.raises(WriteRefused) as raised:
        start().delete(EngineCall(id=stored.id), stored.outputs)

    assert (
        f"The list of the deployments of organization {ORGANIZATION_ID} does not show {PRODUCTION}, but it is not known "
        "whether that deployment was deleted, because it shows no deployment at all. Nothing was changed"
    ) in str(raised.value)
    astro.clear_faults()
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_a_list_of_deployments_without_sight_does_not_turn_a_refused_removal_into_a_success(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    credential = named(OBSERVABILITY)
    let_in(astro, credential)
    astro.fault(status=400, operation="UpdateApiTokenRoles")
    show_only_deployments(astro, "clm9x5p7w000508l6e1j9d2rb")

    with pytest.raises(WriteRefused, match="has the role ORGANIZATION_MEMBER, and only ORGANIZATION_OWNER is known"):
        start(credential=credential).delete(EngineCall(id=stored.id), stored.outputs)


def test_a_row_of_a_table_does_not_leave_the_state_without_sight(astro: Emulator, start: StartProcess) -> None:
    tables = TableLifecycle(start().shared)
    identifier, outputs = tables.create(
        EngineCall(),
        tables.check(EngineCall(), {}, {"roles": {PRODUCTION: {"observability": "DEPLOYMENT_ACCESSOR"}}}).inputs,
    )
    astro.store.set_roles(OBSERVABILITY, [MEMBER])
    show_only_deployments(astro)

    with pytest.raises(AbsenceNotProven, match="it shows no deployment at all"):
        TableLifecycle(start().shared).read(EngineCall(id=identifier), outputs)


def test_an_entry_that_cannot_be_read_in_a_list_takes_no_row_out_of_the_state(
    astro: Emulator, start: StartProcess
) -> None:
    tables = TableLifecycle(start().shared)
    identifier, outputs = tables.create(
        EngineCall(),
        tables.check(EngineCall(), {}, {"roles": {PRODUCTION: {"observability": "DEPLOYMENT_ACCESSOR"}}}).inputs,
    )
    astro.store.set_roles(OBSERVABILITY, [MEMBER])
    astro.fault(kind="changed", operation="ListDeployments", change={"id": 17}, only=PRODUCTION)

    with pytest.raises(UnexpectedAnswer, match="1 of its deployments cannot be read"):
        TableLifecycle(start().shared).read(EngineCall(id=identifier), outputs)


def test_a_role_that_is_gone_is_not_blamed_on_a_deployment_that_a_lesser_credential_does_not_see(
    astro: Emulator, start: StartProcess, stored: Stored, capfd: pytest.CaptureFixture[str]
) -> None:
    astro.store.set_roles(OBSERVABILITY, [MEMBER])
    show_only_deployments(astro)

    assert refreshed(start(), stored) is None
    assert "Token 'observability'" in (err := capfd.readouterr().err)
    assert "has no role in deployment 'etl-production'" in err
    assert "was deleted" not in err


def test_sight_is_looked_at_once_in_a_process(astro: Emulator, start: StartProcess) -> None:
    tokens = [astro.store.add_token(f"token-{number}") for number in range(12)]
    deployments = [astro.store.add_deployment(f"deployment-{number}") for number in range(3)]
    bindings = [f"{ORGANIZATION_ID}/{one}/{token}" for token in tokens for one in deployments]
    for token in tokens:
        astro.store.delete_token(token)
    process = start()
    astro.clear_calls()

    found = [process.read(EngineCall(id=one), {"role": "DEPLOYMENT_ADMIN"}) for one in bindings]

    assert found == [None] * 36
    own = [call for call in astro.calls()["log"] if call["path"].endswith(OWNER_TOKEN_ID)]
    assert len(own) == 1


def test_a_refresh_with_nothing_missing_does_not_look_for_sight(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    process = start()
    astro.clear_calls()

    assert refreshed(process, stored) is not None
    assert calls_to(astro) == {"ListApiTokens": 1}


def test_the_bindings_of_a_token_that_is_gone_share_one_new_list(astro: Emulator, start: StartProcess) -> None:
    token = astro.store.add_token("gone")
    deployments = [astro.store.add_deployment(f"deployment-{number}") for number in range(20)]
    astro.store.delete_token(token)
    process = start()
    astro.clear_calls()

    found = [
        process.read(EngineCall(id=f"{ORGANIZATION_ID}/{one}/{token}"), {"role": "DEPLOYMENT_ADMIN"})
        for one in deployments
    ]

    assert found == [None] * 20
    lists = [call for call in astro.calls()["log"] if call["operation"] == "ListApiTokens"]
    assert len([call for call in lists if "deploymentId" not in call["query"]]) <= 2  # the evidence, and for the notes


@pytest.mark.usefixtures("known_to_astro")
def test_a_refusal_calls_nothing_missing_that_the_credential_may_not_see(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    process = start(credential=OPAQUE)
    inputs = checked(process, {**ACCESSOR, "role": "DEPLOYMENT_ADMIN"}, stored)
    for operation, listed in (("ListDeployments", "deployments"), ("ListApiTokens", "tokens")):
        one = {"deployments": {"id": TRAINING, "name": "t"}, "tokens": {"id": OF_WORKSPACE, "name": "w"}}[listed]
        body = {listed: [one], "limit": 1000, "offset": 0, "totalCount": 1}
        astro.fault(status=200, body=body, operation=operation)
    astro.fault(operation="UpdateApiTokenRoles", status=400)

    with pytest.raises(WriteRefused) as raised:
        process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert f"deployment {PRODUCTION} is in no list that the credential sees" in str(raised.value)
    assert "does not exist" not in str(raised.value)

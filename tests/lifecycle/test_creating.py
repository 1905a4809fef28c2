"""Create: a token gets its role in a deployment, or keeps the same role that is there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.astro.identity import BindingId
from astro_provider.errors import (
    BindingConflict,
    InputError,
    NotFound,
    RolesUnknown,
    Unavailable,
    WriteRefused,
)
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.cast import (
    FINANCE,
    MEMBER,
    OBSERVABILITY,
    OF_DEPLOYMENT,
    OF_WORKSPACE,
    ORGANIZATION_ID,
    PRODUCTION,
    STAGING,
    TRAINER,
    TRAINING,
    entry,
    time_of,
)
from tests.support.processes import StartProcess, calls_to, checked, up
from tests.support.writes import writes

ADMIN = {"deployment_id": STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
SHOWN_TOKEN = f"'observability' ({OBSERVABILITY})"
SHOWN_STAGING = f"'etl-staging' ({STAGING})"


def resolved(**changes: Any) -> dict[str, Any]:
    """Inputs as `check` hands them on."""
    inputs = {
        "organization_id": ORGANIZATION_ID,
        "deployment_id": STAGING,
        "org_token_id": OBSERVABILITY,
        "org_token_name": "observability",
        "role": "DEPLOYMENT_ADMIN",
        "overwrite": False,
    }
    return {name: value for name, value in {**inputs, **changes}.items() if value is not None}


def test_a_token_gets_its_role(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), ADMIN)

    assert stored.id == f"{ORGANIZATION_ID}/{STAGING}/{OBSERVABILITY}"
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


def test_outputs_are_what_the_list_shows(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), ADMIN)

    assert stored.outputs == {
        "organization_id": ORGANIZATION_ID,
        "deployment_id": STAGING,
        "deployment_name": "etl-staging",
        "org_token_id": OBSERVABILITY,
        "org_token_name": "observability",
        "role": "DEPLOYMENT_ADMIN",
        "overwrite": False,
        "description": "Reads metrics of production",
        "scope": "ORGANIZATION",
        "created_at": time_of(astro, OBSERVABILITY, "createdAt"),
        "created_by": "Grace Murray",
    }


def test_every_other_entry_stays_field_for_field(astro: Emulator, start: StartProcess) -> None:
    others = [
        {**MEMBER, "note": None},
        entry("DEPLOYMENT", PRODUCTION, "DEPLOYMENT_ACCESSOR", until="2030-01-01"),
        entry("DAG", "train", "DAG_VIEWER", deploymentId=TRAINING),
        {"entityType": "POOL", "entityId": "p", "role": "POOL_USER", "slots": {"most": 7, "least": None}},
    ]
    astro.store.set_roles(OBSERVABILITY, others)

    up(start(), ADMIN)

    expected = [*others, entry("DEPLOYMENT", STAGING, "DEPLOYMENT_ADMIN")]
    assert expected == astro.store.token(OBSERVABILITY)["roles"]


def test_one_add_costs_two_calls_beside_those_of_check(astro: Emulator, start: StartProcess) -> None:
    process = start()
    inputs = checked(process, ADMIN)
    astro.clear_calls()

    process.create(EngineCall(), inputs)

    assert calls_to(astro) == {"GetApiToken": 1, "UpdateApiTokenRoles": 1}


def test_the_same_role_is_adopted_without_a_write(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), {**ADMIN, "deployment_id": PRODUCTION, "role": "DEPLOYMENT_ACCESSOR"})

    assert stored.outputs["role"] == "DEPLOYMENT_ACCESSOR"
    assert writes(astro) == 0


def test_the_same_role_in_other_letters_is_adopted_and_stored_in_astro_s_spelling(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), {**ADMIN, "deployment_id": PRODUCTION, "role": "deployment_accessor"})

    assert stored.inputs["role"] == stored.outputs["role"] == "DEPLOYMENT_ACCESSOR"
    assert writes(astro) == 0


def test_another_role_is_an_error_that_names_both_and_nothing_is_written(astro: Emulator, start: StartProcess) -> None:
    with pytest.raises(BindingConflict) as conflict:
        start().create(EngineCall(), resolved(deployment_id=PRODUCTION))

    assert str(conflict.value) == (
        f"Token {SHOWN_TOKEN} in deployment 'etl-production' ({PRODUCTION}) already has the role DEPLOYMENT_ACCESSOR, and "
        "DEPLOYMENT_ADMIN is asked for. Set overwrite to true to change it. Another resource of this stack may have it (if "
        "resources are named by list index, removing the first entry renames all others; name them by deployment and "
        "token), another stack, or a person."
    )
    assert writes(astro) == 0
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_another_role_is_taken_over_with_overwrite(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), {**ADMIN, "deployment_id": PRODUCTION, "overwrite": True})

    assert stored.outputs["overwrite"] is True
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ADMIN"


@pytest.mark.parametrize(
    ("token_id", "name", "scope"),
    [(OF_WORKSPACE, "finance-workspace", "WORKSPACE"), (OF_DEPLOYMENT, "staging-deploys", "DEPLOYMENT")],
)
def test_a_token_of_another_scope_is_an_error_and_nothing_is_written(
    astro: Emulator, start: StartProcess, token_id: str, name: str, scope: str
) -> None:
    with pytest.raises(InputError) as error:
        start().create(EngineCall(), resolved(deployment_id=FINANCE, org_token_id=token_id, org_token_name=None))

    assert str(error.value) == (
        f"org_token_id: Token '{name}' ({token_id}) is of scope {scope}: only ORGANIZATION tokens can be bound."
    )
    assert writes(astro) == 0


def test_hidden_roles_are_an_error_and_nothing_is_written(astro: Emulator, start: StartProcess) -> None:
    astro.store.hide_roles(OBSERVABILITY)
    before = astro.store.token(OBSERVABILITY)

    with pytest.raises(RolesUnknown) as error:
        start().create(EngineCall(), resolved())

    assert str(error.value) == (
        f"The service left the roles out of its answer about token 'observability' ({OBSERVABILITY}), so they are "
        "unknown and nothing was written. The credential may not see them: it needs the permission "
        "organization.apiTokens.access (the role Organization Owner has it)."
    )
    assert writes(astro) == 0
    assert before == astro.store.token(OBSERVABILITY)


def test_a_token_that_went_after_the_check_is_an_error_that_says_what_to_do(
    astro: Emulator, start: StartProcess
) -> None:
    process = start()
    inputs = checked(process, ADMIN)
    astro.store.delete_token(OBSERVABILITY)

    with pytest.raises(NotFound) as error:
        process.create(EngineCall(), inputs)

    assert str(error.value) == (
        f"There is no token {SHOWN_TOKEN} in organization {ORGANIZATION_ID} any more, so it was not bound to deployment "
        f"{SHOWN_STAGING}. Run `pulumi refresh`, or give the token that took its place."
    )
    assert writes(astro) == 0


def test_an_id_without_a_token_is_an_error(astro: Emulator, start: StartProcess) -> None:
    with pytest.raises((InputError, NotFound), match=f"(?i)no token.* clnone.* in organization {ORGANIZATION_ID}"):
        start().create(EngineCall(), resolved(org_token_id="clnone", org_token_name=None))

    assert writes(astro) == 0


def test_a_name_without_a_token_is_an_error_by_now(astro: Emulator, start: StartProcess) -> None:
    with pytest.raises(InputError) as error:
        start().create(EngineCall(), resolved(org_token_id=None, org_token_name="observabilty"))

    assert str(error.value) == (
        f"org_token_name: No token is named 'observabilty' in organization {ORGANIZATION_ID} (nearest: 'observability')."
    )
    assert writes(astro) == 0


def test_a_name_that_came_into_being_after_the_check_is_found(astro: Emulator, start: StartProcess) -> None:
    process = start()
    inputs = checked(process, {**ADMIN, "org_token_name": "newcomer"})
    token_id = astro.store.add_token("newcomer")

    binding, outputs = process.create(EngineCall(), inputs)

    assert BindingId.parse(binding).token_id == outputs["org_token_id"] == token_id
    assert astro.store.deployment_role(token_id, STAGING) == "DEPLOYMENT_ADMIN"


def test_a_role_that_came_into_being_after_the_check_is_found(astro: Emulator, start: StartProcess) -> None:
    process = start()
    inputs = checked(process, {**ADMIN, "role": "Night Watch"})
    astro.store.add_role("Night Watch")

    process.create(EngineCall(), inputs)

    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "Night Watch"


def test_a_deployment_that_came_into_being_after_the_first_look_is_found(astro: Emulator, start: StartProcess) -> None:
    process = start()
    checked(process, ADMIN)
    deployment_id = astro.store.add_deployment("made-meanwhile")

    process.create(EngineCall(), checked(process, {**ADMIN, "deployment_id": deployment_id}))

    assert astro.store.deployment_role(OBSERVABILITY, deployment_id) == "DEPLOYMENT_ADMIN"


def test_an_unknown_role_is_an_error_by_now(astro: Emulator, start: StartProcess) -> None:
    with pytest.raises(InputError) as error:
        start().create(EngineCall(), resolved(role="Release Enginer"))

    assert str(error.value) == (
        f"role: No deployment role is named 'Release Enginer' in organization {ORGANIZATION_ID} "
        "(nearest: 'Release Engineer')."
    )
    assert writes(astro) == 0


def test_an_unknown_deployment_is_an_error(astro: Emulator, start: StartProcess) -> None:
    with pytest.raises(InputError, match=r"^deployment_id: There is no deployment with the id clnone in organization"):
        start().create(EngineCall(), resolved(deployment_id="clnone"))

    assert writes(astro) == 0


def test_two_resources_of_one_binding_are_an_error(astro: Emulator, start: StartProcess) -> None:
    process = start()
    process.create(EngineCall(), resolved())
    astro.clear_calls()

    with pytest.raises(BindingConflict) as conflict:
        process.create(EngineCall(), resolved())

    assert str(conflict.value) == (
        f"Nothing was written. Two resources of this program bind token {SHOWN_TOKEN} in deployment {SHOWN_STAGING}. A token "
        "has one role in a deployment: remove it from one of the two."
    )
    assert writes(astro) == 0


def test_a_second_resource_of_a_binding_in_the_state_is_an_error(astro: Emulator, start: StartProcess) -> None:
    first = up(start(), ADMIN)
    process = start()
    up(process, ADMIN, first)
    astro.clear_calls()

    with pytest.raises(BindingConflict, match=r"Two resources of this program bind"):
        process.create(EngineCall(), resolved(role="DEPLOYMENT_ACCESSOR", overwrite=True))

    assert writes(astro) == 0
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


def test_a_replacement_that_failed_in_an_earlier_run_after_its_write_is_adopted(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), ADMIN)
    process = start()
    checked(process, ADMIN, stored)  # as the engine does with what is pending replacement
    process.diff(EngineCall(), stored.outputs, stored.inputs)
    again = checked(process, ADMIN)
    astro.clear_calls()

    binding, _ = process.create(EngineCall(), again)

    assert str(binding) == stored.id
    assert writes(astro) == 0


def test_a_token_of_another_scope_is_told_on_what_the_program_gave(astro: Emulator, start: StartProcess) -> None:
    with pytest.raises(InputError, match=r"^org_token_name: Token 'finance-workspace' .* is of scope WORKSPACE"):
        start().create(EngineCall(), resolved(org_token_id=None, org_token_name="finance-workspace"))

    assert writes(astro) == 0


def test_a_foreign_entry_that_the_service_refuses_is_named_and_called_foreign(
    astro: Emulator, start: StartProcess
) -> None:
    gone = astro.store.add_deployment("short-lived")
    astro.store.bind(OBSERVABILITY, gone, "DEPLOYMENT_ADMIN")
    astro.store.delete_deployment(gone, keep_roles=True)
    before = astro.store.token(OBSERVABILITY)
    process = start()
    process._ready(EngineCall(), resolved(), None)  # noqa: SLF001  all that it reads is remembered for a minute
    astro.fault(operation="ListApiTokens", status=403)  # so there is no evidence that the deployment is gone

    with pytest.raises(WriteRefused) as error:
        process.create(EngineCall(), resolved())

    text = str(error.value)
    assert text.startswith(
        f"Nothing was written for token 'observability' ({OBSERVABILITY}) in deployment 'etl-staging' ({STAGING}): the "
        f"service refuses the token's list because of DEPLOYMENT {gone} with role DEPLOYMENT_ADMIN (deployment {gone} "
        "is in no list that the credential sees). That entry is another binding's and was left as it is: remove it from the token in Astro"
    )
    assert re.search(rf"HTTP 404 Not Found: Deployment {gone} not found \(requestId [\w-]+\)\.$", text)
    assert before == astro.store.token(OBSERVABILITY)


def test_a_foreign_entry_whose_role_is_gone_is_named_and_called_foreign(astro: Emulator, start: StartProcess) -> None:
    astro.store.bind(OBSERVABILITY, TRAINING, "Release Engineer")
    astro.store.delete_role("Release Engineer")

    with pytest.raises(WriteRefused) as error:
        start().create(EngineCall(), resolved())

    assert (
        f"because of DEPLOYMENT {TRAINING} with role Release Engineer (role 'Release Engineer' does not exist"
        in str(error.value)
    )
    assert "That entry is another binding's" in str(error.value)


def test_an_entry_in_a_dag_of_a_deployment_that_is_gone_is_left_out_and_named(
    astro: Emulator, start: StartProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    astro.store.delete_deployment(TRAINING, keep_roles=True)
    astro.store.unbind(TRAINER, TRAINING)

    start().create(EngineCall(), resolved(org_token_id=TRAINER, org_token_name="model-trainer"))

    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ADMIN"
    assert "DAG train_demand_model (DAG_AUTHOR). Astro refuses a list that names them" in capsys.readouterr().err


def test_a_credential_that_may_only_read_is_told_which_permission_it_takes(
    astro: Emulator, start: StartProcess
) -> None:
    astro.fault(operation="UpdateApiTokenRoles", status=403, body={"message": "Forbidden", "requestId": "r9"})

    with pytest.raises(Exception, match=r"HTTP 403 Forbidden: Forbidden \(requestId r9\)\. The credential needs the"):
        start().create(EngineCall(), resolved())


def test_an_outage_that_passes_is_not_seen(astro: Emulator, start: StartProcess) -> None:
    process = start()
    inputs = checked(process, ADMIN)
    astro.fault(status=503, times=2)

    process.create(EngineCall(), inputs)

    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "drop_before", "html"])
def test_a_write_whose_answer_never_came_is_made_once(astro: Emulator, start: StartProcess, kind: str) -> None:
    process = start()
    inputs = checked(process, ADMIN)
    astro.fault(operation="UpdateApiTokenRoles", kind=kind, times=1)

    process.create(EngineCall(), inputs)

    held = astro.store.token(OBSERVABILITY)["roles"]
    assert [entry("DEPLOYMENT", STAGING, "DEPLOYMENT_ADMIN")] == [e for e in held if e["entityId"] == STAGING]


def test_an_outage_that_stays_is_told_and_nothing_is_written(astro: Emulator, start: StartProcess) -> None:
    process = start(timeout_seconds=1.0)
    inputs = checked(process, ADMIN)
    astro.fault(status=503)

    with pytest.raises(Unavailable) as error:
        process.create(EngineCall(), inputs)

    assert str(error.value).startswith(f"GetApiToken (organization {ORGANIZATION_ID}, token {OBSERVABILITY}): HTTP 503")
    assert str(error.value).count("Given up after") == 1
    assert writes(astro) == 0


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"id": "u1", "subjectType": "USER", "fullName": "Ada Byron", "username": "ada@example.com"}, "Ada Byron"),
        ({"id": "u2", "subjectType": "SERVICEKEY", "apiTokenName": "pipeline"}, "pipeline"),
        ({"id": "u3", "subjectType": "USER", "username": "ada@example.com"}, "ada@example.com"),
        ({"id": "u4", "subjectType": "USER"}, "u4"),
    ],
)
def test_who_made_the_token_is_told_by_the_best_name_there_is(
    astro: Emulator, start: StartProcess, profile: dict[str, str], expected: str
) -> None:
    astro.store.add_token("made", created_by=profile)

    stored = up(start(), {**ADMIN, "org_token_name": "made"})

    assert stored.outputs["created_by"] == expected


def _urn(name: str) -> EngineCall:
    return EngineCall(urn=f"urn:pulumi:test::p::pulumi-python:dynamic/astro:DeploymentOrgTokenBinding::{name}")


def test_two_resources_that_are_stored_with_one_role_are_a_warning_that_names_both(
    start: StartProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = up(start(), ADMIN)
    process = start()

    first = process.check(_urn("first"), stored.inputs, stored.inputs).problems
    second = process.check(_urn("second"), stored.inputs, stored.inputs).problems

    assert (first, second) == ([], [])
    assert capsys.readouterr().err == (
        f"astro: warning: Two resources of this program bind token {SHOWN_TOKEN} in deployment {SHOWN_STAGING}: "
        "DeploymentOrgTokenBinding 'second' and DeploymentOrgTokenBinding 'first'. A token has one role in a deployment: "
        "remove it from one of the two.\n"
    )


def test_two_resources_that_are_stored_with_two_roles_are_an_error_although_neither_changes(
    start: StartProcess,
) -> None:
    stored = up(start(), ADMIN)
    process = start()
    other = {**stored.inputs, "role": "DEPLOYMENT_ACCESSOR"}

    first = process.check(_urn("first"), stored.inputs, stored.inputs).problems
    second = process.check(_urn("second"), other, other).problems

    assert first == []
    assert [str(one).partition(" bind")[0] for one in second] == [": Two resources of this program"]


def test_the_second_of_two_updates_of_one_binding_to_two_roles_is_refused(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), {**ADMIN, "role": "DEPLOYMENT_ACCESSOR"})
    process = start()
    first, second = (EngineCall(urn=_urn(name).urn, id=stored.id) for name in ("first", "second"))
    process.update(first, stored.outputs, {**stored.inputs, "role": "DEPLOYMENT_ADMIN"})
    astro.clear_calls()

    with pytest.raises(BindingConflict, match=r"^Nothing was written\. Two resources of this program bind"):
        process.update(second, {**stored.outputs, "role": "Release Engineer"}, stored.inputs)

    assert writes(astro) == 0
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"

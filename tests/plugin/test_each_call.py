"""Each call of the engine to the native provider: what it hands on, and what it hands back."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # no stubs

from astro_emulator import Emulator
from astro_provider.version import __version__
from tests.support.cast import DATA_PLATFORM_ID, FINANCE_ID, OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING
from tests.support.native_process import TABLE_URN, NativeProcess, native_process
from tests.support.provider_process import UNKNOWN, CallFailed, secret
from tests.support.writes import writes

FACTS = {"description", "scope", "createdAt", "createdBy"}
TABLE = {"roles": {"etl-staging": {"observability": "DEPLOYMENT_ADMIN"}}}


def test_it_tells_its_version(process: NativeProcess) -> None:
    assert process.call("GetPluginInfo", Empty()).version == __version__


def test_a_check_fills_in_what_the_program_left_to_be_found(
    process: NativeProcess, wanted: dict[str, Any], deployment_id: str, token_id: str
) -> None:
    checked = process.check(wanted)

    assert checked.failures == []
    assert checked.inputs == {
        "organizationId": ORGANIZATION_ID,
        "deploymentId": deployment_id,
        "deploymentName": "orders",
        "orgTokenId": token_id,
        "orgTokenName": "nightly-loads",
        "role": "DEPLOYMENT_ADMIN",
        "overwrite": False,
    }


def test_a_create_gives_the_role_and_tells_what_is_there(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any], deployment_id: str, token_id: str
) -> None:
    inputs = process.check(wanted).inputs

    state = process.create(inputs)

    assert state.id == f"{ORGANIZATION_ID}/{deployment_id}/{token_id}"
    assert state.outputs.items() >= inputs.items()
    assert state.outputs.keys() == inputs.keys() | FACTS
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_preview_of_a_create_and_of_an_update_writes_nothing(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any]
) -> None:
    inputs = process.check(wanted).inputs

    previewed = process.create(inputs, preview=True)
    state = process.create(inputs)
    astro.clear_calls()
    changed = process.update(state.id, state.outputs, {**inputs, "role": "DEPLOYMENT_ACCESSOR"}, preview=True)

    assert previewed.id == ""
    assert previewed.outputs == {**inputs, **dict.fromkeys(FACTS, UNKNOWN)}
    assert changed.outputs == {**state.outputs, "role": "DEPLOYMENT_ACCESSOR"}
    assert writes(astro) == 0


def test_a_preview_says_that_it_does_not_know_what_is_yet_to_be_made(process: NativeProcess) -> None:
    new = {"deploymentName": "not-yet", "orgTokenName": "nor-this", "role": "DEPLOYMENT_ADMIN"}
    table = {"roles": {"not-yet": {"observability": "DEPLOYMENT_ADMIN"}, "etl-staging": {}}, "exclusive": True}

    binding = process.create(process.check(new).inputs, preview=True).outputs
    set_ = process.create(process.check(table, urn=TABLE_URN).inputs, preview=True, urn=TABLE_URN).outputs

    assert {name for name, value in binding.items() if value == UNKNOWN} == {"deploymentId", "orgTokenId", *FACTS}
    assert set_["deploymentIds"] == UNKNOWN
    assert set_["tokenIds"] == {"observability": OBSERVABILITY}
    assert (set_["strangers"], set_.get("removes")) == ({}, None)


def test_a_changed_role_is_an_update_of_that_place_alone(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any], deployment_id: str, token_id: str
) -> None:
    state = process.create(process.check(wanted).inputs)
    news = process.check({**wanted, "role": "DEPLOYMENT_ACCESSOR"}, state.outputs).inputs

    difference = process.diff(state.id, state.outputs, news, old_inputs=process.check(wanted).inputs)
    updated = process.update(state.id, state.outputs, news)

    assert (difference.changes, difference.replaces, difference.places) == (True, [], {"role": "UPDATE"})
    assert updated.outputs == {**state.outputs, "role": "DEPLOYMENT_ACCESSOR"}
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"


def test_another_deployment_is_a_replacement_of_what_identifies(process: NativeProcess, wanted: dict[str, Any]) -> None:
    inputs = process.check(wanted).inputs
    state = process.create(inputs)
    news = process.check({**wanted, "deploymentId": STAGING}, inputs).inputs

    difference = process.diff(state.id, state.outputs, news, old_inputs=inputs)

    assert difference.replaces == ["deploymentId"]
    assert difference.places == {"deploymentId": "UPDATE_REPLACE", "deploymentName": "UPDATE"}


def test_what_did_not_change_differs_in_nothing(process: NativeProcess, wanted: dict[str, Any]) -> None:
    inputs = process.check(wanted).inputs
    state = process.create(inputs)

    difference = process.diff(state.id, state.outputs, process.check(wanted, inputs).inputs, old_inputs=inputs)

    assert (difference.changes, difference.replaces, difference.places) == (False, [], {})


def test_an_unknown_value_passes_check_diff_and_preview(process: NativeProcess, wanted: dict[str, Any]) -> None:
    inputs = process.check(wanted).inputs
    state = process.create(inputs)

    news = process.check({**wanted, "role": UNKNOWN, "workspaceId": UNKNOWN}, inputs)
    difference = process.diff(state.id, state.outputs, news.inputs, old_inputs=inputs)
    previewed = process.update(state.id, state.outputs, news.inputs, preview=True)

    assert news.failures == []
    assert difference.places == {"role": "UPDATE", "workspaceId": "ADD"}
    assert previewed.outputs["role"] == UNKNOWN


def test_a_secret_arrives_as_its_value(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any], deployment_id: str, token_id: str
) -> None:
    inputs = process.check({**wanted, "role": secret("DEPLOYMENT_ADMIN")}).inputs
    process.create(inputs)

    assert inputs["role"] == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_read_shows_drift(  # noqa: PLR0913, PLR0917  fixtures
    process: NativeProcess,
    later: NativeProcess,
    astro: Emulator,
    wanted: dict[str, Any],
    deployment_id: str,
    token_id: str,
) -> None:
    state = process.create(process.check(wanted).inputs)
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    drifted = later.read(state.id, state.outputs)

    assert drifted.outputs == {**state.outputs, "role": "DEPLOYMENT_ACCESSOR"}
    assert drifted.inputs["role"] == "DEPLOYMENT_ACCESSOR"


def test_a_read_of_what_is_gone_has_no_id(  # noqa: PLR0913, PLR0917  fixtures
    process: NativeProcess,
    later: NativeProcess,
    astro: Emulator,
    wanted: dict[str, Any],
    deployment_id: str,
    token_id: str,
) -> None:
    state = process.create(process.check(wanted).inputs)
    astro.store.unbind(token_id, deployment_id)

    gone = later.read(state.id, state.outputs)

    assert (gone.id, gone.outputs) == ("", {})


def test_a_delete_takes_the_role_and_nothing_else(  # noqa: PLR0913, PLR0917  fixtures
    process: NativeProcess,
    later: NativeProcess,
    astro: Emulator,
    wanted: dict[str, Any],
    deployment_id: str,
    token_id: str,
) -> None:
    astro.store.bind(token_id, STAGING, "DEPLOYMENT_ACCESSOR")
    state = process.create(process.check(wanted).inputs)

    later.delete(state.id, state.outputs)

    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert astro.store.deployment_role(token_id, STAGING) == "DEPLOYMENT_ACCESSOR"


def test_a_table_lives_as_well(process: NativeProcess, later: NativeProcess, astro: Emulator) -> None:
    checked = process.check(TABLE, urn=TABLE_URN)
    previewed = process.create(checked.inputs, preview=True, urn=TABLE_URN)
    state = process.create(checked.inputs, urn=TABLE_URN)
    news = process.check(
        {"roles": {"etl-staging": {"observability": "DEPLOYMENT_ACCESSOR"}}}, checked.inputs, TABLE_URN
    )
    difference = process.diff(state.id, state.outputs, news.inputs, old_inputs=checked.inputs, urn=TABLE_URN)
    process.update(state.id, state.outputs, news.inputs, urn=TABLE_URN)

    assert checked.failures == []
    assert checked.inputs["deploymentIds"] == {"etl-staging": STAGING}
    assert previewed.outputs == checked.inputs
    assert difference.places == {'roles["etl-staging"].observability': "UPDATE"}
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"

    later.delete(state.id, state.outputs, TABLE_URN)

    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None


@pytest.mark.parametrize("name", ["role", "orgTokenId", "org_token_id", "deploymentIds"])
def test_a_key_of_a_table_is_never_taken_for_a_name_of_ours(process: NativeProcess, astro: Emulator, name: str) -> None:
    token = astro.store.add_token(name)
    deployment = astro.store.add_deployment(name)
    roles = {name: {name: "DEPLOYMENT_ADMIN"}}

    inputs = process.check({"roles": roles}, urn=TABLE_URN).inputs
    state = process.create(inputs, urn=TABLE_URN)
    read = process.read(state.id, state.outputs, TABLE_URN)

    assert inputs["roles"] == roles == state.outputs["roles"] == read.outputs["roles"]
    assert inputs["tokenIds"] == {name: token}
    assert astro.store.deployment_role(token, deployment) == "DEPLOYMENT_ADMIN"


def test_strangers_that_a_refresh_finds_show_as_a_difference(
    process: NativeProcess, later: NativeProcess, astro: Emulator
) -> None:
    exclusive = {**TABLE, "exclusive": True}
    inputs = process.check(exclusive, urn=TABLE_URN).inputs
    state = process.create(inputs, urn=TABLE_URN)
    astro.store.bind(astro.store.add_token("stranger"), STAGING, "DEPLOYMENT_ADMIN")

    read = later.read(state.id, state.outputs, TABLE_URN)
    # As a refresh does: what was found stands for the old, and what is stored for the new.
    difference = later.diff(read.id, read.outputs, inputs, old_inputs=read.inputs, urn=TABLE_URN)

    assert read.outputs["strangers"] == {"etl-staging": {"stranger": "DEPLOYMENT_ADMIN"}}
    assert (difference.changes, difference.places) == (True, {"strangers": "DELETE"})


def test_a_notice_is_told_once_and_beside_its_resource(
    process: NativeProcess, engine_log: Any, wanted: dict[str, Any]
) -> None:
    new = {**wanted, "orgTokenName": "not-made-yet"}

    for name in ("first", "second"):
        process.check(new, urn=f"urn:pulumi:test::bindings::astro:index:DeploymentOrgTokenBinding::{name}")

    [(severity, text)] = engine_log.told
    assert severity == "WARNING"
    assert text.startswith("astro: No token is named 'not-made-yet'")
    assert engine_log.about == ["urn:pulumi:test::bindings::astro:index:DeploymentOrgTokenBinding::first"]


def test_a_note_about_the_whole_run_is_beside_no_resource(
    environment: dict[str, str], engine_log: Any, wanted: dict[str, Any]
) -> None:
    with native_process({**environment, "ASTRO_PREVIEW_CHECKS": "off"}) as process:
        process.handshake(engine_log.address)
        process.check(wanted)
        process.check(TABLE, urn=TABLE_URN)

    assert [text[:30] for _, text in engine_log.told] == ["astro: previewChecks is off: n"]
    assert engine_log.about == [""]


def test_an_attached_process_tells_that_engine(process: NativeProcess, engine_log: Any, wanted: dict[str, Any]) -> None:
    process.handshake("127.0.0.1:1")
    process.attach(engine_log.address)

    process.check({**wanted, "orgTokenName": "not-made-yet"})

    assert len(engine_log.told) == 1


def test_the_function_tells_who_has_a_role_in_a_deployment(process: NativeProcess) -> None:
    found, failures = process.invoke({"deploymentId": PRODUCTION, "workspaceId": DATA_PLATFORM_ID})

    assert failures == []
    row = next(one for one in found["tokens"] if one["id"] == OBSERVABILITY)
    assert (
        row.items()
        >= {
            "name": "observability",
            "scope": "ORGANIZATION",
            "deploymentRole": "DEPLOYMENT_ACCESSOR",
            "deploymentId": PRODUCTION,
            "deploymentName": "etl-production",
            "organizationId": ORGANIZATION_ID,
        }.items()
    )


def test_the_function_shows_what_this_run_has_just_given(
    process: NativeProcess, wanted: dict[str, Any], deployment_id: str
) -> None:
    before, _ = process.invoke({"deploymentId": deployment_id})
    process.create(process.check(wanted).inputs)
    after, _ = process.invoke({"deploymentId": deployment_id})

    assert [row["name"] for row in before["tokens"]] == []
    assert [row["name"] for row in after["tokens"]] == ["nightly-loads"]


def test_what_is_wrong_with_the_arguments_of_the_function_is_told_on_each(process: NativeProcess) -> None:
    nothing, failures = process.invoke({"workspaceId": 7, "includeOtherScopes": "yes", "deployment": "x"})
    _, missing = process.invoke({"deploymentId": "clnone"})
    _, neither = process.invoke({"workspaceId": FINANCE_ID})

    assert nothing == {}
    assert failures == [
        ("deployment", "is no argument of this function (nearest: 'deploymentId', 'deploymentName')."),
        ("workspaceId", "must be text (the id of the workspace that the deployment must belong to), not 7.0."),
        ("includeOtherScopes", "must be true or false, not 'yes'."),
    ]
    assert [name for name, _ in missing] == ["deploymentId"]
    assert neither == [("deploymentId", "Neither deploymentId nor deploymentName is given: give one of the two.")]


def test_another_resource_is_told(process: NativeProcess, wanted: dict[str, Any]) -> None:
    with pytest.raises(CallFailed) as resource:
        process.create(wanted, urn="urn:pulumi:test::bindings::astro:index:Token::t")

    assert str(resource.value) == (
        "There is no resource astro:index:Token: declare astro:index:DeploymentOrgTokenBinding or "
        "astro:index:DeploymentOrgTokenBindings."
    )


def test_the_type_of_a_resource_with_a_parent_is_its_own(process: NativeProcess, wanted: dict[str, Any]) -> None:
    urn = "urn:pulumi:test::bindings::my:index:Team$astro:index:DeploymentOrgTokenBinding::b"

    assert process.check(wanted, urn=urn).failures == []

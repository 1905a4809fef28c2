"""Update: the role changes in place; nothing else writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.astro.identity import BindingId
from astro_provider.errors import BindingConflict, InputError, NotFound, RolesUnknown
from astro_provider.lifecycle.claims import Claimant
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.inputs import IDENTITY, Inputs
from astro_provider.lifecycle.values import UNKNOWN
from astro_provider.names import UNFINISHED
from tests.support.cast import (
    DATA_PLATFORM_ID,
    MEMBER,
    OBSERVABILITY,
    ORGANIZATION_ID,
    PRODUCTION,
    STAGING,
    TRAINING,
    entry,
)
from tests.support.engine_process import wait_until
from tests.support.processes import StartProcess, Stored, calls_to, checked, problems, refreshed, up
from tests.support.writes import writes

ACCESSOR = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
ADMIN = {**ACCESSOR, "role": "DEPLOYMENT_ADMIN"}


@pytest.fixture
def stored(astro: Emulator, start: StartProcess) -> Stored:
    """A binding in state, made by an earlier process."""
    found = up(start(), ACCESSOR)
    astro.clear_calls()
    return found


def test_an_unchanged_program_changes_nothing(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    after = up(start(), ACCESSOR, stored)

    assert stored == after
    assert writes(astro) == 0


def test_a_role_is_changed_in_place(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    after = up(start(), ADMIN, stored)

    assert (stored.id, "DEPLOYMENT_ADMIN") == (after.id, after.outputs["role"])
    assert astro.store.token(OBSERVABILITY)["roles"] == [MEMBER, entry("DEPLOYMENT", PRODUCTION, "DEPLOYMENT_ADMIN")]


def test_a_change_of_role_costs_two_calls_beside_those_of_check(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    process = start()
    inputs = checked(process, ADMIN, stored)
    astro.clear_calls()

    process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert calls_to(astro) == {"GetApiToken": 1, "UpdateApiTokenRoles": 1}


def test_a_binding_that_vanished_is_put_back(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    astro.store.unbind(OBSERVABILITY, PRODUCTION)

    up(start(), ADMIN, stored)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ADMIN"


def test_a_role_that_somebody_changed_meanwhile_is_changed_without_asking_for_overwrite(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.bind(OBSERVABILITY, PRODUCTION, "Release Engineer")

    up(start(), ADMIN, stored)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ADMIN"


def test_a_binding_that_a_delete_has_taken_is_written_also_if_another_resource_gives_it_back_meanwhile(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    process = start(preview_checks="off")
    process.delete(EngineCall(id=stored.id), stored.outputs)
    inputs = checked(process, ACCESSOR, stored)
    astro.fault(kind="delay", operation="ListApiTokens", delay_ms=500, times=1)

    with ThreadPoolExecutor() as pool:
        update = pool.submit(process.update, EngineCall(id=stored.id), stored.outputs, inputs)
        wait_until(lambda: "ListDeployments" in calls_to(astro), "the update looks things up")
        with process.shared.claims.exchanging(
            Claimant("another's URN"), puts={BindingId.parse(stored.id): "DEPLOYMENT_ACCESSOR"}
        ):
            astro.store.bind(OBSERVABILITY, PRODUCTION, "DEPLOYMENT_ACCESSOR")

    assert update.result() == stored.outputs


@pytest.mark.parametrize("name", ["deployment_name", "org_token_name"])
def test_a_name_that_is_blank_in_the_state_is_no_change(start: StartProcess, stored: Stored, name: str) -> None:
    blank = Stored(stored.id, stored.inputs, {**stored.outputs, name: ""})

    assert up(start(), ACCESSOR, blank) == blank


@pytest.mark.parametrize(
    "change",
    [
        {"workspace_id": DATA_PLATFORM_ID},
        {"overwrite": True},
        {"org_token_name": None, "org_token_id": OBSERVABILITY},
    ],
    ids=["workspace_id", "overwrite", "id instead of name"],
)
def test_what_is_no_change_of_the_grant_writes_nothing(
    astro: Emulator, start: StartProcess, stored: Stored, change: dict[str, Any]
) -> None:
    news = {name: value for name, value in {**ACCESSOR, **change}.items() if value is not None}

    after = up(start(), news, stored)

    assert stored.id == after.id
    assert all(after.outputs[name] == value for name, value in news.items())
    assert stored.outputs.keys() <= after.outputs.keys()
    assert writes(astro) == 0


def test_another_spelling_of_the_role_is_no_change_and_writes_nothing(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    after = up(start(), {**ACCESSOR, "role": "deployment_accessor"}, stored)

    assert stored == after
    assert writes(astro) == 0


@pytest.mark.parametrize("spelled", ["deployment_accessor", "DEPLOYMENT_ACCESSOR"])
def test_a_state_of_an_earlier_version_that_has_the_role_in_small_letters_shows_no_change(
    astro: Emulator, start: StartProcess, stored: Stored, spelled: str
) -> None:
    small = {"role": "deployment_accessor"}
    old = Stored(stored.id, {**stored.inputs, **small}, {**stored.outputs, **small})

    after = up(start(), {**ACCESSOR, "role": spelled}, old)

    assert (old.id, old.outputs) == (after.id, after.outputs)
    assert writes(astro) == 0


def test_what_is_no_change_of_the_grant_writes_nothing_even_where_the_grant_vanished(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.unbind(OBSERVABILITY, PRODUCTION)

    up(start(), {**ACCESSOR, "overwrite": True}, stored)

    assert writes(astro) == 0


def test_taking_the_workspace_guard_away_writes_nothing(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), {**ACCESSOR, "workspace_id": DATA_PLATFORM_ID})

    after = up(start(), ACCESSOR, stored)

    assert "workspace_id" not in after.outputs
    assert writes(astro) == 0


def test_a_token_renamed_in_astro_and_in_the_program_writes_nothing(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.rename_token(OBSERVABILITY, "metrics")

    after = up(start(), {**ACCESSOR, "org_token_name": "metrics"}, stored)

    assert (stored.id, "metrics") == (after.id, after.outputs["org_token_name"])
    assert writes(astro) == 0


def test_a_token_given_by_id_and_renamed_in_astro_is_no_change(astro: Emulator, start: StartProcess) -> None:
    by_id = {"deployment_id": PRODUCTION, "org_token_id": OBSERVABILITY, "role": "DEPLOYMENT_ACCESSOR"}
    stored = up(start(), by_id)
    astro.store.rename_token(OBSERVABILITY, "metrics")

    process = start()
    difference = process.diff(EngineCall(), stored.outputs, checked(process, by_id, stored))

    assert not difference.changes


def test_a_token_made_anew_under_the_same_name_is_a_replacement(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.delete_token(OBSERVABILITY)
    token_id = astro.store.add_token("observability")

    process = start()
    inputs = checked(process, ACCESSOR, stored)
    difference = process.diff(EngineCall(), stored.outputs, inputs)
    after = up(start(), ACCESSOR, stored)

    assert (difference.changes, difference.replaces) == (True, ["org_token_id"])
    assert inputs["org_token_id"] == token_id
    assert after.id == f"{ORGANIZATION_ID}/{PRODUCTION}/{token_id}"
    assert astro.store.deployment_role(token_id, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_another_deployment_is_a_replacement_that_takes_the_old_grant_away(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    after = up(start(), {**ACCESSOR, "deployment_id": STAGING}, stored)

    assert after.id == f"{ORGANIZATION_ID}/{STAGING}/{OBSERVABILITY}"
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) is None
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"


@pytest.mark.parametrize("name", ["organization_id", "deployment_id", "org_token_id"])
@pytest.mark.parametrize("value", ["another", UNKNOWN], ids=["another", "unknown"])
def test_another_or_unknown_identity_is_a_replacement(
    start: StartProcess, stored: Stored, name: str, value: Any
) -> None:
    difference = start().diff(EngineCall(), stored.outputs, {**stored.inputs, name: value})

    assert (difference.changes, difference.replaces) == (True, [name])


@pytest.mark.parametrize("name", [one.name for one in fields(Inputs) if one.name not in (*IDENTITY, UNFINISHED)])
def test_an_unknown_property_is_a_change_in_place(start: StartProcess, stored: Stored, name: str) -> None:
    difference = start().diff(EngineCall(), stored.outputs, {**stored.inputs, name: UNKNOWN})

    assert (difference.changes, difference.replaces) == (True, [])


def test_facts_about_the_token_are_no_difference(start: StartProcess, stored: Stored) -> None:
    outputs = {**stored.outputs, "description": "other", "created_by": "other", "scope": "other", "surprise": 1}

    assert not start().diff(EngineCall(), outputs, stored.inputs).changes


def test_a_token_that_went_after_the_check_is_an_error(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    process = start()
    inputs = checked(process, ADMIN, stored)
    astro.store.delete_token(OBSERVABILITY)

    with pytest.raises(
        NotFound,
        match=rf"^There is no token 'observability' \({OBSERVABILITY}\) in organization {ORGANIZATION_ID} any more",
    ):
        process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert writes(astro) == 0


def test_hidden_roles_are_an_error_and_nothing_is_written(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    astro.store.hide_roles(OBSERVABILITY)

    with pytest.raises(RolesUnknown):
        up(start(), ADMIN, stored)

    assert writes(astro) == 0


def test_an_unknown_role_is_a_warning_in_check_and_an_error_in_update(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    process = start()
    inputs = checked(process, {**ACCESSOR, "role": "Night Watch"}, stored)

    with pytest.raises(InputError, match=r"^role: No deployment role is named 'Night Watch'"):
        process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"
    assert writes(astro) == 0


def test_an_update_that_turns_out_to_be_another_binding_writes_nothing(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    elsewhere = {"deployment_id": TRAINING, "deployment_name": None}  # as a check leaves it that asks nobody

    with pytest.raises(BindingConflict) as error:
        start().update(EngineCall(id=stored.id), stored.outputs, {**stored.inputs, **elsewhere})

    assert str(error.value) == (
        f"Token 'observability' ({OBSERVABILITY}) in deployment 'etl-production' ({PRODUCTION}) cannot become token "
        f"'observability' ({OBSERVABILITY}) in deployment 'ml-training' ({TRAINING}) in place, and nothing was written. The "
        "preview could not show it, because previewChecks is off: preview with it on, which shows the replacement."
    )
    assert writes(astro) == 0


def test_outputs_that_a_hand_edit_has_lost_are_written_again_without_a_replacement_or_a_write(
    astro: Emulator, start: StartProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    news = {**ADMIN, "role": "DEPLOYMENT_ACCESSOR"}
    stored = up(start(), news)
    astro.clear_calls()
    capsys.readouterr()
    process = start()
    inputs = checked(process, news, stored)

    difference = process.diff(EngineCall(id=stored.id), {}, inputs)
    said = capsys.readouterr().err
    outputs = process.update(EngineCall(id=stored.id), {}, inputs)

    assert (difference.changes, difference.replaces) == (True, [])
    assert said.startswith(
        f"astro: warning: The state of token '{inputs['org_token_name']}' ({inputs['org_token_id']}) in "
    )
    assert said.endswith(
        " is incomplete: its outputs have lost the ids. The update writes them again, and nothing changes in Astro for it.\n"
    )
    assert outputs == stored.outputs
    assert writes(astro) == 0


@pytest.fixture
def alike(astro: Emulator) -> tuple[str, str]:
    """Two custom roles that differ in case only; the token has none in the deployment."""
    astro.store.unbind(OBSERVABILITY, PRODUCTION)
    for role in ("Reader", "reader"):
        astro.store.add_role(role)
    return "Reader", "reader"


def test_a_change_between_two_roles_that_differ_in_case_only_is_written(
    astro: Emulator, start: StartProcess, alike: tuple[str, str]
) -> None:
    one, other = alike
    stored = up(start(), {**ACCESSOR, "role": one})

    after = up(start(), {**ACCESSOR, "role": other}, stored)

    assert after.outputs["role"] == other
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == other


def test_a_role_that_was_changed_to_one_that_differs_in_case_only_is_drift(
    astro: Emulator, start: StartProcess, alike: tuple[str, str]
) -> None:
    one, other = alike
    stored = up(start(), {**ACCESSOR, "role": one})
    astro.store.bind(OBSERVABILITY, PRODUCTION, other)

    found = refreshed(start(), stored)

    assert found is not None
    assert found.outputs["role"] == other


def test_a_role_that_another_writer_sets_back_to_one_that_differs_in_case_only_is_given_again(
    astro: Emulator, start: StartProcess, alike: tuple[str, str]
) -> None:
    one, other = alike
    stored = up(start(), {**ACCESSOR, "role": one})
    astro.fault(kind="stale_writer", operation="UpdateApiTokenRoles", times=1, undo_ms=0)

    after = up(start(settle_seconds=0.2), {**ACCESSOR, "role": other}, stored)

    assert after.outputs["role"] == other
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == other


def test_without_checks_too_an_update_and_a_refresh_know_two_roles_that_differ_in_case_only(
    astro: Emulator, start: StartProcess, alike: tuple[str, str]
) -> None:
    one, other = alike
    stored = up(start(preview_checks="off"), {**ACCESSOR, "role": one})

    # The diff asks nothing of Astro, so another change has to bring the update.
    after = up(start(preview_checks="off"), {**ACCESSOR, "role": other, "overwrite": True}, stored)
    written = astro.store.deployment_role(OBSERVABILITY, PRODUCTION)
    astro.store.bind(OBSERVABILITY, PRODUCTION, one)
    found = refreshed(start(preview_checks="off"), after)

    assert (after.outputs["role"], written) == (other, other)
    assert found is not None
    assert found.outputs["role"] == one


def test_a_role_that_differs_in_case_only_is_not_adopted(
    astro: Emulator, start: StartProcess, alike: tuple[str, str]
) -> None:
    one, other = alike
    astro.store.bind(OBSERVABILITY, PRODUCTION, one)
    process = start()

    [(_, reason)] = problems(process, {**ACCESSOR, "role": other})
    with pytest.raises(BindingConflict, match=f"already has the role {one}, and {other} is asked for"):
        process.create(EngineCall(), {**ACCESSOR, "role": other})

    assert f"already has the role {one}, and {other} is asked for" in reason
    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == one


def test_a_role_in_other_letters_is_no_change_if_there_is_one_role_of_that_name(
    astro: Emulator, start: StartProcess
) -> None:
    astro.store.unbind(OBSERVABILITY, PRODUCTION)
    astro.store.add_role("Reader")
    stored = up(start(), {**ACCESSOR, "role": "reader"})
    process = start()
    astro.clear_calls()

    found = process.diff(EngineCall(id=stored.id), {**stored.outputs, "role": "READER"}, stored.inputs)

    assert not found.changes

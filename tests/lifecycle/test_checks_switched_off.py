"""`previewChecks: off`: no call, no credential, and names are compared by their spelling."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.errors import BindingConflict, InputError
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.single import Lifecycle
from tests.support.cast import DEPLOYERS, OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING, TRAINER, TRAINING
from tests.support.processes import StartProcess, Stored, checked, problems, up
from tests.support.writes import writes

BY_NAME = {"deployment_id": STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
BY_ID = {"deployment_id": STAGING, "org_token_id": OBSERVABILITY, "role": "DEPLOYMENT_ADMIN"}
BOTH = pytest.mark.parametrize("news", [BY_NAME, BY_ID], ids=["by name", "by id"])


def fork(start: StartProcess) -> Lifecycle:
    """The process of a preview that knows nothing."""
    return start(preview_checks="off", credential=None, organization_id=None, host="https://api.invalid")


def difference_of(process: Lifecycle, news: dict[str, Any], stored: Stored) -> tuple[bool, list[str]]:
    difference = process.diff(EngineCall(), stored.outputs, checked(process, news, stored))
    return difference.changes, difference.replaces


@BOTH
def test_a_new_binding_is_checked_without_a_call_and_a_note_says_so(
    astro: Emulator, start: StartProcess, news: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    process = fork(start)

    inputs = [checked(process, news), checked(process, news)]

    assert inputs == [{**news, "overwrite": False}] * 2
    assert astro.calls()["total"] == 0
    assert capsys.readouterr().err == (
        "astro: note: previewChecks is off: nothing was checked against Astro; names are compared by their spelling.\n"
    )


def test_what_is_wrong_by_its_form_is_told_all_the_same(start: StartProcess) -> None:
    assert problems(fork(start), {**BY_NAME, "role": ""}) == [
        ("role", "is blank: write DEPLOYMENT_ADMIN, or the name of another deployment role.")
    ]


@BOTH
def test_an_unchanged_binding_shows_no_change(start: StartProcess, news: dict[str, Any]) -> None:
    stored = up(start(), news)

    assert difference_of(fork(start), news, stored) == (False, [])


@BOTH
def test_a_binding_that_was_made_while_the_checks_were_off_shows_no_change(
    start: StartProcess, news: dict[str, Any]
) -> None:
    stored = up(start(preview_checks="off"), news)

    assert difference_of(fork(start), news, stored) == (False, [])
    assert difference_of(start(), news, stored) == (False, [])


@BOTH
def test_a_binding_that_was_made_while_the_checks_were_off_is_the_same_binding(
    astro: Emulator, start: StartProcess, news: dict[str, Any]
) -> None:
    stored = up(start(preview_checks="off"), news)

    assert stored.id == f"{ORGANIZATION_ID}/{STAGING}/{OBSERVABILITY}"
    assert stored.outputs["org_token_name"] == "observability"
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


@BOTH
def test_a_change_of_role_shows_in_place(start: StartProcess, news: dict[str, Any]) -> None:
    stored = up(start(), news)

    assert difference_of(fork(start), {**news, "role": "DEPLOYMENT_ACCESSOR"}, stored) == (True, [])


def test_another_name_that_cannot_be_resolved_is_never_shown_as_a_replacement(start: StartProcess) -> None:
    stored = up(start(), BY_NAME)

    assert difference_of(fork(start), {**BY_NAME, "org_token_name": "model-trainer"}, stored) == (True, [])


def test_another_id_is_shown_as_a_replacement(start: StartProcess) -> None:
    stored = up(start(), BY_ID)

    changes, replaces = difference_of(fork(start), {**BY_ID, "org_token_id": "another"}, stored)

    assert (changes, replaces) == (True, ["org_token_id"])


def test_another_deployment_is_shown_as_a_replacement(start: StartProcess) -> None:
    stored = up(start(), BY_NAME)

    assert difference_of(fork(start), {**BY_NAME, "deployment_id": TRAINING}, stored) == (True, ["deployment_id"])


def test_an_update_that_would_bind_another_token_is_refused_and_nothing_is_written(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), BY_NAME)
    astro.clear_calls()

    with pytest.raises(BindingConflict, match=r"cannot become .* in place, and nothing was written"):
        up(start(preview_checks="off"), {**BY_NAME, "org_token_name": "model-trainer"}, stored)

    assert writes(astro) == 0


def test_an_update_to_the_new_name_of_the_same_token_writes_nothing(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), BY_NAME)
    astro.store.rename_token(OBSERVABILITY, "metrics")
    astro.clear_calls()

    after = up(start(preview_checks="off"), {**BY_NAME, "org_token_name": "metrics"}, stored)

    assert (stored.id, "metrics") == (after.id, after.outputs["org_token_name"])
    assert writes(astro) == 0


def test_a_create_examines_what_the_check_left_out(astro: Emulator, start: StartProcess) -> None:
    process = start(preview_checks="off")

    for change in ({"deployment_id": "clnone"}, {"role": "Night Watch"}, {"org_token_name": "nobody"}):
        with pytest.raises(InputError, match=r"^(deployment_id: There is no|role: No|org_token_name: No) "):
            process.create(EngineCall(), checked(process, {**BY_NAME, **change}))

    assert writes(astro) == 0


@pytest.mark.parametrize("made_with", ["warn", "off"])
def test_a_delete_left_over_from_a_failed_run_keeps_the_grant(
    astro: Emulator, start: StartProcess, made_with: str
) -> None:
    news = {**BY_NAME, "deployment_id": PRODUCTION, "role": "DEPLOYMENT_ACCESSOR"}
    old = up(start(preview_checks=made_with), news)
    renamed = up(start(preview_checks=made_with), news)
    later = start(preview_checks="off")

    up(later, news, renamed)
    later.delete(EngineCall(id=old.id), old.outputs)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) == "DEPLOYMENT_ACCESSOR"


def test_ids_of_another_organization_are_not_kept_under_the_same_names(start: StartProcess) -> None:
    by_names = {"deployment_name": "etl-staging", "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
    stored = up(start(), by_names)
    elsewhere = start(preview_checks="off", organization_id="clanother")

    inputs = checked(elsewhere, by_names, stored)

    assert inputs == {**by_names, "organization_id": "clanother", "overwrite": False}
    assert elsewhere.diff(EngineCall(), stored.outputs, inputs).replaces == ["organization_id"]


def test_a_move_of_what_was_made_while_the_checks_were_off_must_have_its_role(start: StartProcess) -> None:
    by_names = {"deployment_name": "etl-staging", "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
    stored = up(start(preview_checks="off"), by_names)
    moved = {**by_names, "deployment_name": "etl-production", "role": "Nobody Has Made It"}

    found = problems(start(), moved, stored)

    assert found == [("role", f"No deployment role is named 'Nobody Has Made It' in organization {ORGANIZATION_ID}.")]


CONTRADICTING = [
    (
        {"deployment_id": STAGING, "deployment_name": "etl-production", "org_token_name": "observability"},
        f"deployment_name 'etl-production' and deployment_id {STAGING} do not mean the same deployment",
    ),
    (
        {"deployment_id": STAGING, "org_token_id": OBSERVABILITY, "org_token_name": "model-trainer"},
        f"org_token_name 'model-trainer' and org_token_id {OBSERVABILITY} do not mean the same token",
    ),
]


@pytest.mark.parametrize(("asked", "says"), CONTRADICTING, ids=["deployment", "token"])
def test_a_name_that_contradicts_an_id_is_an_error_of_create_and_nothing_is_written(
    astro: Emulator, start: StartProcess, asked: dict[str, Any], says: str
) -> None:
    process = start(preview_checks="off")

    with pytest.raises(InputError) as raised:
        process.create(EngineCall(), checked(process, {**asked, "role": "DEPLOYMENT_ADMIN"}))

    assert says in str(raised.value)
    assert writes(astro) == 0


@pytest.mark.parametrize(("asked", "says"), CONTRADICTING, ids=["deployment", "token"])
def test_a_name_that_contradicts_the_id_of_the_state_is_an_error_of_the_update(
    astro: Emulator, start: StartProcess, asked: dict[str, Any], says: str
) -> None:
    stored = up(start(), BY_ID)
    astro.clear_calls()

    with pytest.raises(InputError) as raised:
        up(start(preview_checks="off"), {**asked, "role": "DEPLOYMENT_ADMIN"}, stored)

    assert says in str(raised.value)
    assert writes(astro) == 0


def test_a_change_of_role_does_not_mind_that_the_token_was_renamed_in_astro(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), BY_ID)
    astro.store.rename_token(OBSERVABILITY, "metrics")

    up(start(preview_checks="off"), {**BY_ID, "role": "DEPLOYMENT_ACCESSOR"}, stored)

    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"


def test_what_a_failed_create_should_have_is_not_deleted_however_it_is_spelled(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(preview_checks="off"), BY_ID)
    process = start(preview_checks="off")
    renamed = {**BY_NAME, "deployment_name": "etl-staging", "role": "Night Watch"}

    with pytest.raises(InputError, match="No deployment role is named 'Night Watch'"):
        process.create(EngineCall(), checked(process, renamed))
    with pytest.raises(BindingConflict, match="was not removed: another resource of this program"):
        process.delete(EngineCall(id=stored.id), {**stored.outputs, "deployment_name": "an older name"})

    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


def test_a_name_that_another_resource_could_not_use_does_not_stop_a_binding_by_ids(
    astro: Emulator, start: StartProcess
) -> None:
    process = start(preview_checks="off")
    ambiguous = {"deployment_name": "etl-production", "org_token_name": "ci-deployer", "role": "DEPLOYMENT_ADMIN"}
    by_ids = {"deployment_id": PRODUCTION, "org_token_id": DEPLOYERS[1], "role": "DEPLOYMENT_ADMIN"}

    with pytest.raises(InputError, match="2 tokens are named 'ci-deployer'"):
        process.create(EngineCall(), checked(process, ambiguous))
    up(process, by_ids)

    assert astro.store.deployment_role(DEPLOYERS[1], PRODUCTION) == "DEPLOYMENT_ADMIN"


def test_a_binding_that_another_resource_has_been_given_by_name_is_not_taken_from_the_state_alone(
    astro: Emulator, start: StartProcess
) -> None:
    ours = up(start(), BY_NAME)
    theirs = up(start(), {**BY_NAME, "org_token_name": "model-trainer"})
    process = start(preview_checks="off")

    checked(process, {**BY_NAME, "org_token_name": "model-trainer"}, ours)
    with pytest.raises(BindingConflict) as raised:
        process.delete(EngineCall(id=theirs.id), theirs.outputs)

    assert str(raised.value) == (
        f"Token 'model-trainer' ({TRAINER}) in deployment 'etl-staging' ({STAGING}) was not removed: another resource of "
        "this program has been given a name that may mean the same binding, which cannot be known while previewChecks is "
        "off. Nothing was written. Run again with it on."
    )
    assert astro.store.deployment_role(TRAINER, STAGING) == "DEPLOYMENT_ADMIN"

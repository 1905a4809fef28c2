"""A deployment may be given by its name, and the id that was found is the identity from then on."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.values import UNKNOWN
from tests.support.cast import (
    DATA_PLATFORM_ID,
    FINANCE_ID,
    OBSERVABILITY,
    ORGANIZATION_ID,
    PRODUCTION,
    STAGING,
    TRAINER,
    TRAINING,
)
from tests.support.processes import StartProcess, Stored, checked, problems, up
from tests.support.writes import writes

BY_NAME = {"deployment_name": "etl-staging", "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
BY_ID = {"deployment_id": STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
GONE = (
    f"Deployment 'etl-staging' ({STAGING}) does not exist any more. Remove this binding from the program, or give another "
    "deployment."
)
RENAMED = f"Deployment 'etl-staging' ({STAGING}) is named 'etl-test' now. Its grant stays; write 'etl-test' as deployment_name."

Err = pytest.CaptureFixture[str]


@pytest.fixture
def stored(astro: Emulator, start: StartProcess) -> Stored:
    """A binding in state, made by an earlier process from a deployment's name."""
    found = up(start(), BY_NAME)
    astro.clear_calls()
    return found


def difference(start: StartProcess, news: dict[str, Any], stored: Stored) -> tuple[bool, list[str]]:
    """What a new process takes for changed, and for replaced."""
    process = start()
    found = process.diff(EngineCall(), stored.outputs, checked(process, news, stored))
    return found.changes, found.replaces


# A name that one deployment has


def test_the_id_of_the_only_deployment_of_a_name_is_put_into_the_inputs(start: StartProcess, capsys: Err) -> None:
    inputs = checked(start(), BY_NAME)

    assert inputs == {
        **BY_NAME,
        "organization_id": ORGANIZATION_ID,
        "deployment_id": STAGING,
        "org_token_id": OBSERVABILITY,
        "overwrite": False,
    }
    assert capsys.readouterr().err == ""


def test_a_deployment_by_name_and_the_same_by_id_are_the_same_binding(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    assert stored.id == f"{ORGANIZATION_ID}/{STAGING}/{OBSERVABILITY}"
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"
    assert stored.outputs["deployment_name"] == "etl-staging"
    assert difference(start, BY_ID, stored) == difference(start, BY_NAME, stored) == (False, [])


def test_a_state_of_an_earlier_version_without_the_name_shows_no_change(start: StartProcess, stored: Stored) -> None:
    old = Stored(stored.id, _nameless(stored.inputs), _nameless(stored.outputs))

    assert difference(start, BY_ID, old) == (False, [])
    assert difference(start, BY_NAME, old) == (False, [])


def test_another_name_is_a_replacement(astro: Emulator, start: StartProcess, stored: Stored) -> None:
    found = difference(start, {**BY_NAME, "deployment_name": "ml-training"}, stored)
    after = up(start(), {**BY_NAME, "deployment_name": "ml-training"}, stored)

    assert found == (True, ["deployment_id"])
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None
    assert astro.store.deployment_role(OBSERVABILITY, after.outputs["deployment_id"]) == "DEPLOYMENT_ADMIN"


def test_a_name_that_is_not_known_yet_has_no_known_id(start: StartProcess) -> None:
    inputs = checked(start(), {**BY_NAME, "deployment_name": UNKNOWN})

    assert inputs["deployment_name"] is UNKNOWN
    assert inputs["deployment_id"] is UNKNOWN


# A name that several deployments have


def test_several_deployments_of_a_name_are_an_error_that_lists_their_ids(astro: Emulator, start: StartProcess) -> None:
    other = astro.store.add_deployment("etl-staging", workspace_id=FINANCE_ID)
    first, second = sorted([STAGING, other])

    assert problems(start(), BY_NAME) == [
        (
            "deployment_name",
            (
                f"2 deployments are named 'etl-staging': {first}, {second}. Give deployment_id instead, or give the "
                "workspace_id of the one that you mean."
            ),
        )
    ]


@pytest.mark.parametrize("workspace_id", [DATA_PLATFORM_ID, FINANCE_ID])
def test_the_workspace_tells_which_of_several_is_meant(astro: Emulator, start: StartProcess, workspace_id: str) -> None:
    other = astro.store.add_deployment("etl-staging", workspace_id=FINANCE_ID)

    inputs = checked(start(), {**BY_NAME, "workspace_id": workspace_id})

    assert inputs["deployment_id"] == {DATA_PLATFORM_ID: STAGING, FINANCE_ID: other}[workspace_id]


def test_a_binding_in_state_stays_with_its_deployment_if_its_name_is_given_once_more(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: Err
) -> None:
    astro.store.add_deployment("etl-staging", workspace_id=FINANCE_ID)
    text = (
        f"2 deployments are named 'etl-staging'. This binding stays with {STAGING}, which the state has; give deployment_id "
        "to say so in the program."
    )

    assert difference(start, BY_NAME, stored) == (False, [])
    assert capsys.readouterr().err == f"astro: warning: {text}\n"
    assert problems(start(preview_checks="strict"), BY_NAME, stored) == [("deployment_name", text)]


# A name that no deployment has


def test_an_unknown_name_of_a_new_binding_is_a_warning_with_the_nearest_names(start: StartProcess, capsys: Err) -> None:
    inputs = checked(start(), {**BY_NAME, "deployment_name": "etl-stagin"})

    assert "deployment_id" not in inputs
    assert capsys.readouterr().err == (
        f"astro: warning: No deployment is named 'etl-stagin' in organization {ORGANIZATION_ID} (nearest: 'etl-staging'), so "
        "token 'observability' cannot be bound to it. The update will fail unless this program also creates that "
        "deployment.\n"
    )


def test_an_unknown_name_is_an_error_of_create_and_nothing_is_written(astro: Emulator, start: StartProcess) -> None:
    process = start()
    inputs = checked(process, {**BY_NAME, "deployment_name": "etl-stagin"})

    with pytest.raises(Exception, match=r"^deployment_name: No deployment is named 'etl-stagin' in organization"):
        process.create(EngineCall(), inputs)

    assert writes(astro) == 0


def test_a_name_that_came_into_being_after_the_check_is_found(astro: Emulator, start: StartProcess) -> None:
    process = start()
    inputs = checked(process, {**BY_NAME, "deployment_name": "newcomer"})
    deployment_id = astro.store.add_deployment("newcomer")

    process.create(EngineCall(), inputs)

    assert astro.store.deployment_role(OBSERVABILITY, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_misspelt_name_of_a_binding_in_state_is_an_error_so_that_no_replacement_takes_the_grant(
    start: StartProcess, stored: Stored
) -> None:
    assert problems(start(), {**BY_NAME, "deployment_name": "etl-stagin"}, stored) == [
        (
            "deployment_name",
            (
                f"No deployment is named 'etl-stagin' in organization {ORGANIZATION_ID} (nearest: 'etl-staging'). The "
                f"deployment of this binding ({STAGING}) is named 'etl-staging' now."
            ),
        )
    ]


def test_a_name_that_looks_alike_and_is_written_with_other_characters_is_told_as_that(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    in_astro, in_program = (unicodedata.normalize(form, "Café") for form in ("NFD", "NFC"))
    astro.store.add_deployment(in_astro)
    astro.store.add_token(in_astro)

    checked(start(), {**BY_NAME, "deployment_name": in_program, "org_token_name": in_program})

    said = capsys.readouterr().err
    alike = f"({in_astro!r} looks alike and is written with other Unicode characters: copy the name from Astro)"
    assert f"No deployment is named {in_program!r} in organization {ORGANIZATION_ID} {alike}" in said
    assert f"No token is named {in_program!r} in organization {ORGANIZATION_ID} {alike}" in said


def test_a_credential_that_sees_no_deployment_at_all_is_told(astro: Emulator, start: StartProcess) -> None:
    for deployment in astro.store.shown()["deployments"]:
        astro.store.delete_deployment(deployment["id"], keep_roles=False)

    assert problems(start(), BY_ID) == [
        (
            "deployment_id",
            (
                f"There is no deployment with the id {STAGING} in organization {ORGANIZATION_ID}: the credential sees no "
                "deployment there at all. Check whose credential it is."
            ),
        )
    ]


# A name and an id


def test_a_name_and_an_id_that_mean_the_same_may_be_given_together(start: StartProcess, capsys: Err) -> None:
    both = {**BY_NAME, "deployment_id": STAGING, "org_token_id": OBSERVABILITY}

    assert checked(start(), both) == {**both, "organization_id": ORGANIZATION_ID, "overwrite": False}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "name", "text"),
    [
        (
            {"deployment_id": TRAINING},
            "deployment_name",
            (
                f"deployment_name 'etl-staging' and deployment_id {TRAINING} do not mean the same deployment: {TRAINING} is "
                "named 'ml-training'. Give one of the two."
            ),
        ),
        (
            {"org_token_id": TRAINER},
            "org_token_name",
            (
                f"org_token_name 'observability' and org_token_id {TRAINER} do not mean the same token: {TRAINER} is named "
                "'model-trainer'. Give one of the two."
            ),
        ),
    ],
    ids=["deployment", "token"],
)
def test_a_name_and_an_id_that_mean_two_things_are_an_error_that_names_both(
    start: StartProcess, change: dict[str, str], name: str, text: str
) -> None:
    assert problems(start(), {**BY_NAME, **change}) == [(name, text)]


@pytest.mark.parametrize("name", ["etl-production", "nobody-has-it"])
def test_a_name_that_does_not_fit_the_id_in_the_state_is_an_error_although_the_id_is_unchanged(
    start: StartProcess, stored: Stored, name: str
) -> None:
    assert problems(start(), {**BY_ID, "deployment_name": name}, stored) == [
        (
            "deployment_name",
            (
                f"deployment_name {name!r} and deployment_id {STAGING} do not mean the same deployment: {STAGING} is named "
                "'etl-staging'. Give one of the two."
            ),
        )
    ]


def test_a_binding_that_contradicts_is_spoken_of_by_the_name_that_its_id_has(start: StartProcess) -> None:
    [_, (_, text)] = problems(start(), {**BY_NAME, "deployment_id": PRODUCTION})

    assert text.startswith(
        f"Token 'observability' ({OBSERVABILITY}) in deployment 'etl-production' ({PRODUCTION}) already has the role"
    )


# What happens in Astro


def test_a_renamed_deployment_of_a_binding_in_state_is_a_warning_that_gives_the_name(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: Err
) -> None:
    astro.store.rename_deployment(STAGING, "etl-test")

    assert difference(start, BY_NAME, stored) == (False, [])
    assert capsys.readouterr().err == f"astro: warning: {RENAMED}\n"
    assert problems(start(preview_checks="strict"), BY_NAME, stored) == [("deployment_name", RENAMED)]


def test_a_deployment_renamed_in_astro_and_in_the_program_writes_nothing(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.rename_deployment(STAGING, "etl-test")

    after = up(start(), {**BY_NAME, "deployment_name": "etl-test"}, stored)

    assert (stored.id, "etl-test") == (after.id, after.outputs["deployment_name"])
    assert writes(astro) == 0


def test_a_deployment_given_by_id_and_renamed_in_astro_is_no_change(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    stored = up(start(), BY_ID)
    astro.store.rename_deployment(STAGING, "etl-test")

    assert difference(start, BY_ID, stored) == (False, [])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("news", [BY_NAME, BY_ID], ids=["name", "id"])
def test_a_deleted_deployment_of_a_binding_in_state_is_a_warning_with_the_remedy(
    astro: Emulator, start: StartProcess, stored: Stored, capsys: Err, news: dict[str, str]
) -> None:
    astro.store.delete_deployment(STAGING, keep_roles=False)

    assert difference(start, news, stored) == (False, [])
    assert capsys.readouterr().err == f"astro: warning: {GONE}\n"


@pytest.mark.parametrize(("news", "name"), [(BY_NAME, "deployment_name"), (BY_ID, "deployment_id")], ids=["name", "id"])
def test_a_deleted_deployment_of_a_binding_in_state_is_an_error_of_strict_checks(
    astro: Emulator, start: StartProcess, stored: Stored, news: dict[str, str], name: str
) -> None:
    astro.store.delete_deployment(STAGING, keep_roles=False)

    assert problems(start(preview_checks="strict"), news, stored) == [(name, GONE)]


def test_a_deleted_deployment_is_an_error_if_its_binding_shall_change(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.delete_deployment(STAGING, keep_roles=False)

    assert problems(start(), {**BY_NAME, "role": "DEPLOYMENT_ACCESSOR"}, stored) == [("deployment_name", GONE)]


def test_a_deleted_deployment_of_one_binding_does_not_stop_the_removal_of_another(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    urgent = up(start(), {**BY_NAME, "deployment_name": "etl-production", "role": "DEPLOYMENT_ACCESSOR"})
    astro.store.delete_deployment(STAGING, keep_roles=False)
    process = start()

    up(process, BY_NAME, stored)
    process.delete(EngineCall(id=urgent.id), urgent.outputs)

    assert astro.store.deployment_role(OBSERVABILITY, PRODUCTION) is None


def test_a_deployment_made_anew_under_the_same_name_is_a_replacement(
    astro: Emulator, start: StartProcess, stored: Stored
) -> None:
    astro.store.delete_deployment(STAGING, keep_roles=False)
    deployment_id = astro.store.add_deployment("etl-staging")

    found = difference(start, BY_NAME, stored)
    after = up(start(), BY_NAME, stored)

    assert found == (True, ["deployment_id"])
    assert after.id == f"{ORGANIZATION_ID}/{deployment_id}/{OBSERVABILITY}"
    assert astro.store.deployment_role(OBSERVABILITY, deployment_id) == "DEPLOYMENT_ADMIN"


def _nameless(bag: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in bag.items() if name != "deployment_name"}


# A workspace that tells which deployment is meant


def test_two_deployments_of_a_name_wait_for_a_workspace_that_is_not_known_yet(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    astro.store.add_deployment("etl-staging", workspace_id=FINANCE_ID)

    inputs = checked(start(), {**BY_NAME, "workspace_id": UNKNOWN})

    assert inputs["deployment_id"] is UNKNOWN
    assert capsys.readouterr().err == ""


def test_a_workspace_without_the_deployment_of_the_state_is_an_error_that_does_not_speak_of_a_new_name(
    start: StartProcess, stored: Stored, capsys: Err
) -> None:
    assert problems(start(), {**BY_NAME, "workspace_id": FINANCE_ID}, stored) == [
        (
            "workspace_id",
            f"Deployment 'etl-staging' ({STAGING}) belongs to workspace {DATA_PLATFORM_ID}, not to {FINANCE_ID}.",
        )
    ]
    assert capsys.readouterr().err == ""

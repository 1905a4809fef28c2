"""What `check` says of a table: each problem with its place, all of them in one error, and nothing is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.values import UNKNOWN
from tests.support.cast import DEPLOYERS, FINANCE, OF_WORKSPACE
from tests.support.processes import StartProcess
from tests.support.tables import ACCESSOR, ADMIN, POST, Town, checked, problem, tables, up

CHECKED = {"exclusive": False, "overwrite": False}

MALFORMED: dict[str, tuple[Any, str]] = {
    "no roles": (None, "roles: is missing: write {deployment: {token: role}}, with at least one deployment."),
    "an empty table": ({}, "roles: is empty: write {deployment: {token: role}}, with at least one deployment."),
    "a list": ([], "roles: must be a map: write {deployment: {token: role}}, with at least one deployment."),
    "a blank deployment": ({" ": {"t-0": ADMIN}}, 'roles[" "]: is blank: write the name or the id of the deployment.'),
    "a blank token": ({"d-0": {"": ADMIN}}, 'roles["d-0"][""]: is blank: write the name or the id of the token.'),
    "a role for a whole deployment": (
        {"d-0": ADMIN},
        "roles[\"d-0\"]: must be a map {token: role}, not 'DEPLOYMENT_ADMIN'.",
    ),
    "a role that is no text": (
        {"d-0": {"t-0": 7.0}},
        'roles["d-0"]["t-0"]: must be text (DEPLOYMENT_ADMIN, or the name of another deployment role), not 7.0.',
    ),
    "a blank role": (
        {"d-0": {"t-0": " "}},
        'roles["d-0"]["t-0"]: is blank: write DEPLOYMENT_ADMIN, or the name of another deployment role.',
    ),
    "a role with blanks": (
        {"d-0": {"t-0": " DEPLOYMENT_ADMIN"}},
        "roles[\"d-0\"][\"t-0\"]: ' DEPLOYMENT_ADMIN' has blanks around it: write 'DEPLOYMENT_ADMIN'.",
    ),
}


@pytest.mark.parametrize(("roles", "text"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_malformed_is_told_with_its_place(start: StartProcess, town: Town, roles: Any, text: str) -> None:
    given = {} if roles is None else {"roles": roles}

    assert problem(tables(start()), given) == text
    assert town.calls(POST) == 0


def test_a_secret_is_not_repeated_wherever_it_stands(start: StartProcess, town: Town) -> None:
    secret = town.astro.credential
    places: list[Any] = [{secret: {"t-0": ADMIN}}, {"d-0": {secret: ADMIN}}, {"d-0": {"t-0": secret}}, {"d-0": secret}]

    for roles in places:
        text = problem(tables(start()), {"roles": roles})

        assert secret not in text
        assert "secret value of a" in text


def test_names_become_ids_beside_the_roles_and_keys_stay_as_they_are_spelled(start: StartProcess, town: Town) -> None:
    d1, t1 = town.deployments["d-1"], town.tokens["t-1"]

    inputs = checked(tables(start()), {"roles": {"d-0": {"t-0": ADMIN.lower(), t1: ACCESSOR}, d1: {}}})

    assert inputs == {
        **CHECKED,
        "organization_id": town.astro.organization_id,
        "roles": {"d-0": {"t-0": ADMIN, t1: ACCESSOR}, d1: {}},
        "deployment_ids": {"d-0": town.deployments["d-0"]},
        "token_ids": {"t-0": town.tokens["t-0"]},
    }


def test_all_problems_of_a_table_stand_in_one_error_each_at_its_place(start: StartProcess, town: Town) -> None:
    first, second = DEPLOYERS
    roles = {
        "d-0": {"ci-deployer": ADMIN, "t-0": "WORKSPACE_ADMIN"},
        FINANCE: {"t-1": ADMIN, OF_WORKSPACE: ADMIN},
        "clm0000000000000000000000": {"t-2": ADMIN},
    }

    text = problem(tables(start()), {"roles": roles, "workspace_id": town.astro.store.shown()["workspaces"][0]["id"]})

    assert text.startswith("5 entries or keys of this table cannot be right: (1) ")
    assert 'roles["clm0000000000000000000000"]: There is no deployment with the id clm0000000000000000000000' in text
    assert (
        f'roles["d-0"]["ci-deployer"]: 2 tokens are named \'ci-deployer\': {", ".join(sorted((first, second)))}. Write the '
        "id as the key instead."
    ) in text
    assert f'roles["{FINANCE}"]: Deployment ' in text
    assert f'roles["{FINANCE}"]["{OF_WORKSPACE}"]: Token ' in text
    assert 'roles["d-0"]["t-0"]: No deployment role is named \'WORKSPACE_ADMIN\'' in text
    assert town.calls(POST) == 0


def test_of_many_problems_twenty_are_told_and_the_rest_is_counted(start: StartProcess, town: Town) -> None:
    wrong = {f"clm00000000000000000000{number:02}": {"t-0": ADMIN} for number in range(33)}

    text = problem(tables(start()), {"roles": {"d-0": {"t-0": ADMIN}, **wrong}})

    assert text.startswith("33 entries or keys of this table cannot be right: (1) ")
    assert text.count("There is no deployment with the id") == 20
    assert text.endswith(" And 13 more.")
    assert town.calls(POST) == 0
    assert town.calls("GetDeployment") <= 20


def test_an_unknown_role_in_the_middle_of_a_thousand_is_a_warning_with_its_place(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments = {town.astro.store.add_deployment(f"m-{number}"): {"t-0": ADMIN} for number in range(300)}
    deployments[list(deployments)[150]] = {"t-0": "DEPLOYMENT_ADMN"}

    answer = tables(start()).check(EngineCall(), {}, {"roles": deployments})
    strict = problem(tables(start(preview_checks="strict")), {"roles": deployments})

    where = f'roles["{list(deployments)[150]}"]["t-0"]'
    said = f"{where}: No deployment role is named 'DEPLOYMENT_ADMN' in organization {town.astro.organization_id} (nearest: "
    assert answer.problems == []
    assert f"astro: warning: {said}" in capsys.readouterr().err
    assert strict.startswith(said)
    with pytest.raises(Exception, match="No deployment role is named"):
        tables(start()).create(EngineCall(), answer.inputs)
    assert town.calls(POST) == 0


def test_a_token_twice_in_a_deployment_is_an_error(start: StartProcess, town: Town) -> None:
    t0 = town.tokens["t-0"]

    text = problem(tables(start()), {"roles": {"d-0": {"t-0": ADMIN, t0: ACCESSOR}, "d-1": {"t-0": ADMIN}}})

    assert text == (
        f'roles["d-0"]["{t0}"]: is token \'t-0\' ({t0}), and so is roles["d-0"]["t-0"]: a token has one role in a '
        "deployment. Remove one of the two."
    )


def test_a_deployment_under_two_keys_is_an_error(start: StartProcess, town: Town) -> None:
    d0 = town.deployments["d-0"]

    text = problem(tables(start()), {"roles": {"d-0": {"t-0": ADMIN}, d0: {"t-1": ADMIN}}})

    assert text == (
        f'roles["{d0}"]: is deployment \'d-0\' ({d0}), and so is roles["d-0"]: write all its tokens beneath one key.'
    )


def test_a_name_that_is_also_the_id_of_another_is_an_error(start: StartProcess, town: Town) -> None:
    t0 = town.tokens["t-0"]
    other = town.astro.store.add_token(t0)

    text = problem(tables(start()), {"roles": {"d-0": {t0: ADMIN}}})

    assert text == (
        f"roles[\"d-0\"][\"{t0}\"]: '{t0}' is the id of token 't-0' ({t0}) and the name of {other}. Give the other one by its "
        "id, and rename one of the two in Astro."
    )


def test_a_workspace_tells_deployments_of_one_name_apart(start: StartProcess, town: Town) -> None:
    one, other = town.astro.store.shown()["workspaces"][:2]
    here = town.astro.store.add_deployment("twin", workspace_id=one["id"])
    town.astro.store.add_deployment("twin", workspace_id=other["id"])
    roles = {"twin": {"t-0": ADMIN}}

    text = problem(tables(start()), {"roles": roles})
    inputs = checked(tables(start()), {"roles": roles, "workspace_id": one["id"]})

    assert text.startswith("roles[\"twin\"]: 2 deployments are named 'twin': ")
    assert inputs["deployment_ids"] == {"twin": here}


def test_what_may_be_made_by_the_same_program_is_a_warning(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = checked(tables(start()), {"roles": {"d-9": {"t-0": ADMIN}, "d-0": {"t-9": ADMIN}}})

    said = capsys.readouterr().err
    assert inputs["deployment_ids"] == {"d-0": town.deployments["d-0"]}
    assert "astro: warning: roles[\"d-9\"]: No deployment has the name or the id 'd-9' (nearest: " in said
    assert "The update will fail unless this program also creates that token." in next(
        line for line in said.splitlines() if "'t-9'" in line
    )


@pytest.mark.parametrize("roles", [UNKNOWN, {"d-0": UNKNOWN}, {"d-0": {"t-0": UNKNOWN}}], ids=["all", "row", "role"])
def test_what_is_unknown_is_a_change_and_checked_when_it_is_known(start: StartProcess, town: Town, roles: Any) -> None:
    stored = up(tables(start()), {"roles": {"d-0": {"t-0": ADMIN}}})
    process = tables(start())

    inputs = checked(process, {"roles": roles}, stored)

    assert inputs["roles"] == roles
    assert inputs["deployment_ids"] == {"d-0": town.deployments["d-0"]}
    assert process.diff(EngineCall(), stored.outputs, inputs).changes


def test_an_unchanged_entry_whose_deployment_is_gone_is_a_warning_beside_one_that_changes(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = up(tables(start()), {"roles": {"d-0": {"t-0": ADMIN}, "d-1": {"t-0": ADMIN}}})
    town.astro.store.delete_deployment(town.deployments["d-0"])

    process = tables(start())
    inputs = checked(process, {"roles": {"d-0": {"t-0": ADMIN}, "d-1": {"t-0": ACCESSOR}}}, stored)
    process.update(EngineCall(id=stored.id), stored.outputs, inputs)
    said = capsys.readouterr().err
    text = problem(tables(start()), {"roles": {"d-0": {"t-0": ACCESSOR}, "d-1": {"t-0": ADMIN}}}, stored)

    gone = f"roles[\"d-0\"]: Deployment 'd-0' ({town.deployments['d-0']}) does not exist any more. Remove it from the table, or give another one."
    assert f"astro: warning: {gone}" in said
    assert town.astro.store.deployment_role(town.tokens["t-0"], town.deployments["d-1"]) == ACCESSOR
    assert text == gone


@pytest.mark.parametrize("by_id", [False, True])
def test_a_deployment_without_entries_that_is_gone_is_a_warning(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str], *, by_id: bool
) -> None:
    key = town.deployments["d-0"] if by_id else "d-0"
    stored = up(tables(start()), {"roles": {key: {}, "d-1": {"t-0": ADMIN}}, "exclusive": True})
    town.astro.store.delete_deployment(town.deployments["d-0"])
    process = tables(start())

    inputs = checked(process, {"roles": {key: {}, "d-1": {"t-0": ACCESSOR}}, "exclusive": True}, stored)
    process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert f"astro: warning: roles[{json.dumps(key)}]: Deployment " in capsys.readouterr().err
    assert town.astro.store.deployment_role(town.tokens["t-0"], town.deployments["d-1"]) == ACCESSOR


def test_what_was_renamed_keeps_its_roles_with_a_warning(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    news = {"roles": {"d-0": {"t-0": ADMIN}}}
    stored = up(tables(start()), news)
    town.astro.store.rename_token(town.tokens["t-0"], "t-zero")
    process = tables(start())

    inputs = checked(process, news, stored)

    assert inputs == stored.inputs
    assert not process.diff(EngineCall(), stored.outputs, inputs).changes
    assert "is named 't-zero' now. Its roles stay; write 't-zero' as the key." in capsys.readouterr().err


def test_a_token_that_was_made_anew_shows_as_another_id_and_gets_the_role(start: StartProcess, town: Town) -> None:
    news = {"roles": {"d-0": {"t-0": ADMIN}}}
    stored = up(tables(start()), news)
    town.astro.store.delete_token(town.tokens["t-0"])
    anew = town.astro.store.add_token("t-0")
    process = tables(start())

    inputs = checked(process, news, stored)
    changes = process.diff(EngineCall(), stored.outputs, inputs).changes
    process.update(EngineCall(), stored.outputs, inputs)

    assert inputs["token_ids"] == {"t-0": anew}
    assert changes
    assert town.astro.store.deployment_role(anew, town.deployments["d-0"]) == ADMIN


def test_another_role_that_is_there_already_is_an_error_and_the_same_one_a_note(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.bind("d-0", "t-0", ACCESSOR)
    town.bind("d-1", "t-0", ADMIN)
    news = {"roles": {"d-0": {"t-0": ADMIN}, "d-1": {"t-0": ADMIN}}}

    text = problem(tables(start()), news)
    checked(tables(start()), {**news, "overwrite": True})

    words = f"token 't-0' ({town.tokens['t-0']}) in deployment 'd-0' ({town.deployments['d-0']})"
    assert text.startswith(
        f'roles["d-0"]["t-0"]: T{words[1:]} already has the role DEPLOYMENT_ACCESSOR, and DEPLOYMENT_ADMIN is asked for.'
    )
    said = capsys.readouterr().err
    assert "It will be adopted unchanged" in said
    assert "overwrite will change DEPLOYMENT_ACCESSOR → DEPLOYMENT_ADMIN" in said


def test_what_was_made_with_the_checks_off_is_known_by_its_spelling_when_they_are_on(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = up(tables(start(preview_checks="off")), {"roles": {"d-0": {"t-0": ADMIN}}})
    capsys.readouterr()
    process = tables(start())

    inputs = checked(process, {"roles": {"d-0": {"t-0": ACCESSOR}}}, stored)
    process.update(EngineCall(), stored.outputs, inputs)

    assert "deployment_ids" in stored.outputs
    assert stored.inputs["deployment_ids"] == {}
    assert capsys.readouterr().err == ""
    assert town.held() == {"d-0": {"t-0": ACCESSOR}}


def test_the_own_roles_of_a_table_that_is_to_be_replaced_are_no_problem(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine checks a replacement twice, the second time without the state."""
    stored = up(tables(start()), {"roles": {"d-0": {"t-0": ADMIN, "t-1": ACCESSOR}}})
    process, call = tables(start(preview_checks="strict")), EngineCall("urn:pulumi:prod::access::table::access")
    after = {"roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}}

    found = [process.check(call, olds, after).problems for olds in (stored.inputs, {})]

    assert found == [[], []]
    assert capsys.readouterr().err == ""
    assert town.held() == {"d-0": {"t-0": ADMIN, "t-1": ACCESSOR}}

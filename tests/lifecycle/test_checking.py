"""Check: what a preview says. What cannot exist yet is a warning, what exists and contradicts is an error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.values import UNKNOWN
from tests.support.cast import (
    DATA_PLATFORM_ID,
    DEPLOYERS,
    DIRECT,
    EXPIRED,
    FINANCE,
    FINANCE_ID,
    OBSERVABILITY,
    OF_WORKSPACE,
    ORGANIZATION_ID,
    PRODUCTION,
    STAGING,
    TRAINING,
    time_of,
)
from tests.support.processes import StartProcess, calls_to, checked, problems, up
from tests.support.writes import writes

ADMIN = {"deployment_id": STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}
BY_ID = {"deployment_id": STAGING, "org_token_id": OBSERVABILITY, "role": "DEPLOYMENT_ADMIN"}
ACCESSOR = {**ADMIN, "deployment_id": PRODUCTION, "role": "DEPLOYMENT_ACCESSOR"}

SHOWN_TOKEN = f"'observability' ({OBSERVABILITY})"
SHOWN_STAGING = f"'etl-staging' ({STAGING})"
SHOWN_PRODUCTION = f"'etl-production' ({PRODUCTION})"
TOKEN_IS_GONE = (
    f"Token {SHOWN_TOKEN} does not exist any more. Remove this binding from the program, or give another token."
)
TOKEN_IS_RENAMED = f"Token {SHOWN_TOKEN} is named 'metrics' now. Its grant stays; write 'metrics' as org_token_name."

Err = pytest.CaptureFixture[str]


def test_a_name_is_resolved_and_the_id_put_into_the_inputs(start: StartProcess, capsys: Err) -> None:
    assert checked(start(), ADMIN) == {
        **ADMIN,
        "organization_id": ORGANIZATION_ID,
        "deployment_name": "etl-staging",
        "org_token_id": OBSERVABILITY,
        "overwrite": False,
    }
    assert capsys.readouterr().err == ""


def test_the_name_of_an_id_is_put_into_the_inputs(start: StartProcess) -> None:
    assert checked(start(), BY_ID)["org_token_name"] == "observability"


def test_a_check_never_writes(astro: Emulator, start: StartProcess) -> None:
    checked(start(), ADMIN)
    checked(start(), {**ACCESSOR, "role": "DEPLOYMENT_ADMIN", "overwrite": True})

    assert writes(astro) == 0


def test_many_checks_cost_few_calls(astro: Emulator, start: StartProcess) -> None:
    deployments = [astro.store.add_deployment(f"deployment-{number}") for number in range(30)]
    process = start()

    for deployment_id in deployments:
        checked(process, {**ADMIN, "deployment_id": deployment_id})

    assert astro.calls()["total"] <= 6


# Bad input


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ({**ADMIN, "role": " "}, ["role"]),
        ({**ADMIN, "role": None}, ["role"]),
        ({**ADMIN, "org_token_name": None}, ["org_token_name"]),
        ({**ADMIN, "deployment_id": f" {STAGING}"}, ["deployment_id"]),
        ({**ADMIN, "deployment_id": 1.0, "role": 7.0}, ["deployment_id", "role"]),
        ({}, ["role", "deployment_id", "org_token_name"]),
    ],
)
def test_what_is_wrong_by_its_form_stands_on_its_property_and_nothing_is_written(
    astro: Emulator, start: StartProcess, news: dict[str, Any], expected: list[str]
) -> None:
    answer = start().check(EngineCall(), {}, news)

    assert expected == [problem.property_name for problem in answer.problems]
    assert news == answer.inputs
    assert writes(astro) == 0


def test_what_is_wrong_by_its_form_and_what_is_not_there_are_told_together(start: StartProcess) -> None:
    news = {"deployment_id": "clnone", "org_token_id": OBSERVABILITY, "role": " ", "workspace_id": "a b"}

    answer = start().check(EngineCall(), {}, news)

    assert [problem.property_name for problem in answer.problems] == ["role", "workspace_id", "deployment_id"]
    assert "There is no deployment with the id clnone" in answer.problems[2].reason


def test_what_is_malformed_is_not_looked_up(astro: Emulator, start: StartProcess) -> None:
    start().check(
        EngineCall(), {}, {**ADMIN, "deployment_id": "../tokens", "org_token_name": None, "org_token_id": "a/b"}
    )

    assert {"ListDeployments", "GetDeployment", "ListApiTokens", "GetApiToken"}.isdisjoint(calls_to(astro))


def test_a_token_id_that_does_not_exist_is_an_error(start: StartProcess) -> None:
    assert problems(start(), {**BY_ID, "org_token_id": "clnone"}) == [
        ("org_token_id", f"There is no token with the id clnone in organization {ORGANIZATION_ID}.")
    ]


def test_a_deployment_id_that_does_not_exist_is_an_error(start: StartProcess) -> None:
    assert problems(start(), {**ADMIN, "deployment_id": "clnone"}) == [
        ("deployment_id", f"There is no deployment with the id clnone in organization {ORGANIZATION_ID}.")
    ]


def test_a_deployment_given_by_its_name_is_answered_with_its_id(start: StartProcess) -> None:
    assert problems(start(), {**ADMIN, "deployment_id": "etl-staging"}) == [
        (
            "deployment_id",
            (
                f"There is no deployment with the id etl-staging in organization {ORGANIZATION_ID}: that is the name of "
                f"{STAGING}. Give it as deployment_name, or write the id."
            ),
        )
    ]


def test_several_tokens_of_a_name_are_an_error_that_lists_their_ids(start: StartProcess) -> None:
    first, second = sorted(DEPLOYERS)

    assert problems(start(), {**ADMIN, "org_token_name": "ci-deployer"}) == [
        ("org_token_name", f"2 tokens are named 'ci-deployer': {first}, {second}. Give org_token_id instead.")
    ]


def test_one_of_several_tokens_of_a_name_is_taken_by_its_id(start: StartProcess) -> None:
    assert checked(start(), {**BY_ID, "org_token_id": DEPLOYERS[1]})["org_token_name"] == "ci-deployer"


def test_a_token_of_a_workspace_is_an_error_on_what_the_program_gave(start: StartProcess) -> None:
    text = f"Token 'finance-workspace' ({OF_WORKSPACE}) is of scope WORKSPACE: only ORGANIZATION tokens can be bound."

    by_name = problems(start(), {**ADMIN, "org_token_name": "finance-workspace"})
    by_id = problems(start(), {**BY_ID, "org_token_id": OF_WORKSPACE})

    assert by_name == [("org_token_name", text)]
    assert by_id == [("org_token_id", text)]


def test_a_deployment_of_another_workspace_is_an_error(start: StartProcess) -> None:
    assert problems(start(), {**ADMIN, "workspace_id": FINANCE_ID}) == [
        (
            "workspace_id",
            f"Deployment 'etl-staging' ({STAGING}) belongs to workspace {DATA_PLATFORM_ID}, not to {FINANCE_ID}.",
        )
    ]


def test_a_deployment_of_the_workspace_is_no_error(start: StartProcess) -> None:
    assert problems(start(), {**ADMIN, "workspace_id": DATA_PLATFORM_ID}) == []


def test_a_role_that_is_restricted_to_another_workspace_is_an_error(start: StartProcess) -> None:
    assert problems(start(), {**ADMIN, "role": "Ledger Auditor"}) == [
        (
            "role",
            (
                f"The role Ledger Auditor is restricted to workspace {FINANCE_ID}, and deployment 'etl-staging' ({STAGING}) "
                f"belongs to {DATA_PLATFORM_ID}."
            ),
        )
    ]


def test_a_role_that_is_restricted_to_this_workspace_is_no_error(start: StartProcess) -> None:
    assert problems(start(), {**ADMIN, "role": "Ledger Auditor", "deployment_id": FINANCE}) == []


def test_a_role_of_dags_is_no_role_of_deployments(start: StartProcess, capsys: Err) -> None:
    assert problems(start(), {**ADMIN, "role": "DAG Trigger"}) == []
    assert "No deployment role is named 'DAG Trigger'" in capsys.readouterr().err


@pytest.mark.parametrize("role", ["WORKSPACE_ADMIN", "ORGANIZATION_OWNER", "DAG_AUTHOR"])
def test_a_built_in_role_of_another_scope_is_an_error(start: StartProcess, role: str) -> None:
    [(name, text)] = problems(start(), {**ADMIN, "role": role})

    assert name == "role"
    assert text.startswith(f"No deployment role is named '{role}' in organization {ORGANIZATION_ID}")
    assert text.endswith(". It is named like a built-in role of another scope, which a deployment can never have.")


def test_a_role_that_only_begins_like_a_built_in_one_may_be_made_by_this_program(
    start: StartProcess, capsys: Err
) -> None:
    assert problems(start(), {**ADMIN, "role": "DAG_readers"}) == []
    assert "The update will fail unless this program also creates that role." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spelled", "role"),
    [("deployment_admin", "DEPLOYMENT_ADMIN"), ("release ENGINEER", "Release Engineer")],
    ids=["built-in", "custom"],
)
def test_a_role_is_put_into_the_inputs_in_astro_s_spelling(
    start: StartProcess, capsys: Err, spelled: str, role: str
) -> None:
    inputs = checked(start(), {**ADMIN, "role": spelled})

    assert inputs["role"] == role
    assert capsys.readouterr().err == ""


def test_of_two_roles_that_differ_only_in_case_the_exact_spelling_wins(astro: Emulator, start: StartProcess) -> None:
    for role in ("deploy-only", "Deploy-Only"):
        astro.store.add_role(role)

    for role in ("deploy-only", "Deploy-Only"):
        assert checked(start(), {**ADMIN, "role": role})["role"] == role


def test_a_role_that_may_mean_two_is_an_error_that_names_both(astro: Emulator, start: StartProcess) -> None:
    for role in ("deploy-only", "Deploy-Only"):
        astro.store.add_role(role)

    found = problems(start(), {**ADMIN, "role": "DEPLOY-ONLY"})

    text = (
        "'DEPLOY-ONLY' may mean 'deploy-only' and 'Deploy-Only', which are two roles: write the one that is meant as Astro "
        "spells it."
    )
    assert found == [("role", text)]
    assert writes(astro) == 0


def test_a_token_of_a_workspace_that_has_the_same_name_is_no_matter(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    stored = up(start(), ADMIN)
    astro.store.add_token("observability", scope="WORKSPACE")

    assert checked(start(), ADMIN)["org_token_id"] == OBSERVABILITY
    capsys.readouterr()
    assert checked(start(), ADMIN, stored) == stored.inputs
    assert capsys.readouterr().err == ""


def test_a_second_token_of_the_name_leaves_a_binding_in_state_with_its_token(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    stored = up(start(), ADMIN)
    astro.store.add_token("observability")
    text = (
        f"2 tokens are named 'observability'. This binding stays with {OBSERVABILITY}, which the state has; give "
        "org_token_id to say so in the program."
    )

    assert checked(start(), ADMIN, stored) == stored.inputs
    assert capsys.readouterr().err == f"astro: warning: {text}\n"
    assert problems(start(preview_checks="strict"), ADMIN, stored) == [("org_token_name", text)]


# What the program may be about to make


def test_an_unknown_name_of_a_new_binding_is_a_warning_with_the_nearest_names(start: StartProcess, capsys: Err) -> None:
    inputs = checked(start(), {**ADMIN, "org_token_name": "observabilty"})

    assert "org_token_id" not in inputs
    assert capsys.readouterr().err == (
        f"astro: warning: No token is named 'observabilty' in organization {ORGANIZATION_ID} (nearest: 'observability'), "
        f"so it cannot be bound to deployment {SHOWN_STAGING}. The update will fail unless this program also creates that "
        "token.\n"
    )


def test_only_tokens_that_can_be_bound_are_suggested(start: StartProcess, capsys: Err) -> None:
    checked(start(), {**ADMIN, "org_token_name": "finance-workspac"})

    assert "nearest" not in capsys.readouterr().err


def test_an_unknown_role_of_a_new_binding_is_a_warning_with_the_nearest_names(start: StartProcess, capsys: Err) -> None:
    checked(start(), {**ADMIN, "role": "Release Enginer"})

    assert capsys.readouterr().err == (
        f"astro: warning: No deployment role is named 'Release Enginer' in organization {ORGANIZATION_ID} (nearest: "
        f"'Release Engineer'), so token {SHOWN_TOKEN} cannot get it in deployment {SHOWN_STAGING}. The update will fail "
        "unless this program also creates that role.\n"
    )


def test_a_deleted_token_of_a_binding_in_state_is_a_warning_with_the_remedy(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    stored = up(start(), ADMIN)
    astro.store.delete_token(OBSERVABILITY)

    inputs = checked(start(), ADMIN, stored)

    assert inputs == stored.inputs
    assert capsys.readouterr().err == f"astro: warning: {TOKEN_IS_GONE}\n"


@pytest.mark.parametrize(("news", "name"), [(ADMIN, "org_token_name"), (BY_ID, "org_token_id")], ids=["name", "id"])
def test_a_deleted_token_of_a_binding_in_state_is_an_error_of_strict_checks(
    astro: Emulator, start: StartProcess, news: dict[str, str], name: str
) -> None:
    stored = up(start(), news)
    astro.store.delete_token(OBSERVABILITY)

    assert problems(start(preview_checks="strict"), news, stored) == [(name, TOKEN_IS_GONE)]


def test_a_renamed_token_of_a_binding_in_state_is_a_warning_that_gives_the_name(
    astro: Emulator, start: StartProcess, capsys: Err
) -> None:
    stored = up(start(), ADMIN)
    astro.store.rename_token(OBSERVABILITY, "metrics")
    process = start()

    inputs = checked(process, ADMIN, stored)

    assert not process.diff(EngineCall(), stored.outputs, inputs).changes
    assert capsys.readouterr().err == f"astro: warning: {TOKEN_IS_RENAMED}\n"
    assert problems(start(preview_checks="strict"), ADMIN, stored) == [("org_token_name", TOKEN_IS_RENAMED)]


def test_a_misspelt_name_of_a_binding_in_state_is_an_error_so_that_no_replacement_takes_the_grant(
    start: StartProcess,
) -> None:
    stored = up(start(), ADMIN)

    ((name, text),) = problems(start(), {**ADMIN, "org_token_name": "observabilty"}, stored)

    assert name == "org_token_name"
    assert text == (
        f"No token is named 'observabilty' in organization {ORGANIZATION_ID} (nearest: 'observability'). The token of this "
        f"binding ({OBSERVABILITY}) is named 'observability' now."
    )


def test_an_unknown_role_of_a_binding_in_state_is_a_warning(start: StartProcess, capsys: Err) -> None:
    stored = up(start(), ADMIN)

    assert problems(start(), {**ADMIN, "role": "Night Watch"}, stored) == []
    assert "astro: warning: No deployment role is named 'Night Watch'" in capsys.readouterr().err


def test_an_unknown_role_of_a_replacement_is_an_error(start: StartProcess) -> None:
    stored = up(start(), ADMIN)

    assert problems(start(), {**ADMIN, "deployment_id": FINANCE, "role": "Night Watch"}, stored) == [
        ("role", f"No deployment role is named 'Night Watch' in organization {ORGANIZATION_ID}.")
    ]


# What is there already


def test_another_role_that_is_there_is_an_error_that_names_both(start: StartProcess) -> None:
    ((name, text),) = problems(start(), {**ACCESSOR, "role": "DEPLOYMENT_ADMIN"})

    assert name == "role"
    assert text == (
        f"Token {SHOWN_TOKEN} in deployment {SHOWN_PRODUCTION} already has the role DEPLOYMENT_ACCESSOR, and "
        "DEPLOYMENT_ADMIN is asked for. Set overwrite to true to change it. Another resource of this stack may have it (if "
        "resources are named by list index, removing the first entry renames all others; name them by deployment and "
        "token), another stack, or a person."
    )


def test_the_same_role_that_is_there_is_a_note(start: StartProcess, capsys: Err) -> None:
    assert problems(start(), ACCESSOR) == []
    assert capsys.readouterr().err == (
        f"astro: note: Token {SHOWN_TOKEN} already has the role DEPLOYMENT_ACCESSOR in deployment {SHOWN_PRODUCTION}. It will "
        "be adopted unchanged, and a later destroy will remove it. If this is a rename or a move within this stack, the role "
        "stays. Otherwise another stack may own it. If another resource (for example a Command) granted it and this run "
        "removes that resource, the role is removed too.\n"
    )


def test_another_role_with_overwrite_is_a_note(start: StartProcess, capsys: Err) -> None:
    assert problems(start(), {**ACCESSOR, "role": "DEPLOYMENT_ADMIN", "overwrite": True}) == []
    assert capsys.readouterr().err == (
        f"astro: note: Token {SHOWN_TOKEN} already has the role DEPLOYMENT_ACCESSOR in deployment {SHOWN_PRODUCTION}: "
        "overwrite will change DEPLOYMENT_ACCESSOR → DEPLOYMENT_ADMIN. Another stack may own it.\n"
    )


def test_a_drifted_role_of_a_binding_in_state_is_no_conflict(astro: Emulator, start: StartProcess) -> None:
    stored = up(start(), ACCESSOR)
    astro.store.bind(OBSERVABILITY, PRODUCTION, "Release Engineer")

    assert problems(start(), ACCESSOR, stored) == []


# Warnings


def test_an_expired_token_is_a_warning(astro: Emulator, start: StartProcess, capsys: Err) -> None:
    assert problems(start(), {**ADMIN, "org_token_name": "airflow-1-migration"}) == []
    assert capsys.readouterr().err == (
        f"astro: warning: Token 'airflow-1-migration' ({EXPIRED}) expired on {time_of(astro, EXPIRED, 'endAt')[:10]}, so this role gives no access in "
        f"deployment {SHOWN_STAGING}.\n"
    )


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000+00:00"])
def test_the_zero_time_is_no_end_of_a_token(astro: Emulator, start: StartProcess, capsys: Err, end: str) -> None:
    astro.store.add_token("from-go", endAt=end, lastUsedAt=end)

    assert problems(start(), {**ADMIN, "org_token_name": "from-go"}) == []
    assert capsys.readouterr().err == ""


def test_a_token_of_kind_direct_access_is_a_warning(start: StartProcess, capsys: Err) -> None:
    assert problems(start(), {**BY_ID, "org_token_id": DIRECT}) == []
    assert capsys.readouterr().err == (
        f"astro: warning: Token 'snowflake-direct' ({DIRECT}) is of kind DIRECT_ACCESS, which is made for calls to Airflow "
        f"itself, and Astro does not document what a role gives it in deployment {SHOWN_STAGING}. Try what it opens, or use a "
        "token of kind STANDARD.\n"
    )


def test_an_end_without_a_time_zone_is_read_and_breaks_nothing(astro: Emulator, start: StartProcess) -> None:
    astro.store.add_token("short", endAt="2020-01-01T00:00:00")

    assert problems(start(), {**ADMIN, "org_token_name": "short"}) == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"org_token_name": "observabilty"}, "org_token_name"),
        ({"role": "Night Watch"}, "role"),
        ({"org_token_name": "airflow-1-migration"}, "org_token_name"),
        ({"org_token_name": "snowflake-direct"}, "org_token_name"),
    ],
)
def test_strict_checks_turn_warnings_into_errors(
    start: StartProcess, capsys: Err, change: dict[str, str], name: str
) -> None:
    found = problems(start(preview_checks="strict"), {**ADMIN, **change})

    assert [name] == [property_name for property_name, _ in found]
    assert "warning" not in capsys.readouterr().err


def test_strict_checks_leave_notes_notes(start: StartProcess, capsys: Err) -> None:
    assert problems(start(preview_checks="strict"), ACCESSOR) == []
    assert capsys.readouterr().err.startswith("astro: note: ")


# Unknown values


@pytest.mark.parametrize(
    "name", ["deployment_id", "role", "org_token_name", "workspace_id", "organization_id", "overwrite"]
)
def test_a_value_that_is_not_known_yet_stays_unknown_and_is_no_problem(start: StartProcess, name: str) -> None:
    inputs = checked(start(), {**ADMIN, name: UNKNOWN})

    assert inputs[name] is UNKNOWN


def test_a_token_whose_name_is_not_known_yet_has_no_known_id(start: StartProcess) -> None:
    assert checked(start(), {**ADMIN, "org_token_name": UNKNOWN})["org_token_id"] is UNKNOWN


def test_what_is_known_is_examined_although_something_is_not(start: StartProcess) -> None:
    found = problems(start(), {**ADMIN, "role": UNKNOWN, "deployment_id": "clnone"})

    assert [name for name, _ in found] == ["deployment_id"]


# What the service leaves out is unknown, and contradicts nothing.


def leave_out(astro: Emulator, kind: str, field: str) -> None:
    """Let the list of tokens or deployments come as it is now, without that field."""
    objects = [{name: value for name, value in one.items() if name != field} for one in astro.store.shown()[kind]]
    operation = {"tokens": "ListApiTokens", "deployments": "ListDeployments"}[kind]
    astro.fault(operation=operation, status=200, body={kind: objects, "totalCount": len(objects)})


def test_a_token_whose_scope_is_left_out_is_no_error(astro: Emulator, start: StartProcess) -> None:
    leave_out(astro, "tokens", "scope")

    assert problems(start(), ADMIN) == []


def test_a_restricted_role_is_no_error_where_the_workspace_is_left_out(astro: Emulator, start: StartProcess) -> None:
    astro.store.add_role("Finance Only", restricted_workspace_ids=[FINANCE_ID])
    leave_out(astro, "deployments", "workspaceId")

    assert problems(start(), {**ADMIN, "role": "Finance Only"}) == []


def test_a_workspace_that_is_left_out_cannot_be_held_against_the_guard(astro: Emulator, start: StartProcess) -> None:
    leave_out(astro, "deployments", "workspaceId")

    assert problems(start(), {**ADMIN, "workspace_id": DATA_PLATFORM_ID}) == [
        (
            "workspace_id",
            (
                f"The service does not show the workspace of deployment {SHOWN_STAGING}, so it cannot be checked "
                f"whether it belongs to workspace {DATA_PLATFORM_ID}. Use a credential that can see workspaces, or do not set "
                "the workspace."
            ),
        )
    ]


def test_roles_that_no_list_shows_are_told_before_the_update(astro: Emulator, start: StartProcess) -> None:
    training = astro.store.add_deployment("training")
    astro.store.hide_roles(OBSERVABILITY)
    news = {**ADMIN, "deployment_id": training}

    [(name, text)] = problems(start(), news)

    assert name == ""
    assert text.startswith("The service left the roles out of its answer about token 'observability'")


def test_an_end_that_is_no_date_is_no_end(astro: Emulator, start: StartProcess) -> None:
    astro.store.add_token("odd", endAt="")

    assert problems(start(), ADMIN) == []


# What the state does not tell


def test_an_unknown_role_is_an_error_also_where_the_state_lacks_the_tokens_id(
    astro: Emulator, start: StartProcess
) -> None:
    made = up(start(preview_checks="off"), ADMIN)
    assert "org_token_id" not in made.inputs

    [(name, text)] = problems(start(), {**ADMIN, "deployment_id": TRAINING, "role": "Nobody Made This"}, made)

    assert name == "role"
    assert text.startswith("No deployment role is named 'Nobody Made This'")
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"


def test_an_unknown_name_is_told_although_the_organization_of_the_state_cannot_be_read(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), ADMIN)
    elsewhere = replace(stored, inputs={**stored.inputs, "organization_id": "clother", "org_token_id": "clgone"})
    astro.fault(path="clother", status=403)

    [(name, text)] = problems(start(), {**ADMIN, "org_token_name": "nobody"}, elsewhere)

    assert (name, text) == ("org_token_name", f"No token is named 'nobody' in organization {ORGANIZATION_ID}.")


def test_a_token_given_by_its_name_where_its_id_belongs_is_answered_with_its_id(start: StartProcess) -> None:
    assert problems(start(), {**BY_ID, "org_token_id": "observability"}) == [
        (
            "org_token_id",
            (
                f"There is no token with the id observability in organization {ORGANIZATION_ID}: that is the name of "
                f"{OBSERVABILITY}. Give it as org_token_name, or write the id."
            ),
        )
    ]


# What was just made


@pytest.mark.parametrize("checks", ["warn", "strict"])
def test_a_token_and_a_role_that_were_just_made_are_found_by_their_names(
    astro: Emulator, start: StartProcess, checks: str, capsys: Err
) -> None:
    process = start(preview_checks=checks)
    checked(process, ADMIN)
    capsys.readouterr()

    for number in range(5):
        token = astro.store.add_token(f"made-{number}")
        astro.store.add_role(f"Made {number}")
        news = {**ADMIN, "org_token_name": f"made-{number}", "role": f"Made {number}"}

        assert checked(process, news)["org_token_id"] == token
    assert capsys.readouterr().err == ""


def test_another_resource_that_has_the_binding_in_the_state_is_named_as_one_of_the_program(
    start: StartProcess, capsys: Err
) -> None:
    first = up(start(), ADMIN)
    process = start()
    up(process, ADMIN, first)
    capsys.readouterr()

    checked(process, BY_ID)

    assert capsys.readouterr().err == (
        f"astro: warning: Token {SHOWN_TOKEN} already has the role DEPLOYMENT_ADMIN in deployment {SHOWN_STAGING} through "
        "another resource of this program: remove one of the two, unless this one replaces that one.\n"
    )


def test_the_own_role_of_a_binding_that_is_to_be_replaced_is_no_problem(start: StartProcess, capsys: Err) -> None:
    """The engine checks a replacement twice, the second time without the state."""
    first = up(start(), ADMIN)
    process, call = start(preview_checks="strict"), EngineCall("urn:pulumi:prod::access::binding::orders")
    capsys.readouterr()

    found = [
        process.check(call, olds, {**ADMIN, "role": "DEPLOYMENT_ACCESSOR"}).problems for olds in (first.inputs, {})
    ]

    assert found == [[], []]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["org_token_id", "org_token_name", "deployment_id", "role", "workspace_id"])
@pytest.mark.parametrize("secret", ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl", "the-credential"])
@pytest.mark.parametrize("checks", ["warn", "off"])
def test_the_secret_value_of_a_token_is_refused_as_an_id_without_being_shown(
    start: StartProcess, name: str, secret: str, checks: str
) -> None:
    news = {"deployment_id": STAGING, "org_token_id": OBSERVABILITY, "role": "DEPLOYMENT_ADMIN", name: secret}
    process = start(preview_checks=checks, credential=SecretStr("the-credential"))

    [(property_name, reason)] = problems(process, news)

    assert property_name == name
    assert reason.startswith(
        "holds what looks like the secret value of an API token, so it is not shown here: write the "
        if name != "role"
        else "holds what looks like the secret value of an API token, so it is not shown here: write DEPLOYMENT_ADMIN, or "
    )
    assert secret not in reason

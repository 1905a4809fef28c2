"""What a person reads who has written something that cannot be right."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.cast import FINANCE, OBSERVABILITY, OF_WORKSPACE, ORGANIZATION_ID, STAGING, TRAINER
from tests.support.stack import NATIVE_BINDING_TYPE
from tests.support.writes import writes
from tests.support.yaml_project import YamlProject, binding, table

ADMIN = "DEPLOYMENT_ADMIN"
BESIDE = f"metrics: {NATIVE_BINDING_TYPE} resource 'metrics': property"


def test_every_problem_of_a_binding_is_told_in_one_preview_beside_its_property(
    project: YamlProject, astro: Emulator
) -> None:
    wrong = {"deploymentId": "etl staging", "orgTokenId": OF_WORKSPACE, "role": "DEPLOYMENT_ADMN"}
    project.write({"metrics": {"type": NATIVE_BINDING_TYPE, "properties": wrong}})
    project.set_environment(ASTRO_PREVIEW_CHECKS="strict")

    preview = project.preview()

    told = sorted(problem.removeprefix(BESIDE) for problem in preview.problems)
    assert preview.failed
    assert [text.split(" has a problem: ")[0] for text in told] == [
        " deploymentId value {etl staging}",
        f" orgTokenId value {{{OF_WORKSPACE}}}",
        " role value {DEPLOYMENT_ADMN}",
    ]
    assert "'etl staging' is no id" in told[0]
    assert "is of scope WORKSPACE: only ORGANIZATION tokens can be bound." in told[1]
    assert "No deployment role is named 'DEPLOYMENT_ADMN'" in told[2]
    assert "Traceback" not in preview.text
    assert writes(astro) == 0


def test_a_warning_stands_beside_the_binding_that_it_is_about(project: YamlProject) -> None:
    project.write({"metrics": binding("observabilty", "etl-staging"), "fine": binding("observability", "etl-staging")})

    text = project.pulumi("preview", "--non-interactive")

    beside = f"{NATIVE_BINDING_TYPE} (metrics):\n    warning: astro: No token is named 'observabilty' in organization"
    assert beside in text
    assert text.count("warning:") == text.count("warning: astro: No token is named 'observabilty'")
    assert f"{NATIVE_BINDING_TYPE} (fine):" not in text


def test_what_the_service_refuses_is_one_sentence_and_nothing_is_in_the_state(
    project: YamlProject, astro: Emulator
) -> None:
    project.write({"metrics": binding("observability", "etl-staging")})
    astro.fault(operation="UpdateApiTokenRoles", status=400, times=None)

    up = project.up()

    assert up.failed
    [problem] = up.problems
    assert problem.startswith("metrics: The service refused to write token 'observability'")
    assert "\n" not in problem
    assert "Traceback" not in up.text
    assert project.resources() == {}


def test_what_a_failed_table_could_not_take_back_is_in_the_state_and_the_next_update_goes_on(
    project: YamlProject, astro: Emulator
) -> None:
    project.write({"access": table({"etl-staging": {"observability": ADMIN, "model-trainer": ADMIN}})})
    project.set_environment(ASTRO_TIMEOUT_SECONDS="3")
    astro.fault(operation="UpdateApiTokenRoles", status=500, skip=1, times=None)

    failed = project.up()
    there = {token for token in (OBSERVABILITY, TRAINER) if astro.store.deployment_role(token, STAGING)}
    stored = project.resources()["access"]["outputs"]["unfinished"]["etl-staging"]
    astro.clear_faults()
    again = project.up()

    assert failed.failed
    assert len(there) == 1
    assert {{"observability": OBSERVABILITY, "model-trainer": TRAINER}[name] for name in stored} == there
    assert not again.failed, again.text
    assert [astro.store.deployment_role(token, STAGING) for token in (OBSERVABILITY, TRAINER)] == [ADMIN, ADMIN]


def test_of_two_resources_with_the_same_binding_the_preview_refuses_the_second(
    project: YamlProject, astro: Emulator
) -> None:
    project.write({"one": binding("observability", "etl-staging"), "two": binding("observability", "etl-staging")})

    preview = project.preview()

    assert preview.failed
    [problem] = preview.problems
    assert "Two resources of this program bind token 'observability'" in problem
    assert writes(astro) == 0


@pytest.mark.parametrize(
    ("properties", "sentences"),
    [
        (
            {"rol": "x"},
            (
                "on Pulumi.yaml line ",
                "Property rol does not exist on 'astro:index:DeploymentOrgTokenBinding'",
                "Existing properties are: ",
            ),
        ),
        ({"role": None}, ("role: Missing required property 'role'",)),
        (
            {"role": ["DEPLOYMENT_ADMIN"]},
            ("on Pulumi.yaml line ", "role: Cannot assign 'List<string>' to 'string'"),
        ),
    ],
    ids=["unknown", "missing", "of another type"],
)
def test_a_property_that_the_schema_does_not_know_is_told_before_anything_is_asked(
    project: YamlProject, astro: Emulator, properties: dict[str, Any], sentences: tuple[str, ...]
) -> None:
    project.write({"metrics": binding("observability", "etl-staging", **properties)})

    preview = project.preview()

    assert preview.failed
    assert all(sentence in preview.text for sentence in sentences), preview.text
    assert astro.calls()["by_verb"] == {}


def test_a_resource_that_the_package_does_not_have_is_told(project: YamlProject) -> None:
    project.write({"metrics": {"type": "astro:index:DeploymentTokenBinding", "properties": {}}})

    preview = project.preview()

    assert preview.failed
    assert 'unable to find resource type "astro:index:DeploymentTokenBinding"' in preview.text


def test_a_key_or_a_variable_that_no_setting_has_is_a_warning_and_an_error_if_strict(
    project: YamlProject, astro: Emulator
) -> None:
    project.write({"metrics": binding("observability", "etl-staging"), "fine": binding("ci-deployer", "etl-staging")})
    project.set_config("astro:organizationID", ORGANIZATION_ID)
    project.set_environment(ASTRO_TRAC="calls.jsonl")
    texts = [
        f"{name} is no setting of this provider (nearest: '{meant}'), so it has no effect. Correct the {kind}, or remove it."
        for kind, name, meant in (
            ("key", "astro:organizationID", "astro:organizationId"),
            ("variable", "ASTRO_TRAC", "ASTRO_TRACE"),
        )
    ]

    preview = project.preview()
    project.set_environment(ASTRO_PREVIEW_CHECKS="strict")
    strict = project.preview()

    assert preview.notices[:2] == [f"astro: warning: {text}" for text in texts]
    assert strict.failed
    assert all(text in strict.text for text in texts)
    assert writes(astro) == 0


def test_in_a_project_named_astro_the_configuration_of_the_program_is_no_warning(project: YamlProject) -> None:
    project.write({"metrics": binding("observability", "etl-staging")}, name="astro")
    project.pulumi_anywhere("stack", "init", "dev")
    project.pulumi_anywhere("config", "set", "team", "data")

    text = project.pulumi_anywhere("preview", "--non-interactive")

    assert "is no setting" not in text
    assert "+ 2 to create" in text


def test_without_a_credential_the_message_says_where_it_was_looked_for(project: YamlProject) -> None:
    project.set_environment(ASTRO_API_TOKEN="")
    project.write({"metrics": binding("observability", "etl-staging")})

    preview = project.preview()

    assert preview.failed
    [problem] = preview.problems
    assert "No credential for Astro: looked at ASTRO_API_TOKEN (environment) or astro:token (pulumi config)." in problem


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        (
            f"{ORGANIZATION_ID}/{FINANCE}/clo8g1x4m000f08l6t9c3z6vl",
            "There is no binding {id}: token clo8g1x4m000f08l6t9c3z6vl in deployment {deployment} has no role.",
        ),
        (
            f"{ORGANIZATION_ID}/{FINANCE}",
            "'{id}' is no binding's id: write <organization id>/<deployment id>/<token id>.",
        ),
        (
            f"{ORGANIZATION_ID}/{FINANCE}/{OF_WORKSPACE}",
            "is of scope WORKSPACE: only ORGANIZATION tokens can be bound.",
        ),
    ],
    ids=["not there", "malformed", "another scope"],
)
def test_what_cannot_be_imported_is_told_and_stays_out_of_the_state(
    project: YamlProject, astro: Emulator, identifier: str, told: str
) -> None:
    astro.store.bind(OF_WORKSPACE, FINANCE, "DEPLOYMENT_ADMIN")

    imported = project.import_(NATIVE_BINDING_TYPE, "metrics", identifier)

    assert imported.failed
    [problem] = imported.problems
    assert told.format(id=identifier, deployment=FINANCE) in problem
    assert project.resources() == {}
    assert writes(astro) == 0

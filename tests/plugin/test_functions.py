"""The functions of the native provider, and the functions of `astro_provider.native` that ask it on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

import pulumi_astro
from astro_emulator import Emulator
from astro_provider import native
from tests.support.cast import FINANCE, FINANCE_ID, OBSERVABILITY, ORGANIZATION_ID, PRODUCTION
from tests.support.little_air import running_little_air
from tests.support.native_process import NativeProcess
from tests.support.processes import calls_to
from tests.support.provider_process import CallFailed
from tests.support.stack import Stack

GET_DEPLOYMENTS, GET_TOKENS = "astro:index:getDeployments", "astro:index:getOrganizationTokens"


@pytest.fixture
def little_air(tmp_path: Path) -> Iterator[Emulator]:
    with running_little_air(tmp_path) as emulator:
        yield emulator


def test_deployments_of_a_workspace_come_in_the_schemas_names(process: NativeProcess) -> None:
    found, failures = process.invoke({"workspace": "Finance"}, GET_DEPLOYMENTS)

    assert failures == []
    assert [row["name"] for row in found["deployments"]] == ["finance-close", "finance-reporting"]
    assert found["deployments"][0] == {
        "id": FINANCE,
        "name": "finance-close",
        "workspaceId": FINANCE_ID,
        "workspaceName": "Finance",
        "organizationId": ORGANIZATION_ID,
    }


def test_organization_tokens_come_in_the_schemas_names(process: NativeProcess) -> None:
    found, failures = process.invoke({"name": "observability"}, GET_TOKENS)

    assert failures == []
    [row] = found["tokens"]
    assert row["id"] == OBSERVABILITY
    assert row.keys() <= {"id", "name", "description", "organizationId", "createdAt", "createdBy", "kind", "lastUsedAt"}


def test_a_deployment_is_asked_for_by_name(process: NativeProcess) -> None:
    found, failures = process.invoke({"deploymentName": "etl-production"})

    assert failures == []
    assert {row["deploymentId"] for row in found["tokens"]} == {PRODUCTION}


def test_choosing_shares_the_reads_of_the_runs_checks(process: NativeProcess, astro: Emulator) -> None:
    process.check({"deploymentName": "finance-close", "orgTokenName": "observability", "role": "DEPLOYMENT_ADMIN"})
    before = calls_to(astro)
    process.invoke({"workspace": "Finance"}, GET_DEPLOYMENTS)
    process.invoke({}, GET_TOKENS)

    assert calls_to(astro) == before


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (
            GET_DEPLOYMENTS,
            {"workspaces": "Finance", "name": 7},
            [
                ("workspaces", "is no argument of this function (nearest: 'workspace')."),
                ("name", "must be text (the name of a deployment), not 7.0."),
            ],
        ),
        (GET_DEPLOYMENTS, {"name": ""}, [("name", "is blank: write the name of a deployment, or nothing.")]),
        (
            GET_DEPLOYMENTS,
            {"workspace": "Finanse"},
            [("workspace", "No deployment belongs to a workspace 'Finanse' (nearest: 'Finance').")],
        ),
        (
            GET_TOKENS,
            {"name": "observabilty"},
            [("name", "There is no organization token named 'observabilty' (nearest: 'observability').")],
        ),
    ],
)
def test_what_is_wrong_is_shown_on_the_argument(
    process: NativeProcess, function: str, arguments: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found, failures = process.invoke(arguments, function)

    assert found == {}
    assert failures == expected


def test_an_unknown_function_is_an_error_with_those_that_there_are(process: NativeProcess) -> None:
    with pytest.raises(CallFailed) as failed:
        process.invoke({}, "astro:index:listTokens")

    assert str(failed.value) == (
        "There is no function astro:index:listTokens: call astro:index:listDeploymentOrgTokens, "
        "astro:index:getDeployments, astro:index:getOrganizationTokens."
    )


def test_a_python_program_asks_the_provider(stack: Stack, little_air: Emulator) -> None:
    def program() -> None:
        other = native.Provider("little-air", token=little_air.credential, host=little_air.url)
        there = pulumi.InvokeOptions(provider=other)
        later = pulumi.Output.from_input("Finance")
        assert [row.name for row in native.get_organization_tokens(name="observability").tokens] == ["observability"]
        assert native.get_deployments(name="etl-production").deployments[0].id == PRODUCTION
        assert native.list_deployment_org_tokens(PRODUCTION).tokens[0].deployment_name == "etl-production"
        pulumi.export("finance", native.get_deployments_output(workspace=later).apply(_deployments))
        pulumi.export("elsewhere", native.get_deployments_output(opts=there).apply(_deployments))
        pulumi.export("tokens", native.get_organization_tokens_output(name="model-trainer").apply(_tokens))
        assigned = native.list_deployment_org_tokens_output(deployment_name="ml-training")
        pulumi.export("assigned", assigned.apply(_tokens))

    stack.program = program
    up = stack.up()

    assert not up.failed, up.text
    outputs = stack.outputs()
    assert outputs["finance"] == ["finance-close", "finance-reporting"]
    assert "orders" in outputs["elsewhere"]
    assert outputs["tokens"] == ["model-trainer"]
    assert "model-trainer" in outputs["assigned"]


def test_what_nothing_fits_fails_a_python_program_in_one_sentence(stack: Stack) -> None:
    stack.program = lambda: pulumi.export(
        "none", native.get_deployments_output(workspace="Finanse").apply(_deployments)
    )

    preview = stack.preview()

    assert preview.failed
    assert "No deployment belongs to a workspace 'Finanse' (nearest: 'Finance')." in preview.text


def test_generated_code_imports_the_same_things_as_pulumi_astro() -> None:
    assert pulumi_astro.__all__ == native.__all__
    assert {name: getattr(pulumi_astro, name) for name in native.__all__} == {
        name: getattr(native, name) for name in native.__all__
    }


def _deployments(found: native.GetDeploymentsResult) -> list[str]:
    return [row.name for row in found.deployments]


def _tokens(found: native.GetOrganizationTokensResult | native.ListDeploymentOrgTokensResult) -> list[str]:
    return [row.name for row in found.tokens]

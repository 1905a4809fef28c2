"""`get_deployments` and `get_organization_tokens`: what a program chooses from, and the same deployment by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import assert_type

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import (
    OrganizationDeployment,
    OrganizationToken,
    get_deployments,
    get_deployments_output,
    get_organization_tokens,
    get_organization_tokens_output,
    list_deployment_org_tokens,
    list_deployment_org_tokens_output,
)
from astro_provider.errors import InputError, SettingsError
from tests.support.cast import DATA_PLATFORM_ID, DEPLOYERS, FINANCE, FINANCE_ID, OBSERVABILITY, PRODUCTION, TRAINING
from tests.support.processes import calls_to
from tests.support.stack import Stack

PAGE = (Path(__file__).parents[2] / "docs" / "resource.md").read_text()


@pytest.fixture
def two_named_close(astro: Emulator) -> str:
    """A deployment of the name of another one, in another workspace."""
    return astro.store.add_deployment("finance-close", workspace_id=DATA_PLATFORM_ID)


def test_all_deployments_come_by_name(astro: Emulator) -> None:
    found = get_deployments()

    assert_type(found, list[OrganizationDeployment])
    assert [row.name for row in found] == sorted(row.name for row in found)
    assert found[0].organization_id == astro.organization_id
    assert OrganizationDeployment(FINANCE, "finance-close", FINANCE_ID, "Finance", astro.organization_id) in found


@pytest.mark.parametrize("workspace", ["Finance", FINANCE_ID])
@pytest.mark.usefixtures("two_named_close")
def test_those_of_a_workspace_are_chosen_by_its_name_or_its_id(workspace: str) -> None:
    assert [row.name for row in get_deployments(workspace=workspace)] == ["finance-close", "finance-reporting"]


def test_a_name_chooses_one_in_each_workspace_and_the_workspace_one_of_them(two_named_close: str) -> None:
    both = get_deployments(name="finance-close")
    one = get_deployments(name="finance-close", workspace="Data Platform")

    assert {row.id for row in both} == {FINANCE, two_named_close}
    assert [row.id for row in one] == [two_named_close]


@pytest.mark.parametrize(
    ("given", "place", "text"),
    [
        (
            {"workspace": "Finanse"},
            "workspace",
            "No deployment belongs to a workspace 'Finanse' (nearest: 'Finance').",
        ),
        (
            {"name": "finance-cloze"},
            "name",
            "No deployment is named 'finance-cloze' in organization clk2v5d8n000108mk4g7bz1qf (nearest: 'finance-close', 'finance-reporting').",
        ),
        (
            {"name": "finance-close", "workspace": "Data Platform"},
            "name",
            f"Deployment 'finance-close' ({FINANCE}) belongs to workspace {FINANCE_ID}, not to Data Platform.",
        ),
        ({"workspace": ""}, "workspace", "No deployment belongs to a workspace ''."),
    ],
)
@pytest.mark.usefixtures("astro")
def test_what_no_deployment_has_is_an_error_and_no_empty_list(given: dict[str, str], place: str, text: str) -> None:
    with pytest.raises(InputError) as error:
        get_deployments(**given)

    assert error.value.on_property == (place, text)


def test_organization_tokens_come_by_name_and_no_others(astro: Emulator) -> None:
    found = get_organization_tokens()

    assert_type(found, list[OrganizationToken])
    assert [row.name for row in found] == sorted(row.name for row in found)
    assert {row.id for row in found} == {
        one["id"] for one in astro.store.shown()["tokens"] if one["scope"] == "ORGANIZATION"
    }


def test_a_token_shows_all_that_a_list_shows(astro: Emulator, token_id: str) -> None:
    [row] = get_organization_tokens(name="nightly-loads")

    assert row == OrganizationToken(
        id=token_id,
        name="nightly-loads",
        description="Loads what came in over night",
        organization_id=astro.organization_id,
        created_at=astro.store.token(token_id)["createdAt"],
        created_by="Ada Byron",
        kind="STANDARD",
    )


@pytest.mark.usefixtures("astro")
def test_tokens_of_one_name_are_both_chosen() -> None:
    assert {row.id for row in get_organization_tokens(name="ci-deployer")} == set(DEPLOYERS)


@pytest.mark.parametrize("name", ["observabilty", "finance-workspace"])
@pytest.mark.usefixtures("astro")
def test_a_name_that_no_organization_token_has_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match=f"There is no organization token named '{name}'") as error:
        get_organization_tokens(name=name)

    assert ("nearest: 'observability'" in str(error.value)) == (name == "observabilty")


def test_choosing_costs_one_list_for_all_questions_of_a_run(astro: Emulator) -> None:
    for deployment in get_deployments(workspace="Finance"):
        list_deployment_org_tokens(deployment_name=deployment.name)
    get_deployments()
    get_organization_tokens()
    get_organization_tokens(name="observability")

    assert calls_to(astro) == {"ListDeployments": 1, "ListApiTokens": 3}


def test_more_than_a_page_is_chosen_from(astro: Emulator) -> None:
    for number in range(1001):
        astro.store.add_deployment(f"many-{number:04}", workspace_id=FINANCE_ID)

    found = get_deployments(workspace="Finance")

    assert len(found) == 1003
    assert calls_to(astro) == {"ListDeployments": 2}


@pytest.mark.usefixtures("astro")
def test_a_list_of_a_deployment_is_asked_for_by_name() -> None:
    by_name = list_deployment_org_tokens(deployment_name="etl-production")

    assert by_name == list_deployment_org_tokens(PRODUCTION, deployment_name="etl-production")
    assert {row.deployment_id for row in by_name} == {PRODUCTION}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "Neither deployment_id nor deployment_name is given: give one of the two."),
        (
            {"deployment_id": PRODUCTION, "deployment_name": "etl-staging"},
            f"Deployment {PRODUCTION} is named 'etl-production', not 'etl-staging'",
        ),
        ({"deployment_name": "etl-prodution"}, "nearest: 'etl-production'"),
        (
            {"deployment_name": "finance-close"},
            "Give deployment_id instead, or the workspace_id of the one that you mean.",
        ),
        ({"deployment_name": "finance-close", "workspace_id": "clx0other"}, "not to clx0other."),
    ],
)
@pytest.mark.usefixtures("astro", "two_named_close")
def test_a_deployment_that_is_not_one_is_an_error(given: dict[str, str], text: str) -> None:
    with pytest.raises(InputError) as error:
        list_deployment_org_tokens(**given)  # type: ignore[arg-type]  # texts alone

    assert text in str(error.value)


@pytest.mark.usefixtures("astro")
def test_the_workspace_decides_between_deployments_of_one_name(
    two_named_close: str, token_id: str, astro: Emulator
) -> None:
    astro.store.bind(token_id, two_named_close, "DEPLOYMENT_ADMIN")

    found = list_deployment_org_tokens(deployment_name="finance-close", workspace_id=DATA_PLATFORM_ID)

    assert [row.id for row in found] == [token_id]


@pytest.mark.usefixtures("astro")
def test_a_missing_credential_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRO_API_TOKEN")

    with pytest.raises(SettingsError, match="No credential for Astro"):
        get_deployments()


def test_the_twins_take_outputs_and_return_outputs(stack: Stack) -> None:
    def program() -> None:
        deployments = get_deployments_output(workspace=pulumi.Output.from_input("Finance"))
        tokens = get_organization_tokens_output(name=pulumi.Output.from_input("observability"))
        assigned = list_deployment_org_tokens_output(deployment_name=pulumi.Output.from_input("etl-production"))
        assert_type(deployments, pulumi.Output[list[OrganizationDeployment]])
        assert_type(tokens, pulumi.Output[list[OrganizationToken]])
        pulumi.export("deployments", deployments.apply(lambda rows: [row.name for row in rows]))
        pulumi.export("tokens", tokens.apply(lambda rows: [row.name for row in rows]))
        pulumi.export(
            "assigned", assigned.apply(lambda rows: {row.deployment_name for row in rows} == {"etl-production"})
        )

    stack.program = program
    up = stack.up()

    assert not up.failed, up.text
    assert stack.outputs() == {
        "deployments": ["finance-close", "finance-reporting"],
        "tokens": ["observability"],
        "assigned": True,
    }


def test_the_program_of_the_page_binds_the_token_in_every_deployment_of_the_workspace(
    stack: Stack, astro: Emulator
) -> None:
    [program] = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "get_deployments(" in block]
    stack.program = lambda: exec(program, {})

    up = stack.up()

    assert not up.failed, up.text
    assert len(stack.resources()) == 4
    assert astro.store.deployment_role(OBSERVABILITY, TRAINING) == "DEPLOYMENT_ACCESSOR"
    assert astro.store.deployment_role(OBSERVABILITY, FINANCE) is None

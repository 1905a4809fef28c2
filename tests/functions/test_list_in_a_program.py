"""`list_deployment_org_tokens`: plain values in, typed rows out."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import assert_type

import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgToken, list_deployment_org_tokens
from astro_provider.errors import Forbidden, InputError, SettingsError
from tests.support.processes import calls_to


def test_it_returns_the_organization_tokens_of_a_deployment_by_name(
    astro: Emulator, deployment_id: str, token_id: str
) -> None:
    other = astro.store.add_token("audit", created_by={"id": "clx0", "subjectType": "SERVICEKEY", "apiTokenName": "ci"})
    astro.store.bind(other, deployment_id, "Release Engineer")

    found = list_deployment_org_tokens(deployment_id)

    assert_type(found, list[DeploymentOrgToken])
    assert [(row.name, row.deployment_role, row.created_by) for row in found] == [
        ("audit", "Release Engineer", "ci"),
        ("nightly-loads", "DEPLOYMENT_ADMIN", "Ada Byron"),
    ]
    assert (
        DeploymentOrgToken(
            id=token_id,
            name="nightly-loads",
            description="Loads what came in over night",
            scope="ORGANIZATION",
            deployment_role="DEPLOYMENT_ADMIN",
            created_at=astro.store.token(token_id)["createdAt"],
            created_by="Ada Byron",
            deployment_id=deployment_id,
            deployment_name="orders",
            workspace_id="clk2v6a3e000208mkh9x5c2wd",
            organization_id=astro.organization_id,
            kind="STANDARD",
        )
        == found[1]
    )


def test_rows_are_values_that_nobody_changes_by_accident(deployment_id: str, token_id: str) -> None:
    row = list_deployment_org_tokens(deployment_id)[0]

    assert_type(row.created_by, str | None)
    assert {row} == {list_deployment_org_tokens(deployment_id)[0]}
    with pytest.raises(FrozenInstanceError):
        row.name = token_id  # type: ignore[misc]


def test_tokens_of_other_scopes_are_left_out_unless_they_are_asked_for(
    astro: Emulator, deployment_id: str, token_id: str
) -> None:
    narrow = astro.store.add_token("orders-only", scope="DEPLOYMENT")
    astro.store.bind(narrow, deployment_id, "DEPLOYMENT_ADMIN")

    usual = list_deployment_org_tokens(deployment_id)
    every = list_deployment_org_tokens(deployment_id, include_other_scopes=True)

    assert [token_id] == [row.id for row in usual]
    assert [(token_id, "ORGANIZATION"), (narrow, "DEPLOYMENT")] == [(row.id, row.scope) for row in every]


def test_nothing_assigned_is_an_empty_list(astro: Emulator) -> None:
    assert list_deployment_org_tokens(astro.store.add_deployment("empty")) == []


def test_many_lists_take_one_call_each_and_one_for_all_deployments(astro: Emulator) -> None:
    astro.settings(rate_limits=True)
    deployment_ids = [astro.store.add_deployment(f"deployment-{number}") for number in range(30)]

    for deployment_id in deployment_ids:
        list_deployment_org_tokens(deployment_id)

    assert calls_to(astro) == {"ListDeployments": 1, "ListApiTokens": 30}
    assert astro.calls()["by_status"] == {"200": 31}


def test_what_is_assigned_is_never_remembered(astro: Emulator, deployment_id: str, token_id: str) -> None:
    first = list_deployment_org_tokens(deployment_id)
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    second = list_deployment_org_tokens(deployment_id)

    assert [row.deployment_role for row in (*first, *second)] == ["DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"]


def test_a_deployment_made_since_is_found(astro: Emulator, deployment_id: str) -> None:
    list_deployment_org_tokens(deployment_id)

    assert list_deployment_org_tokens(astro.store.add_deployment("made since")) == []


def test_an_unknown_deployment_is_an_error_with_the_nearest(deployment_id: str) -> None:
    with pytest.raises(
        InputError, match=rf"There is no deployment with the id {deployment_id}x .*nearest: '{deployment_id}'"
    ):
        list_deployment_org_tokens(f"{deployment_id}x")


def test_a_deployment_of_another_workspace_is_an_error(deployment_id: str) -> None:
    with pytest.raises(InputError, match="belongs to workspace clk2v6a3e000208mkh9x5c2wd, not to clx0other"):
        list_deployment_org_tokens(deployment_id, workspace_id="clx0other")


def test_another_organization_is_an_error(deployment_id: str) -> None:
    with pytest.raises(Forbidden, match="clx0other"):
        list_deployment_org_tokens(deployment_id, organization_id="clx0other")


def test_a_missing_credential_is_an_error(deployment_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRO_API_TOKEN")

    with pytest.raises(SettingsError, match="No credential for Astro"):
        list_deployment_org_tokens(deployment_id)

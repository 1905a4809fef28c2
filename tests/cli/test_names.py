"""A name wherever a command takes an id, if it is unique; else the candidates."""

from __future__ import annotations

import json

import pytest

from astro_emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS
from tests.support.cast import FINANCE_ID
from tests.support.shell import run


def deployments(organization: Emulator, *asked: str) -> set[str]:
    ended = run(organization, "list", *asked, "--output", "json")
    assert ended.status == 0, ended.err
    return {row["deployment_id"] for row in json.loads(ended.out)}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--deployment-id", "orders"], {ORDERS}),
        (["--deployment-name", "orders"], {ORDERS}),
        (["--deployment-name", "orders", "--deployment-id", LEDGER], {ORDERS, LEDGER}),
        (["--workspace-id", "Finance"], {LEDGER}),
        (["--deployment-name", "ledger", "--workspace-id", "Finance"], {LEDGER}),
        (["--all-deployments", "--organization-id", "Example Airlines"], {ORDERS, LEDGER}),
    ],
)
def test_a_unique_name_stands_for_the_id(organization: Emulator, asked: list[str], found: set[str]) -> None:
    assert found == deployments(organization, *asked)


def test_a_table_takes_a_name_too(organization: Emulator) -> None:
    by_name = run(organization, "list", "--deployment-id", "orders")

    assert run(organization, "list", "--deployment-id", ORDERS).out == by_name.out


@pytest.mark.parametrize("option", ["--deployment-id", "--deployment-name"])
def test_a_name_of_two_is_an_error_that_lists_both(organization: Emulator, option: str) -> None:
    twin = organization.store.add_deployment("orders", workspace_id=FINANCE_ID)

    ended = run(organization, "list", option, "orders")

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"Error: {option}: 'orders' is the name of 2 deployments: ")
    assert f"{ORDERS} (workspace Data Platform)" in ended.err
    assert f"{twin} (workspace Finance)" in ended.err
    assert ended.err.endswith("Write one's id, or --workspace-id.\n")


def test_a_workspace_tells_which_of_two_is_meant(organization: Emulator) -> None:
    twin = organization.store.add_deployment("orders", workspace_id=FINANCE_ID)
    organization.store.bind("clx1ci0000000008l6aaaaaaa", twin, "DEPLOYMENT_ADMIN")

    assert {twin} == deployments(organization, "--deployment-name", "orders", "--workspace-id", "Finance")


def test_an_id_is_an_id_also_where_another_deployment_is_named_like_it(organization: Emulator) -> None:
    twin = organization.store.add_deployment(ORDERS)
    organization.store.bind("clx1ci0000000008l6aaaaaaa", twin, "DEPLOYMENT_ADMIN")

    assert {ORDERS} == deployments(organization, "--deployment-id", ORDERS)
    assert {twin} == deployments(organization, "--deployment-name", ORDERS)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (
            ["--deployment-name", "order"],
            "--deployment-name: No deployment of organization {} is named 'order' (nearest: 'orders').",
        ),
        (
            ["--workspace-id", "Finanse"],
            "--workspace-id: No deployment belongs to a workspace with the id or name Finanse (nearest: 'Finance').",
        ),
    ],
)
def test_a_name_that_nothing_has_is_an_error_with_the_nearest(
    organization: Emulator, asked: list[str], reason: str
) -> None:
    ended = run(organization, "list", *asked)

    assert (1, f"Error: {reason.format(organization.organization_id)}\n") == (ended.status, ended.err)

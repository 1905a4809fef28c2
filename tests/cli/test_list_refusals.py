"""What `list` says where it cannot answer: one sentence on standard error, 2 for usage, 1 for the rest."""

from __future__ import annotations

import pytest

from astro_emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS
from tests.support.cast import FINANCE_ID
from tests.support.raw_server import free_port
from tests.support.shell import Ending, run


def failed(ended: Ending) -> str:
    """The one sentence of a command that failed."""
    assert (ended.status, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith("Error: ")
    return ended.err.removeprefix("Error: ").rstrip("\n")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ["--deployment-id", ORDERS, "--all-deployments"],
            "--deployment-id and --all-deployments contradict each other: write one of them.",
        ),
        (["--deployment-id", "  "], "Invalid value for '--deployment-id': it is blank; write an id or a name."),
        (["--workspace-id", ""], "Invalid value for '--workspace-id': it is blank; write an id or a name."),
        (
            ["--all-deployments", "--output", "yaml"],
            "'yaml' is not one of 'table', 'json', 'csv'.",
        ),
        (
            ["--deployment-name", "orders", "--all-deployments"],
            "--deployment-name and --all-deployments contradict each other: write one of them.",
        ),
        (["--deployment", ORDERS], "No such option: --deployment"),
        (["--deployment-id"], "Option '--deployment-id' requires an argument."),
        ([ORDERS], "Got unexpected extra argument"),
    ],
)
def test_wrong_usage_is_status_2_and_asks_nobody(organization: Emulator, options: list[str], reason: str) -> None:
    ended = run(organization, "list", *options)

    assert (ended.status, ended.out) == (2, "")
    assert "Error: " in ended.err
    assert reason in ended.err
    assert organization.calls()["total"] == 0


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_an_unknown_deployment_is_an_error_with_the_nearest_names(organization: Emulator, output: str) -> None:
    ended = run(organization, "list", "--deployment-id", "order", "--output", output)

    assert (
        f"--deployment-id: There is no deployment with the id order in organization {organization.organization_id} "
        "(nearest: 'orders')." == failed(ended)
    )


def test_an_unknown_one_among_known_deployments_is_an_error_not_a_shorter_list(organization: Emulator) -> None:
    ended = run(organization, "list", "--deployment-id", ORDERS, "--deployment-id", ORDERS[:-1] + "b")

    assert failed(ended).startswith(
        f"--deployment-id: There is no deployment with the id {ORDERS[:-1]}b in organization "
    )
    assert f"(nearest: '{ORDERS}'" in ended.err


def test_a_deployment_of_another_workspace_is_an_error(organization: Emulator) -> None:
    ended = run(
        organization, "list", "--deployment-id", LEDGER, "--deployment-id", ORDERS, "--workspace-id", FINANCE_ID
    )

    assert (
        f"--workspace-id: Deployment 'orders' ({ORDERS}) belongs to workspace clk2v6a3e000208mkh9x5c2wd, "
        f"not to {FINANCE_ID}." == failed(ended)
    )


def test_an_unknown_workspace_is_an_error_with_the_nearest_id(organization: Emulator) -> None:
    ended = run(organization, "list", "--workspace-id", FINANCE_ID[:-1])

    assert (
        f"--workspace-id: No deployment of organization {organization.organization_id} belongs to workspace "
        f"{FINANCE_ID[:-1]} (nearest: '{FINANCE_ID}')." == failed(ended)
    )


def test_another_organization_is_an_error(organization: Emulator) -> None:
    ended = run(organization, "list", "--all-deployments", "--organization-id", "clx0other")

    assert failed(ended).startswith(
        "ListDeployments (organization clx0other): HTTP 403 Forbidden: You do not have access to organization clx0other"
    )
    assert failed(ended).endswith(
        f"The credential is for organization {organization.organization_id}, not for clx0other: correct organization_id (or "
        "ASTRO_ORGANIZATION_ID, astro:organizationId), or use a credential of that organization."
    )


def test_a_credential_that_names_no_organization_is_told_to_need_the_permission(organization: Emulator) -> None:
    opaque = organization.store.add_credential(claims=False)

    ended = run(organization, "list", "--organization-id", "clx0other", ASTRO_API_TOKEN=opaque)

    assert "The credential needs the permission organization.deployments.get" in failed(ended)


def test_a_missing_credential_is_an_error_that_names_the_variable_and_no_stack(organization: Emulator) -> None:
    ended = run(organization, "list", "--all-deployments", ASTRO_API_TOKEN="")

    assert failed(ended) == "No credential for Astro: export ASTRO_API_TOKEN, an API token of the organization."


def test_an_organization_that_nothing_tells_is_an_error_that_names_the_option(organization: Emulator) -> None:
    bearer = "no-claims"
    with organization.store.locked() as state:
        state.credentials[bearer] = {**next(iter(state.credentials.values())), "token": bearer}
    organization.fault(operation="ListOrganizations", status=200, body={"organizations": [], "totalCount": 0})

    ended = run(organization, "list", "--all-deployments", ASTRO_API_TOKEN=bearer)

    assert (
        failed(ended)
        == "No organization: neither --organization-id nor ASTRO_ORGANIZATION_ID nor the credential's claims name one, and "
        "the credential sees none. Write --organization-id."
    )


def test_a_misspelled_variable_is_a_warning_before_the_answer(organization: Emulator) -> None:
    ended = run(organization, "list", "--all-deployments", "--output", "json", ASTRO_TIMEOUT_SECOND="1")

    assert ended.status == 0
    assert ended.err.startswith(
        "Warning: ASTRO_TIMEOUT_SECOND is no setting of this provider (nearest: 'ASTRO_TIMEOUT_SECONDS', "
        "'ASTRO_SETTLE_SECONDS'), so it has no effect. Correct the variable, or remove it.\n"
    )


def test_the_only_organization_that_the_credential_sees_is_meant(organization: Emulator) -> None:
    bearer = "no-claims"
    with organization.store.locked() as state:
        state.credentials[bearer] = {**next(iter(state.credentials.values())), "token": bearer}

    ended = run(organization, "list", "--deployment-id", ORDERS, ASTRO_API_TOKEN=bearer)

    assert (ended.status, len(ended.lines)) == (0, 3)


def test_a_malformed_setting_is_an_error(organization: Emulator) -> None:
    ended = run(organization, "list", "--all-deployments", ASTRO_TIMEOUT_SECONDS="soon")

    assert failed(ended).startswith("'soon' in ASTRO_TIMEOUT_SECONDS (environment) or ")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"status": 401}, "HTTP 401 Unauthorized: "),
        ({"status": 403}, "HTTP 403 Forbidden: "),
        ({"status": 503}, "HTTP 503 Service Unavailable: "),
        ({"kind": "drop_before"}, "no answer from 127.0.0.1 ("),
        ({"kind": "html"}, "unexpected answer from 127.0.0.1: the answer is no JSON (text/html; charset=utf-8)"),
    ],
)
@pytest.mark.parametrize("asked", [["--deployment-id", ORDERS], ["--all-deployments", "--output", "json"]])
def test_a_service_that_does_not_answer_is_an_error_and_prints_nothing(
    organization: Emulator, fault: dict[str, object], says: str, asked: list[str]
) -> None:
    organization.fault(operation="ListApiTokens", **fault)

    ended = run(organization, "list", *asked, ASTRO_TIMEOUT_SECONDS="0.5")

    error = failed(ended)
    # With so short a bound the second attempt may find that the service has not answered for a whole bound.
    assert f"ListApiTokens (organization {organization.organization_id}): {says}" in error
    assert organization.credential not in error


def test_nobody_listens_there(organization: Emulator) -> None:
    host = f"http://127.0.0.1:{free_port()}"

    ended = run(organization, "list", "--all-deployments", ASTRO_API_HOST=host, ASTRO_TIMEOUT_SECONDS="0.5")

    assert "no answer from 127.0.0.1 (" in failed(ended)

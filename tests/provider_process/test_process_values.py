from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_emulator.organization import FINANCE_CLOSE_ID, FINANCE_ID, ORGANIZATION_ID
from tests.support.provider_process import UNKNOWN, CallFailed, Properties, ProviderProcess, provider_process
from tests.support.writes import writes

MISSING = object()
EVERYTHING = {
    "role": "DEPLOYMENT_ADMIN",
    "workspace_id": FINANCE_ID,
    "organization_id": ORGANIZATION_ID,
    "overwrite": True,
}


@pytest.fixture(scope="module")
def process_without_service() -> Iterator[ProviderProcess]:
    nobody = {"ASTRO_API_HOST": "http://127.0.0.1:9", "ASTRO_API_TOKEN": "x", "ASTRO_TIMEOUT_SECONDS": "1"}
    with provider_process(nobody, forked=True) as running:
        yield running


@pytest.mark.parametrize("token_property", ["org_token_name", "org_token_id"])
def test_unknowns_in_any_properties_pass_check_and_diff(
    process: ProviderProcess, astro: Emulator, token_id: str, token_property: str
) -> None:
    token = "nightly-loads" if token_property == "org_token_name" else token_id
    given: Properties = {**EVERYTHING, "deployment_id": FINANCE_CLOSE_ID, token_property: token}
    stored = process.check(given).inputs
    subsets = chain.from_iterable(combinations(given, size) for size in range(1, len(given) + 1))

    for unknown in subsets:
        news = {**given, **dict.fromkeys(unknown, UNKNOWN)}
        for olds in (None, stored):
            checked = process.check(news, olds)
            difference = process.diff(f"{ORGANIZATION_ID}/{FINANCE_CLOSE_ID}/{token_id}", stored, checked.inputs)

            assert checked.failures == [], unknown
            assert dict.fromkeys(unknown, UNKNOWN) == {name: checked.inputs[name] for name in unknown}
            assert difference.changes
            assert set(unknown) & {"deployment_id", "organization_id", "org_token_id"} <= set(difference.replaces)

    assert writes(astro) == 0


def test_an_unknown_token_name_makes_the_id_unknown_too(process: ProviderProcess, wanted: Properties) -> None:
    checked = process.check({**wanted, "org_token_name": UNKNOWN})

    assert checked.inputs["org_token_id"] == UNKNOWN


def test_an_unknown_value_does_not_hide_what_is_wrong_with_the_others(
    process: ProviderProcess, wanted: Properties
) -> None:
    checked = process.check({**wanted, "role": UNKNOWN, "deployment_id": "nowhere"})

    assert checked.failures == [
        ("deployment_id", f"There is no deployment with the id nowhere in organization {ORGANIZATION_ID}.")
    ]


def test_stored_inputs_that_are_unknown_or_of_another_age_do_no_harm(
    process: ProviderProcess, wanted: Properties
) -> None:
    for olds in ({}, {"deployment_id": UNKNOWN}, {"organization_id": 7, "deployment_id": None, "left_over": [1]}):
        checked = process.check(wanted, olds)

        assert checked.failures == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("deployment_id", MISSING, "is missing: give deployment_id or deployment_name."),
        ("deployment_id", 7, "must be text (the id of the deployment), not 7.0."),
        ("deployment_id", True, "must be text (the id of the deployment), not True."),
        ("deployment_id", "  ", "is blank: write the id of the deployment."),
        ("deployment_id", " clm ", "' clm ' has blanks around it: write 'clm'."),
        ("deployment_id", "a/b", "'a/b' is no id: write the id of the deployment, without slashes and blanks."),
        ("role", MISSING, "is missing: write DEPLOYMENT_ADMIN, or the name of another deployment role."),
        ("role", None, "is missing: write DEPLOYMENT_ADMIN, or the name of another deployment role."),
        ("role", "", "is blank: write DEPLOYMENT_ADMIN, or the name of another deployment role."),
        ("role", 1.5, "must be text (DEPLOYMENT_ADMIN, or the name of another deployment role), not 1.5."),
        (
            "role",
            ["DEPLOYMENT_ADMIN"],
            "must be text (DEPLOYMENT_ADMIN, or the name of another deployment role), not ['DEPLOYMENT_ADMIN'].",
        ),
        ("role", "DEPLOYMENT_ADMIN ", "'DEPLOYMENT_ADMIN ' has blanks around it: write 'DEPLOYMENT_ADMIN'."),
        ("org_token_name", MISSING, "is missing: give org_token_name or org_token_id."),
        ("org_token_name", 12, "must be text (the name of the organization token), not 12.0."),
        ("org_token_name", "", "is blank: write the name of the organization token."),
        ("workspace_id", "", "is blank: write the id of the workspace that the deployment must belong to."),
        ("organization_id", {"id": 1}, "must be text (the id of the organization), not {'id': 1.0}."),
        ("overwrite", "true", "must be true or false, not 'true'."),
        ("overwrite", 1, "must be true or false, not 1.0."),
    ],
)
def test_a_value_of_the_wrong_form_is_a_problem_of_its_property_also_without_the_service(
    process_without_service: ProviderProcess, name: str, value: Any, reason: str
) -> None:
    wanted = {"deployment_id": "clm", "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}
    news = {key: given for key, given in {**wanted, name: value}.items() if given is not MISSING}

    checked = process_without_service.check(news)

    property_name = "org_token_name" if name == "org_token_id" else name
    assert [(property_name, reason)] == checked.failures


def test_everything_that_is_wrong_with_the_form_is_told_at_once(process_without_service: ProviderProcess) -> None:
    checked = process_without_service.check({"overwrite": 0})

    assert [name for name, _ in checked.failures] == ["role", "deployment_id", "org_token_name", "overwrite"]


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        (
            {"deployment_id": "etl-production"},
            "deployment_id",
            (
                f"There is no deployment with the id etl-production in organization {ORGANIZATION_ID}: that is the name of "
                "clm9x2k4t000408l6c3f7h8va. Give it as deployment_name, or write the id."
            ),
        ),
        (
            {"org_token_name": "ci-deployer"},
            "org_token_name",
            (
                "2 tokens are named 'ci-deployer': cln7c3v5p000d08l6q4h8w2aj, clu2e9b6s000e08l6r1k7y5dk. Give org_token_id "
                "instead."
            ),
        ),
        (
            {"org_token_name": "finance-workspace"},
            "org_token_name",
            (
                "Token 'finance-workspace' (clq3p8y7h000j08l6z2s9f1ep) is of scope WORKSPACE: only ORGANIZATION tokens can be "
                "bound."
            ),
        ),
        (
            {"org_token_name": None, "org_token_id": "nobody"},
            "org_token_id",
            f"There is no token with the id nobody in organization {ORGANIZATION_ID}.",
        ),
        (
            {"deployment_id": FINANCE_CLOSE_ID, "workspace_id": "clk2v6a3e000208mkh9x5c2wd"},
            "workspace_id",
            (
                f"Deployment 'finance-close' ({FINANCE_CLOSE_ID}) belongs to workspace {FINANCE_ID}, not to "
                "clk2v6a3e000208mkh9x5c2wd."
            ),
        ),
    ],
    ids=["deployment-by-name", "two-tokens-of-a-name", "wrong-scope", "unknown-token-id", "another-workspace"],
)
def test_what_can_never_become_right_is_a_problem_of_its_property(  # noqa: PLR0913, PLR0917  fixtures
    process: ProviderProcess, astro: Emulator, wanted: Properties, changes: Properties, name: str, reason: str
) -> None:
    news = {key: value for key, value in {**wanted, **changes}.items() if value is not None}

    checked = process.check(news)

    assert [(name, reason)] == checked.failures
    assert writes(astro) == 0


def test_a_role_that_is_restricted_to_another_workspace_is_a_problem(
    process: ProviderProcess, wanted: Properties, deployment_id: str
) -> None:
    checked = process.check({**wanted, "role": "ledger auditor"})

    assert checked.failures == [
        (
            "role",
            (
                f"The role Ledger Auditor is restricted to workspace {FINANCE_ID}, and deployment 'orders' ({deployment_id}) "
                "belongs to clk2v6a3e000208mkh9x5c2wd."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("changes", "notice", "error"),
    [
        (
            {"org_token_name": "nightly-load"},
            (
                "No token is named 'nightly-load' in organization {organization} (nearest: 'nightly-loads'), so it cannot be "
                "bound to deployment 'orders' ({deployment}). The update will fail unless this program also creates that token."
            ),
            "org_token_name: No token is named 'nightly-load' in organization {organization} (nearest: 'nightly-loads').",
        ),
        (
            {"role": "DEPLOYMENT_AMIN"},
            (
                "No deployment role is named 'DEPLOYMENT_AMIN' in organization {organization} (nearest: 'DEPLOYMENT_ADMIN', "
                "'DEPLOYMENT_ACCESSOR'), so token 'nightly-loads' ({token}) cannot get it in deployment 'orders' "
                "({deployment}). The update will fail unless this program also creates that role."
            ),
            (
                "role: No deployment role is named 'DEPLOYMENT_AMIN' in organization {organization} (nearest: "
                "'DEPLOYMENT_ADMIN', 'DEPLOYMENT_ACCESSOR')."
            ),
        ),
    ],
    ids=["token", "role"],
)
def test_a_name_that_may_be_made_yet_is_a_warning_in_check_and_an_error_in_create(  # noqa: PLR0913, PLR0917  fixtures
    process: ProviderProcess,
    astro: Emulator,
    wanted: Properties,
    token_id: str,
    deployment_id: str,
    changes: Properties,
    notice: str,
    error: str,
) -> None:
    checked = process.check({**wanted, **changes})
    with pytest.raises(CallFailed) as failed:
        process.create(checked.inputs)

    places = {"organization": ORGANIZATION_ID, "deployment": deployment_id, "token": token_id}
    assert checked.failures == []
    assert [f"astro: warning: {notice.format(**places)}"] == process.notices
    assert failed.value.message == error.format(**places)
    assert writes(astro) == 0

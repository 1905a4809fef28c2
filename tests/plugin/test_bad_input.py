"""What is wrong is told as one sentence, each problem on its property, all problems of a resource at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.cast import FINANCE, OBSERVABILITY, OF_WORKSPACE, ORGANIZATION_ID, PRODUCTION, STAGING
from tests.support.native_process import TABLE_URN, NativeProcess, native_process, urn_of
from tests.support.provider_process import CallFailed, secret
from tests.support.stack import NATIVE_TABLE_TYPE
from tests.support.writes import writes


def test_form_and_lookups_are_told_together_each_on_its_property(process: NativeProcess, astro: Emulator) -> None:
    checked = process.check({"deploymentId": "clnone", "role": " ", "workspaceId": "a b", "overwrite": "yes"})

    assert checked.failures == [
        ("role", "is blank: write DEPLOYMENT_ADMIN, or the name of another deployment role."),
        (
            "workspaceId",
            "'a b' is no id: write the id of the workspace that the deployment must belong to, without slashes and blanks.",
        ),
        ("orgTokenName", "is missing: give orgTokenName or orgTokenId."),
        ("overwrite", "must be true or false, not 'yes'."),
        ("deploymentId", f"There is no deployment with the id clnone in organization {ORGANIZATION_ID}."),
    ]
    assert writes(astro) == 0


def test_each_entry_of_a_table_is_a_problem_of_its_place(process: NativeProcess) -> None:
    roles = {"etl-staging": {"observability": " ", "nobody_s": 7}, "clnonenonenonenonenone000": {"observability": "R"}}

    failures = process.check({"roles": roles, "workspaceId": "a/b"}, urn=TABLE_URN).failures

    assert [place for place, _ in failures] == [
        'roles["etl-staging"]["observability"]',
        'roles["etl-staging"]["nobody_s"]',
        "workspaceId",
        'roles["clnonenonenonenonenone000"]',
    ]


def test_null_and_keys_that_pulumi_hides_are_problems_of_their_places(process: NativeProcess, astro: Emulator) -> None:
    roles = {"etl-staging": {"observability": None, "__x": "R"}, "__y": {"observability": "R"}}

    failures = process.check({"roles": roles}, urn=TABLE_URN).failures

    hidden = 'begins with "__", which Pulumi keeps for itself and hides: write the id of the {} as the key.'
    assert sorted(failures) == [
        ('roles["__y"]', hidden.format("deployment")),
        ('roles["etl-staging"]["__x"]', hidden.format("token")),
        (
            'roles["etl-staging"]["observability"]',
            "is blank: write DEPLOYMENT_ADMIN, or the name of another deployment role.",
        ),
    ]
    assert writes(astro) == 0


def test_of_very_many_problems_the_rest_is_counted(process: NativeProcess) -> None:
    roles = {"etl-staging": {f"token-{number}": " " for number in range(50)}}

    failures = process.check({"roles": roles}, urn=TABLE_URN).failures

    assert len(failures) == 21
    assert failures[-1] == ("", "And 30 more of the same kind.")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "deploymentNam",
            "is no input of DeploymentOrgTokenBinding (nearest: 'deploymentName', 'deploymentId').",
        ),
        ("deployment_name", "is no input of DeploymentOrgTokenBinding (nearest: 'deploymentName', 'deploymentId')."),
        ("createdAt", "is no input of DeploymentOrgTokenBinding."),
    ],
)
def test_an_input_that_the_schema_does_not_know_is_told(
    process: NativeProcess, wanted: dict[str, Any], name: str, reason: str
) -> None:
    assert process.check({**wanted, name: "x"}).failures == [(name, reason)]


def test_names_of_properties_are_spelled_as_this_door_does_and_names_of_things_as_they_are(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any]
) -> None:
    for _ in range(2):
        astro.store.add_token("org_token_id")

    failures = process.check({**wanted, "orgTokenName": "org_token_id"}).failures

    [(name, reason)] = failures
    assert name == "orgTokenName"
    assert reason.startswith("2 tokens are named 'org_token_id': ")
    assert reason.endswith(". Give orgTokenId instead.")


@pytest.mark.parametrize("call", ["create", "update", "read", "delete"])
def test_an_error_of_a_call_is_one_line_without_a_traceback(
    process: NativeProcess, later: NativeProcess, astro: Emulator, wanted: dict[str, Any], call: str
) -> None:
    inputs = process.check(wanted).inputs
    state = process.create(inputs)
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: later.create({**inputs, "deploymentId": STAGING, "deploymentName": "etl-staging"}),
        "update": lambda: later.update(state.id, state.outputs, {**inputs, "role": "DEPLOYMENT_ACCESSOR"}),
        "read": lambda: later.read(state.id, state.outputs),
        "delete": lambda: later.delete(state.id, state.outputs),
    }
    astro.clear_calls()
    astro.fault(operation="GetApiToken", status=403)
    astro.fault(operation="ListApiTokens", status=403)

    with pytest.raises(CallFailed) as failed:
        calls[call]()

    [line] = failed.value.lines
    assert line.startswith(("GetApiToken (organization ", "ListApiTokens (organization "))
    assert line.endswith("(the role Organization Owner has it).")
    assert later.running.stderr == ""
    assert writes(astro) == 0


def test_another_role_that_is_there_names_both(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any], deployment_id: str, token_id: str
) -> None:
    inputs = process.check(wanted).inputs
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    with pytest.raises(CallFailed) as failed:
        process.create(inputs)

    [line] = failed.value.lines
    assert line.startswith(
        f"Token 'nightly-loads' ({token_id}) in deployment 'orders' ({deployment_id}) already has the role "
        "DEPLOYMENT_ACCESSOR, and DEPLOYMENT_ADMIN is asked for."
    )
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (
            f"{ORGANIZATION_ID}/{PRODUCTION}",
            f"id: '{ORGANIZATION_ID}/{PRODUCTION}' is no binding's id: write <organization id>/<deployment id>/<token id>.",
        ),
        (
            f"{ORGANIZATION_ID}/{PRODUCTION}/clnone",
            (
                f"There is no binding {ORGANIZATION_ID}/{PRODUCTION}/clnone: token clnone in deployment {PRODUCTION} has no role. "
                "Check the three ids."
            ),
        ),
        (
            f"{ORGANIZATION_ID}/{FINANCE}/{OF_WORKSPACE}",
            (
                f"orgTokenId: Token 'finance-workspace' ({OF_WORKSPACE}) is of scope WORKSPACE: only ORGANIZATION tokens can be "
                "bound."
            ),
        ),
    ],
    ids=["malformed", "not there", "of another scope"],
)
def test_an_import_of_what_is_no_binding_is_told(
    process: NativeProcess, astro: Emulator, identifier: str, text: str
) -> None:
    astro.store.bind(OF_WORKSPACE, FINANCE, "DEPLOYMENT_ADMIN")

    with pytest.raises(CallFailed) as failed:
        process.read(identifier)

    assert str(failed.value) == text


def test_a_table_cannot_be_imported_by_its_id(process: NativeProcess) -> None:
    with pytest.raises(CallFailed) as failed:
        process.read(f"{ORGANIZATION_ID}/abc", urn=TABLE_URN)

    assert str(failed.value).startswith(f"id: {ORGANIZATION_ID}/abc does not tell what stands in a table")


def test_without_a_credential_each_resource_is_told_where_one_is_looked_for(
    environment: dict[str, str], wanted: dict[str, Any]
) -> None:
    with native_process({**environment, "ASTRO_API_TOKEN": ""}) as process:
        failures = process.check(wanted).failures

    assert failures == [
        (
            "",
            (
                "No credential for Astro: looked at ASTRO_API_TOKEN (environment) or astro:token (pulumi config). Export "
                "ASTRO_API_TOKEN, or run `pulumi config set --secret astro:token`."
            ),
        )
    ]


def test_a_malformed_variable_of_the_environment_is_told_by_each_call(
    environment: dict[str, str], wanted: dict[str, Any]
) -> None:
    with native_process({**environment, "ASTRO_TIMEOUT_SECONDS": "soon"}) as process:
        failures = process.check(wanted).failures
        with pytest.raises(CallFailed) as failed:
            process.read(f"{ORGANIZATION_ID}/{PRODUCTION}/clnone")

    [(name, reason)] = failures
    assert name == ""
    assert reason == str(failed.value)
    assert reason.startswith(
        "'soon' in ASTRO_TIMEOUT_SECONDS (environment) or astro:timeoutSeconds (pulumi config) is not"
    )


def test_a_mistake_of_ours_is_told_as_one(process: NativeProcess) -> None:
    with pytest.raises(CallFailed) as failed:
        process.create({}, urn="no urn")

    [line] = failed.value.lines
    assert line.startswith("pulumi-astro-provider ")
    assert "made a mistake (IndexError: list index out of range): please report it" in line


def test_two_resources_of_one_binding_are_told_in_the_preview_also_if_they_spell_it_differently(
    process: NativeProcess, astro: Emulator
) -> None:
    first = process.check(
        {"deploymentName": "etl-staging", "orgTokenName": "observability", "role": "DEPLOYMENT_ADMIN"}
    )
    again = process.check(
        {"deploymentName": "etl-staging", "orgTokenName": "observability", "role": "DEPLOYMENT_ADMIN"}
    )
    other = process.check(
        {"deploymentId": STAGING, "orgTokenName": "observability", "role": "DEPLOYMENT_ADMIN"}, urn=urn_of(name="other")
    )

    assert (first.failures, again.failures) == ([], [])  # one resource, as a replacement checks it twice
    [(place, told)] = other.failures
    assert not place
    assert "DeploymentOrgTokenBinding 'other' and DeploymentOrgTokenBinding 'b'" in told
    assert told.endswith("A token has one role in a deployment: remove it from one of the two.")
    assert writes(astro) == 0


def test_the_secret_of_a_token_stands_on_no_property_of_a_table_wherever_it_was_given(process: NativeProcess) -> None:
    jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl"
    for roles in (
        {jwt: {"observability": "DEPLOYMENT_ADMIN"}},
        {"etl-staging": {jwt: "DEPLOYMENT_ADMIN"}},
        {"etl-staging": {"observability": jwt}},
        {"etl-staging": jwt},
    ):
        failures = process.check({"roles": roles}, urn=TABLE_URN).failures

        assert [name for name, _ in failures] == [""]  # or the engine would print what stands there
        assert jwt not in str(failures)
        assert "secret value of a" in failures[0][1]


@pytest.mark.parametrize("name", ["removes", "deploymentIds", "tokenIds", "unfinished"])
def test_what_a_check_fills_in_is_no_input_of_a_table(process: NativeProcess, name: str) -> None:
    table = {"roles": {"etl-staging": {"observability": "DEPLOYMENT_ADMIN"}}, name: secret("hidden")}

    [(place, reason)] = process.check(table, urn=TABLE_URN).failures

    assert (place, reason.partition(" (")[0].rstrip(".")) == (name, "is no input of DeploymentOrgTokenBindings")


def test_what_was_imported_is_known_by_the_ids_of_its_outputs(process: NativeProcess, astro: Emulator) -> None:
    names = {"deploymentName": "etl-staging", "orgTokenName": "observability", "role": "DEPLOYMENT_ADMIN"}
    ids = {"organizationId": ORGANIZATION_ID, "deploymentId": STAGING, "orgTokenId": OBSERVABILITY}
    astro.store.delete_deployment(STAGING, keep_roles=False)

    known = process.check(names, names, old_outputs={**names, **ids}).failures
    unknown = process.check(names, names).failures

    assert known == []  # what is in the state and does not change cannot fail
    assert unknown != []


def test_two_tables_of_one_content_are_told_in_the_preview(process: NativeProcess, astro: Emulator) -> None:
    table = {"roles": {"etl-staging": {"observability": "DEPLOYMENT_ADMIN"}}, "exclusive": True}

    first, again = process.check(table, urn=TABLE_URN), process.check(table, urn=TABLE_URN)
    twin = process.check(table, urn=urn_of(NATIVE_TABLE_TYPE, "twin"))

    assert (first.failures, again.failures) == ([], [])
    assert [place for place, _ in twin.failures] == ['roles["etl-staging"]["observability"]']
    assert twin.failures[0][1].startswith("Two resources of this program bind token 'observability'")
    assert writes(astro) == 0

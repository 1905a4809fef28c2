"""The native door on the real engine: every command, two organizations, credentials, and what a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import native
from tests.support.cast import OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING
from tests.support.made import Made
from tests.support.native_process import EXECUTABLE
from tests.support.native_programs import natively
from tests.support.provider_process import running
from tests.support.stack import NATIVE_BINDING_TYPE, Stack, led_to
from tests.support.writes import writes

ROLES = {"etl-staging": {"observability": "DEPLOYMENT_ADMIN"}}


@pytest.fixture
def wanted(deployment_id: str, token_id: str) -> dict[str, Any]:
    """Here the arguments of a Python program."""
    assert token_id
    return {"deployment_id": deployment_id, "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}


@pytest.fixture
def elsewhere() -> Iterator[Emulator]:
    """Another Astro, with another credential."""
    with Emulator.running() as emulator:
        yield emulator


def test_both_resources_live_through_every_command(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    def program() -> None:
        binding = native.DeploymentOrgTokenBinding("b", **wanted)
        table = native.DeploymentOrgTokenBindings("t", roles=ROLES, exclusive=True)
        pulumi.export("token", binding.org_token_id)
        pulumi.export("made", binding.created_at)
        pulumi.export("ids", table.deployment_ids)

    stack.program = program

    preview, up = stack.preview(), stack.up()
    shown, again, refresh = stack.outputs(), stack.preview(), stack.refresh()

    assert [preview.failed, up.failed, again.failed, refresh.failed] == [False] * 4
    assert (preview.changes, up.changes) == ({"create": 3}, {"create": 3})
    assert (again.changes, refresh.changes) == ({"same": 3}, {"same": 3})
    assert shown == {
        "token": token_id,
        "made": astro.store.token(token_id)["createdAt"],
        "ids": {"etl-staging": STAGING},
    }
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"
    assert {name: found["type"] for name, found in stack.resources().items()}["b"] == NATIVE_BINDING_TYPE

    destroy = stack.destroy()

    assert destroy.changes == {"delete": 3}
    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None


@pytest.mark.parametrize("name", ["back\\slash", 'a.b["c"]', "at the end\\"])
def test_a_preview_shows_each_role_that_comes_whatever_the_token_is_called(
    stack: Stack, astro: Emulator, name: str
) -> None:
    astro.store.add_token(name)
    row = dict(ROLES["etl-staging"])

    def program() -> None:
        native.DeploymentOrgTokenBindings("t", roles={"etl-staging": row})

    stack.program = program
    stack.up()
    row[name] = "DEPLOYMENT_ACCESSOR"

    preview = stack.preview()

    assert not preview.failed
    assert "DEPLOYMENT_ACCESSOR" in preview.text


def test_a_preview_shows_the_place_that_changes_and_knows_what_stays(stack: Stack, wanted: dict[str, Any]) -> None:
    seen: list[object] = []

    def program() -> None:
        binding = native.DeploymentOrgTokenBinding("b", **wanted)
        binding.created_by.apply(seen.append)

    stack.program = program
    stack.up()
    wanted["role"] = "DEPLOYMENT_ACCESSOR"
    seen.clear()

    preview = stack.preview()

    assert [line for line in preview.lines if line.startswith("~ role")] == [
        '~ role: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"'
    ]
    assert [line for line in preview.lines if line.startswith(("~ org", "~ dep", "+ ", "- "))] == []
    assert seen == ["Ada Byron"]


def test_drift_shows_on_a_refresh_with_what_was_and_what_is(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    stack.program = natively(b=wanted)
    stack.up()
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    refresh = stack.refresh(diff=True)

    assert refresh.changes == {"same": 1, "update": 1}
    assert [line for line in refresh.lines if line.startswith("~ role")] == [
        '~ role: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"'
    ]


def test_another_deployment_is_a_replacement_that_deletes_first(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    stack.program = natively(b=wanted)
    stack.up()
    stack.program = natively(b={**wanted, "deployment_id": STAGING})

    up = stack.up()

    assert up.steps == ["delete-replaced b", "replace b", "create-replacement b"]
    assert astro.store.deployment_role(token_id, deployment_id) is None
    assert astro.store.deployment_role(token_id, STAGING) == "DEPLOYMENT_ADMIN"


def test_a_forced_replacement_keeps_the_role(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    stack.program = natively(b=wanted)
    stack.up()

    up = stack.stack.up(replace=[stack.urn("b", NATIVE_BINDING_TYPE)])

    assert up.summary.result == "succeeded"
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_rename_without_an_alias_keeps_the_role(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    stack.program = natively(old=wanted)
    stack.up()
    stack.program = natively(new=wanted)

    up = stack.up()

    assert up.steps == ["create new", "delete old"]
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_all_problems_of_a_resource_stand_in_one_preview(stack: Stack, astro: Emulator) -> None:
    bad = {
        "deployment_id": "clnone",
        "org_token_name": "observability",
        "role": "WORKSPACE_ADMIN",
        "workspace_id": "a b",
    }
    stack.program = natively(b=bad)

    preview = stack.preview()

    assert preview.failed
    assert [line.split(" has a problem: ")[0] for line in preview.errors] == [
        f"error: {NATIVE_BINDING_TYPE} resource 'b': property workspaceId value {{a b}}",
        f"error: {NATIVE_BINDING_TYPE} resource 'b': property deploymentId value {{clnone}}",
        f"error: {NATIVE_BINDING_TYPE} resource 'b': property role value {{WORKSPACE_ADMIN}}",
    ]
    assert writes(astro) == 0


def test_all_problems_of_a_table_stand_in_one_preview_without_the_whole_map(stack: Stack) -> None:
    roles = {"etl-staging": {f"nobody-{number}": " " for number in range(3)}}
    stack.program = natively(t={"roles": roles})

    preview = stack.preview()

    assert preview.failed
    assert [line.partition(" has a problem: ")[2] for line in preview.errors] == [
        "is blank: write DEPLOYMENT_ADMIN, or the name of another deployment role."
    ] * 3
    assert max(len(line) for line in preview.errors) < 300


def test_an_error_of_an_update_is_one_line_beside_its_resource(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    stack.program = natively(b=wanted)
    astro.fault(operation="UpdateApiTokenRoles", status=400, body={"message": "No.", "requestId": "r1"})

    up = stack.up()

    assert up.failed
    assert [line for line in up.lines if "HTTP 400" in line and line.startswith("error: ")] != []
    assert "astro_provider.errors" not in up.text


def test_a_notice_stands_beside_its_resource(stack: Stack, wanted: dict[str, Any]) -> None:
    stack.program = natively(
        other={**wanted, "role": "DEPLOYMENT_ACCESSOR", "deployment_id": PRODUCTION},
        b={**wanted, "org_token_name": "not-made-yet"},
    )
    told: list[Any] = []

    stack.stack.preview(on_event=told.append)

    warnings = [
        one.diagnostic_event for one in told if one.diagnostic_event and "not-made-yet" in one.diagnostic_event.message
    ]
    assert [(one.severity, one.urn) for one in warnings] == [("warning", stack.urn("b", NATIVE_BINDING_TYPE))]


# Providers that the program makes


def _of_two(elsewhere: Emulator, wanted: dict[str, Any]) -> None:
    other = native.Provider("other", token=elsewhere.credential, host=elsewhere.url, settle_seconds=0)
    native.DeploymentOrgTokenBinding("here", **wanted)
    native.DeploymentOrgTokenBinding(
        "there",
        deployment_name="etl-staging",
        org_token_name="observability",
        role="DEPLOYMENT_ADMIN",
        opts=pulumi.ResourceOptions(provider=other),
    )
    native.DeploymentOrgTokenBinding(
        "here-too", deployment_name="etl-staging", org_token_name="observability", role="DEPLOYMENT_ACCESSOR"
    )


def test_one_program_serves_two_organizations_although_a_credential_is_exported(
    stack: Stack, astro: Emulator, elsewhere: Emulator, wanted: dict[str, Any]
) -> None:
    stack.program = lambda: _of_two(elsewhere, wanted)

    up = stack.up()
    again, refresh = stack.preview(), stack.refresh()

    assert not up.failed
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ACCESSOR"
    assert elsewhere.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"
    assert (again.changes, refresh.changes) == ({"same": 5}, {"same": 5})

    assert not stack.destroy().failed
    assert elsewhere.store.deployment_role(OBSERVABILITY, STAGING) is None


def test_a_rotated_credential_and_another_host_change_the_provider_alone(
    stack: Stack, astro: Emulator, elsewhere: Emulator, wanted: dict[str, Any]
) -> None:
    given = {"token": astro.credential, "host": astro.url}

    def program() -> None:
        other = native.Provider("other", token=given["token"], host=given["host"], settle_seconds=0)
        native.DeploymentOrgTokenBinding("b", **wanted, opts=pulumi.ResourceOptions(provider=other))

    stack.program = program
    stack.set_environment(ASTRO_API_TOKEN="")
    stack.up()
    astro.clear_calls()
    given["token"] = astro.store.add_credential()

    rotated = stack.up()

    assert rotated.steps == ["update other"]
    assert writes(astro) == 0

    given["host"] = elsewhere.url
    given["token"] = elsewhere.credential

    moved = stack.preview()

    assert moved.steps == ["update other"]


def test_a_credential_that_another_resource_makes_is_no_error_in_a_preview(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    def program() -> None:
        made = Made("credential", astro.credential)
        other = native.Provider("other", token=made.made_id, host=astro.url, settle_seconds=0)
        native.DeploymentOrgTokenBinding("b", **wanted, opts=pulumi.ResourceOptions(provider=other))

    stack.program = program
    stack.set_environment(ASTRO_API_TOKEN="")

    preview, up = stack.preview(), stack.up()

    assert (preview.failed, up.failed) == (False, False)
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_malformed_setting_of_a_provider_is_told_on_its_property(stack: Stack, wanted: dict[str, Any]) -> None:
    def program() -> None:
        other = native.Provider("other", preview_checks="perhaps", timeout_seconds=0)
        native.DeploymentOrgTokenBinding("b", **wanted, opts=pulumi.ResourceOptions(provider=other))

    stack.program = program

    preview = stack.preview()

    assert preview.failed
    told = [line for line in preview.lines if line.startswith("error: pulumi:providers:astro resource 'other'")]
    assert [line.partition(" value ")[0].rpartition(" ")[2] for line in told] == ["previewChecks", "timeoutSeconds"]


@pytest.mark.parametrize("given_as", ["stack configuration", "provider of the program"])
def test_the_credential_stands_nowhere_in_clear(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], given_as: str
) -> None:
    stack.set_environment(ASTRO_API_TOKEN="")

    def program() -> None:
        options = None
        if given_as == "provider of the program":  # not marked as a secret by the program
            provider = native.Provider("other", token=astro.credential)
            options = pulumi.ResourceOptions(provider=provider)
        native.DeploymentOrgTokenBinding("b", **wanted, opts=options)

    stack.program = program
    if given_as == "stack configuration":
        stack.set_config("astro:token", astro.credential, secret=True)

    outcomes = [stack.preview(), stack.up(), stack.refresh(), stack.up(), stack.destroy()]

    assert [outcome.failed for outcome in outcomes] == [False] * 5
    _, claims, signature = astro.credential.split(".")
    for text in (stack.text_on_disk(), *(outcome.text for outcome in outcomes)):
        assert claims not in text
        assert signature not in text


# What is there already


def test_what_is_there_comes_in_by_its_id_and_stays_unchanged(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ADMIN")
    identifier = f"{ORGANIZATION_ID}/{deployment_id}/{token_id}"
    stack.program = lambda: _imported(wanted, identifier)

    preview, up = stack.preview(), stack.up()
    stack.program = natively(b=wanted)
    after = stack.preview()

    assert (preview.steps, up.steps) == (["create default", "import b"], ["create default", "import b"])
    assert after.changes == {"same": 2}
    assert writes(astro) == 0


def _imported(wanted: dict[str, Any], identifier: str) -> None:
    native.DeploymentOrgTokenBinding("b", **wanted, opts=pulumi.ResourceOptions(import_=identifier))


def test_an_import_that_differs_from_the_program_shows_what_will_change(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")
    stack.program = lambda: _imported(wanted, f"{ORGANIZATION_ID}/{deployment_id}/{token_id}")

    preview = stack.preview()

    assert preview.steps == ["create default", "import b", "update b"]
    assert '~ role          : "DEPLOYMENT_ACCESSOR" => "DEPLOYMENT_ADMIN"' in preview.lines
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"


def test_what_is_there_can_be_read_without_being_managed(stack: Stack) -> None:
    def program() -> None:
        found = native.DeploymentOrgTokenBinding.get("b", f"{ORGANIZATION_ID}/{PRODUCTION}/{OBSERVABILITY}")
        pulumi.export("role", found.role)

    stack.program = program

    assert not stack.up().failed
    assert stack.outputs() == {"role": "DEPLOYMENT_ACCESSOR"}


def test_a_process_that_was_started_by_hand_serves_one_run_after_the_other(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    with running([EXECUTABLE, "127.0.0.1:1"], led_to(astro)) as process:
        stack.set_environment(PULUMI_DEBUG_PROVIDERS=f"astro:{process.port}")
        stack.program = natively(b=wanted)
        made = stack.up()
        role = astro.store.deployment_role(token_id, deployment_id)
        stack.program = natively()
        removed = stack.up()

    assert not made.failed, made.text
    assert role == "DEPLOYMENT_ADMIN"
    assert not removed.failed, removed.text
    assert astro.store.deployment_role(token_id, deployment_id) is None

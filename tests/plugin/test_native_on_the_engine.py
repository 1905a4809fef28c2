"""The native door on the real engine: every command, two organizations, credentials, and what a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import native
from tests.support.cast import OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, STAGING
from tests.support.made import Made
from tests.support.native_process import EXECUTABLE
from tests.support.programs import natively
from tests.support.provider_process import running
from tests.support.stack import NATIVE_BINDING_TYPE, Outcome, Stack, led_to
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


# Changes, side by side in one program: each binding is named after its change, its token and its deployment after it


NAMED_AFTER_ITS_CHANGE = ("role", "drift", "place", "forced", "old")
HARD_NAMES = ("back\\slash", 'a.b["c"]', "at the end\\")
UNIQUE = "Release Engineer"  # the role that only tokens of hard names get


@dataclass(frozen=True)
class Changed:
    """The outcomes of the commands.

    Attributes:
        refresh: after the drift.
        preview: of the changes of the program.
        told: what the program was told in the preview of the token whose role changes.
        up: that and a forced replacement.
        roles: what the token of each name has in its deployment afterwards.
        moved: what the token of `place` has in its new deployment.
    """

    refresh: Outcome
    preview: Outcome
    told: list[object]
    up: Outcome
    roles: dict[str, str | None]
    moved: str | None

    def shown_of(self, name: str) -> list[str]:
        """The lines of the preview about a resource."""
        parts = re.split(r"\n(?=\s*\S+ astro:index:\w+: \(|Resources:)", self.preview.text)
        [part] = [part for part in parts if f"::{name}]" in part]
        return [line.strip() for line in part.splitlines()]


@pytest.fixture(scope="module")
def changed(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Changed:
    rows = {name: {"observability": "DEPLOYMENT_ACCESSOR"} for name in HARD_NAMES}
    bindings: dict[str, dict[str, Any]] = {
        name: {"deployment_name": name, "org_token_name": name, "role": "DEPLOYMENT_ADMIN"}
        for name in NAMED_AFTER_ITS_CHANGE
    }
    told: list[object] = []

    def program() -> None:
        for number, (name, row) in enumerate(rows.items()):
            native.DeploymentOrgTokenBindings(f"table-{number}", roles={name: row})
        for name, arguments in bindings.items():
            binding = native.DeploymentOrgTokenBinding(name, **arguments)
            if name == "role":
                binding.created_by.apply(told.append)

    with Emulator.running() as astro:
        for name in (*NAMED_AFTER_ITS_CHANGE, *HARD_NAMES):
            astro.store.add_token(name)
            astro.store.add_deployment(name)
        deployments = {one["name"]: one["id"] for one in astro.store.shown()["deployments"]}
        tokens = {one["name"]: one["id"] for one in astro.store.shown()["tokens"]}
        stack = Stack(engine, tmp_path_factory.mktemp("changed"), led_to(astro), program)
        made = stack.up()
        assert not made.failed, made.text

        astro.store.bind(tokens["drift"], deployments["drift"], "DEPLOYMENT_ACCESSOR")
        refresh = stack.refresh(diff=True)
        for name, row in rows.items():
            row[name] = UNIQUE
        bindings["role"]["role"] = "DEPLOYMENT_ACCESSOR"
        bindings["place"]["deployment_name"] = "etl-staging"
        bindings["new"] = bindings.pop("old")
        told.clear()
        preview, told_then = stack.preview(), list(told)
        up = stack.up(replace=[stack.urn("forced", NATIVE_BINDING_TYPE)])

        roles = {name: astro.store.deployment_role(tokens[name], deployments[name]) for name in NAMED_AFTER_ITS_CHANGE}
        moved = astro.store.deployment_role(tokens["place"], STAGING)
    return Changed(refresh, preview, told_then, up, roles, moved)


@pytest.mark.parametrize("number", range(len(HARD_NAMES)), ids=HARD_NAMES)
def test_a_preview_shows_each_role_that_comes_whatever_the_token_is_called(changed: Changed, number: int) -> None:
    assert UNIQUE in " ".join(changed.shown_of(f"table-{number}"))


def test_a_preview_shows_the_place_that_changes_and_knows_what_stays(changed: Changed) -> None:
    lines = changed.shown_of("role")

    assert [line for line in lines if line.startswith("~ role")] == [
        '~ role: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"'
    ]
    assert [line for line in lines if line.startswith(("~ org", "~ dep", "+ ", "- "))] == []
    assert changed.told == ["Ada Byron"]


def test_drift_shows_on_a_refresh_with_what_was_and_what_is(changed: Changed) -> None:
    rest = 1 + len(HARD_NAMES) + len(NAMED_AFTER_ITS_CHANGE) - 1  # the stack and all others

    assert changed.refresh.changes == {"same": rest, "update": 1}
    assert [line for line in changed.refresh.lines if line.startswith("~ role")] == [
        '~ role: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"'
    ]


def test_another_deployment_is_a_replacement_that_deletes_first(changed: Changed) -> None:
    steps = [step for step in changed.up.steps if step.endswith(" place")]

    assert not changed.up.failed, changed.up.text
    assert steps == ["delete-replaced place", "replace place", "create-replacement place"]
    assert changed.roles["place"] is None
    assert changed.moved == "DEPLOYMENT_ADMIN"


def test_a_forced_replacement_keeps_the_role(changed: Changed) -> None:
    assert "replace forced" in changed.up.steps
    assert changed.roles["forced"] == "DEPLOYMENT_ADMIN"


def test_a_rename_without_an_alias_keeps_the_role(changed: Changed) -> None:
    steps = [step for step in changed.up.steps if step.endswith((" old", " new"))]

    assert steps == ["create new", "delete old"]
    assert changed.roles["old"] == "DEPLOYMENT_ADMIN"


# Problems and notices


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


def test_a_credential_of_the_configuration_and_one_of_the_program_stand_nowhere_in_clear(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    stack.set_environment(ASTRO_API_TOKEN="")
    stack.set_config("astro:token", astro.credential, secret=True)

    def program() -> None:
        provider = native.Provider("other", token=astro.credential)  # not marked as a secret by the program
        native.DeploymentOrgTokenBinding("of-the-configuration", **wanted)
        native.DeploymentOrgTokenBinding(
            "of-the-program", **{**wanted, "deployment_id": STAGING}, opts=pulumi.ResourceOptions(provider=provider)
        )

    stack.program = program

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

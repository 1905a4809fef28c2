"""Each row of docs/previews.md on the real engine: the text that a reviewer reads, and what the update does then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.beginnings import begin_with
from tests.support.made import Made
from tests.support.programs import bindings
from tests.support.stack import Outcome, Stack
from tests.support.writes import writes

ROLE = "DEPLOYMENT_ADMIN"
Binds = Callable[..., None]


def binds(stack: Stack, **arguments: Any) -> None:
    """Make the stack's program declare one binding."""
    stack.program = lambda: _declare(arguments)


def _declare(arguments: dict[str, Any]) -> None:
    DeploymentOrgTokenBinding("binding", **arguments)


def said(outcome: Outcome, *words: str) -> list[str]:
    """The lines that hold all the words, the provider's own with their severity."""
    return [line for line in (*outcome.notices, *outcome.lines) if all(word in line for word in words)]


def test_an_unknown_role_is_a_warning_with_the_nearest_names_and_an_error_of_create(
    stack: Stack, astro: Emulator
) -> None:
    token = astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")
    binds(stack, deployment_id=deployment, org_token_name="ci", role="DEPLOYMENT_ADMINN")

    preview = stack.preview()
    up = stack.up()

    assert not preview.failed
    assert preview.changes == {"create": 2}
    [warning] = preview.notices
    assert warning == (
        f"astro: warning: No deployment role is named 'DEPLOYMENT_ADMINN' in organization {astro.organization_id} "
        f"(nearest: 'DEPLOYMENT_ADMIN', 'DEPLOYMENT_ACCESSOR'), so token 'ci' ({token}) cannot get it in deployment 'etl' ({deployment}). "
        "The update will fail unless this program also creates that role."
    )
    assert up.failed
    assert up.errors[-1].startswith("error: role: No deployment role is named")
    assert astro.store.deployment_role(token, deployment) is None


def test_an_unknown_token_name_is_a_warning_for_a_new_binding_and_an_error_of_create(
    stack: Stack, astro: Emulator
) -> None:
    astro.store.add_token("ci-deployment")
    deployment = astro.store.add_deployment("etl")
    binds(stack, deployment_id=deployment, org_token_name="ci-deploymnt", role=ROLE)

    preview = stack.preview()
    up = stack.up()

    assert preview.changes == {"create": 2}
    [warning] = preview.notices
    assert "No token is named 'ci-deploymnt'" in warning
    assert "(nearest: 'ci-deployment'" in warning
    assert (
        f"it cannot be bound to deployment 'etl' ({deployment}). The update will fail unless this program also"
        in warning
    )
    assert up.errors[-1].startswith("error: org_token_name: No token is named 'ci-deploymnt'")


def test_an_unknown_name_is_an_error_where_the_old_grant_would_be_taken_away_for_nothing(
    stack: Stack, astro: Emulator
) -> None:
    token = astro.store.add_token("ci")
    old, new = astro.store.add_deployment("etl"), astro.store.add_deployment("ml")
    begin_with(stack, astro, bindings(binding={"deployment_id": old, "org_token_name": "ci", "role": ROLE}))

    binds(stack, deployment_id=new, org_token_name="ci", role="Nobody Made This")
    moved = stack.preview()
    binds(stack, deployment_id=old, org_token_name="gone", role=ROLE)
    renamed = stack.preview()

    assert moved.failed
    assert said(moved, "property role value {Nobody Made This} has a problem: No deployment role is named")
    assert renamed.failed
    assert said(
        renamed,
        "property org_token_name value {gone} has a problem",
        f"The token of this binding ({token}) is named 'ci' now.",
    )
    assert astro.store.deployment_role(token, old) == ROLE


def test_a_binding_that_exists_with_the_same_role_is_noted_as_adopted(stack: Stack, astro: Emulator) -> None:
    token = astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")
    astro.store.bind(token, deployment, ROLE)
    binds(stack, deployment_id=deployment, org_token_name="ci", role=ROLE)

    preview = stack.preview()
    stack.up()
    unchanged = stack.preview()

    [note] = preview.notices
    assert note == (
        f"astro: note: Token 'ci' ({token}) already has the role {ROLE} in deployment 'etl' ({deployment}). It will be "
        "adopted unchanged, and a later destroy will remove it. If this is a rename or a move within this stack, the role "
        "stays. Otherwise another stack may own it. If another resource (for example a Command) granted it and this run "
        "removes that resource, the role is removed too."
    )
    assert writes(astro) == 0
    assert unchanged.notices == []


def test_a_binding_that_exists_with_another_role_is_an_error_unless_it_is_overwritten(
    stack: Stack, astro: Emulator
) -> None:
    token = astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")
    astro.store.bind(token, deployment, "DEPLOYMENT_ACCESSOR")

    binds(stack, deployment_id=deployment, org_token_id=token, role=ROLE)
    refused = stack.preview()
    binds(stack, deployment_id=deployment, org_token_id=token, role=ROLE, overwrite=True)
    taken_over = stack.preview()
    stack.up()

    assert refused.failed
    assert said(
        refused, "property role value {DEPLOYMENT_ADMIN}", "already has the role DEPLOYMENT_ACCESSOR", "overwrite"
    )
    assert not taken_over.failed
    assert said(taken_over, "overwrite will change DEPLOYMENT_ACCESSOR → DEPLOYMENT_ADMIN. Another stack may own it.")
    assert astro.store.deployment_role(token, deployment) == ROLE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"deployment_id": "no-such", "org_token_name": "ci", "role": ROLE},
            "property deployment_id value {no-such} has a problem: There is no deployment with the id no-such",
        ),
        (
            {"deployment_id": "{etl}", "org_token_id": "no-such", "role": ROLE},
            "property org_token_id value {no-such} has a problem: There is no token with the id no-such",
        ),
        (
            {"deployment_id": "etl", "org_token_name": "ci", "role": ROLE},
            "that is the name of {etl}. Give it as deployment_name, or write the id.",
        ),
        (
            {"deployment_id": "{etl}", "org_token_name": "of-workspace", "role": ROLE},
            "is of scope WORKSPACE: only ORGANIZATION tokens can be bound",
        ),
        (
            {"deployment_id": "{etl}", "org_token_name": "of-deployment", "role": ROLE},
            "is of scope DEPLOYMENT: only ORGANIZATION tokens can be bound",
        ),
        (
            {"deployment_id": "{etl}", "org_token_name": "ci", "role": ROLE, "workspace_id": "{other}"},
            "property workspace_id value {{other}} has a problem: Deployment 'etl' ({etl}) belongs to workspace",
        ),
        (
            {"deployment_id": "{etl}", "org_token_name": "ci", "role": "Elsewhere"},
            "The role Elsewhere is restricted to workspace {other}, and deployment 'etl' ({etl}) belongs to",
        ),
        (
            {"deployment_id": "{etl}", "org_token_name": "twin", "role": ROLE},
            "property org_token_name value {twin} has a problem: 2 tokens are named 'twin': {twins}. Give org_token_id",
        ),
    ],
)
def test_what_exists_and_contradicts_is_an_error_on_its_property(
    stack: Stack, astro: Emulator, arguments: dict[str, str], message: str
) -> None:
    astro.store.add_token("ci")
    astro.store.add_token("of-workspace", scope="WORKSPACE")
    astro.store.add_token("of-deployment", scope="DEPLOYMENT")
    twins = sorted([astro.store.add_token("twin"), astro.store.add_token("twin")])
    here, other = (workspace["id"] for workspace in astro.store.shown()["workspaces"])
    etl = astro.store.add_deployment("etl", workspace_id=here)
    astro.store.add_role("Elsewhere", restricted_workspace_ids=[other])
    known = {"{etl}": etl, "{other}": other, "{twins}": ", ".join(twins)}
    binds(stack, **{name: known.get(value, value) for name, value in arguments.items()})

    preview = stack.preview()

    for placeholder, value in known.items():
        message = message.replace(placeholder, value)
    assert preview.failed
    assert said(preview, message), preview.text
    assert writes(astro) == 0


def test_an_expired_and_a_direct_access_token_are_warnings(stack: Stack, astro: Emulator) -> None:
    astro.store.add_token("old", endAt="2020-02-02T00:00:00Z")
    astro.store.add_token("direct", kind="DIRECT_ACCESS")
    deployment = astro.store.add_deployment("etl")

    def program() -> None:
        for name in ("old", "direct"):
            DeploymentOrgTokenBinding(name, deployment_id=deployment, org_token_name=name, role=ROLE)

    stack.program = program

    preview = stack.preview()

    assert preview.changes == {"create": 3}
    assert said(
        preview, "warning: Token 'old'", "expired on 2020-02-02, so this role gives no access in deployment 'etl'"
    )
    assert said(
        preview,
        "warning: Token 'direct'",
        "is of kind DIRECT_ACCESS, which is made for",
        "use a token of kind STANDARD.",
    )


def test_a_deployment_that_was_deleted_in_astro_does_not_stop_an_urgent_removal_beside_it(
    stack: Stack, astro: Emulator
) -> None:
    token = astro.store.add_token("ci")
    gone, urgent = astro.store.add_deployment("ml"), astro.store.add_deployment("etl")
    stays = {"deployment_id": gone, "org_token_name": "ci", "role": ROLE}
    begin_with(stack, astro, bindings(stays=stays, urgent={**stays, "deployment_id": urgent}))
    astro.store.delete_deployment(gone, keep_roles=False)

    stack.program = bindings(stays=stays)
    preview = stack.preview()
    up = stack.up()
    refresh = stack.refresh()

    warning = (
        f"astro: warning: Deployment 'ml' ({gone}) does not exist any more. Remove this binding from the program, or give "
        "another deployment."
    )
    assert not preview.failed, preview.text
    assert preview.changes == {"same": 2, "delete": 1}
    assert preview.notices == [warning]
    assert not up.failed, up.text
    assert astro.store.deployment_role(token, urgent) is None
    assert refresh.notices == [
        f"astro: note: Deployment 'ml' ({gone}) was deleted, so a refresh takes the binding out of the state."
    ]
    assert stack.resources() == {}


def test_two_resources_that_bind_the_same_token_to_the_same_deployment_are_an_error_that_names_both(
    stack: Stack, astro: Emulator
) -> None:
    token = astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")

    def spelled_alike() -> None:
        for name in ("first", "second"):
            DeploymentOrgTokenBinding(name, deployment_id=deployment, org_token_name="ci", role=ROLE)

    def spelled_differently() -> None:
        DeploymentOrgTokenBinding("first", deployment_id=deployment, org_token_name="ci", role=ROLE)
        DeploymentOrgTokenBinding("second", deployment_id=deployment, org_token_id=token, role=ROLE)

    stack.program = spelled_alike
    preview = stack.preview()
    stack.program = spelled_differently
    up = stack.up()

    assert preview.failed
    assert said(preview, "BindingConflict: The resources 'first' and 'second' both bind token 'ci' to deployment")
    assert up.failed
    assert said(up, "Two resources of this program bind", "remove it from one of the two")


def test_a_second_resource_of_a_binding_in_the_state_is_an_error_of_the_preview(stack: Stack, astro: Emulator) -> None:
    token = astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")

    def first() -> DeploymentOrgTokenBinding:
        return DeploymentOrgTokenBinding("first", deployment_id=deployment, org_token_name="ci", role=ROLE)

    def both() -> None:
        role, opts = "DEPLOYMENT_ACCESSOR", pulumi.ResourceOptions(depends_on=[first()])
        DeploymentOrgTokenBinding(
            "second", None, opts, deployment_id=deployment, org_token_id=token, role=role, overwrite=True
        )

    stack.program = lambda: (first(), None)[1]
    stack.up()
    stack.program = both
    preview = stack.preview()
    up = stack.up()

    assert preview.failed
    assert up.failed
    assert said(preview, "Two resources of this program bind", "remove it from one of the two")
    assert astro.store.deployment_role(token, deployment) == ROLE


def test_a_credential_that_may_not_read_is_one_error_that_says_which_right_is_needed(
    stack: Stack, astro: Emulator
) -> None:
    bearer = astro.store.add_credential(can_read=False)
    stack.set_environment(ASTRO_API_TOKEN=bearer)
    deployment = astro.store.add_deployment("etl")

    def program() -> None:
        for number in range(5):
            DeploymentOrgTokenBinding(f"b{number}", deployment_id=deployment, org_token_name=f"ci-{number}", role=ROLE)

    stack.program = program

    preview = stack.preview()

    assert preview.failed
    found = said(preview, "HTTP 403", "organization.deployments.get", "requestId")
    assert len(set(found)) == 1, preview.text
    assert bearer not in preview.text


def test_strict_makes_every_warning_an_error(stack: Stack, astro: Emulator) -> None:
    astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")
    stack.set_config("astro:previewChecks", "strict")
    binds(stack, deployment_id=deployment, org_token_name="ci", role="Nobody Made This")

    preview = stack.preview()

    assert preview.failed
    assert said(preview, "property role value {Nobody Made This} has a problem: No deployment role is named")


def test_strict_finds_by_its_name_what_the_same_update_has_just_made(stack: Stack, astro: Emulator) -> None:
    already = astro.store.add_token("already")
    deployment = astro.store.add_deployment("etl")
    stack.set_environment(ASTRO_PREVIEW_CHECKS="strict")

    def first() -> None:
        DeploymentOrgTokenBinding("first", deployment_id=deployment, org_token_id=already, role=ROLE)

    def both() -> None:
        first()  # its check makes the lists be read, a moment before the token is made
        token = Made("token", "cmtokenmade", made_in=astro.url, name="made-token")
        DeploymentOrgTokenBinding("second", deployment_id=deployment, org_token_name=token.made_name, role=ROLE)

    stack.program = first
    stack.up()
    stack.program = both
    preview = stack.preview()
    up = stack.up()

    assert not preview.failed, preview.text
    assert not up.failed, up.text
    assert astro.store.deployment_role("cmtokenmade", deployment) == ROLE


def test_off_calls_nobody_needs_no_credential_and_shows_no_replacement(stack: Stack, astro: Emulator) -> None:
    token = astro.store.add_token("ci")
    deployment = astro.store.add_deployment("etl")
    begin_with(stack, astro, bindings(binding={"deployment_id": deployment, "org_token_name": "ci", "role": ROLE}))
    astro.clear_calls()
    stack.set_environment(ASTRO_API_TOKEN="", ASTRO_PREVIEW_CHECKS="off")

    unchanged = stack.preview()
    binds(stack, deployment_id=deployment, org_token_name="spelled differently", role=ROLE)
    respelled = stack.preview()
    stack.set_environment(ASTRO_API_TOKEN=astro.credential)
    refused = stack.up()

    assert unchanged.changes == {"same": 2}
    assert said(unchanged, "previewChecks is off: nothing was checked against Astro")
    assert respelled.changes == {"same": 1, "update": 1}
    assert refused.failed
    assert said(refused, "No token is named 'spelled differently'")
    assert writes(astro) == 0
    assert astro.store.deployment_role(token, deployment) == ROLE


def test_off_leaves_the_checking_to_create(stack: Stack, astro: Emulator) -> None:
    token = astro.store.add_token("ci")
    here, other = (workspace["id"] for workspace in astro.store.shown()["workspaces"])
    deployment = astro.store.add_deployment("etl", workspace_id=here)
    stack.set_environment(ASTRO_PREVIEW_CHECKS="off")

    binds(stack, deployment_id=deployment, org_token_name="ci", role=ROLE, workspace_id=other)
    refused = stack.up()
    binds(stack, deployment_id=deployment, org_token_name="ci", role=ROLE, workspace_id=here)
    done = stack.up()
    unchanged = stack.preview()

    assert said(refused, "workspace_id: Deployment 'etl'")
    assert not done.failed
    assert astro.store.deployment_role(token, deployment) == ROLE
    assert unchanged.changes == {"same": 2}


def _after(resource: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=[resource])


def test_what_the_same_program_makes_is_unknown_in_the_preview_and_found_in_the_update(
    stack: Stack, astro: Emulator
) -> None:
    already = astro.store.add_token("already")
    deployment = astro.store.add_deployment("etl")

    def program() -> None:
        # The first binding makes the lists be read before anything is made.
        first = DeploymentOrgTokenBinding("first", deployment_id=deployment, org_token_id=already, role=ROLE)
        # One after the other, because each changes the emulator's whole state.
        token = Made("token", "cmtokenmade", _after(first), made_in=astro.url, name="made-token", scope="ORGANIZATION")
        place = Made(
            "deployment",
            "cmdeploymentmade",
            _after(token),
            made_in=astro.url,
            kind="deployments",
            name="made-deployment",
        )
        role = Made(
            "role",
            "cmrolemade",
            _after(place),
            made_in=astro.url,
            kind="roles",
            name="Made Role",
            scopeType="DEPLOYMENT",
            restrictedWorkspaceIds=[],
        )
        made = _after(role)
        DeploymentOrgTokenBinding(
            "by-name", None, made, deployment_id=deployment, org_token_name="made-token", role="Made Role"
        )
        DeploymentOrgTokenBinding("by-id", deployment_id=place.made_id, org_token_id=token.made_id, role=role.made_name)

    stack.program = program

    preview = stack.preview()
    up = stack.up()
    unchanged = stack.preview()

    assert not preview.failed, preview.text
    assert said(preview, "warning: No token is named 'made-token'")
    assert not up.failed, up.text
    assert astro.store.deployment_role("cmtokenmade", deployment) == "Made Role"
    assert astro.store.deployment_role("cmtokenmade", "cmdeploymentmade") == "Made Role"
    assert unchanged.changes == {"same": 7}

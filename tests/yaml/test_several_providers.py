"""Providers that a program declares: an organization and a credential of its own each, beside the default one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY, STAGING
from tests.support.little_air import running_little_air
from tests.support.yaml_project import YamlProject, binding


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Emulator]:
    """Another organization, with a service of its own."""
    with running_little_air(tmp_path) as emulator:
        yield emulator


def _id(astro: Emulator, kind: str, name: str) -> str:
    [found] = [one["id"] for one in astro.store.shown()[kind] if one["name"] == name]
    return str(found)


def _provider(astro: Emulator) -> dict[str, Any]:
    properties = {"host": astro.url, "token": "${littleToken}"}
    return {"type": "pulumi:providers:astro", "properties": properties}


def _in_clear(project: YamlProject, astro: Emulator) -> bool:
    _, claims, signature = astro.credential.split(".")
    text = project.text_on_disk()
    return claims in text or signature in text


SECRET: dict[str, Any] = {"littleToken": {"type": "string"}}


def test_two_organizations_are_served_in_one_program_although_the_environment_has_a_credential(
    project: YamlProject, astro: Emulator, other: Emulator
) -> None:
    project.set_environment(ASTRO_ORGANIZATION_ID=astro.organization_id)
    project.write({}, config=SECRET)
    project.set_config("littleToken", other.credential, secret=True)
    resources = {
        "little": _provider(other),
        "metrics": binding("observability", "etl-staging"),
        "ci": binding("ci", "orders", "DEPLOYMENT_ADMIN", options={"provider": "${little}"}),
    }
    project.write(resources, config=SECRET)
    ci, orders = _id(other, "tokens", "ci"), _id(other, "deployments", "orders")

    up = project.up()
    roles = astro.store.deployment_role(OBSERVABILITY, STAGING), other.store.deployment_role(ci, orders)
    again = project.preview(expect_no_changes=True, refresh=True)
    destroyed = project.destroy()

    assert not up.failed, up.text
    assert roles == ("DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN")
    assert not again.failed, again.text
    assert not destroyed.failed, destroyed.text
    assert other.store.deployment_role(ci, orders) is None
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None
    assert not _in_clear(project, other)
    assert not _in_clear(project, astro)


def test_a_rotated_credential_and_another_host_change_the_provider_and_no_binding(
    project: YamlProject, astro: Emulator, other: Emulator
) -> None:
    project.write({}, config=SECRET)
    project.set_config("littleToken", "an-older-one", secret=True)
    project.write({"little": _provider(other)}, config=SECRET)
    project.up()
    project.set_config("littleToken", other.credential, secret=True)
    resources = {
        "little": _provider(other),
        "ci": binding("ci", "orders", "DEPLOYMENT_ADMIN", options={"provider": "${little}"}),
    }
    project.write(resources, config=SECRET)
    made = project.up()
    resources["little"]["properties"]["host"] = other.url.replace("127.0.0.1", "localhost")
    project.write(resources, config=SECRET)

    preview = project.preview()
    moved = project.up()

    assert made.steps == ["update little", "create ci"], made.text
    assert preview.steps == ["update little"], preview.text
    assert moved.steps == ["update little"], moved.text
    assert not astro.calls()["by_verb"]


def test_a_credential_of_the_stacks_configuration_is_in_the_state_as_ciphertext_only(
    project: YamlProject, astro: Emulator
) -> None:
    project.set_environment(ASTRO_API_TOKEN="")
    project.set_config("astro:token", astro.credential, secret=True)
    project.write({"metrics": binding("observability", "etl-staging")})

    up = project.up()
    destroyed = project.destroy()

    assert not up.failed, up.text
    assert not destroyed.failed, destroyed.text
    assert "ciphertext" in project.state_text()
    assert not _in_clear(project, astro)


def test_a_credential_of_the_stacks_configuration_in_clear_is_refused(project: YamlProject, astro: Emulator) -> None:
    project.set_environment(ASTRO_API_TOKEN="")
    project.pulumi("config", "set", "--plaintext", "astro:token", astro.credential)
    project.write({"metrics": binding("observability", "etl-staging")})

    preview = project.preview()

    assert preview.failed
    assert any("astro:token is set without --secret" in problem for problem in preview.problems), preview.text
    assert not astro.calls()["by_verb"]


def test_a_provider_that_changes_to_another_organization_takes_its_bindings_there(
    project: YamlProject, astro: Emulator, other: Emulator
) -> None:
    ci, orders = _id(other, "tokens", "ci"), _id(other, "deployments", "orders")
    new_ci, new_orders = astro.store.add_token("ci-there"), astro.store.add_deployment("orders-there")
    config: dict[str, Any] = {**SECRET, "newToken": {"type": "string"}}
    project.write({}, config=config)
    project.set_config("littleToken", other.credential, secret=True)
    project.set_config("newToken", astro.credential, secret=True)
    in_little = {"provider": "${little}"}
    project.write(
        {"little": _provider(other), "ci": binding("ci", "orders", "DEPLOYMENT_ADMIN", options=in_little)},
        config=config,
    )
    project.up()
    moved = {"type": "pulumi:providers:astro", "properties": {"host": astro.url, "token": "${newToken}"}}
    project.write(
        {"little": moved, "ci": binding("ci-there", "orders-there", "DEPLOYMENT_ADMIN", options=in_little)},
        config=config,
    )

    up = project.up()
    again = project.preview(expect_no_changes=True, refresh=True)

    assert not up.failed, up.text
    assert other.store.deployment_role(ci, orders) is None
    assert astro.store.deployment_role(new_ci, new_orders) == "DEPLOYMENT_ADMIN"
    assert not again.failed, again.text


def test_a_malformed_setting_of_a_provider_is_told_beside_it(project: YamlProject, astro: Emulator) -> None:
    little = {"type": "pulumi:providers:astro", "properties": {"host": "http://astro.example", "previewChecks": "lax"}}
    project.write({"little": little})

    preview = project.preview()

    assert preview.failed
    assert any("would send the credential in clear" in problem for problem in preview.problems), preview.text
    assert any("'lax'" in problem for problem in preview.problems)
    assert not astro.calls()["by_verb"]

"""Credential, organization and service: where they are found, and what is said where they are not."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_provider.astro.settings import Settings
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.single import Lifecycle
from tests.support.cast import OBSERVABILITY, ORGANIZATION_ID, STAGING
from tests.support.processes import StartProcess, checked, problems
from tests.support.raw_server import free_port
from tests.support.writers import THREADS

ADMIN = {"deployment_id": STAGING, "org_token_name": "observability", "role": "DEPLOYMENT_ADMIN"}


pytestmark = pytest.mark.usefixtures("short_pauses", "closed_clients")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, astro: Emulator) -> None:
    for name in ("API_TOKEN", "ORGANIZATION_ID", "API_HOST", "PREVIEW_CHECKS", "SETTLE_SECONDS", "LOCK_DIR"):
        monkeypatch.delenv(f"ASTRO_{name}", raising=False)
    monkeypatch.setenv("ASTRO_API_HOST", astro.url)
    monkeypatch.setenv("ASTRO_TIMEOUT_SECONDS", "2")


def of_process(config: Mapping[str, str] | None = None) -> Lifecycle:
    """A process that finds its settings in the environment and the stack's configuration."""
    return Lifecycle(Shared.of(Settings.find((config or {}).get, os.environ), operations_at_once=THREADS))


def test_the_organization_of_the_argument_comes_first(astro: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.credential)
    monkeypatch.setenv("ASTRO_ORGANIZATION_ID", "another")

    inputs = checked(of_process(), {**ADMIN, "organization_id": ORGANIZATION_ID})

    assert inputs["organization_id"] == ORGANIZATION_ID


def test_then_that_of_the_environment(astro: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.store.add_credential(claims=False))
    monkeypatch.setenv("ASTRO_ORGANIZATION_ID", ORGANIZATION_ID)

    inputs = checked(of_process({"astro:organizationId": "another"}), ADMIN)

    assert inputs["organization_id"] == ORGANIZATION_ID
    assert "ListOrganizations" not in astro.calls()["by_operation"]


def test_then_that_of_the_configuration(astro: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.store.add_credential(claims=False))

    inputs = checked(of_process({"astro:organizationId": ORGANIZATION_ID}), ADMIN)

    assert inputs["organization_id"] == ORGANIZATION_ID
    assert "ListOrganizations" not in astro.calls()["by_operation"]


def test_then_the_only_one_in_the_claims(astro: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.credential)

    inputs = checked(of_process(), ADMIN)

    assert inputs["organization_id"] == ORGANIZATION_ID
    assert "ListOrganizations" not in astro.calls()["by_operation"]


def test_then_the_only_one_that_the_credential_sees_asked_for_once(
    astro: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.store.add_credential(claims=False))
    process = of_process()

    inputs = [checked(process, ADMIN) for _ in range(3)]

    assert {found["organization_id"] for found in inputs} == {ORGANIZATION_ID}
    assert astro.calls()["by_operation"]["ListOrganizations"] == 1


@pytest.mark.parametrize("seen", [0, 2])
def test_without_an_organization_the_error_names_every_place(
    astro: Emulator, monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.store.add_credential(claims=False))
    organizations = [{"id": f"o{number}", "name": "x"} for number in range(seen)]
    page = {"organizations": organizations, "totalCount": seen, "limit": 1000, "offset": 0}
    astro.fault(operation="ListOrganizations", status=200, body=page)

    assert problems(of_process(), ADMIN) == [
        (
            "",
            (
                "No organization: looked at the argument organization_id, ASTRO_ORGANIZATION_ID (environment) or "
                "astro:organizationId (pulumi config), the claims of the credential, and the organizations that it can see "
                f"({seen}; exactly one would do). Set one of the first three."
            ),
        )
    ]


@pytest.mark.parametrize("organization_id", [None, ORGANIZATION_ID])
def test_without_a_credential_the_error_names_every_place(astro: Emulator, organization_id: str | None) -> None:
    news = {**ADMIN, "organization_id": organization_id} if organization_id else ADMIN

    assert problems(of_process(), news) == [
        (
            "",
            (
                "No credential for Astro: looked at ASTRO_API_TOKEN (environment) or astro:token (pulumi config). Export "
                "ASTRO_API_TOKEN, or run `pulumi config set --secret astro:token`."
            ),
        )
    ]
    assert astro.calls()["total"] == 0


def test_the_credential_of_the_configuration_is_taken(astro: Emulator) -> None:
    assert checked(of_process({"astro:token": astro.credential}), ADMIN)["org_token_id"] == OBSERVABILITY


def test_the_credential_of_the_environment_comes_before_the_configuration_s(
    astro: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.credential)

    process = of_process({"astro:token": "stale", "astro:host": "https://stale.example.com"})

    assert checked(process, ADMIN)["org_token_id"] == OBSERVABILITY


def test_an_expired_credential_is_told_with_its_variable(astro: Emulator, start: StartProcess) -> None:
    expired = astro.store.add_credential(expired=True)

    ((name, text),) = problems(start(credential=SecretStr(expired)), ADMIN)

    assert name == ""
    assert text.startswith(
        f"ListDeployments (organization {ORGANIZATION_ID}): HTTP 401 Unauthorized: The authentication token has expired "
        "(requestId "
    )
    assert text.endswith("Check that ASTRO_API_TOKEN (or astro:token) holds a valid token that has not expired.")
    assert expired not in text


def test_a_credential_without_the_permission_is_told_which_it_takes(astro: Emulator, start: StartProcess) -> None:
    blind = astro.store.add_credential(can_read=False)

    ((name, text),) = problems(start(credential=SecretStr(blind)), ADMIN)

    assert name == ""
    assert text.endswith(
        "The credential needs the permission organization.deployments.get (the role Organization Owner has it)."
    )


def test_an_organization_that_the_credential_may_not_see_is_named(start: StartProcess) -> None:
    ((name, text),) = problems(start(), {**ADMIN, "organization_id": "another"})

    assert name == ""
    assert "HTTP 403 Forbidden: You do not have access to organization another" in text
    assert text.endswith(
        f"The credential is for organization {ORGANIZATION_ID}, not for another: correct organization_id (or "
        "ASTRO_ORGANIZATION_ID, astro:organizationId), or use a credential of that organization."
    )


def test_a_wrong_host_is_named(start: StartProcess) -> None:
    process = start(host=f"http://127.0.0.1:{free_port()}", timeout_seconds=0.2)

    ((name, text),) = problems(process, ADMIN)

    assert name == ""
    assert text.startswith(f"ListDeployments (organization {ORGANIZATION_ID}): no answer from 127.0.0.1 (")


def test_a_host_that_answers_with_a_page_is_told_with_the_setting(astro: Emulator, start: StartProcess) -> None:
    astro.fault(kind="html")

    ((name, text),) = problems(start(timeout_seconds=0.2), ADMIN)

    assert name == ""
    assert "unexpected answer from 127.0.0.1: the answer is no JSON (text/html; charset=utf-8)" in text
    assert "Check ASTRO_API_HOST (or astro:host) if this goes on." in text


def test_no_message_holds_the_credential(
    astro: Emulator, start: StartProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    echo = {"message": f"bad token {astro.credential}", "requestId": astro.credential, "statusCode": 400}
    astro.fault(status=400, body=echo)

    ((_, text),) = problems(start(), ADMIN)

    assert "bad token ***" in text
    assert astro.credential not in text + capsys.readouterr().err

from __future__ import annotations

import re

import pytest

from astro_emulator import Emulator
from tests.support.provider_process import CallFailed, Properties, provider_process, secret

PLACES_OF_CREDENTIAL = "ASTRO_API_TOKEN (environment) or astro:token (pulumi config)"
PLACES_OF_HOST = "ASTRO_API_HOST (environment) or astro:host (pulumi config)"
PLACES_OF_ORGANIZATION = "ASTRO_ORGANIZATION_ID (environment) or astro:organizationId (pulumi config)"
NO_CREDENTIAL = (
    f"No credential for Astro: looked at {PLACES_OF_CREDENTIAL}. Export ASTRO_API_TOKEN, or run "
    "`pulumi config set --secret astro:token`."
)
ADVICE_401 = "Check that ASTRO_API_TOKEN (or astro:token) holds a valid token that has not expired."


def test_the_stacks_config_serves_where_the_environment_is_silent(astro: Emulator, wanted: Properties) -> None:
    credential = astro.store.add_credential(claims=False)
    config = {
        "astro:token": secret(credential),
        "astro:host": astro.url,
        "astro:organizationId": astro.organization_id,
    }

    with provider_process(
        {"ASTRO_API_TOKEN": " ", "ASTRO_API_HOST": "", "ASTRO_ORGANIZATION_ID": ""}, forked=True
    ) as process:
        process.configure(config)
        checked = process.check(wanted)

    assert checked.failures == []
    assert astro.organization_id == checked.inputs["organization_id"]
    assert "ListOrganizations" not in astro.calls()["by_operation"]


def test_the_environment_wins_over_the_stacks_config(
    astro: Emulator, environment: dict[str, str], wanted: Properties
) -> None:
    stale = {
        "astro:token": secret("stale"),
        "astro:host": "https://stale.invalid",
        "astro:organizationId": "stale",
        "astro:previewChecks": "stale",
        "astro:timeoutSeconds": "stale",
    }
    fresh = {
        **environment,
        "ASTRO_ORGANIZATION_ID": astro.organization_id,
        "ASTRO_PREVIEW_CHECKS": "strict",
        "ASTRO_TIMEOUT_SECONDS": "60",
    }

    with provider_process(fresh, forked=True) as process:
        process.configure(stale)
        checked = process.check(wanted)

    assert checked.failures == []


def test_an_organization_that_nothing_tells_is_the_only_one_that_the_credential_sees(
    astro: Emulator, environment: dict[str, str], wanted: Properties
) -> None:
    silent = astro.store.add_credential(claims=False)

    with provider_process({**environment, "ASTRO_API_TOKEN": silent}, forked=True) as process:
        checked = process.check(wanted)

    assert checked.failures == []
    assert astro.organization_id == checked.inputs["organization_id"]


def test_where_the_credential_sees_no_organization_every_place_is_named(
    astro: Emulator, environment: dict[str, str], wanted: Properties
) -> None:
    silent = astro.store.add_credential(claims=False)
    astro.fault(operation="ListOrganizations", status=200, body={"organizations": [], "totalCount": 0})

    with provider_process({**environment, "ASTRO_API_TOKEN": silent}, forked=True) as process:
        checked = process.check(wanted)

    assert checked.failures == [
        (
            "",
            (
                f"No organization: looked at the argument organization_id, {PLACES_OF_ORGANIZATION}, the claims of the "
                "credential, and the organizations that it can see (0; exactly one would do). Set one of the first three."
            ),
        )
    ]


def test_a_missing_credential_names_both_places_in_check_and_in_create(wanted: Properties, astro: Emulator) -> None:
    with provider_process({"ASTRO_API_HOST": astro.url}, forked=True) as process:
        checked = process.check(wanted)
        with pytest.raises(CallFailed) as failed:
            process.create(wanted)

    assert checked.failures == [("", NO_CREDENTIAL)]
    assert failed.value.message == NO_CREDENTIAL
    assert astro.calls()["total"] == 0


@pytest.mark.parametrize("expired", [True, False], ids=["expired", "unknown"])
def test_a_credential_that_the_service_refuses_is_told_with_the_services_words(
    astro: Emulator, environment: dict[str, str], wanted: Properties, *, expired: bool
) -> None:
    bearer = astro.store.add_credential(expired=True) if expired else "never-issued"
    words = "The authentication token has expired" if expired else "Missing or invalid authentication token"

    with provider_process({**environment, "ASTRO_API_TOKEN": bearer}, forked=True) as process:
        [(name, reason)] = process.check({**wanted, "organization_id": astro.organization_id}).failures

    where = f"ListDeployments (organization {astro.organization_id})"
    assert name == ""
    assert re.fullmatch(
        re.escape(f"{where}: HTTP 401 Unauthorized: {words} (requestId ")
        + r"[0-9a-f-]{36}"
        + re.escape(f"). {ADVICE_401}"),
        reason,
    )


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        (
            "ASTRO_API_HOST",
            "http://astro.example.com",
            (
                f"'http://astro.example.com' in {PLACES_OF_HOST} would send the credential in clear: write https:// (plain http "
                "is only for this machine, as in http://127.0.0.1:8765)."
            ),
        ),
        (
            "ASTRO_API_HOST",
            "https://somebody:passw0rd@astro.example.com",
            (
                f"'astro.example.com' in {PLACES_OF_HOST} is no service: write scheme and host only, as in "
                "https://api.astronomer.io."
            ),
        ),
        (
            "ASTRO_API_HOST",
            "https://api.astronomer.io/v1",
            (
                f"'https://api.astronomer.io/v1' in {PLACES_OF_HOST} is no service: write scheme and host only, as in "
                "https://api.astronomer.io."
            ),
        ),
        (
            "ASTRO_TIMEOUT_SECONDS",
            "soon",
            (
                "'soon' in ASTRO_TIMEOUT_SECONDS (environment) or astro:timeoutSeconds (pulumi config) is not a number of "
                "seconds above 0: write, for example, 120."
            ),
        ),
        (
            "ASTRO_PREVIEW_CHECKS",
            "lax",
            (
                "'lax' in ASTRO_PREVIEW_CHECKS (environment) or astro:previewChecks (pulumi config) is unknown: write one of "
                "warn, strict, off."
            ),
        ),
        (
            "ASTRO_API_TOKEN",
            "two words",
            f"The credential in {PLACES_OF_CREDENTIAL} holds blanks or characters that no API token has. Copy it again.",
        ),
    ],
    ids=["plain-http", "password-in-host", "path-in-host", "timeout", "preview-checks", "credential"],
)
def test_a_malformed_setting_names_its_places_and_what_to_write(  # noqa: PLR0913, PLR0917  fixtures
    astro: Emulator, environment: dict[str, str], wanted: Properties, variable: str, value: str, text: str
) -> None:
    with (
        provider_process({**environment, variable: value}, forked=True) as process,
        pytest.raises(CallFailed) as failed,
    ):
        process.create(wanted)

    assert failed.value.message == text
    assert astro.calls()["total"] == 0


def test_loopback_traffic_never_goes_through_a_proxy(
    astro: Emulator, environment: dict[str, str], wanted: Properties
) -> None:
    proxy = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), proxy)

    with provider_process({**environment, **proxies, "ASTRO_TIMEOUT_SECONDS": "20"}, forked=True) as process:
        checked = process.check(wanted)

    assert checked.failures == []
    assert astro.calls()["total"] > 0

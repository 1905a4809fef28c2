from __future__ import annotations

from typing import Any

from astro_emulator import Emulator
from tests.support.programs import bindings
from tests.support.stack import Outcome, Stack
from tests.support.writes import writes


def _problem(outcome: Outcome) -> str:
    """The one problem that an outcome tells, without the resource's name before it."""
    assert outcome.failed
    [error] = set(outcome.errors)
    return error.split("has a problem: ")[-1]


def test_what_is_wrong_with_the_settings_is_told_in_the_preview(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    stack.program = bindings(orders={**wanted, "organization_id": astro.organization_id})
    where = f"ListDeployments (organization {astro.organization_id}): HTTP 401 Unauthorized: "
    advice = "Check that ASTRO_API_TOKEN (or astro:token) holds a valid token that has not expired."

    stack.set_environment(ASTRO_API_TOKEN="")
    missing = stack.preview()
    stack.set_environment(ASTRO_API_TOKEN=astro.store.add_credential(expired=True))
    expired = stack.preview()
    stack.set_environment(ASTRO_API_TOKEN=astro.credential, ASTRO_API_HOST="http://astro.example.com")
    plain_http = stack.preview()
    stack.set_environment(ASTRO_API_HOST="http://127.0.0.1:9", ASTRO_TIMEOUT_SECONDS="0.5")
    nobody_there = stack.preview()

    assert _problem(missing).endswith(
        "No credential for Astro: looked at ASTRO_API_TOKEN (environment) or astro:token (pulumi config). Export "
        "ASTRO_API_TOKEN, or run `pulumi config set --secret astro:token`."
    )
    assert f"{where}The authentication token has expired (requestId " in _problem(expired)
    assert _problem(expired).endswith(advice)
    assert _problem(plain_http) == (
        "'http://astro.example.com' in ASTRO_API_HOST (environment) or astro:host (pulumi config) would "
        "send the credential in clear: write https:// (plain http is only for this machine, as in http://127.0.0.1:8765)."
    )
    assert (
        f"ListDeployments (organization {astro.organization_id}): no answer from 127.0.0.1 ([Errno 111] Connection refused). Is the emulator running?"
    ) in _problem(nobody_there)
    assert writes(astro) == 0


def test_the_environment_serves_refresh_and_destroy_although_the_state_holds_an_old_config(
    stack: Stack, astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    stack.set_config("astro:token", astro.store.add_credential(), secret=True)
    stack.set_config("astro:host", astro.url)
    stack.set_environment(ASTRO_API_TOKEN="", ASTRO_API_HOST="")
    stack.program = bindings(orders=wanted)
    up = stack.up()
    with astro.store.locked() as state:
        old = [bearer for bearer in state.credentials if bearer != astro.credential]
        for bearer in old:
            state.credentials[bearer]["expired"] = True

    expired = stack.refresh()
    stack.set_environment(ASTRO_API_TOKEN=astro.credential)
    refresh = stack.refresh()
    destroy = stack.destroy()

    assert not up.failed
    assert expired.failed
    assert refresh.changes == {"same": 2}
    assert destroy.changes == {"delete": 2}
    assert astro.store.deployment_role(token_id, deployment_id) is None


def test_a_key_or_a_variable_that_no_setting_has_is_a_warning_and_an_error_if_strict(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    stack.set_config("astro:previewCheks", "strict")
    stack.set_config("astro:preview_checks", "strict")
    stack.set_environment(ASTRO_PREVIEW_CHEKS="strict")
    stack.program = bindings(orders=wanted, billing={**wanted, "org_token_id": "nightly"})
    texts = [
        (
            f"{name} is no setting of this provider (nearest: '{meant}'), so it has no effect. Correct the {kind}, or "
            "remove it."
        )
        for kind, name, meant in (
            ("key", "astro:previewCheks", "astro:previewChecks"),
            ("key", "astro:preview_checks", "astro:previewChecks"),
            ("variable", "ASTRO_PREVIEW_CHEKS", "ASTRO_PREVIEW_CHECKS"),
        )
    ]

    told = stack.preview()
    stack.set_config("astro:previewChecks", "strict")
    strict = stack.preview()

    assert told.notices[:3] == [f"astro: warning: {text}" for text in texts]
    assert strict.failed
    assert all(text in "\n".join(strict.errors) for text in texts)
    assert writes(astro) == 0

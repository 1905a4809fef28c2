"""The credential must be found nowhere: not in the state, its backups and history, not in any output."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.programs import bindings, natively
from tests.support.stack import Outcome, Program, Stack
from tests.support.writes import writes


def _live_through_everything(stack: Stack, astro: Emulator, wanted: dict[str, Any], credential: str) -> list[Outcome]:
    """Every command once, and every kind of failure that could quote the credential."""
    echo = {"message": f"No such token: {credential}", "requestId": credential, "statusCode": 400}
    outcomes: list[Outcome] = []

    def run(command: Callable[[], Outcome], **arguments: Any) -> None:
        stack.program = bindings(orders={**wanted, **arguments})
        outcomes.append(command())

    run(stack.preview)
    run(stack.up)
    astro.fault(operation="UpdateApiTokenRoles", status=400, body=echo)
    run(stack.up, role="DEPLOYMENT_ACCESSOR")
    astro.clear_faults()
    astro.fault(status=400, body=echo)
    run(stack.refresh)
    astro.clear_faults()
    run(stack.preview, org_token_name="nobody")
    run(stack.destroy)
    return outcomes


def _assert_absent(credential: str, *texts: str) -> None:
    _, claims, signature = credential.split(".")
    for text in texts:
        assert claims not in text
        assert signature not in text


def test_a_credential_of_the_environment_is_found_nowhere(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    outcomes = _live_through_everything(stack, astro, wanted, astro.credential)

    assert [outcome.failed for outcome in outcomes] == [False, False, True, True, True, False]
    assert "DEPLOYMENT_ADMIN" in stack.state_text()
    _assert_absent(astro.credential, stack.text_on_disk(), *(outcome.text for outcome in outcomes))


def test_a_credential_of_the_stacks_config_is_found_only_as_ciphertext(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    stack.set_environment(ASTRO_API_TOKEN="")
    stack.set_config("astro:token", astro.credential, secret=True)

    outcomes = _live_through_everything(stack, astro, wanted, astro.credential)

    config = (stack.directory / "work" / "Pulumi.test.yaml").read_text()
    assert [outcome.failed for outcome in outcomes] == [False, False, True, True, True, False]
    assert "secure:" in config
    _assert_absent(astro.credential, stack.text_on_disk(), *(outcome.text for outcome in outcomes))


def test_a_credential_in_clear_in_the_config_is_refused_by_the_program(
    stack: Stack, astro: Emulator, wanted: dict[str, Any]
) -> None:
    stack.program = bindings(orders=wanted)
    stack.set_config("astro:token", "in-clear-for-all-to-see")

    preview = stack.preview()
    state_after_preview = stack.state_text()
    up = stack.up()

    text = (
        "astro:token is set without --secret, so it would stand in the state in clear. Set it again with `pulumi config "
        "set --secret astro:token`, and rotate the token if that state is shared; or remove it and export "
        "ASTRO_API_TOKEN."
    )
    assert preview.failed
    assert up.failed
    assert [line for line in preview.lines if line.endswith(text)]
    assert [line for line in up.lines if line.endswith(text)]
    # After an up, the engine's own history holds the config, and no program can prevent that.
    assert "in-clear-for-all-to-see" not in state_after_preview + json.dumps(stack.exported()) + preview.text + up.text
    assert stack.resources() == {}
    assert writes(astro) == 0


@pytest.mark.parametrize("door", [bindings, natively])
def test_the_secret_of_a_token_that_is_given_as_its_id_is_not_printed(
    stack: Stack, wanted: dict[str, Any], door: Callable[..., Program]
) -> None:
    secret = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl"
    stack.program = door(
        b={"deployment_id": wanted["deployment_id"], "org_token_id": secret, "role": "DEPLOYMENT_ADMIN"}
    )

    preview = stack.preview()

    assert preview.failed
    [error] = [line for line in preview.errors if "holds what looks like the secret value of an API token" in line]
    assert " has a problem: org" in error  # the property stands in the text, and not where its value is printed
    assert secret not in preview.text

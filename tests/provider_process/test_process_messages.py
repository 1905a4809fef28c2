from __future__ import annotations

import re
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.provider_process import URN, CallFailed, Properties, ProviderProcess, provider_process

GIVEN_UP = r" ASTRO_TRACE=<file> records each call\. Given up after \d+ attempts in \d+\.\d s\."


def _create(
    astro: Emulator, fault: dict[str, Any], environment: dict[str, str], wanted: Properties
) -> tuple[CallFailed, str]:
    with provider_process({**environment, "ASTRO_TIMEOUT_SECONDS": "4"}, forked=True) as process:
        process.check(wanted)  # what is loaded at the first call takes seconds on a busy machine
        astro.fault(**fault)
        with pytest.raises(CallFailed) as failed:
            process.create(wanted)
        return failed.value, process.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            {"operation": "GetApiToken", "status": 403},
            (
                r"GetApiToken \(organization \w+, token \w+\): HTTP 403 Forbidden: A fault of the emulator answers "
                r"403 \(requestId [\w-]+\)\. The credential needs the permission organization\.apiTokens\.access \(the role "
                r"Organization Owner has it\)\."
            ),
        ),
        (
            {"operation": "GetApiToken", "status": 502, "body": "<h1>Bad\n\n   gateway</h1>"},
            r"GetApiToken \(organization \w+, token \w+\): HTTP 502 Bad Gateway: <h1>Bad gateway</h1>\." + GIVEN_UP,
        ),
        (
            {"operation": "GetApiToken", "status": 500, "body": "x" * 5000},
            r"GetApiToken \(organization \w+, token \w+\): HTTP 500 Internal Server Error: x{255}…\." + GIVEN_UP,
        ),
        (
            {"operation": "GetApiToken", "kind": "html"},
            (
                r"GetApiToken \(organization \w+, token \w+\): unexpected answer from 127\.0\.0\.1: the "
                r"answer is no JSON \(text/html; charset=utf-8\): <!doctype html>.*\. Check ASTRO_API_HOST \(or astro:host\) "
                r"if this goes on\." + GIVEN_UP
            ),
        ),
        (
            {"operation": "GetApiToken", "kind": "drop_before"},
            (
                r"GetApiToken \(organization \w+, token \w+\): no answer from 127\.0\.0\.1 \(Server disconnected "
                r"without sending a response\.\)\." + GIVEN_UP
            ),
        ),
        (
            {"operation": "GetApiToken", "kind": "no_roles"},
            (
                r"The service left the roles out of its answer about token 'nightly-loads' \(\w+\), so they are "
                r"unknown and nothing was written\. The credential may not see them: it needs the permission "
                r"organization\.apiTokens\.access \(the role Organization Owner has it\)\."
            ),
        ),
    ],
    ids=["403", "502", "long-body", "html", "dropped", "no-roles"],
)
def test_an_error_is_one_sentence_that_says_it_all(  # noqa: PLR0913, PLR0917  fixtures
    astro: Emulator,
    environment: dict[str, str],
    wanted: Properties,
    token_id: str,
    fault: dict[str, Any],
    message: str,
) -> None:
    before = astro.store.token(token_id)

    failed, stderr = _create(astro, fault, environment, wanted)

    assert re.fullmatch(message, str(failed))
    assert stderr == ""
    assert before == astro.store.token(token_id)


def test_a_conflict_names_both_roles_and_the_way_out(
    process: ProviderProcess, astro: Emulator, wanted: Properties, token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")
    text = (
        f"Token 'nightly-loads' ({token_id}) in deployment 'orders' ({deployment_id}) already has the role "
        "DEPLOYMENT_ACCESSOR, and DEPLOYMENT_ADMIN is asked for. Set overwrite to true to change it. Another resource of this "
        "stack may have it (if resources are named by list index, removing the first entry renames all others; name them "
        "by deployment and token), another stack, or a person."
    )

    checked = process.check(wanted)
    with pytest.raises(CallFailed) as failed:
        process.create(wanted)

    assert checked.failures == [("role", text)]
    assert failed.value.message == text
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"


def test_a_problem_on_a_property_holds_no_control_character(
    process: ProviderProcess, wanted: Properties, astro: Emulator, token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "Odd \x1b]0;t\x07 role")

    ((name, reason),) = process.check(wanted).failures

    assert name == "role"
    assert "Odd \ufffd]0;t\ufffd role" in reason
    assert reason.isprintable()


def test_two_resources_of_one_program_cannot_bind_the_same(
    process: ProviderProcess, wanted: Properties, token_id: str, deployment_id: str
) -> None:
    inputs = process.check(wanted).inputs
    process.create(inputs)

    with pytest.raises(CallFailed) as failed:
        process.create(inputs, urn=f"{URN}2")

    assert failed.value.message == (
        f"Nothing was written. Two resources of this program bind token 'nightly-loads' ({token_id}) in deployment 'orders' "
        f"({deployment_id}): DeploymentOrgTokenBinding 'b2' and DeploymentOrgTokenBinding 'b'. A token has one role in a "
        "deployment: remove it from one of the two."
    )


@pytest.mark.parametrize(
    "credential",
    [
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl",
        'quoted"and\\escaped<credential>',
        "blank in-the-middle",
        "line\nbreak-in-the-middle",
        "beyond-äscii",
        "x" * 20_000,
    ],
    ids=["jwt", "quoted", "blank", "line-break", "beyond-ascii", "endless"],
)
def test_no_message_shows_a_credential_even_where_the_service_echoes_it(
    astro: Emulator, environment: dict[str, str], wanted: Properties, credential: str
) -> None:
    header = {"Location": f"/{credential}", "Retry-After": credential}
    echoes: list[dict[str, Any]] = [
        {
            "status": 401,
            "body": {"message": f"No token: Bearer {credential}", "requestId": credential, "statusCode": 401},
        },
        {"status": 400, "body": {"message": "Invalid.", "fieldErrors": [{"field": "bearer", "message": credential}]}},
        {"status": 401, "body": {"error": {"authorization": f"Bearer {credential}"}}},
        {"status": 500, "body": f"<p>Authorization: Bearer {credential}</p>"},
        {"status": 200, "body": f"<p>Authorization: Bearer {credential}</p>"},
        {"status": 302, "body": f"<a href='/{credential}'>", "headers": header if credential.isascii() else {}},
    ]
    shown = []

    with provider_process(
        {**environment, "ASTRO_API_TOKEN": credential, "ASTRO_TIMEOUT_SECONDS": "0.2"}, forked=True
    ) as process:
        for echo in echoes:
            astro.clear_faults()
            astro.fault(**echo)
            for call in (lambda: process.check(wanted).failures, lambda: process.create(wanted)):
                try:
                    shown.append(str(call()))
                except CallFailed as failed:
                    shown.append(str(failed))
        shown.append(process.stderr)

    text = "\n".join(shown).replace("\\", "")
    assert len(shown) == 2 * len(echoes) + 1
    for part in (credential, credential.rsplit(maxsplit=1)[-1], credential[1:20], credential[-20:]):
        assert part.replace("\\", "") not in text

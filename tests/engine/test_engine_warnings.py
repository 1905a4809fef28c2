"""Warnings and notes reach the engine as such, once in each process, and so a pull request's check can tell them apart."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.digests import digest
from tests.support.programs import bindings
from tests.support.stack import Stack


@pytest.fixture
def odd(stack: Stack, astro: Emulator, wanted: dict[str, Any], deployment_id: str) -> dict[str, str]:
    """A stack whose preview has one warning and one note; what they say."""
    other = astro.store.add_token("100%s %d")
    astro.store.bind(other, deployment_id, "DEPLOYMENT_ADMIN")
    stack.program = bindings(
        misspelt={**wanted, "role": "DEPLOYMENT_ADMINN"},
        adopted={**wanted, "org_token_name": "100%s %d"},
    )
    return {
        "warning": "No deployment role is named 'DEPLOYMENT_ADMINN'",
        "note": f"Token '100%s %d' ({other}) already has the role DEPLOYMENT_ADMIN",
    }


def _one_of_each(notices: list[str], odd: dict[str, str]) -> bool:
    return len(notices) == 2 and all(
        len([one for one in notices if one.startswith(f"astro: {severity}: {text}")]) == 1
        for severity, text in odd.items()
    )


def test_a_digest_tells_a_warning_from_a_note(stack: Stack, odd: dict[str, str]) -> None:
    diagnostics = json.loads(digest(stack, "preview").text)["diagnostics"]

    told = sorted((one["severity"], one["message"]) for one in diagnostics if "astro: " in one["message"])
    assert [severity for severity, _ in told] == ["info", "warning"]
    assert told[0][1].startswith(f"astro: {odd['note']}")
    assert told[1][1].startswith(f"warning: astro: {odd['warning']}")


def test_a_person_reads_each_once_in_the_preview(stack: Stack, odd: dict[str, str]) -> None:
    preview = stack.preview()

    assert _one_of_each(preview.notices, odd)
    assert [
        len([line for line in preview.lines if line.startswith(beginning)])
        for beginning in (f"warning: astro: {odd['warning']}", f"astro: {odd['note']}")
    ] == [1, 1]


def test_what_many_bindings_have_in_common_is_told_once(stack: Stack, astro: Emulator, wanted: dict[str, Any]) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS="off")
    stack.program = bindings(
        **{f"b{number}": {**wanted, "deployment_id": astro.store.add_deployment(f"d{number}")} for number in range(8)}
    )

    up = stack.up()

    assert (up.notices) == [
        "astro: note: previewChecks is off: nothing was checked against Astro; names are compared by their spelling."
    ]
    assert up.changes == {"create": 9}


def test_options_of_the_engine_before_its_address_change_nothing(stack: Stack, odd: dict[str, str]) -> None:
    preview = stack.preview(log_flow=True, log_verbosity=1, log_to_std_err=True)

    assert _one_of_each(preview.notices, odd)


def test_no_proxy_comes_between_a_notice_and_the_engine(stack: Stack, odd: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:  # a proxy that takes every connection and serves none
        stack.set_environment(grpc_proxy=f"http://127.0.0.1:{nobody.getsockname()[1]}")

        preview = stack.preview()

    assert _one_of_each(preview.notices, odd)

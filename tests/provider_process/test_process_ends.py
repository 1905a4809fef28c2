"""How the process of a dynamic provider ends."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from datetime import UTC

import pytest

from astro_provider.astro.api import ApiToken
from tests.support.provider_process import Properties, provider_process


def test_the_process_ends_quietly_where_python_marks_freed_memory(
    environment: dict[str, str], wanted: Properties
) -> None:
    with provider_process({**environment, "PYTHONDEVMODE": "1"}) as process:
        checked = process.check(wanted)
        process.running.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):  # the SDK's own process does not always end by the signal
            process.running.process.wait(30)
        printed = process.stderr

    assert checked.failures == []
    assert "Fatal Python error" not in printed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00+00:00"),
        ("9999-12-31T23:59:59-05:00", None),
        ("soon", None),
    ],
)
def test_a_date_of_astro_has_the_zone_of_the_standard_library(text: str, expected: str | None) -> None:
    token = ApiToken.model_validate({"id": "t", "endAt": text})

    assert (token.end_at and token.end_at.isoformat()) == expected
    assert token.end_at is None or token.end_at.tzinfo is UTC

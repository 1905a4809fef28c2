"""Retries print nothing, also where structlog is installed, which would print them to standard output."""

from __future__ import annotations

import json
import subprocess
import sys

import structlog

from astro_emulator import Emulator
from tests.support.shell import environment, run_process

OTHERS = """
import stamina, sys
from astro_provider.astro.api import AstroClient
from astro_provider.errors import ServiceError
try:
    AstroClient(sys.argv[1], lambda: "x", bound_seconds=0.5).get_token("o", "t")
except ServiceError:
    print("ours failed")
for attempt in stamina.retry_context(on=ValueError, attempts=2, wait_initial=0.0, wait_jitter=0.0):
    with attempt:
        if attempt.num == 1:
            raise ValueError("theirs")
"""


def test_only_the_answer_is_on_standard_output_while_calls_are_tried_again(astro: Emulator) -> None:
    assert structlog  # it is installed, which is what this is about
    astro.fault(status=503, times=2)

    ended = run_process(astro, "list", "--all-deployments", "--output", "json")

    assert (ended.status, ended.err) == (0, "")
    assert isinstance(json.loads(ended.out), list)
    assert astro.calls()["by_status"]["503"] == 2


def test_retries_of_others_in_the_same_process_are_told_as_before(astro: Emulator) -> None:
    astro.fault(status=503)

    ended = subprocess.run(
        [sys.executable, "-c", OTHERS, astro.url], env=environment(None), capture_output=True, text=True, check=True
    )

    first, *rest = ended.stdout.splitlines()
    assert first == "ours failed"
    assert len(rest) == 1
    assert "stamina.retry_scheduled" in rest[0]
    assert "theirs" in rest[0]

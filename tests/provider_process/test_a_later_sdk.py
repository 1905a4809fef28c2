"""A Pulumi SDK to come may hide the engine's call: then everything works as before it was seen, and doctor reports it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.support.listening_engine import Engine
from tests.support.provider_process import URN, CallFailed, Properties, provider_process
from tests.support.stack import ROOT

SDK = Path(__file__).parents[1] / "support" / "later_sdk"


def hiding(name: str, environment: dict[str, str]) -> dict[str, str]:
    """The environment with an SDK that hides a variable."""
    return {**environment, "LATER_SDK_HIDES": name, "PYTHONPATH": f"{SDK}{os.pathsep}{ROOT}"}


@pytest.fixture
def engine() -> Iterator[Engine]:
    running = Engine()
    yield running
    running.stop()


@pytest.mark.parametrize("hidden", ["", "request"])
def test_a_notice_stands_beside_its_resource_or_beside_the_stack(
    environment: dict[str, str], engine: Engine, wanted: Properties, hidden: str
) -> None:
    with provider_process(hiding(hidden, environment), engine_address=engine.address) as process:
        process.check({**wanted, "role": "DEPLOYMENT_ADMINN"})

    assert [severity for severity, _ in engine.told] == ["WARNING"]
    assert engine.about == ["" if hidden else URN]


def test_without_the_context_an_error_comes_with_a_short_traceback_whose_last_line_says_it_all(
    environment: dict[str, str], astro: Emulator, wanted: Properties
) -> None:
    astro.fault(operation="UpdateApiTokenRoles", status=403)

    with provider_process(hiding("context", environment)) as process, pytest.raises(CallFailed) as failed:
        process.create(process.check(wanted).inputs)

    assert failed.value.lines[0] == "Traceback (most recent call last):"
    assert re.match(r"astro_provider\.errors\.\w+: UpdateApiTokenRoles \(organization ", failed.value.lines[-1])
    assert "During handling" not in str(failed.value)


@pytest.mark.parametrize("hidden", ["request", "context", "executor_reference", "request context executor_reference"])
def test_whatever_is_hidden_a_binding_is_made_and_removed_and_a_second_one_is_refused(
    environment: dict[str, str], astro: Emulator, wanted: Properties, token_id: str, hidden: str
) -> None:
    with provider_process(hiding(hidden, environment)) as process:
        inputs = process.check(wanted).inputs
        made = process.create(inputs)
        role = astro.store.deployment_role(token_id, wanted["deployment_id"])
        with pytest.raises(CallFailed, match=r"Nothing was written\. Two resources of this program bind"):
            process.create(inputs, urn=f"{URN}2")
    with provider_process(hiding(hidden, environment)) as later:
        later.delete(made.id, made.outputs)

    assert role == "DEPLOYMENT_ADMIN"
    assert astro.store.deployment_role(token_id, wanted["deployment_id"]) is None


@pytest.mark.parametrize(
    ("hidden", "printed"),
    [
        ("", "[] 64"),
        ("request", "['call'] 64"),
        ("context", "['errors'] 64"),
        ("executor_reference", "['threads'] 4"),
        ("request context executor_reference", "['call', 'errors', 'threads'] 4"),
    ],
)
def test_the_probe_of_doctor_names_what_is_hidden(hidden: str, printed: str) -> None:
    script = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from astro_provider.engine.callers import callers\n"
        "from astro_provider.engine.probe import hidden_by_the_sdk\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    at_once = pool.submit(lambda: callers().widen()).result()\n"
        "print(hidden_by_the_sdk(), at_once)\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=hiding(hidden, dict(os.environ)),
        timeout=120,
    )

    assert answer.stdout.strip() == printed, answer.stderr[-800:]

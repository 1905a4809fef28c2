"""What a provider process costs: every preview and every update pays for two of them.

The targets are 0.6 s and 120 MB. Time is measured on machines that do other things meanwhile, so its bound is wide.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from astro_emulator import Emulator
from tests.support.provider_process import Properties, provider_process

MOST_MEGABYTES = 120.0
HEAVY = (
    "httpx",
    "pydantic",
    "astro_provider.lifecycle.single",
    "astro_provider.astro.api",
    "fastapi",
    "uvicorn",
)


@pytest.fixture
def busy_astro(astro: Emulator) -> Emulator:
    """An organization of the size that people have: hundreds of tokens, a hundred deployments."""
    for number in range(300):
        astro.store.add_token(f"token-{number}", description="Loads what came in over night" * 3)
    for number in range(100):
        astro.store.add_deployment(f"deployment-{number}")
    return astro


def test_a_process_stays_small_after_two_hundred_bindings(
    busy_astro: Emulator, environment: dict[str, str], wanted: Properties, token_id: str
) -> None:
    deployments = [d["id"] for d in busy_astro.store.shown()["deployments"]][:50]

    with provider_process(environment) as process:
        for deployment_id in deployments:
            for _ in range(4):
                inputs = process.check({**wanted, "deployment_id": deployment_id}).inputs
            state = process.create(inputs)
            process.read(state.id, state.outputs)
        resident = process.resident_megabytes

    assert resident < MOST_MEGABYTES
    assert busy_astro.store.deployment_role(token_id, deployments[-1]) == "DEPLOYMENT_ADMIN"


def test_a_program_does_not_load_what_only_the_provider_needs() -> None:
    assert loaded("import astro_provider", HEAVY) == []


def test_a_provider_does_not_load_the_command_line_of_httpx() -> None:
    assert loaded("import astro_provider.lifecycle.single", ("httpx._main", "click", "rich", "pygments")) == []


def test_the_command_line_of_httpx_can_still_be_loaded_beside_us() -> None:
    assert loaded("import astro_provider.lifecycle.single, httpx._main", ("httpx._main",)) == ["httpx._main"]


def test_httpx_that_is_there_already_is_taken_as_it_is() -> None:
    assert loaded("import httpx, astro_provider.lifecycle.single", ("httpx._main",)) == ["httpx._main"]


@pytest.mark.parametrize("settle_seconds", ["1", "malformed"])
def test_garbage_is_collected_again_once_the_process_has_started(settle_seconds: str) -> None:
    script = "import contextlib, gc; from astro_provider.provider import _process as process\n"
    script += "with contextlib.suppress(Exception): process.bindings(4)\n"

    printed = python(f"{script}print(gc.isenabled())", ASTRO_SETTLE_SECONDS=settle_seconds)

    assert printed == "True"


def test_the_way_to_the_engine_loads_two_generated_modules_that_a_provider_process_has_not_loaded() -> None:
    before = "import sys, pulumi.dynamic, pulumi.runtime.settings, astro_provider.provider, astro_provider.messages.notices\n"

    printed = python(
        f"{before}before = set(sys.modules)\nimport astro_provider.engine.callers, astro_provider.engine.calls\nprint(*(set(sys.modules) - before))"
    )

    assert {one for one in printed.split() if not one.startswith("astro_provider.")} == {
        "google.protobuf.any_pb2",
        "pulumi.runtime.proto.status_pb2",
    }


def loaded(statement: str, modules: tuple[str, ...]) -> list[str]:
    """Which of the modules a new Python process holds after a statement."""
    return python(f"import sys; {statement}; print(*(name for name in {modules} if name in sys.modules))").split()


def python(script: str, **environment: str) -> str:
    """What a new Python process prints."""
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return answer.stdout.strip()

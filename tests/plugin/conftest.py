"""A process of the native provider that knows where Astro is, and an engine that listens to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.listening_engine import Engine
from tests.support.native_process import NativeProcess, native_process
from tests.support.stack import led_to


@pytest.fixture
def environment(astro: Emulator) -> dict[str, str]:
    return led_to(astro)


@pytest.fixture
def engine_log() -> Iterator[Engine]:
    listening = Engine()
    yield listening
    listening.stop()


@pytest.fixture
def process(environment: dict[str, str], engine_log: Engine) -> Iterator[NativeProcess]:
    with native_process(environment) as running:
        running.handshake(engine_log.address)
        yield running


@pytest.fixture
def later(environment: dict[str, str]) -> Iterator[NativeProcess]:
    """The process of a later run, which knows nothing of the first one."""
    with native_process(environment) as running:
        yield running


@pytest.fixture
def wanted(deployment_id: str, token_id: str) -> dict[str, Any]:
    """The inputs of a binding that can be made, as this door spells them."""
    assert token_id
    return {"deploymentId": deployment_id, "orgTokenName": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}

"""One running emulator for all tests of it; every test starts with the initial organization."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from astro_emulator import Emulator


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    with Emulator.running() as running:
        yield running


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    running_emulator.reset()
    running_emulator.settings(
        latency_ms=0,
        rate_limits=False,
        rate_limits_per="credential",
        lists_are_cut=False,
        retry_after=None,
        updated_at_moves=False,
    )
    return running_emulator


@pytest.fixture
def api(emulator: Emulator) -> Iterator[httpx.Client]:
    """Paths are relative to the organization."""
    base = f"{emulator.url}/v1/organizations/{emulator.organization_id}"
    headers = {"Authorization": f"Bearer {emulator.credential}"}
    with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def inspection(emulator: Emulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{emulator.url}/_emulator", trust_env=False) as client:
        yield client

"""A provider process that knows where Astro is, and what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from astro_provider.emulator import Emulator
from tests.support.provider_process import Properties, ProviderProcess, provider_process


@pytest.fixture
def environment(astro: Emulator) -> dict[str, str]:
    # Nobody else writes here, and looking again after a write would only take time.
    return {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential, "ASTRO_SETTLE_SECONDS": "0"}


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[ProviderProcess]:
    with provider_process(environment) as running:
        yield running


@pytest.fixture
def token_id(astro: Emulator) -> str:
    return astro.store.add_token("nightly-loads")


@pytest.fixture
def deployment_id(astro: Emulator) -> str:
    return astro.store.add_deployment("orders")


@pytest.fixture
def wanted(deployment_id: str, token_id: str) -> Properties:
    """What a program gives: the token is there, and has the name."""
    assert token_id
    return {"deployment_id": deployment_id, "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}

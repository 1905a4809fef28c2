"""A stack of the real engine whose provider knows where Astro is, and a token to bind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import PulumiCommand

from astro_provider.emulator import Emulator
from tests.support.stack import Stack

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stack(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> Stack:
    # The provider process has to find the resources that stand in tests/support.
    environment = {
        "ASTRO_API_HOST": astro.url,
        "ASTRO_API_TOKEN": astro.credential,
        "ASTRO_SETTLE_SECONDS": "0",  # nobody else writes here, and looking again would only take time
        "PYTHONPATH": str(ROOT),
    }
    return Stack(engine, tmp_path, environment)


@pytest.fixture
def token_id(astro: Emulator) -> str:
    return astro.store.add_token("nightly-loads", description="Loads what came in over night")


@pytest.fixture
def deployment_id(astro: Emulator) -> str:
    return astro.store.add_deployment("orders")


@pytest.fixture
def wanted(deployment_id: str, token_id: str) -> dict[str, Any]:
    """The arguments of a binding that can be made: the token is there, and has the name."""
    assert token_id
    return {"deployment_id": deployment_id, "org_token_name": "nightly-loads", "role": "DEPLOYMENT_ADMIN"}

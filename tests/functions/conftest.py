"""An Astro that the process of the test itself is led to, and a stack whose provider and program are led to it too."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_provider.emulator import Emulator
from tests.support.stack import UNSET, Stack

ROOT = Path(__file__).parents[2]


@pytest.fixture
def astro(astro: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator of the test; an inline program runs in this process, so its environment is this one."""
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASTRO_API_HOST", astro.url)
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.credential)
    return astro


@pytest.fixture
def deployment_id(astro: Emulator) -> str:
    return astro.store.add_deployment("orders")


@pytest.fixture
def token_id(astro: Emulator, deployment_id: str) -> str:
    """A token that is bound by somebody else already."""
    made = astro.store.add_token("nightly-loads", description="Loads what came in over night")
    astro.store.bind(made, deployment_id, "DEPLOYMENT_ADMIN")
    return made


@pytest.fixture
def stack(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> Stack:
    environment = {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential, "PYTHONPATH": str(ROOT)}
    return Stack(engine, tmp_path, environment)

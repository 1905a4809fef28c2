"""An Astro that the process of the test itself is led to, and with it the programs, which run there."""

from __future__ import annotations

import pytest

from astro_emulator import Emulator
from tests.support.stack import UNSET


@pytest.fixture
def astro(astro: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator of the test; an inline program runs in this process, so its environment is this one."""
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASTRO_API_HOST", astro.url)
    monkeypatch.setenv("ASTRO_API_TOKEN", astro.credential)
    return astro


@pytest.fixture
def token_id(astro: Emulator, deployment_id: str, token_id: str) -> str:
    """A token that is bound by somebody else already."""
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ADMIN")
    return token_id

"""A provider process that knows where Astro is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from astro_emulator import Emulator
from tests.support.provider_process import ProviderProcess, provider_process
from tests.support.stack import led_to


@pytest.fixture
def environment(astro: Emulator) -> dict[str, str]:
    return led_to(astro)


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[ProviderProcess]:
    with provider_process(environment, forked=True) as running:
        yield running

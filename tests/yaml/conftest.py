"""Projects of YAML, run from a shell on the real engine, with the native provider that is installed beside this Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.stack import led_to
from tests.support.yaml_project import YamlProject


@pytest.fixture
def project(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> YamlProject:
    """A project that declares nothing yet, whose provider is led to the Astro."""
    return YamlProject(engine, tmp_path, led_to(astro))

"""What a stack has cost the service."""

from __future__ import annotations

from astro_provider.emulator import Emulator


def writes(astro: Emulator) -> int:
    """How many role lists were posted since the last clearing, refused ones included."""
    counted: int = astro.calls()["by_operation"].get("UpdateApiTokenRoles", 0)
    return counted

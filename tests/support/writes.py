"""What was written into the service."""

from __future__ import annotations

from astro_emulator import Emulator


def writes(astro: Emulator) -> int:
    """How many writes there were since the last clearing, refused ones included: every POST, whatever it is about."""
    return int(astro.calls()["by_verb"].get("POST", 0))

"""The two doors through which a program can declare what is adopted."""

from __future__ import annotations

from enum import Enum


class Door(Enum):
    """A door, by the module whose classes a program uses for it."""

    DYNAMIC = "astro_provider"
    NATIVE = "astro_provider.native"

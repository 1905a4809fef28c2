"""One stack with its digests for all tests of a process, because each command of the engine takes seconds."""

from __future__ import annotations

from tests.support.previews import previews

__all__ = ["previews"]

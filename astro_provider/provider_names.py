"""Which providers of a run the engine makes by itself, by their names.

Both a program and the native provider's process need it, and neither shall load what the other needs.
"""

from __future__ import annotations

import re

_DEFAULT = re.compile(r"default(_\d+_\d+_\d+.*)?")


def is_default_provider(name: str) -> bool:
    """Tell whether a provider of that name is the engine's own: `default`, with a version behind it if it has one."""
    return _DEFAULT.fullmatch(name) is not None

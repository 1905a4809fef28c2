"""`httpx` without its own command line.

If click is installed, as it always is beside us, httpx loads its command line too, with rich and pygments: a third of
the time that a provider process imports before it can answer, and each preview and each update starts one. httpx does
without what cannot be imported, and a None in `sys.modules` says so to Python.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" in sys.modules:
    import httpx
else:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # typeshed forgets that word
    try:
        import httpx
    finally:
        del sys.modules[_COMMAND_LINE]

__all__ = ["httpx"]

"""`fcntl`, or one sentence on a system that has none, which is Windows.

The package is not run or tested on Windows, where more than this would differ. Both providers and `doctor` import the
locks before they write, so all of them report the same sentence instead of a traceback.
"""

from __future__ import annotations

import sys

from astro_provider.errors import AstroProviderError

try:
    import fcntl
except ImportError:
    raise AstroProviderError(
        f"pulumi-astro-provider runs on Linux and macOS, and this system ({sys.platform}) lacks the file locks (fcntl) that "
        "its writes take: run pulumi in WSL, in a container or on a CI runner with Linux."
    ) from None

__all__ = ["fcntl"]

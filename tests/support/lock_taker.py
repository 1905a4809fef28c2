"""A process that takes a token's lock and lets it go: `python -m tests.support.lock_taker [DIR]`.

It prints `held`, or the sentence of the error. FLOCK_ERRNO in its environment makes the kernel's answer to `flock` that
error, as a home on NFS without locks does; the call is replaced in this process alone.
"""

from __future__ import annotations

import fcntl
import os
import sys
from typing import Any

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import TokenKey
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.errors import AstroProviderError


def _main() -> None:
    number = int(os.environ.get("FLOCK_ERRNO", "0"))
    if number:

        def refuse(_file: Any, _operation: int) -> None:
            raise OSError(number, os.strerror(number))

        fcntl.flock = refuse
    try:
        with operation(1), TokenLocks("https://astro.example", *sys.argv[1:]).holding(TokenKey("org", "token")):
            print("held")  # noqa: T201  what the test reads
    except AstroProviderError as error:
        print(error)  # noqa: T201  as above


if __name__ == "__main__":
    _main()

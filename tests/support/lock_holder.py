"""A process that holds a token's lock until it is ended: `python -m tests.support.lock_holder DIR HOST ORG TOKEN`."""

from __future__ import annotations

import sys
import time

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import TokenKey
from astro_provider.astro.writing.locks import TokenLocks


def _main() -> None:
    directory, host, organization_id, token_id = sys.argv[1:]
    with operation(30), TokenLocks(host, directory).holding(TokenKey(organization_id, token_id)):
        print("held", flush=True)  # noqa: T201  the word that the test waits for
        time.sleep(600)


if __name__ == "__main__":
    _main()

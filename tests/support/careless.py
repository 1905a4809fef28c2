"""A writer that does what the CLI does: read the list, take its time, post the list with its own entry. No lock, no look."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from astro_emulator import Emulator

CARELESS_ROLE = "DEPLOYMENT_ACCESSOR"


@contextmanager
def careless_writer(
    astro: Emulator, token_id: str, deployments: Sequence[str], *, ways: int = 8, pause_seconds: float = 0.1
) -> Iterator[None]:
    """Bind the token to deployments, so many at a time, while the block runs; it has ended when the block ends.

    Args:
        astro: the service.
        token_id: the token.
        deployments: one write for each.
        ways: how many go on at once.
        pause_seconds: from a read to its write.
    """
    path = f"/v1/organizations/{astro.organization_id}/tokens/{token_id}"
    headers = {"Authorization": f"Bearer {astro.credential}"}
    with httpx.Client(base_url=astro.url, headers=headers, timeout=30, trust_env=False) as client:

        def add(deployment_id: str) -> None:
            roles = client.get(path).raise_for_status().json()["roles"]
            time.sleep(pause_seconds)
            own = {"entityType": "DEPLOYMENT", "entityId": deployment_id, "role": CARELESS_ROLE}
            client.post(f"{path}/roles", json={"roles": [*roles, own]}).raise_for_status()

        with ThreadPoolExecutor(ways, thread_name_prefix="careless") as pool:
            running = [pool.submit(add, deployment_id) for deployment_id in deployments]
            yield
            for one in running:
                one.result()

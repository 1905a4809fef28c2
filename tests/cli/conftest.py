"""A small organization whose tokens are so and so many days old, so that tables can be compared literally."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from astro_emulator import Emulator
from tests.support.previews import previews

__all__ = ["previews"]

AddToken = Callable[..., str]
ORDERS = "clx0orders000008l6aaaaaaa"
LEDGER = "clx0ledger000008l6bbbbbbb"


@pytest.fixture
def add_token(astro: Emulator) -> AddToken:
    """Adds a token that was made that many days (and an hour) ago, by Ada Byron unless another is given."""

    def add(name: str, *, days: int = 0, id: str, **fields: object) -> str:  # noqa: A002  the attribute's own name
        made = datetime.now(UTC) - timedelta(days=days, hours=1)
        return astro.store.add_token(name, id=id, createdAt=made.isoformat().replace("+00:00", "Z"), **fields)  # type: ignore[arg-type]

    return add


@pytest.fixture
def organization(astro: Emulator, add_token: AddToken) -> Emulator:
    """Two deployments of two workspaces and four tokens; no other deployment holds any."""
    for token in astro.store.shown()["tokens"]:
        if token["name"] != "platform-owner":
            astro.store.delete_token(token["id"])
    for deployment in astro.store.shown()["deployments"]:
        astro.store.delete_deployment(deployment["id"])
    astro.store.add_deployment("orders", id=ORDERS)
    astro.store.add_deployment("ledger", id=LEDGER, workspace_id="clm5t1r9b000308ldg6q8y4nz")
    add_token("ci", id="clx1ci0000000008l6aaaaaaa", days=325, description="Deploys from main, on every merge")
    add_token("nightly loads", id="clx1loads0000008l6aaaaaaa", days=1)
    add_token("audit", id="clx1audit0000008l6aaaaaaa", description="Reads what was posted")
    add_token("orders only", id="clx1only00000008l6aaaaaaa", days=2, scope="DEPLOYMENT")
    astro.store.bind("clx1ci0000000008l6aaaaaaa", ORDERS, "DEPLOYMENT_ADMIN")
    astro.store.bind("clx1loads0000008l6aaaaaaa", ORDERS, "Release Engineer")
    astro.store.bind("clx1audit0000008l6aaaaaaa", LEDGER, "DEPLOYMENT_ACCESSOR")
    astro.store.bind("clx1ci0000000008l6aaaaaaa", LEDGER, "DEPLOYMENT_ACCESSOR")
    astro.store.bind("clx1only00000008l6aaaaaaa", ORDERS, "DEPLOYMENT_ADMIN")
    astro.clear_calls()
    return astro

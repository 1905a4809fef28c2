"""An organization full of assignments that people made by hand, with all the names that people give."""

from __future__ import annotations

from itertools import product

import pytest

from astro_emulator import Emulator
from astro_emulator.organization import FINANCE_ID
from tests.support.clients import astro, closed_clients, connect, running_astro, short_pauses
from tests.support.processes import start

__all__ = ["astro", "closed_clients", "connect", "running_astro", "short_pauses", "start"]

ODD_NAMES = (
    'the "quoted" one',
    'it\'s both "kinds"',
    "back\\slash\\",
    "Größe & Café",
    "日本語のトークン",
    "🚀🚀",
    "класс",
    "trailing blanks  ",
    "  leading",
    "class",
    "None",
    "two\nlines\tand a tab",
    "zero\u200bwidth \u202eright to left",
    "# noqa",
    "{braces} %s $HOME `ls`",
    "fmt: off",
    "a.b~c::d/e",
    "same",
    "same",
    "same",
    "Same",
    "s a m e",
    "s-a-m-e",
    "''",
    '"""',
)


@pytest.fixture
def crowded(astro: Emulator) -> Emulator:
    """40 tokens and 30 deployments, and nothing of the initial organization but its owner and its roles."""
    store = astro.store
    for token in store.shown()["tokens"]:
        if token["name"] != "platform-owner":
            store.delete_token(token["id"])
    for deployment in store.shown()["deployments"]:
        store.delete_deployment(deployment["id"])
    names = [*ODD_NAMES, *(f"loader-{number}" for number in range(39 - len(ODD_NAMES)))]
    tokens = [
        store.add_token(name, description=f"{name}, made by hand" if number % 3 else "")
        for number, name in enumerate(names)
    ]
    names = [*ODD_NAMES[:15], "same", "same", *(f"etl-{number}" for number in range(13))]
    deployments = [
        store.add_deployment(name, workspace_id=FINANCE_ID if number % 5 == 0 else None)
        for number, name in enumerate(names)
    ]
    store.add_role('Reads "all"')
    roles = ["DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR", "Release Engineer", "release engineer", 'Reads "all"']
    for number, (token_id, deployment_id) in enumerate(product(tokens, deployments)):
        if number % 29 == 0:
            store.bind(token_id, deployment_id, roles[number % len(roles)])
    astro.clear_calls()
    return astro

"""The steps that the engine takes with a table, and an Astro with deployments and tokens to fill one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import as_one
from astro_provider.lifecycle.life import Properties
from astro_provider.lifecycle.single import Lifecycle
from astro_provider.lifecycle.tables.lifecycle import TableLifecycle

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
POST, GET_TOKEN, LIST = "UpdateApiTokenRoles", "GetApiToken", "ListApiTokens"

Roles = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Town:
    """Deployments `d-0`, `d-1`, … and tokens `t-0`, `t-1`, …, which hold nothing yet, by name."""

    astro: Emulator
    deployments: Mapping[str, str]
    tokens: Mapping[str, str]

    def held(self) -> dict[str, dict[str, str]]:
        """The roles by deployment and token, by their names, as the service shows them."""
        found: dict[str, dict[str, str]] = {}
        for token, token_id in self.tokens.items():
            for deployment, deployment_id in self.deployments.items():
                if role := self.astro.store.deployment_role(token_id, deployment_id):
                    found.setdefault(deployment, {})[token] = role
        return found

    def bind(self, deployment: str, token: str, role: str) -> None:
        """Somebody gives a role."""
        self.astro.store.bind(self.tokens[token], self.deployments[deployment], role)

    def unbind(self, deployment: str, token: str) -> None:
        """Somebody takes a role away."""
        self.astro.store.unbind(self.tokens[token], self.deployments[deployment])

    def calls(self, *operations: str) -> int:
        """How many calls of these operations there were since the last clearing; none: of all."""
        counted = self.astro.calls()["by_operation"]
        return sum(counted.get(one, 0) for one in operations or counted)


def make_town(astro: Emulator, deployments: int = 4, tokens: int = 4) -> Town:
    """Add deployments and tokens."""
    return Town(
        astro,
        {f"d-{number}": astro.store.add_deployment(f"d-{number}") for number in range(deployments)},
        {f"t-{number}": astro.store.add_token(f"t-{number}") for number in range(tokens)},
    )


@pytest.fixture
def town(astro: Emulator) -> Town:
    return make_town(astro)


@dataclass(frozen=True)
class Stored:
    """A table as the engine stores it."""

    id: str
    inputs: Properties
    outputs: Properties


def tables(lifecycle: Lifecycle) -> TableLifecycle:
    """The lifecycle of tables of a provider process."""
    return TableLifecycle(lifecycle.shared)


def checked(process: TableLifecycle, news: Properties, stored: Stored | None = None) -> Properties:
    """What `check` made of a program's inputs; the test fails if it found a problem."""
    answer = process.check(EngineCall(), stored.inputs if stored else {}, news)
    assert answer.problems == []
    return answer.inputs


def problem(process: TableLifecycle, news: Properties, stored: Stored | None = None) -> str:
    """What `check` found to be wrong, as the dynamic door tells it: as one, on no property."""
    found = process.check(EngineCall(), stored.inputs if stored else {}, news).problems
    assert found != []
    return as_one(found).reason


def up(process: TableLifecycle, news: Properties, stored: Stored | None = None) -> Stored:
    """Do with one table what an update does: check, diff, and create, update or nothing."""
    inputs = checked(process, news, stored)
    if stored is None:
        return Stored(*_created(process, inputs))
    difference = process.diff(EngineCall(), stored.outputs, inputs)
    assert difference.replaces == []
    if not difference.changes:
        return Stored(stored.id, inputs, stored.outputs)
    return Stored(stored.id, inputs, process.update(EngineCall(), stored.outputs, inputs))


def refreshed(process: TableLifecycle, stored: Stored) -> Stored | None:
    """Do with one table what a refresh does; None: it left the state."""
    found = process.read(EngineCall(id=stored.id), stored.outputs)
    return None if found is None else Stored(stored.id, *found)


def _created(process: TableLifecycle, inputs: Properties) -> tuple[str, Properties, Properties]:
    identifier, outputs = process.create(EngineCall(), inputs)
    return identifier, inputs, outputs

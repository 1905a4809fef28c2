"""Fixtures of the lifecycle tests: provider processes without Pulumi, and the steps that the engine takes with them.

A directory's conftest.py imports what its tests ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_provider.astro.settings import PreviewChecks, Settings
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.life import Properties
from astro_provider.lifecycle.single import Lifecycle
from astro_provider.messages import notices
from tests.support.writers import THREADS


class StartProcess(Protocol):
    """Starts a provider process: a lifecycle that has seen and printed nothing; keywords are fields of `Settings`."""

    def __call__(self, **settings: Any) -> Lifecycle: ...


@pytest.fixture
def start(
    astro: Emulator,
    tmp_path: Path,
    short_pauses: None,  # noqa: ARG001  see clients.py
    closed_clients: None,  # noqa: ARG001  as above
) -> StartProcess:
    """A starter of provider processes that talk to the emulator."""

    def start_process(**settings: Any) -> Lifecycle:
        notices.forget()
        fields: dict[str, Any] = {
            "credential": SecretStr(astro.credential),
            "organization_id": astro.organization_id,
            "host": astro.url,
            "timeout_seconds": 10.0,
            "settle_seconds": 0.0,
            "lock_directory": str(tmp_path / "locks"),
        }
        fields |= settings
        fields["preview_checks"] = PreviewChecks(fields.get("preview_checks", "warn"))
        return Lifecycle(Shared.of(Settings(**fields), operations_at_once=THREADS))

    return start_process


@dataclass(frozen=True)
class Stored:
    """A binding as the engine stores it."""

    id: str
    inputs: Properties
    outputs: Properties


def checked(lifecycle: Lifecycle, news: Properties, stored: Stored | None = None) -> Properties:
    """What `check` made of a program's inputs; the test fails where it found a problem."""
    answer = lifecycle.check(EngineCall(), stored.inputs if stored else {}, news)
    assert [str(one) for one in answer.problems] == []
    return answer.inputs


def problems(lifecycle: Lifecycle, news: Properties, stored: Stored | None = None) -> list[tuple[str, str]]:
    """The problems that `check` found."""
    found = lifecycle.check(EngineCall(), stored.inputs if stored else {}, news).problems
    return [(problem.property_name, problem.reason) for problem in found]


def up(lifecycle: Lifecycle, news: Properties, stored: Stored | None = None) -> Stored:
    """Do with one binding what an update does: check, diff, and create, update, replace or nothing."""
    inputs = checked(lifecycle, news, stored)
    if stored is not None:
        difference = lifecycle.diff(EngineCall(), stored.outputs, inputs)
        if not difference.changes:
            return Stored(stored.id, inputs, stored.outputs)
        if not difference.replaces:
            return Stored(stored.id, inputs, lifecycle.update(EngineCall(id=stored.id), stored.outputs, inputs))
        inputs = checked(lifecycle, news)
        lifecycle.delete(EngineCall(id=stored.id), stored.outputs)
    binding, outputs = lifecycle.create(EngineCall(), inputs)
    return Stored(str(binding), inputs, outputs)


def refreshed(lifecycle: Lifecycle, stored: Stored) -> Stored | None:
    """Do with one binding what a refresh does; None: it left the state."""
    found = lifecycle.read(EngineCall(id=stored.id), stored.outputs)
    return None if found is None else Stored(stored.id, *found)


def calls_to(astro: Emulator) -> dict[str, int]:
    """The calls since the last clearing, counted by operation."""
    counted: dict[str, int] = astro.calls()["by_operation"]
    return counted

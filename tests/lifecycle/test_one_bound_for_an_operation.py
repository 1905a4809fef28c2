"""`timeoutSeconds` bounds an operation, whatever number of calls it makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api.calls import PAGE_SIZE
from astro_provider.errors import AstroProviderError
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.single import Lifecycle
from tests.support.cast import PRODUCTION
from tests.support.processes import StartProcess, Stored, problems, up
from tests.support.writes import writes

NEWS = {"deployment_id": PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"}
BOUND_SECONDS = 2.0
SLOW_MS = 1500  # each call answers within the bound, two of them do not


def check(process: Lifecycle, _stored: Stored) -> None:
    found = problems(process, {**NEWS, "org_token_name": "observability "})
    raise AstroProviderError(found[0][1])


def read(process: Lifecycle, stored: Stored) -> None:
    process.read(EngineCall(id=stored.id), {})  # as `get`, which needs the deployment's name, too


def create(process: Lifecycle, stored: Stored) -> None:
    process.create(EngineCall(), stored.inputs)


def delete(process: Lifecycle, stored: Stored) -> None:
    process.delete(EngineCall(id=stored.id), stored.outputs)


@pytest.mark.parametrize("operation", [check, read, create, delete])
def test_calls_that_are_in_time_one_by_one_end_an_operation_that_takes_too_long(
    astro: Emulator, start: StartProcess, operation: Callable[[Lifecycle, Stored], None]
) -> None:
    stored = up(start(), NEWS)
    astro.clear_calls()
    astro.fault(kind="delay", delay_ms=SLOW_MS)
    process = start(timeout_seconds=BOUND_SECONDS)

    with pytest.raises(AstroProviderError) as raised:
        operation(process, stored)

    assert "no answer from 127.0.0.1" in str(raised.value)
    assert writes(astro) <= 1


def test_a_diff_that_asks_for_several_pages_of_roles_ends_in_time(astro: Emulator, start: StartProcess) -> None:
    for number in range(2 * PAGE_SIZE):
        astro.store.add_role(f"Role {number}")
    stored = up(start(), NEWS)
    in_other_letters = {**stored.outputs, "role": NEWS["role"].lower()}
    astro.fault(kind="delay", delay_ms=SLOW_MS)
    process = start(timeout_seconds=BOUND_SECONDS)
    astro.clear_calls()

    found = process.diff(EngineCall(id=stored.id), in_other_letters, stored.inputs)

    assert not found.changes
    assert astro.calls()["by_operation"].get("ListRoles", 0) <= 2  # of three pages

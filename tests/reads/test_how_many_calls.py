"""Reads that cost the same for three bindings as for three hundred: calls, counted by the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
from pydantic import SecretStr

from astro_emulator import Emulator
from astro_provider.astro import single_flight
from astro_provider.astro.reading import reader
from astro_provider.astro.settings import Settings
from astro_provider.errors import RolesUnknown
from astro_provider.lifecycle.changing import Shared
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.single import Lifecycle
from tests.support.clients import closed_clients

__all__ = ["closed_clients"]

pytestmark = pytest.mark.usefixtures("closed_clients")

ROLE = "DEPLOYMENT_ADMIN"
THREADS = 4  # of a provider process


def lifecycle(astro: Emulator) -> Lifecycle:
    """A provider process's lifecycle, new: nothing has been read yet."""
    settings = Settings(credential=SecretStr(astro.credential), organization_id=astro.organization_id, host=astro.url)
    return Lifecycle(Shared.of(settings, operations_at_once=THREADS))


def organization(astro: Emulator, tokens: int, deployments: int, *, bound: bool) -> list[tuple[str, str]]:
    """Make tokens and deployments, and return each pair of them, bound or not."""
    token_ids = [astro.store.add_token(f"token-{number}") for number in range(tokens)]
    deployment_ids = [astro.store.add_deployment(f"deployment-{number}") for number in range(deployments)]
    pairs = list(product(token_ids, deployment_ids))
    if bound:
        for token, deployment in pairs:
            astro.store.bind(token, deployment, ROLE)
    astro.clear_calls()
    return pairs


def inputs(pair: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"org_token_id": pair[0], "deployment_id": pair[1], "role": ROLE, **more}


def calls(astro: Emulator) -> int:
    total: int = astro.calls()["total"]
    return total


@pytest.mark.parametrize(
    ("tokens", "deployments", "most"), [(1, 300, 6), (300, 1, 6), (20, 20, 50), (3, 1, 6), (1, 1, 6)]
)
def test_a_preview_of_new_bindings_takes_few_calls_in_any_shape(
    astro: Emulator, tokens: int, deployments: int, most: int
) -> None:
    pairs = organization(astro, tokens, deployments, bound=False)
    process = lifecycle(astro)

    checked = [process.check(EngineCall(), {}, inputs(pair)) for pair in pairs]

    assert [[]] * len(pairs) == [one.problems for one in checked]
    assert calls(astro) <= most


@pytest.mark.parametrize(("tokens", "deployments"), [(1, 300), (300, 1), (20, 15)])
def test_a_preview_of_bindings_in_the_state_takes_six_calls_at_most(
    astro: Emulator, tokens: int, deployments: int
) -> None:
    pairs = organization(astro, tokens, deployments, bound=True)
    process = lifecycle(astro)

    for pair in pairs:
        stored = inputs(pair, organization_id=astro.organization_id, org_token_name="as-stored", overwrite=False)
        checked = process.check(EngineCall(), stored, inputs(pair))
        assert not process.diff(EngineCall(), stored, checked.inputs).changes

    assert calls(astro) <= 6


@pytest.mark.parametrize(("tokens", "deployments", "most"), [(1, 300, 4), (300, 1, 4), (20, 20, 45)])
@pytest.mark.parametrize("order", ["by token", "by deployment"])
def test_a_refresh_chooses_its_calls(astro: Emulator, tokens: int, deployments: int, most: int, order: str) -> None:
    pairs = organization(astro, tokens, deployments, bound=True)
    pairs.sort(key=lambda pair: pair if order == "by token" else pair[::-1])
    process = lifecycle(astro)

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda pair: process.read(EngineCall(id=_id(astro, pair)), inputs(pair)), pairs))

    assert all(found)
    assert calls(astro) <= most


def test_threads_that_race_for_one_fact_make_one_call(astro: Emulator) -> None:
    pairs = organization(astro, 1, 8, bound=True)
    astro.settings(latency_ms=100)
    process = lifecycle(astro)
    process.read(EngineCall(id=_id(astro, pairs[0])), inputs(pairs[0]))
    process.read(EngineCall(id=_id(astro, pairs[1])), inputs(pairs[1]))
    astro.clear_calls()

    with ThreadPoolExecutor(THREADS) as pool:
        checked = list(pool.map(lambda pair: process.check(EngineCall(), inputs(pair), inputs(pair)), pairs))

    assert [one.problems for one in checked] == [[]] * 8
    assert astro.calls()["by_operation"] == {"ListApiTokens": 1, "ListRoles": 1}  # the second read listed deployments


def test_an_error_is_not_kept_beyond_the_calls_that_waited_for_it(astro: Emulator) -> None:
    [pair] = organization(astro, 1, 1, bound=False)
    process = lifecycle(astro)
    astro.fault(operation="ListApiTokens", kind="status", status=403, times=1)

    first, second = process.check(EngineCall(), {}, inputs(pair)), process.check(EngineCall(), {}, inputs(pair))

    [problem] = first.problems
    assert problem.property_name == ""
    assert "HTTP 403" in problem.reason
    assert second.problems == []


def test_a_list_that_does_not_tell_the_role_is_not_trusted(astro: Emulator) -> None:
    pairs = organization(astro, 3, 1, bound=True)
    process = lifecycle(astro)
    astro.fault(operation="ListApiTokens", kind="no_roles")

    found = [process.read(EngineCall(id=_id(astro, pair)), inputs(pair)) for pair in pairs]

    assert [outs["role"] for _, outs in filter(None, found)] == [ROLE] * 3
    assert astro.calls()["by_operation"]["GetApiToken"] == 3


def test_a_binding_that_a_list_does_not_show_is_confirmed_before_it_is_called_gone(astro: Emulator) -> None:
    pairs = organization(astro, 3, 1, bound=True)
    astro.store.unbind(*pairs[2])
    process = lifecycle(astro)

    found = [process.read(EngineCall(id=_id(astro, pair)), inputs(pair)) for pair in pairs]

    assert [one is not None for one in found] == [True, True, False]
    reads = [call["path"] for call in astro.calls()["log"] if call["operation"] == "GetApiToken"]
    assert [path.endswith(pairs[2][0]) for path in reads] == [True]


def test_a_token_whose_roles_are_hidden_is_never_called_gone(astro: Emulator) -> None:
    [pair] = organization(astro, 1, 1, bound=True)
    astro.store.hide_roles(pair[0])
    process = lifecycle(astro)

    with pytest.raises(RolesUnknown, match="left the roles out of its answer about token 'token-0'"):
        process.read(EngineCall(id=_id(astro, pair)), inputs(pair))


def test_organizations_of_several_pages_are_read_whole(astro: Emulator) -> None:
    pairs = organization(astro, 2_500, 1, bound=False)
    process = lifecycle(astro)

    checked = process.check(
        EngineCall(), {}, {**inputs(pairs[-1]), "org_token_id": None, "org_token_name": "token-2499"}
    )

    assert checked.inputs["org_token_id"] == pairs[-1][0]
    offsets = [call["query"] for call in astro.calls()["log"] if "sorts" in call["query"]]
    assert len(offsets) == 3


def test_our_own_write_is_known_without_another_read(astro: Emulator) -> None:
    pairs = organization(astro, 1, 2, bound=False)
    process = lifecycle(astro)
    checked = process.check(EngineCall(), {}, inputs(pairs[0]))
    identifier, outs = process.create(EngineCall(), checked.inputs)
    astro.clear_calls()

    found = process.read(EngineCall(id=str(identifier)), outs)

    assert found == (checked.inputs, outs)
    assert calls(astro) == 0


def test_nothing_older_than_a_minute_is_used(astro: Emulator, clock: Callable[[float], None]) -> None:
    [pair] = organization(astro, 1, 1, bound=True)
    process = lifecycle(astro)
    process.read(EngineCall(id=_id(astro, pair)), inputs(pair))
    astro.store.unbind(*pair)

    clock(59)
    young = process.read(EngineCall(id=_id(astro, pair)), inputs(pair))
    clock(2)
    old = process.read(EngineCall(id=_id(astro, pair)), inputs(pair))

    assert young is not None
    assert old is None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the steady clock of the shared reads on by seconds."""
    ahead = [0.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return time.monotonic() + ahead[0]

    def move(seconds: float) -> None:
        ahead[0] += seconds

    monkeypatch.setattr(reader, "time", Clock)
    monkeypatch.setattr(single_flight, "time", Clock)
    return move


def _id(astro: Emulator, pair: tuple[str, str]) -> str:
    return f"{astro.organization_id}/{pair[1]}/{pair[0]}"


def test_what_was_made_since_the_lists_were_read_is_looked_up_once_for_all(astro: Emulator) -> None:
    [pair] = organization(astro, 1, 1, bound=False)
    process = lifecycle(astro)
    process.check(EngineCall(), {}, inputs(pair))
    token, deployment = astro.store.add_token("made"), astro.store.add_deployment("made")
    others = [astro.store.add_deployment(f"later-{number}") for number in range(10)]
    astro.clear_calls()

    made = [process.check(EngineCall(), {}, inputs((token, one))) for one in [deployment, *others]]
    made += [process.check(EngineCall(), {}, inputs((pair[0], deployment))) for _ in range(10)]

    assert [one.problems for one in made] == [[]] * 21
    assert astro.calls()["by_operation"]["GetApiToken"] <= 2
    assert astro.calls()["by_operation"]["GetDeployment"] == 11


def test_names_that_nobody_has_do_not_cost_a_list_each(astro: Emulator) -> None:
    [pair] = organization(astro, 1, 1, bound=False)
    process = lifecycle(astro)

    for number in range(100):
        process.check(EngineCall(), {}, {**inputs(pair), "role": f"Nobody Made {number}"})

    assert astro.calls()["by_operation"]["ListRoles"] < 20  # three, and one a second

"""Entries that move between a binding by itself and a table, or between two tables, in one run: the role stands at its end.

Each move is run with the resources in both orders, with and without `--refresh`, all of them side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.beginnings import begin_with
from tests.support.programs import declaring
from tests.support.stack import Stack
from tests.support.tables import ADMIN, Town, make_town

Declared = Mapping[str, dict[str, Any]]


def single(deployment: str) -> dict[str, Any]:
    """A binding by itself; `_side_by_side` gives the id for the name, by which a binding cannot move while the checks are off."""
    return {"deployment_id": deployment, "org_token_name": "t-0", "role": ADMIN}


def table(*deployments: str) -> dict[str, Any]:
    return {"roles": {deployment: {"t-0": ADMIN} for deployment in deployments} or {"d-other": {}}}


def moves(a: str, b: str) -> dict[str, tuple[Declared, Declared, set[str]]]:
    """Moves of the entries of two deployments: what is declared before and after, and where a role stands then."""
    return {
        "from a binding to a table": ({"s": single(a), "t": table(b)}, {"t": table(a, b)}, {a, b}),
        "from a binding to a new table": ({"s": single(a)}, {"t": table(a)}, {a}),
        "from a table to a binding": ({"t": table(a, b)}, {"s": single(a), "t": table(b)}, {a, b}),
        "from a table that goes to a binding": ({"t": table(a)}, {"s": single(a)}, {a}),
        "from one table to another": ({"t": table(a), "u": table(b)}, {"t": table(), "u": table(a, b)}, {a, b}),
        "two tables that swap": ({"t": table(a), "u": table(b)}, {"t": table(b), "u": table(a)}, {a, b}),
        "a table and a binding that swap": ({"s": single(a), "t": table(b)}, {"s": single(b), "t": table(a)}, {a, b}),
        "one of two leaves": ({"t": table(a), "u": table(b)}, {"t": table(a)}, {a}),
        "all to a new table and back": ({"t": table(a, b)}, {"u": table(a), "s": single(b)}, {a, b}),
    }


def _side_by_side(which: int, town: Town, *, backwards: bool) -> Declared:
    found: dict[str, dict[str, Any]] = {}
    for number in range(len(town.deployments) // 2):
        a, b = f"d-{2 * number}", f"d-{2 * number + 1}"
        before, after, _ = list(moves(a, b).values())[number]
        declared = after if which else before
        found |= {f"{number}{name}": arguments for name, arguments in declared.items()}
    for arguments in found.values():
        if "deployment_id" in arguments:
            arguments["deployment_id"] = town.deployments[arguments["deployment_id"]]
    return dict(reversed(found.items())) if backwards else found


@pytest.mark.parametrize("checks", ["warn", "off"])
@pytest.mark.parametrize("backwards", [False, True], ids=["", "backwards"])
@pytest.mark.parametrize("refresh", [False, True], ids=["", "refresh"])
def test_a_role_stands_after_each_move_and_leaves_with_what_leaves(
    stack: Stack, astro: Emulator, *, refresh: bool, backwards: bool, checks: str
) -> None:
    town = make_town(astro, deployments=2 * len(moves("", "")), tokens=1)
    astro.store.add_deployment("d-other")
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    begin_with(stack, town.astro, declaring(**_side_by_side(0, town, backwards=backwards)))

    stack.program = declaring(**_side_by_side(1, town, backwards=backwards))
    up = stack.up(refresh=refresh)
    held = town.held()
    after = stack.refresh()
    destroy = stack.destroy()

    stands = {
        deployment
        for number in range(len(town.deployments) // 2)
        for deployment in list(moves(f"d-{2 * number}", f"d-{2 * number + 1}").values())[number][2]
    }
    assert not up.failed, up.text
    assert set(held) == stands
    assert set(after.changes) == {"same"}
    assert not destroy.failed, destroy.text
    assert town.held() == {}

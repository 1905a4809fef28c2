"""A state in which commit e74046d left a table that it could neither write nor take back goes on.

That version marked the entry by a role of its own, `not known since a run that failed`. `states/e74046d/` holds what
`pulumi stack export` gave there after the failed update of BEFORE; only what tells of the machine was taken out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from astro_emulator import Emulator
from astro_provider.names import UNFINISHED_ROLE
from tests.support import cast
from tests.support.beginnings import begin_after
from tests.support.programs import declaring
from tests.support.stack import Stack

STATE = Path(__file__).parent / "states" / "e74046d" / "table_left_unfinished.json"
ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
BEFORE = {"etl-staging": {"observability": ADMIN, "model-trainer": ACCESSOR}}


@pytest.fixture
def left(stack: Stack, astro: Emulator) -> Stack:
    """A stack with that state, and a service that holds what the failed run has left."""
    stored = json.loads(STATE.read_text())
    deployment = automation.Deployment(stored["version"], stored["deployment"])
    begin_after(stack, astro, "the state of e74046d", lambda: stack.stack.import_stack(deployment))
    for token in (cast.OBSERVABILITY, cast.TRAINER):
        astro.store.bind(token, cast.STAGING, ACCESSOR)
    return stack


def held(astro: Emulator) -> dict[str, str | None]:
    tokens = {"observability": cast.OBSERVABILITY, "model-trainer": cast.TRAINER}
    return {name: astro.store.deployment_role(token, cast.STAGING) for name, token in tokens.items()}


def test_the_state_has_the_mark_of_that_version() -> None:
    assert UNFINISHED_ROLE in STATE.read_text()


@pytest.mark.parametrize(
    "roles",
    [BEFORE, {"etl-staging": {"model-trainer": ACCESSOR}}, {}],
    ids=["put back", "without the entry", "without the table"],
)
def test_what_that_version_left_is_a_change_of_the_next_preview_and_is_put_right(
    left: Stack, astro: Emulator, roles: dict[str, Any]
) -> None:
    left.program = declaring(access={"roles": roles}) if roles else declaring()

    preview = left.preview()
    up = left.up()
    again = left.up()

    assert ("update access" if roles else "delete access") in preview.steps
    assert not up.failed, up.text
    assert held(astro) == {"observability": None, "model-trainer": None, **roles.get("etl-staging", {})}
    assert UNFINISHED_ROLE not in json.dumps(left.resources())
    assert again.steps == []


def test_a_refresh_clears_the_mark_of_that_version(left: Stack) -> None:
    left.program = declaring(access={"roles": BEFORE})

    left.refresh()

    outputs = left.resources()["access"]["outputs"]
    assert outputs["roles"] == {"etl-staging": {"observability": ACCESSOR, "model-trainer": ACCESSOR}}
    assert "unfinished" not in outputs

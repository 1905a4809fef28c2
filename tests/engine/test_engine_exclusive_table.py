"""An exclusive table on the real engine: the plan names what it removes, once."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBindings
from tests.support.beginnings import begin_with
from tests.support.made import Made
from tests.support.programs import declaring
from tests.support.stack import Outcome, Stack
from tests.support.tables import ACCESSOR, ADMIN, Town, make_town

MINE: dict[str, Any] = {"roles": {"d-0": {"t-0": ADMIN}, "d-1": {}}, "exclusive": True}


@pytest.fixture
def town(astro: Emulator) -> Town:
    return make_town(astro)


def shown(outcome: Outcome) -> set[str]:
    """What a preview shows of the table, but for brackets."""
    text = outcome.text.partition("[urn=urn:pulumi:test::bindings::pulumi-python")[2].partition("Resources:")[0]
    return {line.strip() for line in text.splitlines()[1:]} - {"}"}


def test_a_preview_names_who_loses_a_role_without_a_refresh_and_only_once(stack: Stack, town: Town) -> None:
    begin_with(stack, town.astro, declaring(access={**MINE, "exclusive": False}))
    town.bind("d-0", "t-1", ACCESSOR)

    stack.program = declaring(access=MINE)
    preview = stack.preview()
    stack.up()
    held = town.held()
    again = stack.up()
    stack.program = declaring(access={**MINE, "roles": {"d-0": {"t-0": ACCESSOR}, "d-1": {}}})
    changed = stack.preview()
    town.bind("d-0", "t-1", ACCESSOR)
    back = stack.preview()
    stack.up()

    assert shown(preview) == {
        "~ exclusive: false => true",
        "+ removes  : {",
        "+ d-0: {",
        '+ t-1: "DEPLOYMENT_ACCESSOR"',
    }
    assert held == {"d-0": {"t-0": ADMIN}}
    assert again.changes == {"same": 2}
    assert shown(changed) == {"~ roles: {", "~ d-0: {", '~ t-0: "DEPLOYMENT_ADMIN" => "DEPLOYMENT_ACCESSOR"'}
    assert '~ t-1: "already removed" => "DEPLOYMENT_ACCESSOR"' in shown(back)
    assert town.held() == {"d-0": {"t-0": ACCESSOR}}


def test_a_stranger_who_is_back_right_after_the_run_is_removed_again(stack: Stack, town: Town) -> None:
    town.bind("d-0", "t-1", ACCESSOR)
    begin_with(stack, town.astro, declaring(access=MINE))
    town.bind("d-0", "t-1", ACCESSOR)

    preview = stack.preview()
    stack.up()

    assert '~ t-1: "DEPLOYMENT_ACCESSOR" => "DEPLOYMENT_ACCESSOR (again)"' in shown(preview)
    assert town.held() == {"d-0": {"t-0": ADMIN}}


def test_a_refresh_after_a_removal_finds_no_drift_and_one_after_a_stranger_does(stack: Stack, town: Town) -> None:
    town.bind("d-0", "t-1", ACCESSOR)
    begin_with(stack, town.astro, declaring(access=MINE))
    quiet = stack.refresh()
    removes = stack.resources()["access"]["inputs"]["removes"]
    town.bind("d-1", "t-2", ADMIN)

    refresh = stack.refresh()
    preview = stack.preview()

    assert quiet.changes == {"same": 2}
    assert removes == {}
    assert refresh.changes == {"same": 1, "update": 1}
    assert stack.resources()["access"]["outputs"]["strangers"] == {"d-1": {"t-2": ADMIN}}
    assert shown(preview) == {"~ removes: {", "+ d-1: {", '+ t-2: "DEPLOYMENT_ADMIN"'}


def test_a_preview_of_a_row_that_is_not_known_yet_names_who_may_lose_a_role(stack: Stack, town: Town) -> None:
    town.bind("d-0", "t-1", ACCESSOR)

    def program() -> None:
        row = Made("row", "row").made_id.apply(lambda _: {"t-0": ADMIN})
        DeploymentOrgTokenBindings("access", roles={"d-0": row}, exclusive=True)

    stack.program = program
    preview = stack.preview()
    up = stack.up()

    assert not preview.failed, preview.text
    assert any("Token 't-1' " in note and "may lose the role DEPLOYMENT_ACCESSOR" in note for note in preview.notices)
    assert not up.failed, up.text
    assert town.held() == {"d-0": {"t-0": ADMIN}}

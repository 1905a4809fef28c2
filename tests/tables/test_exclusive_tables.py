"""An exclusive table: nobody else keeps a role in its deployments, and the preview names whoever loses one."""

from __future__ import annotations

from typing import Any

import pytest

from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.values import UNKNOWN
from astro_provider.names import role_removed
from tests.support.processes import StartProcess
from tests.support.tables import (
    ACCESSOR,
    ADMIN,
    GET_TOKEN,
    LIST,
    POST,
    Town,
    checked,
    problem,
    refreshed,
    tables,
    up,
)

MINE: dict[str, Any] = {"roles": {"d-0": {"t-0": ADMIN}, "d-1": {}}, "exclusive": True}


@pytest.fixture
def with_strangers(town: Town) -> Town:
    """A town in which others have roles already."""
    town.bind("d-0", "t-1", ACCESSOR)
    town.bind("d-1", "t-2", ADMIN)
    town.bind("d-2", "t-3", ADMIN)
    return town


def test_the_check_names_whatever_the_run_takes_and_the_run_takes_that(
    start: StartProcess, with_strangers: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    process = tables(start())

    inputs = checked(process, MINE)
    _, outputs = process.create(EngineCall(), inputs)

    assert inputs["removes"] == {"d-0": {"t-1": ACCESSOR}, "d-1": {"t-2": ADMIN}}
    assert (
        f"astro: note: exclusive: Token 't-2' ({with_strangers.tokens['t-2']}) will lose the role DEPLOYMENT_ADMIN in "
        f"deployment 'd-1' ({with_strangers.deployments['d-1']}), because it is not in this table."
    ) in capsys.readouterr().err
    assert outputs["strangers"] == {}
    assert "removes" not in outputs
    assert with_strangers.held() == {"d-0": {"t-0": ADMIN}, "d-2": {"t-3": ADMIN}}


def test_without_exclusive_strangers_are_nobodys_business(start: StartProcess, with_strangers: Town) -> None:
    stored = up(tables(start()), {**MINE, "exclusive": False})

    assert "removes" not in stored.inputs
    assert "strangers" not in stored.outputs
    assert with_strangers.held()["d-1"] == {"t-2": ADMIN}


def test_what_the_last_run_took_is_no_change_and_a_stranger_who_is_back_is_one(
    start: StartProcess, with_strangers: Town
) -> None:
    stored = up(tables(start()), MINE)
    with_strangers.astro.clear_calls()
    again = up(tables(start()), MINE, stored)
    quiet = with_strangers.calls(POST)
    with_strangers.bind("d-0", "t-1", ACCESSOR)
    process = tables(start())
    inputs = checked(process, MINE, again)
    is_back = process.diff(EngineCall(), again.outputs, inputs).changes

    process.update(EngineCall(), again.outputs, inputs)

    assert again.inputs["removes"] == {"d-0": {"t-1": "already removed"}, "d-1": {"t-2": "already removed"}}
    assert again.outputs is stored.outputs
    assert not tables(start()).diff(EngineCall(), stored.outputs, stored.inputs).changes  # a refresh asks that
    assert quiet == 0
    assert inputs["removes"] == {"d-0": {"t-1": ACCESSOR}, "d-1": {"t-2": "already removed"}}
    assert is_back
    assert with_strangers.held()["d-0"] == {"t-0": ADMIN}


def test_a_stranger_who_comes_after_the_check_is_left_for_the_next_preview(start: StartProcess, town: Town) -> None:
    process = tables(start())
    inputs = checked(process, MINE)
    town.bind("d-0", "t-1", ADMIN)

    process.create(EngineCall(), inputs)

    assert inputs["removes"] == {}
    assert town.held()["d-0"] == {"t-0": ADMIN, "t-1": ADMIN}


def test_a_refresh_shows_strangers_and_empties_what_was_removed(start: StartProcess, with_strangers: Town) -> None:
    stored = up(tables(start()), MINE)
    quiet = refreshed(tables(start()), stored)
    with_strangers.bind("d-1", "t-3", ADMIN)

    found = refreshed(tables(start()), stored)

    assert quiet is not None
    assert quiet.outputs == stored.outputs
    assert quiet.inputs == {**stored.inputs, "removes": {}}
    assert found is not None
    assert found.outputs["strangers"] == {"d-1": {"t-3": ADMIN}}
    assert checked(tables(start()), MINE, found)["removes"] == {"d-1": {"t-3": ADMIN}}


def test_an_entry_that_leaves_the_table_is_shown_once_and_goes(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {**MINE, "roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}})
    process = tables(start())

    inputs = checked(process, {**MINE, "roles": {"d-0": {"t-0": ADMIN}}}, stored)
    process.update(EngineCall(), stored.outputs, inputs)

    assert inputs["removes"] == {}
    assert town.held() == {"d-0": {"t-0": ADMIN}}


def test_tokens_of_other_scopes_are_left_alone(start: StartProcess, town: Town) -> None:
    workspace = town.astro.store.shown()["workspaces"][0]["id"]
    of_workspace = town.astro.store.add_token("of a workspace", scope="WORKSPACE", workspace_id=workspace)
    town.astro.store.bind(of_workspace, town.deployments["d-0"], ADMIN)

    stored = up(tables(start()), MINE)

    assert stored.inputs["removes"] == {}
    assert town.astro.store.deployment_role(of_workspace, town.deployments["d-0"]) == ADMIN


def test_a_stranger_whose_name_is_not_alone_is_named_by_id(start: StartProcess, town: Town) -> None:
    twin = town.astro.store.add_token("t-1")
    town.astro.store.bind(twin, town.deployments["d-0"], ADMIN)

    stored = up(tables(start()), MINE)

    assert stored.inputs["removes"] == {"d-0": {twin: ADMIN}}
    assert town.astro.store.deployment_role(twin, town.deployments["d-0"]) is None


def test_a_run_that_fails_gives_strangers_their_roles_back(start: StartProcess, with_strangers: Town) -> None:
    before = with_strangers.held()
    process = tables(start())
    inputs = checked(process, MINE)
    last = max(with_strangers.tokens[token] for token in ("t-0", "t-1", "t-2"))
    with_strangers.astro.fault(status=403, operation=POST, path=last)

    with pytest.raises(Exception, match="all is as it was before"):
        process.create(EngineCall(), inputs)

    assert with_strangers.held() == before


def test_destroy_takes_the_tables_own_entries_only(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), MINE)
    town.bind("d-0", "t-1", ADMIN)

    tables(start()).delete(EngineCall(id=stored.id), stored.outputs)

    assert town.held() == {"d-0": {"t-1": ADMIN}}


@pytest.mark.parametrize("first", ["the binding", "the table"])
def test_a_binding_by_itself_in_an_exclusive_deployment_is_refused(start: StartProcess, town: Town, first: str) -> None:
    process = start()
    single = {"deployment_id": town.deployments["d-1"], "org_token_name": "t-3", "role": ADMIN}
    if first == "the binding":
        assert process.check(EngineCall(), {}, single).problems == []
        text = problem(tables(process), MINE)
    else:
        checked(tables(process), MINE)
        [found] = process.check(EngineCall(), {}, single).problems
        text = found.reason

    assert "table of this program is exclusive: no other token may have a role in that deployment" in text


def test_an_exclusive_table_names_the_resource_that_binds_another_token_there(start: StartProcess, town: Town) -> None:
    process = start()
    single = {"deployment_id": town.deployments["d-1"], "org_token_name": "t-3", "role": ADMIN}
    process.check(EngineCall("urn:pulumi:prod::access::astro:index:Binding::orders"), {}, single)

    [found] = tables(process).check(EngineCall("urn:pulumi:prod::access::astro:index:Table::all"), {}, MINE).problems

    assert found.reason == (
        f"The program binds token {town.tokens['t-3']} in deployment 'd-1' ({town.deployments['d-1']}) through Binding "
        "'orders', and Table 'all' of this program is exclusive: no other token may have a role in that deployment. Add the "
        "token to the table, or remove the resource that binds it."
    )


def test_with_the_checks_off_a_run_takes_all_strangers_and_names_them(
    start: StartProcess, with_strangers: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    process = tables(start(preview_checks="off"))
    inputs = checked(process, MINE)

    process.create(EngineCall(), inputs)

    assert inputs["removes"] == {}
    assert with_strangers.held() == {"d-0": {"t-0": ADMIN}, "d-2": {"t-3": ADMIN}}
    assert capsys.readouterr().err.count("because it is not in this table.") == 2


def test_strangers_cost_the_fewer_of_a_list_for_each_deployment_and_a_read_of_each_token(
    start: StartProcess, town: Town
) -> None:
    tokens = len([one for one in town.astro.store.shown()["tokens"] if one["scope"] == "ORGANIZATION"])
    many = [town.astro.store.add_deployment(f"m-{number}") for number in range(3 * tokens)]
    checked(tables(start()), MINE)
    of_two = town.calls(LIST)
    town.astro.clear_calls()

    checked(tables(start()), {"roles": {id_: {"t-0": ADMIN} for id_ in many}, "exclusive": True})

    assert of_two <= 1 + 2 + 1
    assert town.calls(GET_TOKEN) <= tokens
    assert town.calls(LIST) <= 1


def test_of_those_who_are_there_a_run_takes_what_its_check_has_named_alone(
    start: StartProcess, with_strangers: Town
) -> None:
    process = tables(start())
    inputs = checked(process, MINE)

    process.create(EngineCall(), {**inputs, "removes": {"d-0": {"t-1": ACCESSOR}}})

    assert with_strangers.held() == {"d-0": {"t-0": ADMIN}, "d-1": {"t-2": ADMIN}, "d-2": {"t-3": ADMIN}}


@pytest.mark.parametrize("role", ["already removed", "Auditor (again)", '"Auditor"', '"already removed" (again)'])
def test_a_role_that_reads_like_a_mark_is_named_and_taken_like_any_other(
    start: StartProcess, town: Town, role: str
) -> None:
    town.astro.store.add_role(role)
    town.bind("d-0", "t-1", role)
    inputs = checked(tables(start()), MINE)
    stored = up(tables(start()), MINE)
    taken = town.held()["d-0"]
    town.bind("d-0", "t-1", role)
    again = up(tables(start()), MINE, stored)

    assert [role_removed(row) for row in inputs["removes"]["d-0"].values()] == [role]
    assert [role_removed(row) for row in again.inputs["removes"]["d-0"].values()] == [role]
    assert inputs["removes"] != again.inputs["removes"]
    assert taken == town.held()["d-0"] == {"t-0": ADMIN}


UNCERTAIN: dict[str, tuple[dict[str, Any], str]] = {
    "a row": ({"roles": {"d-0": UNKNOWN}}, ": the tokens of this table there are not known yet."),
    "exclusive": ({"exclusive": UNKNOWN}, ": it is not known yet whether this table is exclusive."),
}


@pytest.mark.parametrize(("change", "because"), UNCERTAIN.values(), ids=UNCERTAIN.keys())
def test_what_may_be_taken_is_named_as_perhaps_while_not_all_of_the_table_is_known(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str], change: dict[str, Any], because: str
) -> None:
    town.bind("d-0", "t-1", ACCESSOR)

    inputs = checked(tables(start()), {**MINE, **change})

    assert inputs["removes"] == {"d-0": {"t-1": UNKNOWN}}
    assert capsys.readouterr().err == (
        f"astro: note: exclusive: Token 't-1' ({town.tokens['t-1']}) may lose the role DEPLOYMENT_ACCESSOR in deployment 'd-0' "
        f"({town.deployments['d-0']}){because}\n"
    )


def test_a_token_that_the_program_makes_hides_no_stranger(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.bind("d-0", "t-1", ACCESSOR)
    news = {"roles": {"d-0": {"made": ADMIN}}, "exclusive": True}

    inputs = checked(tables(start()), news)
    said = capsys.readouterr().err
    town.astro.store.add_token("made")
    up(tables(start()), news)

    assert inputs["removes"] == {"d-0": {"t-1": ACCESSOR}}
    assert "because it is not in this table, unless this run gives it the name 'made'." in said
    assert town.held() == {}


def test_an_exclusive_table_of_unknown_roles_says_that_it_cannot_name_who_loses_one(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.bind("d-0", "t-1", ACCESSOR)

    checked(tables(start()), {"roles": UNKNOWN, "exclusive": True})

    assert capsys.readouterr().err == (
        "astro: note: exclusive: This table is exclusive, and its deployments cannot be named yet: the update takes the roles "
        "of all organization tokens there that are not in the table, and its own check names them.\n"
    )

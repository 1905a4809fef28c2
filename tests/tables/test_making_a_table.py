"""Create, update, read and delete of a table: one write for each token, all or nothing, and nothing that is not asked for."""

from __future__ import annotations

from typing import Any

import pytest

from astro_provider.errors import BindingConflict, InputError, TableNotWritten
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.values import UNKNOWN
from tests.support import processes
from tests.support.cast import DATA_PLATFORM_ID, FINANCE_ID
from tests.support.processes import StartProcess
from tests.support.tables import (
    ACCESSOR,
    ADMIN,
    GET_TOKEN,
    POST,
    Stored,
    Town,
    checked,
    problem,
    refreshed,
    tables,
    up,
)

GRID = {
    "d-0": {"t-0": ADMIN, "t-1": ACCESSOR},
    "d-1": {"t-0": ACCESSOR},
    "d-2": {"t-1": ADMIN, "t-0": ADMIN},
}


def test_a_table_is_given_with_one_write_for_each_token(start: StartProcess, town: Town) -> None:
    process = tables(start())

    stored = up(process, {"roles": GRID})

    organization_id, _, own = stored.id.partition("/")
    assert town.held() == GRID
    assert organization_id == town.astro.organization_id
    assert len(own) == 32
    assert town.calls(POST) == 2
    assert stored.outputs == stored.inputs


def test_what_is_there_already_is_adopted_without_a_write(start: StartProcess, town: Town) -> None:
    town.bind("d-0", "t-0", ADMIN)

    up(tables(start()), {"roles": {"d-0": {"t-0": ADMIN}}})

    assert town.calls(POST) == 0


@pytest.mark.usefixtures("town")
def test_a_table_that_is_as_it_was_is_no_change_in_whatever_letters(start: StartProcess) -> None:
    stored = up(tables(start()), {"roles": GRID})
    spelled = {deployment: {token: role.lower() for token, role in row.items()} for deployment, row in GRID.items()}
    process = tables(start())

    assert not process.diff(EngineCall(), stored.outputs, checked(process, {"roles": spelled}, stored)).changes
    assert not process.diff(
        EngineCall(), {**stored.outputs, "roles": spelled}, checked(process, {"roles": GRID}, stored)
    ).changes


def test_additions_changes_and_removals_of_a_token_are_one_write(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    after = {"d-0": {"t-0": ACCESSOR, "t-1": ACCESSOR}, "d-2": {"t-0": ADMIN}, "d-3": {"t-0": ADMIN, "t-2": ADMIN}}
    town.astro.clear_calls()

    up(tables(start()), {"roles": after}, stored)

    assert town.held() == after
    assert town.calls(POST) == 3


def test_other_roles_of_the_tokens_are_left_alone(start: StartProcess, town: Town) -> None:
    town.bind("d-3", "t-0", ACCESSOR)
    town.bind("d-0", "t-3", ACCESSOR)
    before = {token: list(town.astro.store.token(id_)["roles"]) for token, id_ in town.tokens.items()}

    stored = up(tables(start()), {"roles": GRID})
    tables(start()).delete(EngineCall(id=stored.id), stored.outputs)

    assert {token: list(town.astro.store.token(id_)["roles"]) for token, id_ in town.tokens.items()} == before
    assert town.calls(POST) == 4


def test_a_key_that_is_spelled_another_way_is_written_to_the_state_alone(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    spelled = {town.deployments[deployment]: row for deployment, row in GRID.items()}
    town.astro.clear_calls()

    again = up(tables(start()), {"roles": spelled}, stored)

    assert again.outputs["roles"] == spelled
    assert again.id == stored.id
    assert town.calls(POST) == 0


def _at_the_second_token(town: Town) -> dict[str, Any]:
    """A fault that lets the write of the token that comes first pass, and none of the other."""
    later = max(town.tokens["t-0"], town.tokens["t-1"])
    return {"status": 403, "operation": POST, "path": later}


def test_a_create_that_fails_at_the_second_token_takes_the_first_one_back(start: StartProcess, town: Town) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": GRID})
    town.astro.fault(**_at_the_second_token(town))

    with pytest.raises(TableNotWritten) as failed:
        process.create(EngineCall(), inputs)

    assert town.held() == {}
    assert town.calls(POST) == 3
    text = str(failed.value)
    assert " of 5 changes of this table could not be made: roles[" in text
    assert text.endswith("What this run had written was taken back, so all is as it was before.")


def test_an_update_that_fails_halfway_takes_back_what_it_gave_changed_and_took(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    process = tables(start())
    after = {"d-0": {"t-0": ACCESSOR, "t-1": ADMIN}, "d-3": {"t-0": ADMIN, "t-1": ADMIN}}
    inputs = checked(process, {"roles": after}, stored)
    town.astro.fault(**_at_the_second_token(town))

    with pytest.raises(TableNotWritten, match="all is as it was before"):
        process.update(EngineCall(), stored.outputs, inputs)
    in_between = town.held()
    town.astro.clear_faults()
    up(tables(start()), {"roles": after}, stored)

    assert in_between == GRID
    assert town.held() == after


def test_what_somebody_has_changed_meanwhile_is_not_taken_back(start: StartProcess, town: Town) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}, "d-1": {"t-0": ADMIN, "t-1": ADMIN}}})
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    town.astro.fault(status=403, operation=POST, path=town.tokens[second])
    decide = process._take_back  # noqa: SLF001  a person decides between the write and its taking back

    def take_back(*arguments: Any) -> Any:
        town.bind("d-0", first, ACCESSOR)
        return decide(*arguments)

    process._take_back = take_back  # type: ignore[assignment,method-assign]  # noqa: SLF001

    with pytest.raises(TableNotWritten):
        process.create(EngineCall(), inputs)

    assert town.held() == {"d-0": {first: ACCESSOR}}


def test_a_write_with_a_row_that_is_not_known_is_refused_and_takes_no_role(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    process = tables(start())
    inputs = checked(process, {"roles": GRID}, stored)

    with pytest.raises(AssertionError, match="while a value was unknown"):
        process.update(EngineCall(id=stored.id), stored.outputs, {**inputs, "roles": {**GRID, "d-0": UNKNOWN}})

    assert town.held() == GRID


def test_what_cannot_be_taken_back_is_told(start: StartProcess, town: Town) -> None:
    process = tables(start(timeout_seconds=2.0))
    inputs = checked(process, {"roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}})
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    town.astro.fault(status=403, operation=POST, path=town.tokens[second])
    town.astro.fault(status=403, operation=POST, path=town.tokens[first], skip=1)

    with pytest.raises(TableNotWritten) as failed:
        process.create(EngineCall(), inputs)

    assert town.held() == {"d-0": {first: ADMIN}}
    assert f'could not be taken back, and may stand: roles["d-0"]["{first}"].' in str(failed.value)


def test_what_may_stand_is_by_its_id_if_its_name_means_another_thing_in_the_state(
    start: StartProcess, town: Town
) -> None:
    roles = {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}
    stored = up(tables(start()), {"roles": roles})
    town.astro.store.delete_deployment(town.deployments["d-0"], keep_roles=False)
    anew = town.astro.store.add_deployment("d-0")
    process = tables(start(timeout_seconds=2.0))
    inputs = checked(process, {"roles": roles}, stored)
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    town.astro.fault(status=403, operation=POST, path=town.tokens[second])
    town.astro.fault(status=403, operation=POST, path=town.tokens[first], skip=1)

    with pytest.raises(TableNotWritten) as failed:
        process.update(EngineCall(), stored.outputs, inputs)
    kept = failed.value.kept
    town.astro.clear_faults()
    assert kept is not None
    put_right = up(tables(start()), {"roles": roles}, Stored(stored.id, stored.inputs, dict(kept.outputs)))

    assert kept.outputs == {**stored.outputs, "unfinished": {anew: [first]}}
    assert put_right.outputs["deployment_ids"] == {"d-0": anew}
    assert {town.astro.store.deployment_role(town.tokens[token], anew) for token in ("t-0", "t-1")} == {ADMIN}


def test_a_role_that_vanishes_before_the_write_refuses_the_token_whole(start: StartProcess, town: Town) -> None:
    town.astro.store.add_role("Releaser")
    many = [town.astro.store.add_deployment(f"m-{number}") for number in range(30)]
    process = tables(start())
    roles = {**{id_: {"t-0": ADMIN, "t-1": ADMIN} for id_ in many}, "d-0": {"t-0": "Releaser"}}
    inputs = checked(process, {"roles": roles})
    process._ready(EngineCall(), inputs, None)  # noqa: SLF001  all that it reads is remembered for a minute
    town.astro.store.delete_role("Releaser")
    town.astro.clear_calls()

    with pytest.raises(TableNotWritten, match="role 'Releaser' does not exist"):
        process.create(EngineCall(), inputs)

    assert town.held() == {}
    assert town.calls(POST) <= 5


def test_a_name_that_nothing_has_is_an_error_of_the_create_and_nothing_is_written(
    start: StartProcess, town: Town
) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": {"d-0": {"t-0": ADMIN}, "d-9": {"t-0": ADMIN}}})

    with pytest.raises(InputError, match="No deployment has the name or the id 'd-9'"):
        process.create(EngineCall(), inputs)

    assert town.calls(POST) == 0


def test_a_name_that_has_been_made_since_the_check_is_found(start: StartProcess, town: Town) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": {"d-9": {"t-9": ADMIN}}})
    token, deployment = town.astro.store.add_token("t-9"), town.astro.store.add_deployment("d-9")

    _, outputs = process.create(EngineCall(), inputs)

    assert town.astro.store.deployment_role(token, deployment) == ADMIN
    assert outputs["deployment_ids"] == {"d-9": deployment}
    assert outputs["token_ids"] == {"t-9": token}
    again = tables(start())
    assert not again.diff(
        EngineCall(), outputs, checked(again, {"roles": {"d-9": {"t-9": ADMIN}}}, Stored("o/x", inputs, outputs))
    ).changes


@pytest.mark.usefixtures("town")
def test_only_another_organization_is_another_table(start: StartProcess) -> None:
    stored = up(tables(start()), {"roles": GRID})
    process = tables(start())

    elsewhere = process.diff(EngineCall(), stored.outputs, {**stored.inputs, "organization_id": "clo"})
    unknown = process.diff(EngineCall(), stored.outputs, {**stored.inputs, "organization_id": UNKNOWN})
    guarded = process.diff(EngineCall(), stored.outputs, {**stored.inputs, "workspace_id": "clw"})

    assert elsewhere.replaces == unknown.replaces == ["organization_id"]
    assert (guarded.changes, guarded.replaces) == (True, [])


def test_a_refresh_shows_roles_that_changed_and_entries_that_vanished(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = up(tables(start()), {"roles": GRID})
    town.bind("d-0", "t-0", ACCESSOR)
    town.unbind("d-1", "t-0")

    found = refreshed(tables(start()), stored)

    after = {"d-0": {"t-0": ACCESSOR, "t-1": ACCESSOR}, "d-1": {}, "d-2": {"t-1": ADMIN, "t-0": ADMIN}}
    assert found is not None
    assert found.inputs == found.outputs == {**stored.inputs, "roles": after}
    assert "has no role any more, so a refresh takes the entry out of the table." in capsys.readouterr().err


def test_without_checks_too_a_table_knows_two_roles_that_differ_in_case_only(start: StartProcess, town: Town) -> None:
    for role in ("Reader", "reader"):
        town.astro.store.add_role(role)
    stored = up(tables(start(preview_checks="off")), {"roles": {"d-0": {"t-0": "Reader"}}})

    after = up(tables(start(preview_checks="off")), {"roles": {"d-0": {"t-0": "reader", "t-1": ADMIN}}}, stored)
    written = town.held()
    town.bind("d-0", "t-0", "Reader")
    found = refreshed(tables(start(preview_checks="off")), after)

    assert after.outputs["roles"] == written == {"d-0": {"t-0": "reader", "t-1": ADMIN}}
    assert found is not None
    assert found.outputs["roles"] == {"d-0": {"t-0": "Reader", "t-1": ADMIN}}


def test_a_refresh_without_drift_changes_nothing(start: StartProcess, town: Town) -> None:
    spelled = {deployment: {token: role.lower() for token, role in row.items()} for deployment, row in GRID.items()}
    stored = up(tables(start()), {"roles": {town.deployments[deployment]: row for deployment, row in spelled.items()}})

    assert refreshed(tables(start()), stored) == stored


def test_a_deployment_that_is_gone_takes_its_entries_out_with_a_note(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = up(tables(start()), {"roles": GRID})
    town.astro.store.delete_deployment(town.deployments["d-1"], keep_roles=False)

    found = refreshed(tables(start()), stored)

    assert found is not None
    assert found.outputs["roles"] == {key: row for key, row in GRID.items() if key != "d-1"}
    assert found.outputs["deployment_ids"].keys() == {"d-0", "d-2"}
    assert (
        f"astro: note: Deployment 'd-1' ({town.deployments['d-1']}) was deleted, so a refresh takes its entries out of the "
        "table."
    ) in capsys.readouterr().err


def test_a_table_whose_entries_others_could_not_be_given_is_not_deleted_and_names_them(
    start: StartProcess, town: Town
) -> None:
    stored = up(tables(start()), {"roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}})
    process = start()
    for token in ("t-0", "t-1"):
        call = EngineCall(f"urn:pulumi:prod::access::astro:index:Binding::{token}")
        inputs = process.check(call, {}, {"deployment_name": "d-0", "org_token_name": token, "role": "Nope"}).inputs
        with pytest.raises(InputError, match="No deployment role is named 'Nope'"):
            process.create(call, inputs)

    with pytest.raises(BindingConflict) as refused:
        tables(process).delete(EngineCall("urn:pulumi:prod::access::astro:index:Table::all", stored.id), stored.outputs)

    entries = [
        f"oken '{one}' ({town.tokens[one]}) in deployment 'd-0' ({town.deployments['d-0']})" for one in ("t-0", "t-1")
    ]
    assert str(refused.value) == (
        f"T{entries[0]}, t{entries[1]} were not removed: another resource of this program binds the two as well, and could not "
        "be created. Nothing was written. Fix that resource's error and run again."
    )
    assert town.held() == {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}


def test_a_token_that_is_gone_takes_its_entries_out_with_one_note(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = up(tables(start()), {"roles": GRID})
    town.astro.store.delete_token(town.tokens["t-0"])

    found = refreshed(tables(start()), stored)

    assert found is not None
    assert not any("t-0" in row for row in found.outputs["roles"].values())
    assert capsys.readouterr().err == (
        f"astro: note: Token 't-0' ({town.tokens['t-0']}) was deleted, so a refresh takes its entries out of the table.\n"
    )


def test_a_table_whose_deployments_are_all_gone_leaves_the_state(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": {"d-1": {"t-0": ADMIN}}})
    town.astro.store.delete_deployment(town.deployments["d-1"], keep_roles=False)

    assert refreshed(tables(start()), stored) is None


def test_a_refresh_that_cannot_tell_fails(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    town.astro.fault(kind="no_roles")

    with pytest.raises(Exception, match="left the roles out"):
        refreshed(tables(start()), stored)


def test_a_table_cannot_be_read_by_its_id_alone(start: StartProcess, town: Town) -> None:
    with pytest.raises(InputError, match="does not tell what stands in a table"):
        tables(start()).read(EngineCall(id=f"{town.astro.organization_id}/abc"), {})


def test_a_vanished_entry_is_put_back_after_a_refresh(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    town.unbind("d-1", "t-0")
    found = refreshed(tables(start()), stored)

    up(tables(start()), {"roles": GRID}, found)

    assert town.held() == GRID


@pytest.mark.parametrize("gone", ["token", "deployment", "entry"])
def test_a_delete_of_what_is_gone_already_takes_the_rest(start: StartProcess, town: Town, gone: str) -> None:
    stored = up(tables(start()), {"roles": GRID})
    if gone == "token":
        town.astro.store.delete_token(town.tokens["t-1"])
    elif gone == "deployment":
        town.astro.store.delete_deployment(town.deployments["d-0"])
    else:
        town.unbind("d-0", "t-0")

    tables(start()).delete(EngineCall(id=stored.id), stored.outputs)

    left = Town(town.astro, town.deployments, {"t-0": town.tokens["t-0"]})
    assert left.held() == {}


def test_a_table_that_an_alias_has_made_of_another_resource_is_deleted_under_its_id(
    start: StartProcess, town: Town
) -> None:
    stored = up(tables(start()), {"roles": GRID})

    tables(start()).delete(EngineCall(id="echo-1"), stored.outputs)

    assert town.held() == {}


def test_a_delete_that_fails_takes_what_it_can_and_may_be_repeated(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": GRID})
    town.astro.fault(**_at_the_second_token(town))

    with pytest.raises(TableNotWritten, match=r"of 5 roles of this table could not be taken away: roles\["):
        tables(start()).delete(EngineCall(id=stored.id), stored.outputs)
    in_between = town.held()
    town.astro.clear_faults()
    tables(start()).delete(EngineCall(id=stored.id), stored.outputs)

    assert in_between
    assert in_between != GRID
    assert town.held() == {}


def test_a_table_in_the_way_of_a_binding_by_itself_is_refused_and_the_other_way_round(
    start: StartProcess, town: Town
) -> None:
    process = start()
    single = {"deployment_id": town.deployments["d-0"], "org_token_name": "t-0", "role": ADMIN}
    other = start()

    assert process.check(EngineCall(), {}, single).problems == []
    text = problem(tables(process), {"roles": GRID})
    checked(tables(other), {"roles": GRID})
    [refused] = other.check(EngineCall(), {}, single).problems

    words = f"token 't-0' ({town.tokens['t-0']}) in deployment 'd-0' ({town.deployments['d-0']})"
    why = f"Two resources of this program bind {words}. A token has one role in a deployment: remove it from one of the two."
    assert text == f'roles["d-0"]["t-0"]: {why}'
    assert refused.reason == why


def test_two_tables_that_spell_one_entry_differently_are_refused(start: StartProcess, town: Town) -> None:
    process = tables(start())
    checked(process, {"roles": GRID})
    checked(process, {"roles": GRID})  # a replacement by force brings a second check of the same table

    text = problem(process, {"roles": {town.deployments["d-1"]: {town.tokens["t-0"]: ACCESSOR}}})

    assert text.startswith(
        f'roles["{town.deployments["d-1"]}"]["{town.tokens["t-0"]}"]: Two resources of this program bind '
    )


def test_the_second_create_of_an_entry_is_refused_before_anything_is_written(start: StartProcess, town: Town) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": GRID})
    process.create(EngineCall(), inputs)
    town.astro.clear_calls()

    with pytest.raises(BindingConflict, match=r"^Nothing was written\. Two resources of this program bind token 't-"):
        process.create(EngineCall(), inputs)

    assert town.calls(POST) == 0


def test_without_checks_a_name_that_another_resource_could_not_use_does_not_stop_a_table(
    start: StartProcess, town: Town
) -> None:
    bindings = start(preview_checks="off")
    ambiguous = {"deployment_name": "d-0", "org_token_id": town.tokens["t-0"], "role": ADMIN}
    inputs = bindings.check(EngineCall(), {}, ambiguous).inputs
    town.astro.store.add_deployment("d-0", workspace_id=FINANCE_ID)

    with pytest.raises(InputError, match="2 deployments are named 'd-0'"):
        bindings.create(EngineCall(), inputs)
    up(tables(bindings), {"roles": {"d-0": {"t-0": ACCESSOR}}, "workspace_id": DATA_PLATFORM_ID})

    assert town.held() == {"d-0": {"t-0": ACCESSOR}}


def test_without_checks_a_name_that_a_table_has_from_earlier_does_not_move_the_claim_of_a_binding(
    start: StartProcess, town: Town
) -> None:
    in_table = {"roles": {"d-0": {"t-0": ADMIN}}}
    table = up(tables(start()), in_table)
    by_name = {"deployment_name": "d-1", "org_token_id": town.tokens["t-0"], "role": ADMIN}
    binding = processes.up(start(), by_name)
    town.astro.store.rename_deployment(town.deployments["d-0"], "formerly-d-0")
    town.astro.store.rename_deployment(town.deployments["d-1"], "d-0")
    later = start(preview_checks="off")

    renamed = processes.checked(later, {**by_name, "deployment_name": "d-0"}, binding)
    unchanged = checked(tables(later), in_table, table)
    tables(later).diff(EngineCall(id=table.id), table.outputs, unchanged)
    later.diff(EngineCall(id=binding.id), binding.outputs, renamed)
    with pytest.raises(BindingConflict, match="a name that may mean the same binding, which cannot be known"):
        later.delete(EngineCall(id=binding.id), binding.outputs)

    assert town.held()["d-1"] == {"t-0": ADMIN}


def test_a_table_over_many_deployments_is_read_in_the_fewest_calls(start: StartProcess, town: Town) -> None:
    many = [town.astro.store.add_deployment(f"m-{number}") for number in range(60)]
    process = tables(start())
    stored = up(process, {"roles": {id_: {"t-0": ADMIN, "t-1": ADMIN} for id_ in many}})
    town.astro.clear_calls()

    refreshed(tables(start()), stored)

    assert town.calls(GET_TOKEN) == 2
    assert town.calls() <= 4


def test_a_refusal_speaks_of_names_first_also_of_what_is_taken(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": {"d-0": {"t-0": ADMIN}}})
    town.astro.fault(status=400, operation=POST)

    with pytest.raises(TableNotWritten) as failed:
        tables(start()).delete(EngineCall(id=stored.id), stored.outputs)

    words = f"token 't-0' ({town.tokens['t-0']}) in deployment 'd-0' ({town.deployments['d-0']})"
    assert f"The service refused to write {words}." in str(failed.value)


def test_outputs_that_a_hand_edit_has_lost_are_written_again_without_a_replacement_or_a_write(
    start: StartProcess, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    news = {"roles": {"d-0": {"t-0": ADMIN}}}
    stored = up(tables(start()), news)
    town.astro.clear_calls()
    process = tables(start())
    inputs = checked(process, news, stored)

    difference = process.diff(EngineCall(id=stored.id), {}, inputs)
    outputs = process.update(EngineCall(id=stored.id), {}, inputs)

    assert (difference.changes, difference.replaces) == (True, [])
    assert "The state of this table is incomplete: its outputs have lost the organization." in capsys.readouterr().err
    assert outputs == stored.outputs
    assert town.calls(POST) == 0


def test_an_entry_that_a_delete_of_this_run_has_taken_is_given_back_by_the_update(
    start: StartProcess, town: Town
) -> None:
    news = {"roles": {"d-0": {"t-0": ADMIN}}}
    stored = up(tables(start()), news)
    singles = start()
    process = tables(singles)
    binding = f"{town.astro.organization_id}/{town.deployments['d-0']}/{town.tokens['t-0']}"
    singles.delete(EngineCall(id=binding), {})
    in_between = town.held()
    inputs = checked(process, news, stored)

    difference = process.diff(EngineCall(id=stored.id), stored.outputs, inputs)
    process.update(EngineCall(id=stored.id), stored.outputs, inputs)

    assert in_between == {}
    assert difference.changes
    assert town.held() == {"d-0": {"t-0": ADMIN}}


def test_a_change_between_two_roles_that_differ_in_case_only_is_written_and_taken_back_as_it_was(
    start: StartProcess, town: Town
) -> None:
    for role in ("Reader", "reader"):
        town.astro.store.add_role(role)
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    stored = up(tables(start()), {"roles": {"d-0": {first: "Reader", second: "Reader"}}})
    after = {"d-0": {first: "reader", second: "reader"}}
    process = tables(start())
    inputs = checked(process, {"roles": after}, stored)
    town.astro.fault(status=403, operation=POST, path=town.tokens[second])

    with pytest.raises(TableNotWritten, match="all is as it was before"):
        process.update(EngineCall(), stored.outputs, inputs)
    taken_back = town.held()
    town.astro.clear_faults()
    up(tables(start()), {"roles": after}, stored)

    assert taken_back == {"d-0": {first: "Reader", second: "Reader"}}
    assert town.held() == after

"""The walk's model, its complaints and its steps, without an engine: a walk that cannot fail would prove nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice, pairwise, product
from typing import Any

import pytest

from tests.support.stack import Outcome
from tests.walk.doors import Door
from tests.walk.draw import LOST_WRITE, walk
from tests.walk.model import Verdict, expect, possible
from tests.walk.programs import consistent
from tests.walk.shrinking import shorter
from tests.walk.snapshot import UNFINISHED, Held, Snapshot
from tests.walk.steps import Command, Deletion, Pair, Row, Table, read, written_down
from tests.walk.verdicts import complaints

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
D0, D1 = Pair("t0", "d0"), Pair("t0", "d1")
AN_ERROR = Outcome("astro_provider.errors.Forbidden: no", failed=True)


def _row(pair: Pair, role: str = ADMIN, **fields: Any) -> Row:
    return Row(token=pair.token, deployment=pair.deployment, role=role, **fields)


def _held(pair: Pair, role: str = ADMIN, **fields: Any) -> Held:
    return Held(frozenset({(pair, role)}), **fields)


def _moment(service: Mapping[Pair, str], **state: Held) -> Snapshot:
    entries = {pair: {"entityType": "DEPLOYMENT", "role": role} for pair, role in service.items()}
    return Snapshot(entries=entries, foreign={"t0": [{"role": "PILOT"}]}, states={"ours": state, "theirs": {}})


def _complaints(command: Command, before: Snapshot, outcome: Outcome, after: Snapshot) -> list[str]:
    return list(complaints(command, expect(command, before), before, outcome, after))


HELD = _moment({D0: ADMIN, D1: ADMIN}, one=_held(D0, ADMIN), two=_held(D1, ADMIN))
LEAVES = Command(kind="up", refresh=True, program={"one": _row(D0)})
LEFT = _moment({D0: ADMIN}, one=_held(D0, ADMIN))


def test_a_grant_that_stands_after_its_resource_left_the_program_is_a_complaint() -> None:
    told = Outcome("", steps=["delete two"])
    standing = replace(LEFT, entries=HELD.entries)

    assert _complaints(LEAVES, HELD, told, LEFT) == []
    assert [f"the service shows {ADMIN} for t0@d1, but None was expected (it was {ADMIN})"] == _complaints(
        LEAVES, HELD, told, standing
    )


def test_a_foreign_entry_that_changed_a_state_that_says_more_and_a_change_that_is_not_told_are_complaints() -> None:
    changed = replace(LEFT, foreign={"t0": []}, states=HELD.states)

    found = _complaints(LEAVES, HELD, Outcome(""), changed)

    assert [
        next(
            start for start in ("foreign entries were", "it told [], but", "the state holds") if line.startswith(start)
        )
        for line in found
    ] == ["foreign entries were", "it told [], but", "the state holds"]


def test_a_plain_up_leaves_a_hand_edit_alone_and_one_that_refreshes_mends_it() -> None:
    revoked = _moment({D0: ADMIN}, one=_held(D0, ADMIN), two=_held(D1, ADMIN))
    plain = Command(kind="up", program={"one": _row(D0), "two": _row(D1)})

    assert expect(plain, revoked).roles == {D0: ADMIN}
    assert expect(plain.model_copy(update={"refresh": True}), revoked).roles == {D0: ADMIN, D1: ADMIN}


@pytest.mark.parametrize(
    ("verdict", "role", "fields"),
    [
        (Verdict.SUCCEEDS, ADMIN, {}),
        (Verdict.FAILS, ACCESSOR, {}),
        (Verdict.SUCCEEDS, ACCESSOR, {"overwrite": True}),
    ],
)
def test_a_rename_may_fail_only_if_another_role_is_there(verdict: Verdict, role: str, fields: dict[str, Any]) -> None:
    renamed = Command(kind="up", program={"one": _row(D0), "new": _row(D1, role, **fields)})

    expected = expect(renamed, HELD)

    assert verdict is expected.verdict
    assert {D0: ADMIN, D1: role} == expected.roles


def test_another_token_by_its_name_is_refused_without_checks_because_nobody_could_know_the_replacement() -> None:
    program = {"one": _row(Pair("t1", "d0")), "two": _row(D1)}
    up = Command(kind="up", program=program, checks="off")
    preview = Command(kind="preview", program=program, checks="off")

    assert Verdict.FAILS is expect(up, HELD).verdict
    assert Verdict.SUCCEEDS is expect(preview, HELD).verdict
    assert frozenset({"update one"}) == expect(up, HELD).steps == expect(preview, HELD).steps
    assert frozenset({"replace one"}) == expect(up.model_copy(update={"checks": "warn"}), HELD).steps


def test_after_an_error_a_grant_that_stands_and_was_forgotten_is_a_complaint() -> None:
    command = Command(kind="up", program={})
    forgotten = replace(HELD, states={"ours": {"one": _held(D0, ADMIN)}, "theirs": {}})

    found = _complaints(command, HELD, AN_ERROR, forgotten)

    assert f"after the error the state has forgotten t0@d1, but the service shows {ADMIN}" in found


def test_after_an_error_a_grant_that_is_gone_though_a_rename_asks_for_it_is_a_complaint() -> None:
    command = Command(kind="up", program={"one": _row(D0), "new": _row(D1)}, faults=({"kind": "html"},))
    lost = replace(HELD, entries={D0: HELD.entries[D0]})

    found = _complaints(command, HELD, AN_ERROR, lost)

    assert [f"after the error the service shows None for t0@d1, but it may only show {ADMIN}"] == found


def test_only_a_targeted_delete_of_what_an_untargeted_resource_of_the_program_has_is_left_out() -> None:
    twice = _moment({D0: ADMIN}, old=_held(D0, ADMIN), new=_held(D0, ADMIN))
    renamed = {"new": _row(D0)}

    assert possible(Command(kind="up", program=renamed, targets=("old",)), twice) is None
    assert possible(Command(kind="destroy", program=renamed, targets=("old",)), twice) is None
    assert possible(Command(kind="up", program=renamed, targets=("old", "new")), twice) is not None
    assert possible(Command(kind="up", program=renamed), twice) is not None
    assert possible(Command(kind="up", program={}, targets=("old",)), twice) is not None


def test_a_refresh_is_not_aimed_at_what_the_state_does_not_have() -> None:
    empty = _moment({})
    aimed = Command(kind="up", program={"new": _row(D0)}, targets=("new",))

    assert possible(aimed, empty) is not None
    assert possible(aimed.model_copy(update={"refresh": True}), empty) is None


def test_the_steps_are_unknown_only_if_a_replacement_deletes_what_another_resource_keeps() -> None:
    twice = _moment({D0: ADMIN}, one=_held(D0, ADMIN), two=_held(D0, ADMIN))
    moved = Command(kind="up", program={"one": _row(D1), "two": _row(D0)})
    once = _moment({D0: ADMIN}, one=_held(D0, ADMIN))

    assert expect(moved, twice).steps is None
    assert frozenset({"replace one", "create two"}) == expect(moved, once).steps


def test_what_a_failed_move_has_deleted_is_made_again() -> None:
    half_moved = _moment({}, one=_held(D0, ADMIN, gone=True))
    taken_back = Command(kind="up", program={"one": _row(D0)})

    expected = expect(taken_back, half_moved)

    assert expected.verdict is Verdict.SUCCEEDS
    assert expected.roles == {D0: ADMIN}


def _as_table(*pairs: Pair, role: str = ADMIN, **fields: Any) -> Held:
    places = fields.pop("places", {pair.deployment for pair in pairs})
    return Held(frozenset((pair, role) for pair in pairs), deployments=frozenset(places), **fields)


OTHER = Pair("t1", "d0")
KEEPS_OUT = Table(grid={"d0": {"t0": ADMIN}}, exclusive=True)
ALONE = _as_table(D0, options=frozenset({"exclusive"}))


def test_an_exclusive_table_takes_the_roles_of_others_in_its_deployments_only() -> None:
    before = _moment({D0: ADMIN, D1: ADMIN, OTHER: ADMIN}, table=ALONE)
    up = Command(kind="up", program={"table": KEEPS_OUT})
    after = _moment({D0: ADMIN, D1: ADMIN}, table=ALONE)

    assert expect(up, before).roles == {D0: ADMIN, D1: ADMIN}
    assert expect(up, before).steps == frozenset({"update table"})
    assert _complaints(up, before, Outcome("", steps=["update table"]), after) == []
    assert [f"the service shows {ADMIN} for t1@d0, but None was expected (it was {ADMIN})"] == _complaints(
        up, before, Outcome("", steps=["update table"]), before
    )


def test_without_exclusive_or_checks_that_could_see_them_others_stay() -> None:
    before = _moment({D0: ADMIN, OTHER: ADMIN}, table=ALONE)
    unseen = Command(kind="up", program={"table": KEEPS_OUT}, checks="off")
    shared = Command(kind="up", program={"table": KEEPS_OUT.model_copy(update={"exclusive": False})})
    changed = Command(kind="up", program={"table": Table(grid={"d0": {}}, exclusive=True)}, checks="off")

    assert expect(unseen, before).steps == frozenset()
    assert expect(unseen, before).roles == expect(shared, before).roles == {D0: ADMIN, OTHER: ADMIN}
    assert expect(changed, before).roles == {}


def test_an_entry_that_moves_stands_afterwards_and_after_an_error_only_if_its_table_is_not_asked_first() -> None:
    before = _moment({D0: ADMIN, D1: ADMIN}, table=_as_table(D0, D1))
    out = Command(kind="up", program={"table": Table(grid={"d0": {"t0": ADMIN}}), "one": _row(D1)})
    away = Command(kind="up", program={"one": _row(D1)})

    assert expect(out, before).roles == {D0: ADMIN, D1: ADMIN}
    assert expect(away, before).roles == {D1: ADMIN}
    assert expect(out, before).possible_roles[D1] == {ADMIN, None}
    assert expect(away, before).possible_roles[D1] == {ADMIN}


def test_a_table_that_was_written_halfway_is_a_complaint_unless_the_state_tells() -> None:
    before = _moment({D0: ADMIN}, table=_as_table(D0))
    up = Command(kind="up", program={"table": Table(grid={"d0": {"t0": ACCESSOR}, "d1": {"t0": ADMIN}})}, faults=({},))
    halfway = _moment({D0: ACCESSOR, D1: ADMIN}, table=_as_table(D0))
    told = _moment({D0: ACCESSOR, D1: ADMIN}, table=_as_table(D0, D1, role=UNFINISHED))
    next_up = Command(kind="up", program={"table": Table(grid={"d0": {"t0": ADMIN}})})

    assert _complaints(up, before, AN_ERROR, before) == []
    assert _complaints(up, before, AN_ERROR, told) == []
    assert [
        f"after the error the service shows {ACCESSOR} for t0@d0, but the state tells {ADMIN}",
        f"after the error the service shows {ADMIN} for t0@d1, but the state tells None",
    ] == _complaints(up, before, AN_ERROR, halfway)
    assert expect(next_up, told).roles == {D0: ADMIN}
    assert expect(next_up, told).steps == frozenset({"update table"})


@pytest.mark.parametrize("stored", [ACCESSOR, None], ids=["an update", "a create"])
def test_a_binding_that_was_written_and_not_seen_again_is_a_complaint_unless_the_state_marks_it(
    stored: str | None,
) -> None:
    before = _moment({D0: stored}, one=_held(D0, stored)) if stored else _moment({})
    up = Command(kind="up", program={"one": _row(D0, ADMIN)}, faults=({},))
    silent = replace(before, entries=_moment({D0: ADMIN}).entries)
    marked = _moment({D0: ADMIN}, one=_held(D0, UNFINISHED))
    back = Command(kind="up", program={"one": _row(D0, stored)} if stored else {})

    assert _complaints(up, before, AN_ERROR, before) == []
    assert _complaints(up, before, AN_ERROR, marked) == []
    assert [f"after the error the service shows {ADMIN} for t0@d0, but the state tells {stored}"] == _complaints(
        up, before, AN_ERROR, silent
    )
    assert expect(back, marked).steps == frozenset({"update one" if stored else "delete one"})
    assert expect(back, marked).roles == ({D0: stored} if stored else {})


def test_a_later_twin_of_a_stored_binding_that_is_made_or_let_pass_is_a_complaint() -> None:
    before = _moment({D0: ADMIN}, one=_held(D0))
    up = Command(kind="up", program={"one": _row(D0)}, twin="one")
    made = _moment({D0: ADMIN}, **{"one": _held(D0), "one-twin": _held(D0)})

    assert _complaints(up, before, AN_ERROR, before) == []
    assert _complaints(up, before, AN_ERROR, made) != []
    assert _complaints(up.model_copy(update={"twin_first": True}), before, AN_ERROR, made) == []
    assert [line for line in _complaints(up, before, Outcome(""), before) if line.startswith("it succeeded, but")] != []
    assert possible(up.model_copy(update={"program": {}}), before) == Command(kind="up")


def test_two_stored_twins_are_refused_only_by_strict_checks() -> None:
    before = _moment({D0: ADMIN}, **{"one": _held(D0), "one-twin": _held(D0)})
    up = Command(kind="up", program={"one": _row(D0, ACCESSOR)}, twin="one")

    assert expect(up, before).verdict is Verdict.SUCCEEDS
    assert expect(up, before).steps == frozenset({"update one", "update one-twin"})
    assert expect(up.model_copy(update={"checks": "strict"}), before).verdict is Verdict.FAILS
    assert expect(Command(kind="up", program=up.program), before).roles == {D0: ACCESSOR}


def test_a_binding_in_a_deleted_deployment_leaves_the_state_by_a_refresh_and_hinders_no_other() -> None:
    before = replace(_moment({D1: ADMIN}, one=_held(D0), two=_held(D1)), deleted=frozenset({"d0"}))
    up = Command(kind="up", program={"one": _row(D0), "two": _row(D1, ACCESSOR)})

    assert (expect(up, before).verdict, expect(up, before).steps) == (Verdict.SUCCEEDS, frozenset({"update two"}))
    assert expect(up.model_copy(update={"checks": "strict"}), before).verdict is Verdict.FAILS
    assert expect(Command(kind="refresh"), before).state == {"two": _held(D1)}
    assert expect(up.model_copy(update={"refresh": True}), before).verdict is Verdict.FAILS
    assert expect(Command(kind="up", program={"two": _row(D1)}), before).steps == frozenset({"delete one"})


def test_a_table_with_an_entry_in_a_deleted_deployment_can_still_change() -> None:
    table = Table(grid={"d0": {"t0": ADMIN}, "d1": {"t0": ACCESSOR}})
    before = replace(_moment({D1: ADMIN}, table=_as_table(D0, D1)), deleted=frozenset({"d0"}))
    up = Command(kind="up", program={"table": table})

    assert expect(up, before).verdict is Verdict.SUCCEEDS
    assert expect(up, before).roles == {D1: ACCESSOR}
    assert expect(Command(kind="up", program={"table": table.giving(D0, ACCESSOR)}), before).verdict is Verdict.FAILS
    assert expect(Command(kind="refresh"), before).state == {"table": _as_table(D1)}


def test_a_grant_that_moves_to_the_other_door_may_be_lost_and_no_other_may() -> None:
    before = _moment({D0: ADMIN, D1: ADMIN}, one=_held(D0), two=_held(D1))
    moved = Command(kind="up", program={"new": _row(D0, native=True), "two": _row(D1, native=True)})
    native = frozenset({"native"})
    after = {"new": _held(D0, options=native), "two": _held(D1, options=native)}
    told = Outcome("", steps=["create new", "update two", "delete one"])

    assert _complaints(moved, before, told, _moment({D0: ADMIN, D1: ADMIN}, **after)) == []
    assert _complaints(moved, before, told, _moment({D1: ADMIN}, **after)) == []
    assert [f"the service shows None for t0@d1, but {ADMIN} was expected (it was {ADMIN})"] == _complaints(
        moved, before, told, _moment({D0: ADMIN}, **after)
    )


def test_walks_declare_twins_and_delete_deployments() -> None:
    steps = [step for seed in range(10) for step in islice(walk(seed), 60)]
    twins = [step.twin for step in steps if isinstance(step, Command)]

    assert sum(bool(twin) for twin in twins) > len(twins) / 100
    assert any(one and one == two for one, two in pairwise(twins))
    assert sum(isinstance(step, Deletion) for step in steps) > 5


def test_walks_by_both_doors_move_resources_and_entries_between_them() -> None:
    programs = [step.program for step in islice(walk(3, Door.BOTH), 200) if isinstance(step, Command)]
    moves = Counter(
        (one == two, old[one].native)
        for old, new in pairwise(programs)
        for one, two in product(old, new)
        if old[one].native != new[two].native and old[one].roles.keys() & new[two].roles.keys()
    )

    assert moves.keys() == set(product((True, False), repeat=2))


def test_walks_lose_the_answers_of_writes() -> None:
    faults = [step.faults for seed in range(10) for step in islice(walk(seed), 60) if isinstance(step, Command)]
    lost = [fault for fault in faults if LOST_WRITE in fault]

    assert len(lost) > len([fault for fault in faults if fault]) / 5


def test_a_refresh_takes_what_is_gone_out_of_a_table_and_finds_strangers() -> None:
    before = _moment({OTHER: ADMIN}, table=ALONE)
    found = expect(Command(kind="refresh"), before).state["table"]

    assert found == replace(ALONE, entries=frozenset(), strangers=frozenset({(OTHER, ADMIN)}))


def test_walks_meet_tables_that_keep_others_out_and_moves_between_all_kinds() -> None:
    programs = [step.program for seed in range(20) for step in islice(walk(seed), 60) if isinstance(step, Command)]
    moves = Counter(
        f"{type(old[one]).__name__} to {type(new[two]).__name__}"
        for old, new in pairwise(programs)
        for one, two in product(old, new)
        if one != two and old[one].roles.keys() & new[two].roles.keys() - new.get(one, Table(grid={})).roles.keys()
    )
    tables = Counter(sum(isinstance(row, Table) for row in program.values()) for program in programs)

    assert min(tables[number] for number in range(3)) > len(programs) / 10
    assert moves.keys() == {"Row to Row", "Row to Table", "Table to Row", "Table to Table"}
    assert min(moves.values()) > len(programs) / 100
    assert any("exclusive" in row.options for program in programs for row in program.values())


def test_a_seed_draws_the_same_steps_every_time_and_they_can_be_written_down() -> None:
    steps = list(islice(walk(13), 50))

    assert steps == list(islice(walk(13), 50))
    assert steps == read(written_down(steps))
    assert steps != list(islice(walk(14), 50))


def test_no_program_of_a_walk_declares_a_binding_twice_or_where_an_exclusive_table_keeps_it_out() -> None:
    programs = [step.program for step in islice(walk(1), 500) if isinstance(step, Command)]

    assert all(consistent(program) for program in programs)


def test_shorter_walks_have_less_in_them_and_keep_the_step_that_failed() -> None:
    steps = list(islice((step for step in walk(13) if isinstance(step, Command)), 6))

    found = list(shorter(steps))

    assert [steps[3:], [*steps[:2], steps[5]]] == [found[0][-3:], [*found[1][:2], found[1][-1]]]
    assert all(len(one) < len(steps) or written_down(one) != written_down(steps) for one in found)
    assert {step.kind for step in steps[-1:]} == {one[-1].kind for one in found if isinstance(one[-1], Command)}

"""What a process remembers of its writes, until it has seen them standing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from astro_provider.astro.api import ApiToken, ApiTokenRole
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing.account import MOST_TIMES_UNDONE, NotStanding, Others, Reason
from astro_provider.astro.writing.changes import Change, Put, Remove, Roles
from astro_provider.astro.writing.ledger import FIRST_PAUSE, MOST_DOUBLINGS, MOST_EXTENSIONS, Ledger

TOKEN = TokenKey("o", "t")
ONE, TWO = BindingId("o", "d1", "t"), BindingId("o", "d2", "t")
GRANT = Put(ONE, "A")


def entries(**roles: str) -> Roles:
    return tuple(ApiTokenRole(entity_type="DEPLOYMENT", entity_id=d, role=role) for d, role in roles.items())


def token(roles: Roles, *, updated_at: float | None = None, updated_by: str | None = None) -> ApiToken:
    return ApiToken.model_validate(
        {
            "id": "t",
            "roles": roles,
            "updatedAt": None if updated_at is None else datetime.fromtimestamp(updated_at, UTC).isoformat(),
            "updatedBy": None if updated_by is None else {"id": "someone", "apiTokenName": updated_by},
        }
    )


@pytest.fixture
def ledger() -> Ledger:
    """A ledger that holds a grant of the role A, shown at 100, with a settle time of 10."""
    ledger = Ledger(10.0)
    ledger.wrote(GRANT, 100.0)
    return ledger


def test_without_a_settle_time_nothing_is_remembered() -> None:
    ledger = Ledger(0.0)

    ledger.wrote(GRANT, 100.0)

    assert ledger.unsettled == []
    assert ledger.due() == {}


def test_what_was_written_can_settle_a_settle_time_later(ledger: Ledger) -> None:
    assert ledger.unsettled == [ONE]
    assert ledger.due() == {TOKEN: 110.0}


def test_a_token_is_due_a_settle_time_after_the_last_write_to_it(ledger: Ledger) -> None:
    ledger.wrote(Remove(TWO), 103.0)

    assert ledger.unsettled == [ONE, TWO]
    assert ledger.due() == {TOKEN: 113.0}


@pytest.mark.parametrize(("read_at", "remembered"), [(100.0, [ONE]), (109.9, [ONE]), (110.0, []), (500.0, [])])
def test_it_is_forgotten_once_a_read_a_settle_time_later_shows_it(
    ledger: Ledger, read_at: float, remembered: list[BindingId]
) -> None:
    assert ledger.settle(ONE, "a", read_at) is None
    assert remembered == ledger.unsettled


@pytest.mark.parametrize("held", [None, "B"])
@pytest.mark.parametrize("read_at", [101.0, 110.0])
def test_a_grant_that_vanished_or_changed_must_be_made_again(ledger: Ledger, held: str | None, read_at: float) -> None:
    assert ledger.settle(ONE, held, read_at) == GRANT
    assert ledger.unsettled == [ONE]


def test_a_removal_that_came_back_must_be_made_again() -> None:
    ledger = Ledger(10.0)
    ledger.wrote(Remove(ONE), 100.0)

    assert Remove(ONE) == ledger.settle(ONE, "A", 105.0)
    assert ledger.settle(ONE, None, 110.0) is None
    assert ledger.unsettled == []


def test_of_what_was_never_written_nothing_is_undone(ledger: Ledger) -> None:
    assert ledger.settle(TWO, None, 105.0) is None


def test_a_later_change_of_the_same_binding_takes_the_place_of_the_earlier_one(ledger: Ledger) -> None:
    ledger.wrote(Remove(ONE), 104.0)

    assert ledger.settle(ONE, None, 105.0) is None
    assert Remove(ONE) == ledger.settle(ONE, "A", 105.0)
    assert ledger.due() == {TOKEN: 114.0}


def test_a_read_of_a_token_shows_what_was_undone_there_and_nowhere_else(ledger: Ledger) -> None:
    ledger.wrote(Put(TWO, "A"), 100.0)
    ledger.wrote(Put(BindingId("o", "d1", "another token"), "A"), 100.0)
    ledger.wrote(Put(BindingId("another organization", "d1", "t"), "A"), 100.0)

    assert ledger.to_make_again(TOKEN, token(entries(d2="A")), 105.0) == [GRANT]


def test_where_a_list_is_not_the_one_that_we_left_the_settle_time_begins_again(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert ledger.to_make_again(TOKEN, token(entries(d1="A", theirs="A")), 110.0) == []
    assert ledger.due() == {TOKEN: 120.0}
    assert ledger.to_make_again(TOKEN, token(entries(d1="A", theirs="A")), 120.0) == []
    assert ledger.unsettled == []


def test_where_a_list_is_the_one_that_we_left_it_does_not(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert ledger.to_make_again(TOKEN, token(entries(d1="A")), 110.0) == []
    assert ledger.unsettled == []


def test_it_does_not_begin_again_for_ever(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    for number in range(MOST_EXTENSIONS):
        assert ledger.to_make_again(TOKEN, token(entries(d1="A", theirs=str(number))), 110.0 + 10 * number) == []
        assert ledger.unsettled == [ONE]
    assert ledger.to_make_again(TOKEN, token(entries(d1="A", theirs="once more")), 110.0 + 10 * MOST_EXTENSIONS) == []

    assert ledger.unsettled == []


@pytest.mark.parametrize(("updated_at", "due"), [(None, {}), (1000.0, {}), (1000.1, {TOKEN: 120.0})])
def test_an_update_that_is_later_than_ours_can_be_makes_the_settle_time_begin_again(
    ledger: Ledger, updated_at: float | None, due: dict[TokenKey, float]
) -> None:
    ledger.left(TOKEN, entries(d1="A"), latest_update=1000.0)

    assert ledger.to_make_again(TOKEN, token(entries(d1="A"), updated_at=updated_at), 110.0) == []

    assert due == ledger.due()


def test_an_update_that_was_seen_before_does_not_make_it_begin_again(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"), latest_update=1000.0)

    for read_at in (110.0, 120.0):
        assert ledger.to_make_again(TOKEN, token(entries(d1="A"), updated_at=1005.0), read_at) == []

    assert ledger.due() == {}


def test_what_shows_undone_for_the_first_time_after_two_settle_times_is_not_made_again(ledger: Ledger) -> None:
    assert ledger.settle(ONE, None, 120.1) is None

    assert ledger.unsettled == []
    assert ledger.given_up == {ONE: NotStanding(GRANT, Reason.LATE)}


def test_nor_do_others_at_work_make_it_so(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert ledger.to_make_again(TOKEN, token(entries(theirs="A")), 120.1) == []

    assert list(ledger.given_up) == [ONE]


def test_what_has_shown_undone_in_time_is_made_again_also_later(ledger: Ledger) -> None:
    ledger.settle(ONE, None, 115.0)

    assert ledger.settle(ONE, None, 150.0) == GRANT


def undo(ledger: Ledger, at: float, *, by_look: bool) -> list[Change]:
    """Let a read find the grant undone, and put it back."""
    undone = ledger.to_make_again(TOKEN, token(entries()), at, by_look=by_look)
    for change in undone:
        ledger.repaired(change, at)
    return undone


def test_what_looks_find_undone_in_so_many_settle_times_is_given_up(ledger: Ledger) -> None:
    for number in range(MOST_TIMES_UNDONE):
        assert undo(ledger, 110.0 + 10 * number, by_look=True) == [GRANT]

    assert undo(ledger, 110.0 + 10 * MOST_TIMES_UNDONE, by_look=True) == []
    assert ledger.given_up == {ONE: NotStanding(GRANT, Reason.UNDONE)}


def test_looks_within_one_settle_time_count_once(ledger: Ledger) -> None:
    for number in range(10 * MOST_TIMES_UNDONE):
        assert undo(ledger, 110.0 + number, by_look=True) == [GRANT]

    assert undo(ledger, 110.0 + 10 * MOST_TIMES_UNDONE, by_look=True) == []


def test_the_reads_of_a_runs_own_changes_count_nothing(ledger: Ledger) -> None:
    for number in range(10 * MOST_TIMES_UNDONE):
        assert undo(ledger, 110.0 + 10 * number, by_look=False) == [GRANT]

    assert ledger.given_up == {}


def test_a_list_of_a_deployments_tokens_is_a_look_too(ledger: Ledger) -> None:
    for number in range(MOST_TIMES_UNDONE):
        assert ledger.settle(ONE, None, 110.0 + 10 * number, by_look=True) == GRANT
        ledger.repaired(GRANT, 110.0 + 10 * number)

    assert ledger.settle(ONE, None, 110.0 + 10 * MOST_TIMES_UNDONE, by_look=True) is None


def pauses(*moments: float, draw: float) -> list[float]:
    """The pause after each read that finds the grant undone and puts it back, at those times."""
    ledger = Ledger(10.0, lambda: draw)
    ledger.wrote(GRANT, 100.0)
    found = []
    for at in moments:
        undo(ledger, at, by_look=False)
        found.append(ledger.pause(TOKEN))
    return found


def test_a_lone_writer_never_pauses(ledger: Ledger) -> None:
    before = ledger.pause(TOKEN)
    ledger.to_make_again(TOKEN, token(entries(d1="A", theirs="B")), 101.0)

    assert (before, ledger.pause(TOKEN)) == (0.0, 0.0)


def test_a_writer_that_is_undone_pauses_twice_as_long_each_time_up_to_half_a_settle_time() -> None:
    longest = pauses(101.0, 102.0, 103.0, 104.0, 105.0, draw=1.0)

    assert longest == [1.25, 2.5, 5.0, 5.0, 5.0]
    assert longest[-1] == FIRST_PAUSE * 2**MOST_DOUBLINGS * 10.0


def test_a_pause_is_random() -> None:
    assert pauses(101.0, draw=0.4) == [0.5]


def test_the_pause_ends_with_a_read_that_shows_all_standing(ledger: Ledger) -> None:
    undo(ledger, 101.0, by_look=False)
    ledger.to_make_again(TOKEN, token(entries(d1="A")), 102.0)

    assert ledger.pause(TOKEN) == 0.0


def test_the_pause_ends_with_a_list_that_shows_it_standing_a_settle_time_later(ledger: Ledger) -> None:
    undo(ledger, 101.0, by_look=True)

    ledger.settle(ONE, "A", 111.0, by_look=True)

    assert ledger.pause(TOKEN) == 0.0


def test_a_pause_is_of_one_token(ledger: Ledger) -> None:
    undo(ledger, 101.0, by_look=False)

    assert ledger.pause(TokenKey("o", "another token")) == 0.0


def test_what_others_have_changed_is_known_by_deployment(ledger: Ledger) -> None:
    ledger.sent([GRANT, Remove(TWO)], 99.0)
    ledger.left(TOKEN, entries(d1="A", kept="A", changed="A"))

    ledger.to_make_again(TOKEN, token(entries(d2="A", kept="A", changed="B", new="A")), 101.0)

    assert ledger.others(TOKEN) == Others(deployment_ids=("changed", "new"))


def test_another_writer_is_known_by_name_if_its_update_is_later_than_ours(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"), latest_update=1000.0)

    ledger.to_make_again(TOKEN, token(entries(d1="A"), updated_at=1000.0, updated_by="this run"), 101.0)
    ours = ledger.others(TOKEN)
    ledger.to_make_again(TOKEN, token(entries(d1="A"), updated_at=1001.0, updated_by="ci-b"), 102.0)
    theirs = ledger.others(TOKEN)
    ledger.to_make_again(TOKEN, token(entries(d1="A"), updated_at=1001.0, updated_by="ci-b"), 103.0)

    assert (ours, theirs, ledger.others(TOKEN)) == (Others(), Others("ci-b"), Others("ci-b"))


def test_what_needed_no_write_is_not_remembered() -> None:
    ledger = Ledger(10.0)

    ledger.needed_no_write(GRANT, 100.0, 100.0)

    assert ledger.unsettled == []


def test_what_needed_no_write_because_somebody_wrote_an_old_list_back_is_remembered(ledger: Ledger) -> None:
    ledger.wrote(Remove(ONE), 101.0)

    ledger.needed_no_write(GRANT, 102.0, 102.0)

    assert ledger.settle(ONE, None, 103.0) == GRANT
    assert ledger.due() == {TOKEN: 112.0}


@pytest.mark.parametrize(("later", "is_defended"), [(1.0, True), (20.0, True), (20.5, False)])
def test_what_needed_no_write_is_defended_after_a_write_of_ours_that_had_no_answer(
    *, later: float, is_defended: bool
) -> None:
    ledger = Ledger(10.0)
    ledger.sent([GRANT], 100.0)

    ledger.needed_no_write(GRANT, 100.0 + later, 140.0)  # however late the answer comes

    assert ([ONE] if is_defended else []) == ledger.unsettled


def test_what_is_forgotten_is_not_made_again(ledger: Ledger) -> None:
    ledger.forget([ONE, TWO])

    assert ledger.settle(ONE, None, 105.0) is None
    assert ledger.unsettled == []


def test_what_is_given_up_is_not_made_again_and_its_reason_is_kept(ledger: Ledger) -> None:
    ledger.give_up(GRANT, Reason.REFUSED, "no such role")

    assert ledger.settle(ONE, None, 105.0) is None
    assert ledger.given_up == {ONE: NotStanding(GRANT, Reason.REFUSED, "no such role")}
    assert ledger.due() == {}

"""What a process remembers of its writes, until it has seen them standing."""

from __future__ import annotations

import pytest

from astro_provider.astro.api import ApiTokenRole
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Put, Remove, Roles
from astro_provider.astro.writing.ledger import MOST_EXTENSIONS, MOST_REPAIRS, Ledger, TokenKey

TOKEN = ("o", "t")
ONE, TWO = BindingId("o", "d1", "t"), BindingId("o", "d2", "t")
GRANT = Put(ONE, "A")


def entries(**roles: str) -> Roles:
    return tuple(ApiTokenRole(entity_type="DEPLOYMENT", entity_id=d, role=role) for d, role in roles.items())


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

    assert ledger.to_make_again(TOKEN, entries(d2="A"), 105.0) == [GRANT]


def test_where_a_list_is_not_the_one_that_we_left_the_settle_time_begins_again(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert ledger.to_make_again(TOKEN, entries(d1="A", theirs="A"), 110.0) == []
    assert ledger.due() == {TOKEN: 120.0}
    assert ledger.to_make_again(TOKEN, entries(d1="A", theirs="A"), 120.0) == []
    assert ledger.unsettled == []


def test_where_a_list_is_the_one_that_we_left_it_does_not(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert ledger.to_make_again(TOKEN, entries(d1="A"), 110.0) == []
    assert ledger.unsettled == []


def test_it_does_not_begin_again_for_ever(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    for number in range(MOST_EXTENSIONS):
        assert ledger.to_make_again(TOKEN, entries(d1="A", theirs=str(number)), 110.0 + 10 * number) == []
        assert ledger.unsettled == [ONE]
    assert ledger.to_make_again(TOKEN, entries(d1="A", theirs="once more"), 110.0 + 10 * MOST_EXTENSIONS) == []

    assert ledger.unsettled == []


@pytest.mark.parametrize(("updated_at", "due"), [(None, {}), (1000.0, {}), (1000.1, {TOKEN: 120.0})])
def test_an_update_that_is_later_than_ours_can_be_makes_the_settle_time_begin_again(
    ledger: Ledger, updated_at: float | None, due: dict[TokenKey, float]
) -> None:
    ledger.left(TOKEN, entries(d1="A"), latest_update=1000.0)

    assert ledger.to_make_again(TOKEN, entries(d1="A"), 110.0, updated_at=updated_at) == []

    assert due == ledger.due()


def test_an_update_that_was_seen_before_does_not_make_it_begin_again(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"), latest_update=1000.0)

    for read_at in (110.0, 120.0):
        assert ledger.to_make_again(TOKEN, entries(d1="A"), read_at, updated_at=1005.0) == []

    assert ledger.due() == {}


def test_what_shows_undone_for_the_first_time_after_two_settle_times_is_not_made_again(ledger: Ledger) -> None:
    assert ledger.settle(ONE, None, 120.1) is None

    assert ledger.unsettled == []
    assert ledger.given_up == {
        ONE: "Token t in deployment d1 shows no role 20.1 s after the write; by then somebody may have decided that, so "
        "nothing was put back."
    }


def test_nor_do_others_at_work_make_it_so(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert ledger.to_make_again(TOKEN, entries(theirs="A"), 120.1) == []

    assert list(ledger.given_up) == [ONE]


def test_what_has_shown_undone_in_time_is_made_again_also_later(ledger: Ledger) -> None:
    ledger.settle(ONE, None, 115.0)

    assert ledger.settle(ONE, None, 150.0) == GRANT


def test_what_is_undone_again_and_again_is_given_up_in_the_end(ledger: Ledger) -> None:
    for number in range(MOST_REPAIRS):
        assert ledger.settle(ONE, None, 101.0 + number) == GRANT
        ledger.repaired(GRANT, 101.0 + number)

    assert ledger.settle(ONE, None, 102.0 + MOST_REPAIRS) is None
    assert ledger.given_up == {ONE: "Token t in deployment d1 was undone by another writer 11 times."}


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
    ledger.give_up(ONE, "no such role")

    assert ledger.settle(ONE, None, 105.0) is None
    assert ledger.given_up == {ONE: "no such role"}
    assert ledger.due() == {}

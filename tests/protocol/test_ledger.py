"""What a process remembers of its writes, until it has seen them standing."""

from __future__ import annotations

import pytest

from astro_provider.api import ApiTokenRole
from astro_provider.identity import BindingId
from astro_provider.writing.changes import Put, Remove, Roles
from astro_provider.writing.ledger import MOST_EXTENSIONS, Ledger

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

    assert [] == ledger.unsettled
    assert ledger.settled_at is None


def test_what_was_written_can_settle_a_settle_time_later(ledger: Ledger) -> None:
    assert [ONE] == ledger.unsettled
    assert 110.0 == ledger.settled_at


def test_all_of_it_can_settle_a_settle_time_after_the_last_write(ledger: Ledger) -> None:
    ledger.wrote(Remove(TWO), 103.0)

    assert [ONE, TWO] == ledger.unsettled
    assert 113.0 == ledger.settled_at


@pytest.mark.parametrize(("read_at", "remembered"), [(100.0, [ONE]), (109.9, [ONE]), (110.0, []), (500.0, [])])
def test_it_is_forgotten_once_a_read_a_settle_time_later_shows_it(
    ledger: Ledger, read_at: float, remembered: list[BindingId]
) -> None:
    assert ledger.saw(ONE, "a", read_at) is None
    assert remembered == ledger.unsettled


@pytest.mark.parametrize("held", [None, "B"])
@pytest.mark.parametrize("read_at", [101.0, 110.0])
def test_a_grant_that_vanished_or_changed_must_be_made_again(ledger: Ledger, held: str | None, read_at: float) -> None:
    assert GRANT == ledger.saw(ONE, held, read_at)
    assert [ONE] == ledger.unsettled


def test_a_removal_that_came_back_must_be_made_again() -> None:
    ledger = Ledger(10.0)
    ledger.wrote(Remove(ONE), 100.0)

    assert Remove(ONE) == ledger.saw(ONE, "A", 105.0)
    assert ledger.saw(ONE, None, 110.0) is None
    assert [] == ledger.unsettled


def test_of_what_was_never_written_nothing_is_undone(ledger: Ledger) -> None:
    assert ledger.saw(TWO, None, 105.0) is None


def test_a_later_change_of_the_same_binding_takes_the_place_of_the_earlier_one(ledger: Ledger) -> None:
    ledger.wrote(Remove(ONE), 104.0)

    assert ledger.saw(ONE, None, 105.0) is None
    assert Remove(ONE) == ledger.saw(ONE, "A", 105.0)
    assert 114.0 == ledger.settled_at


def test_a_read_of_a_token_shows_what_was_undone_there_and_nowhere_else(ledger: Ledger) -> None:
    ledger.wrote(Put(TWO, "A"), 100.0)
    ledger.wrote(Put(BindingId("o", "d1", "another token"), "A"), 100.0)
    ledger.wrote(Put(BindingId("another organization", "d1", "t"), "A"), 100.0)

    assert [GRANT] == ledger.undone(TOKEN, entries(d2="A"), 105.0)


def test_where_a_list_is_not_the_one_that_we_left_the_settle_time_begins_again(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert [] == ledger.undone(TOKEN, entries(d1="A", theirs="A"), 110.0)
    assert 120.0 == ledger.settled_at
    assert [] == ledger.undone(TOKEN, entries(d1="A", theirs="A"), 120.0)
    assert [] == ledger.unsettled


def test_where_a_list_is_the_one_that_we_left_it_does_not(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    assert [] == ledger.undone(TOKEN, entries(d1="A"), 110.0)
    assert [] == ledger.unsettled


def test_it_does_not_begin_again_for_ever(ledger: Ledger) -> None:
    ledger.left(TOKEN, entries(d1="A"))

    for number in range(MOST_EXTENSIONS):
        assert [] == ledger.undone(TOKEN, entries(d1="A", theirs=str(number)), 110.0 + 10 * number)
        assert [ONE] == ledger.unsettled
    assert [] == ledger.undone(TOKEN, entries(d1="A", theirs="once more"), 110.0 + 10 * MOST_EXTENSIONS)

    assert [] == ledger.unsettled


def test_what_is_forgotten_is_not_made_again(ledger: Ledger) -> None:
    ledger.forget([ONE, TWO])

    assert ledger.saw(ONE, None, 105.0) is None
    assert [] == ledger.unsettled


def test_what_is_given_up_is_not_made_again_and_its_reason_is_kept(ledger: Ledger) -> None:
    ledger.give_up(ONE, "no such role")

    assert ledger.saw(ONE, None, 105.0) is None
    assert {ONE: "no such role"} == ledger.given_up
    assert ledger.settled_at is None

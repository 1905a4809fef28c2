"""What the program holds, no delete takes away: every order in which the engine may ask.

The calls stand here as the engine makes them: `checked` with the old inputs, without them, or both; `created` and
`deleting` in the order of the steps.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

from astro_provider.holdings import Holdings
from astro_provider.identity import BindingId

X = BindingId("o", "x", "t")
Y = BindingId("o", "y", "t")
Z = BindingId("o", "z", "t")


def checked_unchanged(holdings: Holdings, binding: BindingId) -> None:
    """A resource that binds what it binds in the state."""
    holdings.checked(binding, in_state=True)


def checked_new(holdings: Holdings, binding: BindingId) -> None:
    """A resource that is not in the state."""
    holdings.checked(binding, in_state=False)


def checked_moved(holdings: Holdings, new: BindingId) -> None:
    """A resource that is replaced because it binds something else now: the engine checks it twice."""
    holdings.checked(new, in_state=True)
    holdings.checked(new, in_state=False)


def may_delete(holdings: Holdings, binding: BindingId) -> bool:
    with holdings.deleting(binding) as allowed:
        return allowed


def test_what_nothing_holds_may_be_deleted() -> None:
    holdings = Holdings()

    assert may_delete(holdings, X)


def test_destroy_checks_nothing_and_deletes_everything() -> None:
    holdings = Holdings()

    assert all(may_delete(holdings, binding) for binding in (X, Y, Z))


def test_what_was_removed_from_the_program_is_deleted_and_the_rest_is_kept() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, Y)

    assert may_delete(holdings, X)
    assert not may_delete(holdings, Y)


def test_a_rename_keeps_what_the_new_name_was_given() -> None:
    holdings = Holdings()
    checked_new(holdings, X)

    assert holdings.created(X)
    assert not may_delete(holdings, X)


def test_a_rename_keeps_it_also_where_check_could_not_know_the_binding() -> None:
    holdings = Holdings()

    assert holdings.created(X)
    assert not may_delete(holdings, X)


def test_the_leftover_of_an_earlier_run_does_not_take_what_the_new_name_holds() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, X)

    assert not may_delete(holdings, X)


def test_a_forced_replacement_deletes_and_creates() -> None:
    holdings = Holdings()
    checked_new(holdings, X)

    assert may_delete(holdings, X)
    assert holdings.created(X)


def test_a_leftover_does_not_take_what_a_forced_replacement_made_in_the_same_run() -> None:
    holdings = Holdings()
    checked_new(holdings, X)

    assert may_delete(holdings, X)
    assert holdings.created(X)
    assert not may_delete(holdings, X)


def test_a_forced_replacement_of_one_binding_frees_no_other() -> None:
    holdings = Holdings()
    checked_new(holdings, X)
    checked_unchanged(holdings, Y)

    assert not may_delete(holdings, Y)


def test_a_replacement_by_something_else_deletes_the_old_and_keeps_the_new() -> None:
    holdings = Holdings()
    checked_moved(holdings, Y)

    assert may_delete(holdings, X)
    assert holdings.created(Y)
    assert not may_delete(holdings, Y)


def test_positions_that_shift_in_a_list_lose_nothing_but_what_left_the_list() -> None:
    holdings = Holdings()
    checked_moved(holdings, Y)
    checked_moved(holdings, Z)

    assert may_delete(holdings, X)
    assert holdings.created(Y)
    assert not may_delete(holdings, Y)
    assert holdings.created(Z)
    assert not may_delete(holdings, Z)


def test_a_delete_that_comes_before_the_create_is_over_before_the_create_goes_on() -> None:
    holdings = Holdings()
    checked_moved(holdings, X)
    order = []

    def create() -> None:
        holdings.created(X)
        order.append("created")

    with ThreadPoolExecutor(1) as pool:
        with holdings.deleting(X) as allowed:
            creating = pool.submit(create)
            wait([creating], timeout=0.1)
            order.append("deleted")
        creating.result()

    assert allowed
    assert ["deleted", "created"] == order


def test_creating_twice_is_noticed() -> None:
    holdings = Holdings()

    assert [holdings.created(X), holdings.created(X), holdings.created(Y)] == [True, False, True]


def test_what_a_resource_has_in_the_state_and_keeps_is_not_created_by_another_one() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, X)
    holdings.kept(X)
    checked_new(holdings, X)

    assert holdings.is_kept(X)
    assert not holdings.created(X)
    assert not may_delete(holdings, X)


def test_what_was_kept_is_created_again_after_its_delete() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, X)
    holdings.kept(X)
    checked_new(holdings, X)

    assert may_delete(holdings, X)
    assert not holdings.is_kept(X)
    assert holdings.created(X)


def test_of_many_threads_that_create_one_is_first() -> None:
    holdings = Holdings()

    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(holdings.created, [X] * 64))

    assert sum(firsts) == 1

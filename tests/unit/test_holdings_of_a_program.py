"""What the program holds, no delete takes away: every order in which the engine may ask.

The calls stand here as the engine makes them: `checked` with the old inputs, without them, or both; `created` and
`may_delete` in the order of the steps.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from astro_provider.holdings import Holdings
from astro_provider.identity import BindingId

X = BindingId("o", "x", "t")
Y = BindingId("o", "y", "t")
Z = BindingId("o", "z", "t")


def checked_unchanged(holdings: Holdings, binding: BindingId) -> None:
    """A resource that binds what it binds in the state."""
    holdings.checked(binding, in_state_as=binding, in_state=True)


def checked_new(holdings: Holdings, binding: BindingId) -> None:
    """A resource that is not in the state."""
    holdings.checked(binding, in_state_as=None, in_state=False)


def checked_moved(holdings: Holdings, old: BindingId, new: BindingId) -> None:
    """A resource that is replaced because it binds something else now: the engine checks it twice."""
    holdings.checked(new, in_state_as=old, in_state=True)
    holdings.checked(new, in_state_as=None, in_state=False)


def checked_forced(holdings: Holdings, binding: BindingId) -> None:
    """A resource whose replacement is forced: the engine checks it twice."""
    checked_unchanged(holdings, binding)
    checked_new(holdings, binding)


def test_what_nothing_holds_may_be_deleted() -> None:
    holdings = Holdings()

    assert holdings.may_delete(X)


def test_destroy_checks_nothing_and_deletes_everything() -> None:
    holdings = Holdings()

    assert all(holdings.may_delete(binding) for binding in (X, Y, Z))


def test_what_was_removed_from_the_program_is_deleted_and_the_rest_is_kept() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, Y)

    assert holdings.may_delete(X)
    assert not holdings.may_delete(Y)


def test_a_rename_keeps_what_the_new_name_was_given() -> None:
    holdings = Holdings()
    checked_new(holdings, X)

    assert holdings.created(X)
    assert not holdings.may_delete(X)


def test_a_rename_keeps_it_also_where_check_could_not_know_the_binding() -> None:
    holdings = Holdings()

    assert holdings.created(X)
    assert not holdings.may_delete(X)


def test_the_leftover_of_an_earlier_run_does_not_take_what_the_new_name_holds() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, X)

    assert not holdings.may_delete(X)


def test_a_leftover_is_kept_also_where_the_state_does_not_tell_the_binding() -> None:
    holdings = Holdings()
    holdings.checked(X, in_state_as=None, in_state=True)

    assert not holdings.may_delete(X)


def test_a_forced_replacement_deletes_and_creates() -> None:
    holdings = Holdings()
    checked_forced(holdings, X)

    assert holdings.may_delete(X)
    assert holdings.created(X)


def test_a_forced_replacement_deletes_also_where_the_state_does_not_tell_the_binding() -> None:
    holdings = Holdings()
    holdings.checked(X, in_state_as=None, in_state=True)
    checked_new(holdings, X)

    assert holdings.may_delete(X)


def test_a_forced_replacement_deletes_once() -> None:
    holdings = Holdings()
    checked_forced(holdings, X)

    assert [holdings.may_delete(X), holdings.may_delete(X)] == [True, False]


def test_a_leftover_does_not_take_what_a_forced_replacement_made_in_the_same_run() -> None:
    holdings = Holdings()
    checked_forced(holdings, X)

    assert holdings.may_delete(X)
    assert holdings.created(X)
    assert not holdings.may_delete(X)


def test_a_forced_replacement_of_one_binding_frees_no_other() -> None:
    holdings = Holdings()
    checked_forced(holdings, X)
    checked_unchanged(holdings, Y)

    assert not holdings.may_delete(Y)


def test_a_create_before_the_delete_ends_a_forced_replacement() -> None:
    holdings = Holdings()
    checked_forced(holdings, X)

    assert holdings.created(X)
    assert not holdings.may_delete(X)


def test_a_new_resource_of_a_binding_that_was_created_frees_no_leftover() -> None:
    holdings = Holdings()
    checked_forced(holdings, X)
    assert holdings.may_delete(X)
    assert holdings.created(X)

    checked_new(holdings, X)

    assert not holdings.may_delete(X)


def test_a_replacement_by_something_else_deletes_the_old_and_keeps_the_new() -> None:
    holdings = Holdings()
    checked_moved(holdings, X, Y)

    assert holdings.may_delete(X)
    assert not holdings.may_delete(Y)


def test_positions_that_shift_in_a_list_lose_nothing_but_what_left_the_list() -> None:
    holdings = Holdings()
    checked_moved(holdings, X, Y)
    checked_moved(holdings, Y, Z)

    assert holdings.may_delete(X)
    assert not holdings.may_delete(Y)
    assert not holdings.may_delete(Z)
    assert holdings.created(Y)
    assert holdings.created(Z)


def test_two_resources_that_swap_their_bindings_lose_neither() -> None:
    holdings = Holdings()
    checked_moved(holdings, X, Y)
    checked_moved(holdings, Y, X)

    assert not holdings.may_delete(X)
    assert not holdings.may_delete(Y)


def test_a_binding_that_moves_to_a_new_resource_stays() -> None:
    holdings = Holdings()
    checked_moved(holdings, X, Y)
    checked_new(holdings, X)

    assert not holdings.may_delete(X)


def test_a_binding_is_in_state_only_where_the_same_resource_has_it_there() -> None:
    holdings = Holdings()
    checked_unchanged(holdings, X)
    checked_moved(holdings, X, Y)
    checked_new(holdings, Z)

    assert [holdings.in_state(binding) for binding in (X, Y, Z)] == [True, False, False]


def test_creating_twice_is_noticed() -> None:
    holdings = Holdings()

    assert [holdings.created(X), holdings.created(X), holdings.created(Y)] == [True, False, True]


def test_of_many_threads_that_create_one_is_first() -> None:
    holdings = Holdings()

    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(holdings.created, [X] * 64))

    assert sum(firsts) == 1

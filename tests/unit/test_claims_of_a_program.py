"""What the program claims, no delete takes away: every order in which the engine may ask.

The calls stand here as the engine makes them. A refresh's `read` and `diff` claim nothing, so they do not stand here.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from astro_provider.astro.identity import BindingId
from astro_provider.lifecycle.claims import Claims, Clash, Create, Delete, Spelling

X = BindingId("o", "x", "t")
Y = BindingId("o", "y", "t")
Z = BindingId("o", "z", "t")
SPELLED = Spelling("x", "ci-deployer")


class Failed(Exception):
    """Why a create failed."""


@pytest.fixture
def claims() -> Claims:
    return Claims()


def stored_check(claims: Claims, binding: BindingId | Spelling) -> None:
    """A resource that binds what it binds in the state."""
    claims.checked(binding, stored=True, to_be_created=False)


def new_check(claims: Claims, binding: BindingId | Spelling) -> None:
    """A resource that is not in the state, or binds something else there."""
    claims.checked(binding, stored=False, to_be_created=True)


def vague_check(claims: Claims, binding: BindingId) -> None:
    """A resource in the state, whose stored inputs do not tell the token's id."""
    claims.checked(binding, stored=False, to_be_created=False)


def create(claims: Claims, binding: BindingId) -> Create:
    with claims.claim(binding) as meets:
        return meets


def fail_to_create(claims: Claims, binding: BindingId) -> None:
    with pytest.raises(Failed), claims.claim(binding):
        raise Failed


def delete(claims: Claims, binding: BindingId, *spellings: Spelling) -> Delete:
    with claims.deleting(binding, spellings) as decision:
        return decision


def test_what_nothing_claims_is_deleted(claims: Claims) -> None:
    assert delete(claims, X) is Delete.GOES_ON


def test_destroy_checks_nothing_and_deletes_everything(claims: Claims) -> None:
    assert [delete(claims, binding) for binding in (X, Y, Z, X)] == [Delete.GOES_ON] * 4


def test_what_was_removed_from_the_program_is_deleted_and_the_rest_is_kept(claims: Claims) -> None:
    stored_check(claims, Y)

    assert delete(claims, X) is Delete.GOES_ON
    assert delete(claims, Y) is Delete.LEFT_UNDONE


def test_a_rename_keeps_what_the_new_name_was_given(claims: Claims) -> None:
    new_check(claims, X)

    assert create(claims, X) is Create.FIRST
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_rename_keeps_it_also_if_the_check_could_not_know_the_binding(claims: Claims) -> None:
    assert create(claims, X) is Create.FIRST
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_rename_whose_create_failed_refuses_the_delete(claims: Claims) -> None:
    new_check(claims, X)

    fail_to_create(claims, X)

    assert delete(claims, X) is Delete.REFUSED


def test_the_leftover_of_an_earlier_run_does_not_take_what_the_new_name_has(claims: Claims) -> None:
    stored_check(claims, X)

    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_leftover_does_not_take_what_a_vague_check_has_claimed(claims: Claims) -> None:
    vague_check(claims, X)

    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_vague_check_does_not_refuse_the_create_of_a_replacement(claims: Claims) -> None:
    vague_check(claims, X)
    new_check(claims, X)

    assert create(claims, X) is Create.FIRST


def test_a_forced_replacement_deletes_and_creates(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)

    assert delete(claims, X) is Delete.GOES_ON
    assert not claims.is_stored(X)
    assert create(claims, X) is Create.FIRST


def test_a_leftover_does_not_take_what_a_forced_replacement_made_in_the_same_run(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)

    assert delete(claims, X) is Delete.GOES_ON
    assert create(claims, X) is Create.FIRST
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_forced_replacement_of_one_binding_frees_no_other(claims: Claims) -> None:
    new_check(claims, X)
    stored_check(claims, Y)

    assert delete(claims, Y) is Delete.LEFT_UNDONE


def test_a_replacement_by_something_else_deletes_the_old_and_keeps_the_new(claims: Claims) -> None:
    new_check(claims, Y)

    assert delete(claims, X) is Delete.GOES_ON
    assert create(claims, Y) is Create.FIRST
    assert delete(claims, Y) is Delete.LEFT_UNDONE


def test_positions_that_shift_in_a_list_lose_nothing_but_what_left_the_list(claims: Claims) -> None:
    new_check(claims, Y)
    new_check(claims, Z)

    assert delete(claims, X) is Delete.GOES_ON
    assert create(claims, Y) is Create.FIRST
    assert delete(claims, Y) is Delete.LEFT_UNDONE
    assert create(claims, Z) is Create.FIRST
    assert delete(claims, Z) is Delete.LEFT_UNDONE


def test_creating_twice_is_noticed(claims: Claims) -> None:
    assert [create(claims, one) for one in (X, X, Y)] == [Create.FIRST, Create.SECOND, Create.FIRST]


def test_what_a_resource_has_in_the_state_and_keeps_is_not_created_by_another_one(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)

    assert claims.is_stored(X)
    assert create(claims, X) is Create.STORED
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_second_resource_that_was_refused_does_not_refuse_the_leftover_of_the_first(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)
    fail_to_create(claims, X)

    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_of_many_threads_that_create_one_is_first(claims: Claims) -> None:
    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: create(claims, X), range(64)))

    assert met.count(Create.FIRST) == 1
    assert met.count(Create.SECOND) == 63


def test_a_create_waits_for_a_delete_that_is_under_way(claims: Claims) -> None:
    new_check(claims, X)
    order = []

    def create_late() -> None:
        with claims.claim(X):
            order.append("created")

    with ThreadPoolExecutor(1) as pool:
        with claims.deleting(X) as decision:
            creating = pool.submit(create_late)
            wait([creating], timeout=0.1)
            order.append("deleted")
        creating.result()

    assert decision is Delete.GOES_ON
    assert order == ["deleted", "created"]


@pytest.mark.parametrize(("fails", "decision"), [(False, Delete.LEFT_UNDONE), (True, Delete.REFUSED)])
def test_a_delete_waits_for_a_create_that_is_under_way_whose_end_decides(
    claims: Claims, *, fails: bool, decision: Delete
) -> None:
    create_under_way = claims.claim(X)
    ended_by = (Failed, Failed(), None) if fails else (None, None, None)
    with ThreadPoolExecutor(1) as pool:
        create_under_way.__enter__()
        deleting = pool.submit(delete, claims, X)
        wait([deleting], timeout=0.1)
        decided_early = deleting.done()
        with suppress(Failed):
            create_under_way.__exit__(*ended_by)

        assert not decided_early
        assert deleting.result() is decision


def test_a_spelling_claims_what_the_state_spells_alike(claims: Claims) -> None:
    stored_check(claims, SPELLED)

    assert delete(claims, X, SPELLED) is Delete.LEFT_UNDONE
    assert delete(claims, X, Spelling("x", "somebody-else")) is Delete.GOES_ON


def test_a_forced_replacement_that_is_claimed_by_its_spelling_deletes_and_creates(claims: Claims) -> None:
    stored_check(claims, SPELLED)
    new_check(claims, SPELLED)

    assert delete(claims, X, SPELLED) is Delete.GOES_ON
    claims.identify(SPELLED, X)
    assert create(claims, X) is Create.FIRST
    assert delete(claims, X, SPELLED) is Delete.LEFT_UNDONE


def test_a_spelling_that_turned_out_to_be_another_binding_does_not_keep_this_one(claims: Claims) -> None:
    stored_check(claims, SPELLED)

    claims.identify(SPELLED, Y)

    assert delete(claims, X, SPELLED) is Delete.GOES_ON
    assert delete(claims, Y, SPELLED) is Delete.LEFT_UNDONE


def test_a_diff_of_what_no_check_has_claimed_claims_nothing(claims: Claims) -> None:
    claims.identify(SPELLED, X)

    assert delete(claims, X, SPELLED) is Delete.GOES_ON


def test_what_a_delete_has_taken_before_the_program_claimed_it_is_told(claims: Claims) -> None:
    delete(claims, X)
    stored_check(claims, X)

    assert claims.is_taken(X)


def test_what_a_delete_is_taking_is_told_and_given_back_after_it(claims: Claims) -> None:
    order = []

    def give_back() -> None:
        with claims.giving_back(X):
            order.append("given back")

    with ThreadPoolExecutor(1) as pool:
        with claims.deleting(X):
            stored_check(claims, X)
            taken = claims.is_taken(X)
            giving = pool.submit(give_back)
            wait([giving], timeout=0.1)
            order.append("taken")
        giving.result()

    assert taken
    assert order == ["taken", "given back"]
    assert not claims.is_taken(X)


def test_what_was_created_again_is_not_taken(claims: Claims) -> None:
    delete(claims, X)

    create(claims, X)

    assert not claims.is_taken(X)


@pytest.mark.parametrize("known_as", [X, SPELLED], ids=["by its ids", "by its spelling"])
def test_a_delete_after_a_create_that_failed_before_it_could_claim_is_refused(
    claims: Claims, known_as: BindingId | Spelling
) -> None:
    new_check(claims, known_as)
    claims.could_not_be_created(known_as)

    assert delete(claims, X, SPELLED) is Delete.REFUSED


def test_what_another_resource_may_have_under_a_new_name_is_not_taken(claims: Claims) -> None:
    claims.checked(SPELLED, stored=False, to_be_created=False)

    assert delete(claims, X, SPELLED) is Delete.UNCERTAIN
    assert delete(claims, X) is Delete.GOES_ON


def exchange(claims: Claims, gives: list[BindingId], takes: list[BindingId]) -> tuple[list[Create], list[Delete]]:
    with claims.exchanging(gives, dict.fromkeys(takes, ())) as found:
        return list(found.creates.values()), list(found.deletes.values())


def test_a_table_that_gives_up_what_another_resource_is_yet_to_be_given_lets_it_go(claims: Claims) -> None:
    new_check(claims, X)

    assert exchange(claims, [], [X]) == ([], [Delete.GOES_ON])
    assert create(claims, X) is Create.FIRST


def test_a_table_keeps_what_another_resource_was_given_before(claims: Claims) -> None:
    new_check(claims, X)
    create(claims, X)

    assert exchange(claims, [], [X, Y]) == ([], [Delete.LEFT_UNDONE, Delete.GOES_ON])


def test_what_a_table_could_not_give_no_delete_takes(claims: Claims) -> None:
    new_check(claims, X)
    with pytest.raises(Failed), claims.exchanging([X], {}):
        raise Failed

    assert delete(claims, X) is Delete.REFUSED


def test_two_tables_that_exchange_what_they_have_do_not_wait_for_each_other(claims: Claims) -> None:
    begun = threading.Event()

    def first() -> tuple[dict[BindingId, Create], dict[BindingId, Delete]]:
        with claims.exchanging([Y], {X: ()}) as found:
            begun.set()
            time.sleep(0.1)
            return dict(found.creates), dict(found.deletes)

    for binding in (X, Y):
        new_check(claims, binding)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert begun.wait(30)
        other = pool.submit(exchange, claims, [X], [Y])

        assert one.result(timeout=30) == ({Y: Create.FIRST}, {X: Delete.GOES_ON})
        assert other.result(timeout=30) == ([Create.FIRST], [Delete.LEFT_UNDONE])


def test_a_binding_of_a_table_clashes_with_one_by_itself_and_with_another_table(claims: Claims) -> None:
    assert claims.checked(X, stored=False, to_be_created=True, by="a") is None
    assert claims.checked(X, stored=False, to_be_created=True, by="a") is None
    assert claims.checked(X, stored=False, to_be_created=True) is Clash.SAME_BINDING
    assert claims.checked(Y, stored=False, to_be_created=True) is None
    assert claims.checked(Y, stored=True, to_be_created=False, by="a") is Clash.SAME_BINDING


def test_a_deployment_that_is_kept_for_one_table_is_refused_to_others(claims: Claims) -> None:
    claims.checked(X, stored=False, to_be_created=True, by="a")
    other = BindingId("o", "x", "u")
    claims.checked(other, stored=False, to_be_created=True)

    assert claims.reserve("o", "x", by="a") == [other]
    assert claims.reserve("o", "y", by="a") == []
    assert claims.checked(Y, stored=False, to_be_created=True) is Clash.ONLY_FOR_ANOTHER
    assert claims.checked(Y, stored=False, to_be_created=True, by="a") is Clash.SAME_BINDING
    assert claims.checked(BindingId("o", "y", "u"), stored=False, to_be_created=True, by="a") is None

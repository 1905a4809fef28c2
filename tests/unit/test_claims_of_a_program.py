"""What the program claims, no delete takes away: every order in which the engine may ask.

The calls stand here as the engine makes them. A refresh's `read` and `diff` claim nothing, so they do not stand here.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from enum import Enum

import pytest

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId
from astro_provider.errors import BindingConflict
from astro_provider.lifecycle.claims import Claimant, Claims, Delete, Exchange, State, Twin
from astro_provider.lifecycle.values import Entry

X = BindingId("o", "x", "t")
Y = BindingId("o", "y", "t")
Z = BindingId("o", "z", "t")
SPELLED = Entry("x", "ci-deployer")
A, B, C = (Claimant(f"urn:pulumi:test::p::astro:index:DeploymentOrgTokenBinding::{name}") for name in "abc")
UNKNOWN = Claimant()  # every resource, if an SDK hides the URN
ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"


class Failed(Exception):
    """Why a create failed."""


@pytest.fixture
def claims() -> Claims:
    return Claims()


def stored_check(claims: Claims, binding: BindingId | Entry, by: Claimant = UNKNOWN) -> None:
    """A resource that binds what it binds in the state."""
    claims.checked(binding, by, State.STORED)


def new_check(claims: Claims, binding: BindingId | Entry, by: Claimant = UNKNOWN) -> None:
    """A resource that is not in the state, or binds something else there."""
    claims.checked(binding, by, State.WANTED)


class Met(Enum):
    """What a create met."""

    FIRST = "no other resource"
    STORED = "a resource that has it in the state, and may be the same one"
    SECOND = "another resource"


def met(exchange: Exchange) -> Met:
    return Met.SECOND if exchange.has_another else Met.STORED if exchange.may_be_own else Met.FIRST


def create(claims: Claims, binding: BindingId, by: Claimant = UNKNOWN) -> Met:
    with claims.exchanging(by, gives={binding: ADMIN}) as exchange:
        return met(exchange)


def fail_to_create(claims: Claims, binding: BindingId, by: Claimant = UNKNOWN) -> None:
    with pytest.raises(Failed), claims.exchanging(by, gives={binding: ADMIN}):
        raise Failed


def update(claims: Claims, binding: BindingId, by: Claimant, role: str = ADMIN) -> Met:
    with claims.exchanging(by, puts={binding: role}) as exchange:
        return met(exchange)


def delete(claims: Claims, binding: BindingId, *spellings: Entry, by: Claimant = UNKNOWN) -> Delete:
    with claims.exchanging(by, takes={binding: spellings}) as exchange:
        return exchange.deletes[binding]


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

    assert create(claims, X) is Met.FIRST
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_rename_keeps_it_also_if_the_check_could_not_know_the_binding(claims: Claims) -> None:
    assert create(claims, X) is Met.FIRST
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_rename_whose_create_failed_refuses_the_delete(claims: Claims) -> None:
    new_check(claims, X)

    fail_to_create(claims, X)

    assert delete(claims, X) is Delete.REFUSED


def test_the_leftover_of_an_earlier_run_does_not_take_what_the_new_name_has(claims: Claims) -> None:
    stored_check(claims, X)

    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_forced_replacement_deletes_and_creates(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)

    assert delete(claims, X) is Delete.GOES_ON
    assert not claims.is_stored(X)
    assert create(claims, X) is Met.FIRST


def test_a_leftover_does_not_take_what_a_forced_replacement_made_in_the_same_run(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)

    assert delete(claims, X) is Delete.GOES_ON
    assert create(claims, X) is Met.FIRST
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_forced_replacement_of_one_binding_frees_no_other(claims: Claims) -> None:
    new_check(claims, X)
    stored_check(claims, Y)

    assert delete(claims, Y) is Delete.LEFT_UNDONE


def test_a_replacement_by_something_else_deletes_the_old_and_keeps_the_new(claims: Claims) -> None:
    new_check(claims, Y)

    assert delete(claims, X) is Delete.GOES_ON
    assert create(claims, Y) is Met.FIRST
    assert delete(claims, Y) is Delete.LEFT_UNDONE


def test_positions_that_shift_in_a_list_lose_nothing_but_what_left_the_list(claims: Claims) -> None:
    new_check(claims, Y)
    new_check(claims, Z)

    assert delete(claims, X) is Delete.GOES_ON
    assert create(claims, Y) is Met.FIRST
    assert delete(claims, Y) is Delete.LEFT_UNDONE
    assert create(claims, Z) is Met.FIRST
    assert delete(claims, Z) is Delete.LEFT_UNDONE


def test_creating_twice_is_noticed(claims: Claims) -> None:
    assert [create(claims, one) for one in (X, X, Y)] == [Met.FIRST, Met.SECOND, Met.FIRST]


def test_what_a_resource_has_in_the_state_and_keeps_is_not_created_by_another_one(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)

    assert claims.is_stored(X)
    assert create(claims, X) is Met.STORED
    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_a_second_resource_that_was_refused_does_not_refuse_the_leftover_of_the_first(claims: Claims) -> None:
    stored_check(claims, X)
    new_check(claims, X)
    fail_to_create(claims, X)

    assert delete(claims, X) is Delete.LEFT_UNDONE


def test_of_many_threads_that_create_one_is_first(claims: Claims) -> None:
    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: create(claims, X), range(64)))

    assert met.count(Met.FIRST) == 1
    assert met.count(Met.SECOND) == 63


def test_a_create_waits_for_a_delete_that_is_under_way(claims: Claims) -> None:
    new_check(claims, X)
    order = []

    def create_late() -> None:
        with claims.exchanging(UNKNOWN, gives={X: ADMIN}):
            order.append("created")

    with ThreadPoolExecutor(1) as pool:
        with claims.exchanging(UNKNOWN, takes={X: ()}) as exchange:
            creating = pool.submit(create_late)
            wait([creating], timeout=0.1)
            order.append("deleted")
        creating.result()

    assert exchange.deletes == {X: Delete.GOES_ON}
    assert order == ["deleted", "created"]


@pytest.mark.parametrize(("fails", "decision"), [(False, Delete.LEFT_UNDONE), (True, Delete.REFUSED)])
def test_a_delete_waits_for_a_create_that_is_under_way_whose_end_decides(
    claims: Claims, *, fails: bool, decision: Delete
) -> None:
    create_under_way = claims.exchanging(UNKNOWN, gives={X: ADMIN})
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
    assert delete(claims, X, Entry("x", "somebody-else")) is Delete.GOES_ON


def test_a_forced_replacement_that_is_claimed_by_its_spelling_deletes_and_creates(claims: Claims) -> None:
    stored_check(claims, SPELLED)
    new_check(claims, SPELLED)

    assert delete(claims, X, SPELLED) is Delete.GOES_ON
    claims.identify([SPELLED], X)
    assert create(claims, X) is Met.FIRST
    assert delete(claims, X, SPELLED) is Delete.LEFT_UNDONE


def test_a_spelling_that_turned_out_to_be_another_binding_does_not_keep_this_one(claims: Claims) -> None:
    stored_check(claims, SPELLED)

    claims.identify([SPELLED], Y)

    assert delete(claims, X, SPELLED) is Delete.GOES_ON
    assert delete(claims, Y, SPELLED) is Delete.LEFT_UNDONE


def test_a_diff_of_what_no_check_has_claimed_claims_nothing(claims: Claims) -> None:
    claims.identify([SPELLED], X)

    assert delete(claims, X, SPELLED) is Delete.GOES_ON


def test_what_a_delete_has_taken_before_the_program_claimed_it_is_told(claims: Claims) -> None:
    delete(claims, X)
    stored_check(claims, X)

    assert claims.is_taken(X)


def test_what_a_delete_is_taking_is_told_and_given_back_after_it(claims: Claims) -> None:
    order = []

    def give_back() -> None:
        with claims.exchanging(UNKNOWN, puts={X: ADMIN}):
            order.append("given back")

    with ThreadPoolExecutor(1) as pool:
        with claims.exchanging(UNKNOWN, takes={X: ()}):
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
    claims: Claims, known_as: BindingId | Entry
) -> None:
    new_check(claims, known_as)
    claims.could_not_be_created(known_as, UNKNOWN)

    assert delete(claims, X, SPELLED) is Delete.REFUSED


def test_what_another_resource_may_have_under_a_new_name_is_not_taken(claims: Claims) -> None:
    claims.checked(SPELLED, UNKNOWN, State.PERHAPS)

    assert delete(claims, X, SPELLED) is Delete.UNCERTAIN
    assert delete(claims, X) is Delete.GOES_ON


def exchange(claims: Claims, gives: list[BindingId], takes: list[BindingId]) -> tuple[Met, list[Delete]]:
    with claims.exchanging(UNKNOWN, gives=dict.fromkeys(gives, ADMIN), takes=dict.fromkeys(takes, ())) as found:
        return met(found), list(found.deletes.values())


def test_a_table_that_gives_up_what_another_resource_is_yet_to_be_given_lets_it_go(claims: Claims) -> None:
    new_check(claims, X)

    assert exchange(claims, [], [X]) == (Met.FIRST, [Delete.GOES_ON])
    assert create(claims, X) is Met.FIRST


def test_a_table_keeps_what_another_resource_was_given_before(claims: Claims) -> None:
    new_check(claims, X)
    create(claims, X)

    assert exchange(claims, [], [X, Y]) == (Met.FIRST, [Delete.LEFT_UNDONE, Delete.GOES_ON])


def test_what_a_table_could_not_give_no_delete_takes(claims: Claims) -> None:
    new_check(claims, X)
    with pytest.raises(Failed), claims.exchanging(UNKNOWN, gives={X: ADMIN}):
        raise Failed

    assert delete(claims, X) is Delete.REFUSED


def test_two_tables_that_exchange_what_they_have_do_not_wait_for_each_other(claims: Claims) -> None:
    begun = threading.Event()

    def first() -> tuple[Met, list[Delete]]:
        with claims.exchanging(UNKNOWN, gives={Y: ADMIN}, takes={X: ()}) as found:
            begun.set()
            time.sleep(0.1)
            return met(found), list(found.deletes.values())

    for binding in (X, Y):
        new_check(claims, binding)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert begun.wait(30)
        other = pool.submit(exchange, claims, [X], [Y])

        assert one.result(timeout=30) == (Met.FIRST, [Delete.GOES_ON])
        assert other.result(timeout=30) == (Met.FIRST, [Delete.LEFT_UNDONE])


def test_two_that_want_one_binding_are_twins_and_one_that_is_checked_twice_is_none(claims: Claims) -> None:
    first = claims.checked(X, A, State.WANTED, ADMIN)
    again = claims.checked(X, A, State.WANTED, ADMIN)
    twin = claims.checked(X, B, State.WANTED, ADMIN)
    alone = claims.checked(Y, B, State.WANTED, ADMIN)

    assert (first, again, alone) == (None, None, None)
    assert twin == Twin(A, is_harmless=False)


@pytest.mark.parametrize(
    ("state", "role", "is_harmless"),
    [
        (State.STORED, ADMIN.lower(), True),
        (State.STORED, None, True),
        (State.STORED, ACCESSOR, False),
        (State.WANTED, ADMIN, False),
    ],
)
def test_only_two_that_are_stored_with_one_role_are_harmless_twins(
    claims: Claims, *, state: State, role: str | None, is_harmless: bool
) -> None:
    claims.checked(X, A, State.STORED, ADMIN)

    assert claims.checked(X, B, state, role) == Twin(A, is_harmless)


def test_twins_stay_harmless_after_an_update_of_the_first(claims: Claims) -> None:
    claims.checked(X, A, State.STORED, ADMIN)
    update(claims, X, A)

    assert claims.checked(X, B, State.STORED, ADMIN) == Twin(A, is_harmless=True)
    assert update(claims, X, B, ADMIN.lower()) is Met.FIRST
    assert update(claims, X, B, ACCESSOR) is Met.SECOND


def test_an_update_that_failed_leaves_the_next_ones_alone(claims: Claims) -> None:
    with pytest.raises(Failed), claims.exchanging(A, puts={X: ADMIN}):
        raise Failed

    assert update(claims, X, B, ACCESSOR) is Met.FIRST


def test_names_that_are_alike_are_no_twins_because_they_may_mean_two_things(claims: Claims) -> None:
    claims.checked(SPELLED, A, State.WANTED)

    assert claims.checked(SPELLED, B, State.WANTED) is None


def test_resources_that_cannot_be_told_apart_are_no_twins(claims: Claims) -> None:
    new_check(claims, X)

    assert claims.checked(X, UNKNOWN, State.WANTED) is None


def test_a_table_without_a_urn_is_told_from_another_one_and_from_a_binding_by_itself(claims: Claims) -> None:
    claims.checked(X, Claimant(table=1), State.WANTED)

    assert claims.checked(X, Claimant(table=1), State.WANTED) is None
    assert claims.checked(X, Claimant(table=2), State.WANTED) == Twin(Claimant(table=1), is_harmless=False)
    assert claims.checked(X, UNKNOWN, State.WANTED) == Twin(Claimant(table=1), is_harmless=False)


def test_what_another_resource_keeps_is_not_created(claims: Claims) -> None:
    stored_check(claims, X, A)

    assert create(claims, X, B) is Met.SECOND
    assert delete(claims, X, by=C) is Delete.LEFT_UNDONE


def test_a_replacement_that_failed_in_an_earlier_run_is_created_again(claims: Claims) -> None:
    stored_check(claims, X, A)

    assert create(claims, X, A) is Met.FIRST


def test_the_forced_replacement_of_one_twin_does_not_take_what_the_other_one_keeps(claims: Claims) -> None:
    stored_check(claims, X, A)
    stored_check(claims, X, B)
    new_check(claims, X, B)

    assert delete(claims, X, by=B) is Delete.LEFT_UNDONE


def test_what_a_forced_replacement_is_to_be_given_anew_is_stored_until_its_delete(claims: Claims) -> None:
    stored_check(claims, X, A)
    new_check(claims, X, A)
    before = claims.is_stored(X)

    decision = delete(claims, X, by=A)

    assert before
    assert decision is Delete.GOES_ON
    assert not claims.is_stored(X)


def test_a_replacement_that_is_created_before_its_delete_keeps_what_it_was_given(claims: Claims) -> None:
    stored_check(claims, X, A)
    new_check(claims, X, A)
    create(claims, X, A)

    assert delete(claims, X, by=A) is Delete.LEFT_UNDONE


def test_a_known_resource_follows_the_table_of_the_module(claims: Claims) -> None:
    new_check(claims, X, A)
    stored_check(claims, Y, B)

    assert delete(claims, Y, by=A) is Delete.LEFT_UNDONE
    assert delete(claims, X, by=C) is Delete.GOES_ON
    fail_to_create(claims, X, A)
    assert delete(claims, X, by=C) is Delete.REFUSED
    assert delete(claims, Z, by=C) is Delete.GOES_ON


def test_what_a_table_keeps_is_not_claimed_anew_by_an_update_of_it_that_failed(claims: Claims) -> None:
    stored_check(claims, X, A)
    new_check(claims, Y, A)

    for binding in (X, Y):
        claims.could_not_be_created(binding, A)

    assert delete(claims, X, by=C) is Delete.LEFT_UNDONE
    assert delete(claims, Y, by=C) is Delete.REFUSED


def test_a_wait_for_another_resource_ends_with_the_time_of_the_operation_and_names_it(claims: Claims) -> None:
    with claims.exchanging(A, takes={X: ()}), operation(0.1), pytest.raises(BindingConflict) as failed:
        create(claims, X, B)

    assert str(failed.value) == (
        "Nothing was written: until timeoutSeconds was over, this waited for DeploymentOrgTokenBinding 'a' of the same "
        "program, which is changing the binding of token t in deployment x too. Run again."
    )


def test_a_deployment_that_is_kept_for_one_table_is_refused_to_others(claims: Claims) -> None:
    other = BindingId("o", "x", "u")
    claims.checked(X, A, State.WANTED)
    claims.checked(other, B, State.WANTED)

    assert claims.reserve("o", "x", A) == [(other, B)]
    assert claims.reserve("o", "y", A) == []
    assert claims.exclusive_to(Y, B) == A
    assert claims.exclusive_to(Y, A) is None
    assert claims.exclusive_to(BindingId("o", "z", "u"), B) is None


@pytest.mark.parametrize(
    ("claimant", "text"),
    [
        (Claimant("urn:pulumi:s::p::a:b:C$pulumi-python:dynamic/astro:DeploymentOrgTokenBindings::n::m"), "DeploymentOrgTokenBindings 'n::m'"),
        (A, "DeploymentOrgTokenBinding 'a'"),
        (UNKNOWN, "another binding"),
        (Claimant(table=1), "another table"),
    ],
)  # fmt: skip
def test_a_resource_is_named_by_its_type_and_name(claimant: Claimant, text: str) -> None:
    assert str(claimant) == text

"""One merge, step by step: what it reads, what it writes, and what each of its changes comes to."""

from __future__ import annotations

from typing import Any

import pytest

from astro_provider.astro.api import ApiToken, ApiTokenRole, SubjectRoles
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing.account import NotStanding, Reason
from astro_provider.astro.writing.changes import Add, Change, GiveBack, Put, Remove, Roles, TakeBack, taking_back
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.astro.writing.merge import MOST_STALE_READS, MOST_WRITES, Merge, Read, Write
from astro_provider.errors import (
    BindingConflict,
    CallRefused,
    NotFound,
    RolesUnknown,
    Unavailable,
    WriteNotConfirmed,
    WriteRefused,
)

SETTLE = 10.0
MEMBER = ApiTokenRole(entity_type="ORGANIZATION", entity_id="o", role="ORGANIZATION_MEMBER")
MYSTERY = ApiTokenRole.model_validate({"entityType": "MYSTERY", "entityId": None, "since": "tomorrow"})
ONE, TWO, THREE = (BindingId("o", deployment_id, "t") for deployment_id in ("d1", "d2", "d3"))
NOT_THERE = NotFound("no such thing", status=404)
REFUSED = CallRefused("not like this", status=400)


def held(**roles: str) -> Roles:
    return (MEMBER, MYSTERY, *(ApiTokenRole(entity_type="DEPLOYMENT", entity_id=d, role=r) for d, r in roles.items()))


def token(roles: Roles | None) -> ApiToken:
    return ApiToken(id="t", name="a token", scope="ORGANIZATION", roles=roles)


def answer(**roles: str) -> SubjectRoles:
    return SubjectRoles.model_validate({"deploymentRoles": [{"deploymentId": d, "role": r} for d, r in roles.items()]})


def merging(*changes: Change, ledger: Ledger | None = None) -> Merge:
    return Merge(TokenKey("o", "t"), changes, Ledger(SETTLE) if ledger is None else ledger)


def reads(merge: Merge, now: float = 0.0, **roles: str) -> Read | Write | None:
    """Let the merge read, and return what it does next."""
    assert isinstance(merge.step(now), Read)
    merge.read(token(held(**roles)), now, now)
    return merge.step(now)


def test_it_begins_with_a_read() -> None:
    assert Read(before_write=True) == merging(Put(ONE, "A")).step(0.0)


def test_changes_go_out_together_and_everything_else_as_it_came() -> None:
    merge = merging(Put(ONE, "A"), Remove(TWO), Add(THREE, "B"))

    assert Write(held(d1="A", d3="B")) == reads(merge, d2="A")


def test_each_change_that_the_answer_shows_is_done() -> None:
    merge = merging(Put(ONE, "A"), Remove(TWO))
    reads(merge, d2="A")

    merge.wrote(answer(d1="a"), 1.0)

    assert merge.step(1.0) is None
    assert {ONE: token(held(d1="A")), TWO: token(held(d1="A"))} == merge.outcomes


def test_a_change_that_is_fulfilled_already_is_adopted_without_a_write() -> None:
    merge = merging(Add(ONE, "A"))

    assert reads(merge, d1="a") is None
    assert {ONE: token(held(d1="a"))} == merge.outcomes


def test_what_is_adopted_is_not_defended() -> None:
    ledger = Ledger(SETTLE)

    reads(merging(Add(ONE, "A"), ledger=ledger), now=3.0, d1="A")

    assert ledger.unsettled == []


def test_what_a_write_whose_answer_never_came_has_made_is_defended() -> None:
    ledger = Ledger(SETTLE)
    merge = merging(Add(ONE, "A"), ledger=ledger)
    assert isinstance(reads(merge, now=1.0), Write)

    merge.lost(may_come=True)
    reads(merge, now=3.0, d1="A")

    assert Put(ONE, "A") == ledger.settle(ONE, None, 4.0)


@pytest.mark.parametrize("change", [Put(ONE, "A"), Remove(ONE)])
def test_an_answer_that_shows_no_roles_at_all_confirms_nothing(change: Change) -> None:
    merge = merging(change)
    reads(merge, d1="B")

    merge.wrote(SubjectRoles(), 1.0)

    assert Read(before_write=True) == merge.step(1.0)
    assert merge.outcomes == {}


def test_a_removal_that_no_answer_and_no_read_confirms_is_an_error() -> None:
    merge = merging(Remove(ONE), ledger=Ledger(0.0))

    for _ in range(MOST_WRITES):
        assert isinstance(reads(merge, d1="B"), Write)
        merge.wrote(SubjectRoles(), 1.0)
    reads(merge, d1="B")

    assert isinstance(merge.outcomes[ONE], WriteNotConfirmed)
    assert "the service shows B" in str(merge.outcomes[ONE])


def test_an_add_that_conflicts_is_refused_while_the_others_go_out() -> None:
    merge = merging(Add(ONE, "A"), Put(TWO, "A"))

    assert Write(held(d1="B", d2="A")) == reads(merge, d1="B")
    merge.wrote(answer(d1="B", d2="A"), 1.0)

    assert merge.step(1.0) is None
    assert isinstance(merge.outcomes[ONE], BindingConflict)
    assert isinstance(merge.outcomes[TWO], ApiToken)


def test_where_every_change_conflicts_nothing_is_written() -> None:
    merge = merging(Add(ONE, "A"))

    assert reads(merge, d1="B") is None
    assert isinstance(merge.outcomes[ONE], BindingConflict)


def test_a_token_whose_roles_are_left_out_is_never_written() -> None:
    merge = merging(Put(ONE, "A"))

    with pytest.raises(RolesUnknown):
        merge.read(token(None), 0.0, 0.0)

    assert Read(before_write=True) == merge.step(0.0)


def test_what_the_answer_does_not_show_is_read_and_written_again() -> None:
    merge = merging(Put(ONE, "A"), Put(TWO, "A"))
    reads(merge)

    merge.wrote(answer(d1="A"), 1.0)

    assert {ONE} == set(merge.outcomes)
    assert Write(held(d1="A", d2="A")) == reads(merge, d1="A")


def test_after_so_many_writes_that_do_not_show_it_is_an_error_that_says_what_is_there() -> None:
    merge = merging(Put(ONE, "A"), Remove(TWO))

    for _ in range(MOST_WRITES):
        assert Write(held(d1="A")) == reads(merge, d1="B", d2="C")
        merge.wrote(answer(d1="B", d2="C"), 0.0)

    assert merge.step(0.0) is None
    assert {ONE: WriteNotConfirmed, TWO: WriteNotConfirmed} == {of: type(o) for of, o in merge.outcomes.items()}
    assert str(merge.outcomes[ONE]) == (
        "Token t in deployment d1: the role A was written 5 times, and the service shows B. Another writer may be "
        "changing the same token all the time: end it, run `pulumi refresh`, and try again."
    )
    assert "no role was written 5 times, and the service shows C" in str(merge.outcomes[TWO])


def test_a_list_of_half_the_settle_time_is_written_and_an_older_one_is_read_again() -> None:
    merge = merging(Put(ONE, "A"))
    reads(merge)

    assert Write(held(d1="A")) == merge.step(SETTLE / 2)
    assert Read(before_write=True) == merge.step(SETTLE / 2 + 0.001)
    assert Write(held(d2="theirs", d1="A")) == reads(merge, now=SETTLE, d2="theirs")


def test_its_age_counts_from_the_moment_at_which_the_read_was_sent() -> None:
    merge = merging(Put(ONE, "A"))

    merge.read(token(held()), 0.0, SETTLE)

    assert Read(before_write=True) == merge.step(SETTLE)


def test_without_a_settle_time_no_list_is_too_old() -> None:
    merge = merging(Put(ONE, "A"), ledger=Ledger(0.0))
    reads(merge)

    assert isinstance(merge.step(1_000_000.0), Write)


def test_reads_that_are_too_slow_so_many_times_are_an_error_that_says_what_to_set() -> None:
    merge = merging(Put(ONE, "A"), Remove(TWO))

    for number in range(MOST_STALE_READS):
        assert Read(before_write=True) == merge.step(100.0 * number)
        merge.read(token(held(d2="A")), 100.0 * number, 100.0 * number + 6)

        step = merge.step(100.0 * number + 6)
        assert step == (Read(before_write=True) if number < MOST_STALE_READS - 1 else None)

    assert merge.outcomes[ONE] is merge.outcomes[TWO] is merge.failure
    assert str(merge.failure) == (
        "Token t was not written: its roles took 6.0 s to read, 5 times, and a list older than half of settleSeconds (10) "
        "may undo what others have written since. Set astro:settleSeconds (or ASTRO_SETTLE_SECONDS) to 18 or more "
        "wherever this token is written."
    )


def test_after_a_lost_answer_it_reads_first_and_finds_that_the_write_was_made() -> None:
    merge = merging(Put(ONE, "A"))
    reads(merge)

    merge.lost(may_come=True)

    assert reads(merge, d1="A") is None
    assert {ONE: token(held(d1="A"))} == merge.outcomes


def test_after_a_lost_answer_it_reads_first_and_writes_what_is_there_by_then() -> None:
    merge = merging(Put(ONE, "A"))
    reads(merge)

    merge.lost(may_come=True)

    assert Write(held(d2="theirs", d1="A")) == reads(merge, d2="theirs")


def test_one_refused_change_is_to_blame_itself() -> None:
    change = Put(ONE, "NO_SUCH_ROLE")
    merge = merging(change)
    reads(merge)

    guilty = merge.refused(REFUSED)
    assert guilty == [change]
    merge.blame(guilty, WriteRefused("no such role"))

    assert reads(merge) is None
    assert str(merge.outcomes[ONE]) == "no such role"


def test_where_a_merged_list_is_refused_its_changes_are_made_one_by_one() -> None:
    bad = Put(TWO, "NO_SUCH_ROLE")
    merge = merging(Put(ONE, "A"), bad, Put(THREE, "A"))
    reads(merge)

    assert merge.refused(REFUSED) == []
    assert Write(held(d1="A")) == reads(merge)
    merge.wrote(answer(d1="A"), 0.0)
    assert Write(held(d1="A", d2="NO_SUCH_ROLE")) == reads(merge, d1="A")
    assert merge.refused(REFUSED) == [bad]
    merge.blame([bad], WriteRefused("no such role"))
    assert Write(held(d1="A", d3="A")) == reads(merge, d1="A")
    merge.wrote(answer(d1="A", d3="A"), 0.0)
    assert reads(merge, d1="A", d3="A") is None

    assert {ONE: ApiToken, TWO: WriteRefused, THREE: ApiToken} == {of: type(o) for of, o in merge.outcomes.items()}


def test_where_one_by_one_the_answers_show_nothing_it_ends_all_the_same() -> None:
    merge = merging(Put(ONE, "A"), Put(TWO, "A"), Put(THREE, "A"))
    reads(merge)
    merge.refused(REFUSED)
    writes = 0

    while isinstance(reads(merge) if merge.step(0.0) else None, Write):
        writes += 1
        merge.wrote(answer(), 0.0)

    assert writes <= MOST_WRITES + 3
    assert {WriteNotConfirmed} == {type(outcome) for outcome in merge.outcomes.values()}


def test_one_by_one_each_change_has_its_write_however_many_there_are() -> None:
    bindings = [BindingId("o", f"d{number}", "t") for number in range(3 * MOST_WRITES)]
    merge = merging(*(Put(binding, "A") for binding in bindings))
    reads(merge)
    merge.refused(REFUSED)
    held_now: dict[str, str] = {}

    while isinstance(write := reads(merge, 0.0, **held_now) if merge.step(0.0) else None, Write):
        held_now = {str(entry.entity_id): str(entry.role) for entry in write.roles if entry.entity_type == "DEPLOYMENT"}
        merge.wrote(answer(**held_now), 0.0)

    assert dict.fromkeys(bindings, ApiToken) == {of: type(outcome) for of, outcome in merge.outcomes.items()}


def test_a_write_that_finds_nothing_is_read_again_before_anybody_is_blamed() -> None:
    change = Put(ONE, "A")
    merge = merging(change)
    reads(merge)

    assert merge.refused(NOT_THERE) == []
    assert Write(held(d1="A")) == reads(merge)
    assert merge.refused(NOT_THERE) == [change]


def test_a_token_that_is_gone_fails_all_its_changes_and_is_forgotten() -> None:
    ledger = Ledger(SETTLE)
    elsewhere = BindingId("o", "d1", "another token")
    ledger.wrote(Put(THREE, "A"), 0.0)
    ledger.wrote(Put(elsewhere, "A"), 0.0)
    merge = merging(Put(ONE, "A"), Remove(TWO), ledger=ledger)

    merge.failed(NOT_THERE)

    assert merge.step(0.0) is None
    assert merge.outcomes == {ONE: NOT_THERE, TWO: NOT_THERE}
    assert [elsewhere] == ledger.unsettled


def test_a_failure_leaves_what_is_done_and_remembered() -> None:
    ledger = Ledger(SETTLE)
    merge = merging(Put(ONE, "A"), Put(TWO, "A"), ledger=ledger)
    reads(merge)
    merge.wrote(answer(d1="A"), 0.0)
    outage = Unavailable("no answer")

    merge.failed(outage)

    assert {ONE: ApiToken, TWO: Unavailable} == {of: type(o) for of, o in merge.outcomes.items()}
    assert outage is merge.failure
    assert ledger.unsettled == [ONE]


def remembering(*changes: Change) -> Ledger:
    ledger = Ledger(SETTLE)
    for change in changes:
        ledger.wrote(change, 0.0)
    return ledger


def test_a_merge_without_changes_puts_back_what_was_undone() -> None:
    ledger = remembering(Put(ONE, "A"), Remove(TWO), Put(THREE, "A"))
    merge = merging(ledger=ledger)

    assert Read(before_write=False) == merge.step(SETTLE)
    assert Read(before_write=True) == reads(merge, now=SETTLE, d2="back again", d3="A")
    assert Write(held(d3="A", d1="A")) == reads(merge, now=SETTLE, d2="back again", d3="A")
    merge.wrote(answer(d1="A", d3="A"), 12.0)

    assert merge.step(12.0) is None
    assert merge.outcomes == {}
    assert ledger.unsettled == [ONE, TWO]
    assert ledger.due() == {("o", "t"): 22.0}
    assert [Put(ONE, "A"), Remove(TWO)] == merge.put_back


def test_a_merge_without_changes_writes_nothing_where_all_stands() -> None:
    ledger = remembering(Put(ONE, "A"), Remove(TWO))

    assert reads(merging(ledger=ledger), now=SETTLE, d1="A") is None
    assert ledger.unsettled == []


def test_what_a_look_found_undone_and_somebody_else_has_put_back_before_the_write_is_not_written() -> None:
    ledger = remembering(Put(ONE, "A"))
    merge = merging(ledger=ledger)

    assert Read(before_write=True) == reads(merge, now=SETTLE)
    assert reads(merge, now=SETTLE, d1="A") is None
    assert merge.put_back == []


def test_a_following_change_takes_what_was_undone_along() -> None:
    merge = merging(Put(TWO, "A"), ledger=remembering(Put(ONE, "A")))

    assert Write(held(d1="A", d2="A")) == reads(merge, now=1.0)


def test_a_change_of_the_same_binding_takes_the_place_of_what_was_remembered() -> None:
    ledger = remembering(Put(ONE, "A"))
    merge = merging(Remove(ONE), ledger=ledger)

    assert Write(held()) == reads(merge, now=1.0, d1="A")
    merge.wrote(answer(), 2.0)

    assert Remove(ONE) == ledger.settle(ONE, "A", 3.0)


@pytest.mark.parametrize("refusal", ["by the service", "as a conflict"])
def test_a_change_that_is_refused_leaves_the_earlier_one_remembered(refusal: str) -> None:
    ledger = remembering(Put(ONE, "A"))
    change = Add(ONE, "B", overwrite=refusal == "by the service")
    merge = merging(change, ledger=ledger)

    reads(merge, now=1.0, d1="A")
    if refusal == "by the service":
        merge.refused(REFUSED)
        merge.blame([change], WriteRefused("no such role"))

    assert isinstance(merge.outcomes[ONE], WriteRefused | BindingConflict)
    assert ledger.unsettled == [ONE]
    assert Put(ONE, "A") == ledger.settle(ONE, None, 2.0)


def test_an_add_that_was_undone_is_made_again_without_asking_whether_it_may() -> None:
    ledger = Ledger(SETTLE)
    merge = merging(Add(ONE, "A"), ledger=ledger)
    reads(merge)
    merge.wrote(answer(d1="A"), 0.0)

    look = merging(ledger=ledger)
    reads(look, now=1.0, d1="B")
    assert Write(held(d1="A")) == reads(look, now=1.0, d1="B")


def test_what_was_undone_and_is_refused_is_given_up_and_the_rest_is_made() -> None:
    ledger = remembering(Put(ONE, "a role that was deleted"))
    merge = merging(Put(TWO, "A"), ledger=ledger)
    reads(merge, now=1.0)

    merge.refused(REFUSED)
    assert Write(held(d1="a role that was deleted")) == reads(merge, now=1.0)
    guilty = merge.refused(REFUSED)
    assert guilty == [Put(ONE, "a role that was deleted")]
    merge.blame(guilty, WriteRefused("no such role"))
    assert Write(held(d2="A")) == reads(merge, now=1.0)
    merge.wrote(answer(d2="A"), 2.0)
    assert reads(merge, now=2.0, d2="A") is None

    assert ledger.given_up == {ONE: NotStanding(guilty[0], Reason.REFUSED, "no such role")}
    assert ledger.unsettled == [TWO]
    assert {TWO: ApiToken} == {of: type(outcome) for of, outcome in merge.outcomes.items()}


def test_a_repair_that_the_answer_does_not_show_stays_remembered() -> None:
    ledger = remembering(Put(ONE, "A"))
    merge = merging(ledger=ledger)
    reads(merge, now=SETTLE)
    reads(merge, now=SETTLE)

    merge.wrote(answer(), 11.0)

    assert merge.step(11.0) is None
    assert ledger.unsettled == [ONE]
    assert ledger.given_up == {}


def test_foreign_entries_go_back_field_for_field() -> None:
    merge = merging(Put(ONE, "A"))

    write = reads(merge)

    assert isinstance(write, Write)
    wire: list[dict[str, Any]] = [entry.to_wire() for entry in write.roles]
    assert wire[1] == {"entityType": "MYSTERY", "entityId": None, "since": "tomorrow"}


def test_what_is_only_made_together_is_refused_together_and_leaves_the_rest() -> None:
    good, first, second = Put(ONE, "A"), Put(TWO, "B"), Remove(THREE)
    merge = Merge(TokenKey("o", "t"), [good, first, second], Ledger(SETTLE), {TWO: "table", THREE: "table"})
    reads(merge, d3="C")

    assert merge.refused(REFUSED) == []
    assert reads(merge, d3="C") == Write(held(d3="C", d1="A"))
    merge.wrote(answer(d1="A", d3="C"), 0.0)
    assert reads(merge, d1="A", d3="C") == Write(held(d1="A", d2="B"))
    guilty = merge.refused(REFUSED)
    assert guilty == [first, second]
    merge.blame(guilty, WriteRefused("no such role"))

    assert isinstance(merge.outcomes[ONE], ApiToken)
    assert isinstance(merge.outcomes[TWO], WriteRefused)
    assert isinstance(merge.outcomes[THREE], WriteRefused)


def test_a_change_knows_what_takes_it_back_once_it_was_sent() -> None:
    gave, changed, took, there = Add(ONE, "A"), Put(TWO, "B"), Remove(THREE), Put(BindingId("o", "d4", "t"), "D")
    merge = merging(gave, changed, took, there)

    reads(merge, d2="C", d3="C", d4="D")

    merge.failed(Unavailable("no answer"))

    assert merge.outcome(gave).taking_back == TakeBack(ONE, "A")
    assert merge.outcome(changed).taking_back == GiveBack(TWO, "C", "B")
    assert merge.outcome(took).taking_back == GiveBack(THREE, "C", None)
    assert merge.outcome(there).taking_back is None


def test_a_change_that_was_never_sent_has_nothing_to_take_back() -> None:
    change = Add(ONE, "A")
    merge = merging(change)

    merge.failed(Unavailable("no answer"))

    assert merge.outcome(change).taking_back is None


def test_what_a_change_takes_back_is_what_was_there_before_its_first_write() -> None:
    change = Put(ONE, "A")
    merge = merging(change)
    reads(merge, d1="C")

    merge.lost(may_come=True)
    reads(merge, d1="B")  # an old list of another writer, or a decision
    merge.failed(Unavailable("no answer"))

    assert merge.outcome(change).taking_back == GiveBack(ONE, "C", "A")


@pytest.mark.parametrize(
    ("back", "stands", "decided"),
    [
        (TakeBack(ONE, "A"), {"d1": "a"}, {"d1": "B"}),
        (taking_back(Put(ONE, "A", exact=True), None), {"d1": "A"}, {"d1": "a"}),
        (GiveBack(ONE, "C", "A"), {"d1": "A"}, {"d1": "B"}),
        (GiveBack(ONE, "C", None), {}, {"d1": "B"}),
    ],
)
def test_only_what_still_stands_is_taken_back_and_what_somebody_decided_is_not_defended(
    back: Change, stands: dict[str, str], decided: dict[str, str]
) -> None:
    ledger = Ledger(SETTLE)
    ledger.wrote(Put(ONE, "A"), 0.0)
    as_left, as_decided = merging(back), merging(back, ledger=ledger)

    assert isinstance(reads(as_left, 0.0, **stands), Write)
    assert reads(as_decided, 0.0, **decided) is None
    assert ledger.unsettled == []

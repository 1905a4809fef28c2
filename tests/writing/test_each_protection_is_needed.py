"""Each protection of the protocol is taken out in turn, and then a run is found in which something is lost.

So the search of `test_no_change_is_lost.py` is sharp enough to see that a protection is gone, and no protection is there
for nothing. What is taken out is replaced on `Merge` and `Ledger` for the time of a test.
"""

# ruff: noqa: SLF001  taking a part out means reaching in

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from astro_provider.astro.api import ApiToken, SubjectRoles
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing import ledger
from astro_provider.astro.writing.changes import Change, Put
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.astro.writing.merge import Merge, Read, Write
from astro_provider.errors import ServiceError
from tests.simulation.astro import Fate, Fault
from tests.simulation.runs import (
    CROWD,
    SETTLE,
    TIGHT,
    Kind,
    OurPlan,
    Plan,
    Space,
    binding,
    pick_in_step,
    play,
    search,
)
from tests.simulation.writers import Batch, Command

TRIES = 5000

GRANT = Put(binding("t", "mine-0"), "A")
ALONE = OurPlan((Batch(0, "t", (GRANT,)),))  # reads at 1, writes at 3, is told at 4, and looks at 13


def found(kind: Kind, space: Space = TIGHT, first: int = 0) -> Plan:
    """A plan of whose run that goes wrong, the first one of many.

    Args:
        kind: what goes wrong.
        space: what is drawn from.
        first: the seed to begin with, shortly before one that is known to find it.
    """
    plan = search(kind, space, range(first, first + TRIES))
    assert plan is not None, f"{TRIES} runs, and never: {kind.value}"
    return plan


def test_without_the_settle_time_a_grant_is_lost() -> None:
    plan = found(Kind.MISSING, replace(TIGHT, settle_ticks=0))

    assert play(plan).shows(Kind.MISSING)
    assert not play(replace(plan, settle_ticks=SETTLE)).shows(Kind.MISSING)


def test_where_stale_lists_are_written_a_grant_of_another_process_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(merge: Merge, _now: float) -> Read | Write | None:
        if merge._finished:
            return None
        return Read(before_write=True) if merge._wanted is None else Write(merge._wanted)

    with monkeypatch.context() as without:
        without.setattr(Merge, "step", step)
        plan = found(Kind.MISSING)

    assert not play(plan).shows(Kind.MISSING)


def test_where_a_list_is_sent_again_after_a_lost_answer_a_foreign_entry_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as without:
        without.setattr(Merge, "lost", lambda _merge, may_come: None)  # noqa: ARG005  as the method has it
        plan = found(Kind.FOREIGN, replace(TIGHT, faults=((Fault.NONE, Fault.ANSWER_LOST),)), first=890)

    assert not play(plan).shows(Kind.FOREIGN)


def test_where_what_stands_is_forgotten_at_once_a_grant_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Ledger.settle

    def settle_at_once(ledger: Ledger, of: BindingId, held: str | None, read_at: float, **by: bool) -> Change | None:
        undone = settle(ledger, of, held, read_at, **by)
        if undone is None:
            ledger.forget([of])
        return undone

    with monkeypatch.context() as without:
        without.setattr(Ledger, "settle", settle_at_once)
        plan = found(Kind.MISSING)

    assert not play(plan).shows(Kind.MISSING)


def test_where_a_repair_is_not_looked_at_again_a_grant_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def repaired(ledger: Ledger, change: Change, _at: float) -> None:
        ledger.forget([change.binding])

    with monkeypatch.context() as without:
        without.setattr(Ledger, "repaired", repaired)
        plan = found(Kind.MISSING)

    assert not play(plan).shows(Kind.MISSING)


def test_where_the_settle_time_does_not_begin_again_while_others_are_at_work_a_grant_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as without:
        without.setattr(ledger, "MOST_EXTENSIONS", 0)
        plan = found(Kind.OVERTAKEN, first=2800)

    assert not play(plan).shows(Kind.OVERTAKEN)


def test_where_all_share_the_fate_of_one_refused_change_a_good_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(merge: Merge, error: ServiceError) -> None:
        merge.failed(error)

    with monkeypatch.context() as without:
        without.setattr(Merge, "refused", refused)
        plan = found(Kind.NOT_ISOLATED, CROWD)

    assert not play(plan).shows(Kind.NOT_ISOLATED)


@pytest.mark.parametrize("kept", [{"ORGANIZATION", "DEPLOYMENT"}, {"ORGANIZATION", "DAG", "MYSTERY"}])
def test_where_a_list_is_made_of_known_or_own_entries_a_foreign_one_is_lost(
    monkeypatch: pytest.MonkeyPatch, kept: set[str]
) -> None:
    read = Merge.read

    def read_some(merge: Merge, token: ApiToken, sent_at: float, now: float) -> None:
        some = tuple(entry for entry in token.roles or () if entry.entity_type in kept)
        read(merge, token.model_copy(update={"roles": some}), sent_at, now)

    with monkeypatch.context() as without:
        without.setattr(Merge, "read", read_some)
        plan = found(Kind.FOREIGN)

    assert not play(plan).shows(Kind.FOREIGN)


def test_where_each_read_counts_and_writers_do_not_pause_a_change_is_given_up_to_a_neighbour_at_the_same_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle = Ledger.settle

    def settle_and_count(ledger: Ledger, of: BindingId, held: str | None, read_at: float, **_: bool) -> Change | None:
        if of in ledger._written:
            ledger._written[of].counted_at = -math.inf
        return settle(ledger, of, held, read_at, by_look=True)

    with monkeypatch.context() as without:
        without.setattr(Ledger, "settle", settle_and_count)
        without.setattr(Ledger, "pause", lambda _ledger, _key: 0.0)
        plan = next(plan for plan in map(in_step, range(100)) if play(plan).shows(Kind.GIVEN_UP))

    assert play(plan).problems == ()


def test_where_writers_do_not_pause_they_stay_in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def repairs() -> int:
        runs = [play(in_step(number)) for number in range(10)]
        return sum(process.met["undone by another, and made again"] for run in runs for process in run.processes)

    paused = repairs()
    monkeypatch.setattr(Ledger, "pause", lambda _ledger, _key: 0.0)

    assert paused < repairs() / 3


def in_step(number: int) -> Plan:
    return pick_in_step(random.Random(number).choice)


# The answer to a write is looked at, and the token is looked at again: either would find a write that the service
# answered and did not carry out. So that the first is needed shows only where the second is turned off.


def unchecked(merge: Merge, _answer: SubjectRoles, now: float, **_others: float) -> None:
    """Take every answer to a write for a success."""
    for change in merge._now_writing:
        merge._done(change, now)
    merge._read_again_unless_done()


IGNORED = replace(ALONE, fates=(Fate(), Fate(fault=Fault.IGNORED)))


def test_where_the_answer_is_not_looked_at_a_write_that_was_not_carried_out_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = Plan((IGNORED,), settle_ticks=0)

    checked = play(plan)
    monkeypatch.setattr(Merge, "wrote", unchecked)

    assert checked.problems == ()
    assert play(plan).shows(Kind.MISSING)


def test_where_the_answer_is_not_looked_at_the_last_look_still_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Merge, "wrote", unchecked)

    assert play(Plan((IGNORED,))).problems == ()


# What is assumed of others is needed too, and no more than that.


@pytest.mark.parametrize(("ticks", "lost"), [(SETTLE - 1, False), (SETTLE + 1, True)])
def test_only_a_write_that_comes_later_than_the_settle_time_after_its_read_is_too_late(ticks: int, lost: bool) -> None:  # noqa: FBT001
    at_once = replace(ALONE, fates=(Fate(1, 0), Fate(0, 0), Fate(0, 0)))  # writes at 1, and looks at 9
    other = Command(1, "t", ("DAG", "dag"), "B", ticks)  # reads at 1, just before our write

    assert lost is play(Plan((at_once,), ((other,),))).shows(Kind.MISSING)

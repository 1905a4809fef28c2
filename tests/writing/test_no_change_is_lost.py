"""Several writers of ours, careless ones, faults and kills, in any order: what was reported as done is there at the end.

The runs are drawn by hypothesis, which shrinks what it finds, and by plain random numbers, which give more of them in
the same time; both the same ones every time. `Kind` in `tests/simulation/runs.py` tells what is looked for.

`python -m tests.simulation` plays as many more as it is told.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from astro_provider.astro.writing.account import MOST_TIMES_UNDONE, Reason
from astro_provider.astro.writing.changes import Put
from tests.simulation.runs import (
    CROWD,
    SETTLE,
    SHARED,
    WIDE,
    OurPlan,
    Plan,
    Space,
    binding,
    pick_in_step,
    pick_plan,
    plans,
    play,
    unforgivable,
)
from tests.simulation.writers import Batch, Command

RUNS = 600  # of each seed
IN_STEP_RUNS = 30  # of each seed; such a run is as long as twenty others
EVENTS = {
    "undone by another, and made again",
    "read again because the list was old",
    "answer to a write that never came",
    "relieved by a later change",
    "told that something was undone for good",
    "killed",
    "ended in ApiToken",
    "ended in BindingConflict",
    "ended in WriteRefused",
    "ended in WriteNotConfirmed",
    "ended in Unavailable",
}

same_every_time = settings(
    derandomize=True, database=None, deadline=None, max_examples=200, suppress_health_check=list(HealthCheck)
)


@same_every_time
@given(plans(WIDE))
def test_nothing_is_lost_where_writers_meet_now_and_then(plan: Plan) -> None:
    assert unforgivable(plan) == []


@same_every_time
@given(plans(CROWD))
def test_nothing_is_lost_where_all_writers_crowd_on_one_token(plan: Plan) -> None:
    assert unforgivable(plan) == []


@pytest.mark.parametrize("moves_updated_at", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_in_many_more_crowds(seed: int, *, moves_updated_at: bool) -> None:
    for number in range(RUNS):
        picked = pick_plan(random.Random(seed * RUNS + number).choice, CROWD)
        plan = replace(picked, moves_updated_at=moves_updated_at)

        assert unforgivable(plan) == [], plan


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_given_up_where_writers_keep_the_same_pace(seed: int) -> None:
    for number in range(IN_STEP_RUNS):
        plan = pick_in_step(random.Random(seed * IN_STEP_RUNS + number).choice)

        assert play(plan).problems == (), plan


@pytest.mark.parametrize("processes", [2, 3])
def test_writers_of_the_same_pace_really_meet(processes: int) -> None:
    plans = [pick_in_step(random.Random(number).choice) for number in range(30)]
    runs = [play(plan) for plan in plans if len(plan.ours) == processes]

    met = sum((process.met for run in runs for process in run.processes), Counter())

    assert met["undone by another, and made again"] > 10 * len(runs)
    assert met["paused to fall out of step"] > len(runs)


def test_what_another_program_undoes_in_each_settle_time_is_given_up_after_so_many_repairs() -> None:
    ours = OurPlan((Batch(0, "t", (Put(binding("t", SHARED), "A"),)),))
    theirs = tuple(Command(at, "t", ("DEPLOYMENT", SHARED), "B", 0) for at in range(5, 100 * SETTLE, SETTLE // 2))

    run = play(Plan((ours,), (theirs,)))

    [process] = run.processes
    assert [(one.change, one.reason) for one in process.lost] == [(ours.batches[0].changes[0], Reason.UNDONE)]
    assert len([commit for commit in run.commits if commit.author == process.name]) == 1 + MOST_TIMES_UNDONE


@pytest.mark.parametrize("space", [WIDE, CROWD], ids=["wide", "crowd"])
def test_the_runs_are_wild_enough_to_mean_something(space: Space) -> None:
    met: Counter[str] = Counter()

    for seed in range(400):
        for process in play(pick_plan(random.Random(seed).choice, space)).processes:
            met += process.met

    assert {name for name in EVENTS if met[name] < 5} == set(), met

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

from tests.simulation.runs import CROWD, WIDE, Plan, Space, pick_plan, plans, play, unforgivable

RUNS = 600  # of each seed
EVENTS = {
    "undone by another, and made again",
    "read again because the list was old",
    "answer to a write that never came",
    "duty handed over",
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


@pytest.mark.parametrize("space", [WIDE, CROWD], ids=["wide", "crowd"])
def test_the_runs_are_wild_enough_to_mean_something(space: Space) -> None:
    met: Counter[str] = Counter()

    for seed in range(400):
        for process in play(pick_plan(random.Random(seed).choice, space)).processes:
            met += process.met

    assert {name for name in EVENTS if met[name] < 5} == set(), met

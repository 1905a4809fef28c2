"""KNOWN COUNTEREXAMPLES: what the search of `test_no_change_is_lost.py` has found, each in its smallest form.

Each of these tests says what should be, and fails as long as it is not so. Whoever mends one of them takes its mark
away, and its kind out of KNOWN in `test_no_change_is_lost.py`.
"""

from __future__ import annotations

import pytest

from astro_provider.api import SubjectRoles
from astro_provider.changes import Put
from astro_provider.errors import CallRefused, WriteRefused
from astro_provider.protocol import Ledger, Merge, Read, Write
from tests.support.simulated_astro import NO_SUCH_ROLE, ORGANIZATION_ID, Fate, as_token
from tests.support.simulated_runs import Batch, Command, OurPlan, Plan, binding, play

DAG = ("DAG", "dag")
OURS = OurPlan((Batch(0, "t", (Put(binding("t", "mine-0"), "A"),)),))  # reads at 1, writes at 3, told at 4, looks at 13


@pytest.mark.xfail(strict=True, reason="one look does not see a writer that read while a third one had not yet restored")
def test_a_grant_outlives_two_careless_writers_that_overlap() -> None:
    # C0 reads before our write and undoes it. C1 has read our write and restores it by chance, just before we look and
    # forget. But C0's next command has read in between, and undoes it for good. Every window is below the settle time.
    first, second = Command(2, "t", DAG, "B", ticks=7), Command(9, "t", DAG, "C", ticks=7)
    between = Command(8, "t", ("DEPLOYMENT", "theirs"), "B", ticks=4)

    run = play(Plan((OURS,), ((first, second), (between,))))

    assert [("P0", "A"), ("C0", None), ("C1", "A"), ("C0", None)] == [(c.author, c.gives("mine-0")) for c in run.commits]
    assert () == run.problems


@pytest.mark.xfail(strict=True, reason="as above; the one that restores by chance may be another writer of ours")
def test_a_grant_outlives_one_careless_writer_and_another_of_ours() -> None:
    other = OurPlan((Batch(0, "t", (Put(binding("t", "mine-1"), "A"),)),), (Fate(0, 4), Fate(2, 1)), 1, starts_at=4)
    first, second = Command(2, "t", DAG, "B", ticks=7), Command(9, "t", DAG, "C", ticks=7)

    run = play(Plan((OURS, other), ((first, second),)))

    assert () == run.problems


@pytest.mark.xfail(strict=True, reason="Merge.read forgets what was written before it knows whether the new change can be")
def test_a_grant_keeps_its_protection_when_a_later_change_of_it_is_refused() -> None:
    # The careless writer reads before our grant and undoes it after the refusal. The last look knows nothing of it.
    grant = Put(binding("t", "mine-0"), "A")
    refused = Put(binding("t", "mine-0"), NO_SUCH_ROLE)
    careless = Command(2, "t", DAG, "B", ticks=7)

    run = play(Plan((OurPlan((Batch(0, "t", (grant,)), Batch(4, "t", (refused,)))),), ((careless,),)))

    assert () == run.problems


@pytest.mark.xfail(strict=True, reason="MOST_WRITES does not count repairs that were confirmed; only the deadline ends it")
def test_a_merge_that_goes_one_by_one_ends_although_each_write_is_undone() -> None:
    grant, refused = Put(binding("t", "d"), "A"), Put(binding("t", "e"), NO_SUCH_ROLE)
    merge = Merge(ORGANIZATION_ID, "t", [grant, refused], Ledger(8.0))
    answer = SubjectRoles.model_validate({"deploymentRoles": [{"deploymentId": "d", "role": "A"}]})

    for _ in range(50):
        match merge.step(0.0):
            case Read():
                merge.read(as_token("t", ()), 0.0, 0.0)  # whatever was written, it is gone again
            case Write(roles) if any(entry.role == NO_SUCH_ROLE for entry in roles):
                if guilty := merge.refused(CallRefused("no such role", status=400)):
                    merge.blame(guilty, WriteRefused("no such role"))
            case Write():
                merge.wrote(answer, 0.0)
            case None:
                break

    assert merge.step(0.0) is None

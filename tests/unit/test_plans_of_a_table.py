"""The changes of a plan, and the rows that a table's preview names."""

from __future__ import annotations

import pytest

from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Add, Put, Remove
from astro_provider.lifecycle.changing import Plan
from astro_provider.lifecycle.tables.strangers import Stranger, removes, to_take
from astro_provider.lifecycle.tables.values import Removes
from astro_provider.lifecycle.values import Entry
from astro_provider.names import ALREADY_REMOVED

A, B, C, D = (BindingId("o", deployment, "t") for deployment in "abcd")


def test_each_binding_of_a_plan_is_one_change() -> None:
    plan = Plan(
        gives={D: "X", C: "Loader"},
        puts={B: "Y"},
        takes={A: ()},
        called={A: "a", B: "b", C: "c", D: "d"},
        overwrite=[D],
        exact=["Loader"],
    )

    assert plan.changes() == [Remove(A), Put(B, "Y"), Add(C, "Loader", exact=True), Add(D, "X", overwrite=True)]
    assert [change.called for change in plan.changes()] == ["a", "b", "c", "d"]


def test_what_another_resource_has_is_not_taken() -> None:
    plan = Plan(takes={A: (), B: ()}, called={A: "a", B: "b"})

    assert plan.changes(kept=[B]) == [Remove(A)]


def test_the_changes_of_a_token_stand_beside_each_other() -> None:
    gives = {BindingId("o", d, t): "X" for d in "ab" for t in "uv"}

    found = Plan(gives=gives, called=dict.fromkeys(gives, "it")).changes()

    assert [change.binding.token_id for change in found] == ["u", "u", "v", "v"]


ROW = Entry("etl", "bob")


@pytest.mark.parametrize(
    ("stored", "there", "row", "is_taken"),
    [
        (None, None, None, False),
        (None, "X", "X", True),
        ("X", None, ALREADY_REMOVED, False),
        ("X", "X", "X (again)", True),
        ("X (again)", "X", "X", True),
        ("X", "Y", "Y", True),
        (ALREADY_REMOVED, None, ALREADY_REMOVED, False),
        (ALREADY_REMOVED, "X", "X", True),
    ],
)
def test_a_row_of_removes_says_what_this_run_takes_and_differs_from_what_the_last_one_took(
    stored: str | None, there: str | None, row: str | None, *, is_taken: bool
) -> None:
    before: Removes = {} if stored is None else {"etl": {"bob": stored}}
    strangers = [] if there is None else [Stranger(A, ROW, there)]

    found = removes(strangers, before)

    assert found == ({} if row is None else {"etl": {"bob": row}})
    assert to_take(found) == ({(ROW, row)} if is_taken else set())

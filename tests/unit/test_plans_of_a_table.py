"""Which changes a table asks for, and which rows its preview names."""

from __future__ import annotations

import pytest

from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Add, Put, Remove
from astro_provider.lifecycle.findings import Entry
from astro_provider.lifecycle.tables.plan import plan
from astro_provider.lifecycle.tables.strangers import Stranger, removes, to_take
from astro_provider.lifecycle.tables.values import Removes
from astro_provider.names import ALREADY_REMOVED

A, B, C, D = (BindingId("o", deployment, "t") for deployment in "abcd")


def test_each_difference_is_one_change() -> None:
    found = plan({A: "X", B: "X", C: "X"}, {A: "X", B: "Y", D: "X"}, strangers=[A, B, C, D])

    assert found.changes(overwrite=True, called={D: "it"}) == [
        Put(B, "Y"),
        Remove(C),
        Add(D, "X", overwrite=True, called="it"),
    ]


def test_letters_are_no_difference() -> None:
    assert plan({A: "x"}, {A: "X"}).changes(overwrite=False, called={}) == []


def test_what_a_delete_of_this_run_has_taken_is_put_again() -> None:
    assert plan({A: "X", B: "X"}, {A: "X", B: "X"}, taken={A}).changes(overwrite=False, called={}) == [Put(A, "X")]


def test_what_another_resource_has_is_not_taken() -> None:
    stranger = BindingId("o", "a", "u")
    found = plan({A: "X", B: "X"}, {}, strangers=[stranger])

    assert found.changes(overwrite=False, called={}, kept=[B]) == [Remove(A), Remove(stranger)]


def test_the_changes_of_a_token_stand_beside_each_other() -> None:
    found = plan({}, {BindingId("o", d, t): "X" for d in "ab" for t in "uv"}).changes(overwrite=False, called={})

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

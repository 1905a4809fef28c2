"""`find` tells ids by a part of a name, in three lists."""

from __future__ import annotations

import json

import pytest

from astro_emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS
from tests.support.cast import FINANCE_ID
from tests.support.shell import run, run_in_terminal


def found(organization: Emulator, text: str) -> list[tuple[str, str, str | None]]:
    ended = run(organization, "find", text, "--output", "json")
    rows = json.loads(ended.out)
    assert (ended.status, ended.err) == (0 if rows else 5, "")
    return [(row["kind"], row["name"], row["id"]) for row in rows]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("LOADS", [("token", "nightly loads", "clx1loads0000008l6aaaaaaa")]),
        ("order", [("token", "orders only", "clx1only00000008l6aaaaaaa"), ("deployment", "orders", ORDERS)]),
        ("fin", [("workspace", "Finance", FINANCE_ID)]),
        ("release", [("role", "Release Engineer", "clr4f6w8h000a08l6s2d9q7ug")]),
        ("_admin", [("role", "DEPLOYMENT_ADMIN", None)]),
        (LEDGER, [("deployment", "ledger", LEDGER)]),
        ("nobody", []),
    ],
)
def test_a_part_of_a_name_finds_all_kinds(
    organization: Emulator, text: str, hits: list[tuple[str, str, str | None]]
) -> None:
    assert hits == found(organization, text)


def test_a_token_that_holds_no_role_is_found_as_well(organization: Emulator) -> None:
    idle = organization.store.add_token("idle")

    assert [("token", "idle", idle)] == found(organization, "idle")


def test_it_takes_three_lists_and_no_write(organization: Emulator) -> None:
    run(organization, "find", "order")

    calls = organization.calls()
    assert calls["by_verb"] == {"GET": 3}


def test_the_table_tells_two_of_one_name_apart(organization: Emulator) -> None:
    organization.store.add_token("ci", id="clx1twin0000008l6aaaaaaaa", description="Deploys from the fork")

    ended = run(organization, "find", "ci")

    assert ended.lines[0].split() == ["KIND", "NAME", "ID", "ABOUT"]
    assert any(
        "clx1ci0000000008l6aaaaaaa  Deploys from main, on every merge, made by Ada Byron, on 20" in line
        for line in ended.lines
    )
    assert any("clx1twin0000008l6aaaaaaaa  Deploys from the fork, made by " in line for line in ended.lines)


def test_a_token_that_cannot_be_bound_says_so(organization: Emulator) -> None:
    ended = run(organization, "find", "orders only")

    assert "scope DEPLOYMENT: cannot be bound" in ended.out


def test_nothing_found_is_said_with_the_nearest_and_has_a_status_of_its_own(organization: Emulator) -> None:
    ended = run(organization, "find", "ledgre")

    expected = "No token, deployment, workspace or role has 'ledgre' in its name (nearest: 'ledger').\n"
    assert (5, "", expected) == (ended.status, ended.out, ended.err)


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_it_fits_into_a_terminal_and_breaks_no_id(organization: Emulator, columns: int) -> None:
    ended = run_in_terminal(organization, "find", "ci", columns=columns)

    assert "clx1ci0000000008l6aaaaaaa" in ended.screen_text
    assert max(len(line) for line in ended.screen_text.splitlines()) <= columns


def test_without_a_text_it_is_wrong_usage(organization: Emulator) -> None:
    ended = run(organization, "find")

    assert ended.status == 2
    assert "Missing argument 'TEXT'" in ended.err

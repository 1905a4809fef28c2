"""What the digests and exports of the real engine say about access that tables give and take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.access.digest import Digest, read_digest
from astro_provider.access.export import read_export
from astro_provider.access.model import Text
from tests.support.beginnings import begin_with
from tests.support.digests import RECOMMENDED, digest
from tests.support.outcomes import changed, offline, roles
from tests.support.previews import exported
from tests.support.programs import declaring
from tests.support.shell import run
from tests.support.stack import Stack
from tests.support.tables import ACCESSOR, ADMIN, POST, Town, make_town


@pytest.fixture
def town(astro: Emulator) -> Town:
    return make_town(astro)


def preview(stack: Stack, *flags: str, **declared: dict[str, Any]) -> Digest:
    stack.program = declaring(**declared)
    return read_digest(digest(stack, "preview", *(flags or RECOMMENDED)).text, "digest.json")


def rows(town: Town, found: Digest) -> set[tuple[str, str, Text, Text]]:
    """Deployment and token by name, and the role before and after, of all that changes."""
    deployments = {id_: name for name, id_ in town.deployments.items()}
    tokens = {id_: name for name, id_ in town.tokens.items()}
    return {
        (
            deployments[str(change.subject.deployment_id)],
            tokens.get(str(change.subject.org_token_id), str(change.subject.org_token_name)),
            *roles(change),
        )
        for change in changed(found)
    }


def single(town: Town, deployment: str, token: str) -> dict[str, Any]:
    return {"deployment_id": town.deployments[deployment], "org_token_name": token, "role": ADMIN}


def test_rows_of_a_table_are_access_by_ids_whatever_the_keys(stack: Stack, town: Town) -> None:
    table = {"roles": {"d-0": {"t-0": ADMIN, town.tokens["t-1"]: ACCESSOR}, town.deployments["d-1"]: {"t-0": ADMIN}}}

    made = preview(stack, access=table)
    stack.up()
    unchanged = preview(stack, access=table)
    spelled = preview(stack, access={"roles": {town.deployments["d-0"]: table["roles"]["d-0"], "d-1": {"t-0": ADMIN}}})
    changed = preview(stack, access={"roles": {"d-0": {"t-0": ACCESSOR}, "d-1": {"t-0": ADMIN, "t-2": ADMIN}}})
    managed = read_export(exported(stack), "export.json")

    given = {("d-0", "t-0", ADMIN), ("d-0", "t-1", ACCESSOR), ("d-1", "t-0", ADMIN)}
    assert rows(town, made) == {(deployment, token, None, role) for deployment, token, role in given}
    assert (rows(town, unchanged), offline(unchanged).unchanged, unchanged.problems) == (set(), 3, [])
    assert rows(town, spelled) == set()
    assert rows(town, changed) == {
        ("d-0", "t-0", ADMIN, ACCESSOR),
        ("d-0", "t-1", ACCESSOR, None),
        ("d-1", "t-2", None, ADMIN),
    }
    assert {(one.subject.deployment_id, one.subject.org_token_id, one.role) for one in managed.grants} == {
        (town.deployments[deployment], town.tokens[token], role) for deployment, token, role in given
    }


def test_a_move_is_no_change_and_a_gap_if_it_may_leave_a_table_first(stack: Stack, town: Town) -> None:
    begin_with(
        stack, town.astro, declaring(single=single(town, "d-0", "t-0"), access={"roles": {"d-1": {"t-0": ADMIN}}})
    )

    into = preview(stack, access={"roles": {"d-0": {"t-0": ADMIN}, "d-1": {"t-0": ADMIN}}})
    out_of = preview(
        stack, single=single(town, "d-0", "t-0"), other=single(town, "d-1", "t-0"), access={"roles": {"d-2": {}}}
    )
    away = preview(stack, single=single(town, "d-0", "t-0"), other=single(town, "d-1", "t-0"))

    assert rows(town, into) == rows(town, out_of) == rows(town, away) == set()
    assert offline(into).gaps == offline(away).gaps == set()
    assert {(one.deployment_id, one.org_token_id) for one in offline(out_of).gaps} == {
        (town.deployments["d-1"], town.tokens["t-0"])
    }
    assert len(offline(out_of).changes) == 1


def reviewed(
    town: Town, stack: Stack, tmp_path: Path, *flags: str, **declared: dict[str, Any]
) -> dict[tuple[str, str], Any]:
    """The rows of `astro-provider review` by deployment and token: the role before and after, and the flags."""
    stack.program = declaring(**declared)
    file = tmp_path / "digest.json"
    file.write_text(digest(stack, "preview", *(flags or RECOMMENDED)).text)
    document = json.loads(run(town.astro, "review", str(file), "--output", "json").out)
    names = {id_: name for name, id_ in (*town.deployments.items(), *town.tokens.items())}
    return {
        (names[row["deployment_id"]], names[row["org_token_id"]]): (
            row["before"],
            row["after"],
            sorted({"gap", "admin"} & set(row["flags"])),
        )
        for row in document["changes"]
    }


def test_the_review_flags_an_entry_that_moves_out_of_a_table_that_stays(
    stack: Stack, town: Town, tmp_path: Path
) -> None:
    before = {"access": {"roles": {"d-0": {"t-0": ADMIN}, "d-1": {"t-0": ADMIN}}}}
    begin_with(stack, town.astro, declaring(**before))
    stays = {"access": {"roles": {"d-0": {"t-0": ADMIN}}}}
    renamed = {"renamed": stays["access"]}

    to_a_binding = reviewed(town, stack, tmp_path, **stays, other=single(town, "d-1", "t-0"))
    to_a_table = reviewed(town, stack, tmp_path, **stays, other={"roles": {"d-1": {"t-0": ADMIN}}})
    without = reviewed(town, stack, tmp_path, **renamed, other=single(town, "d-1", "t-0"))

    assert to_a_binding == to_a_table == {("d-1", "t-0"): (ADMIN, ADMIN, ["admin", "gap"])}
    assert without == {}


def test_the_review_shows_what_stands_of_what_a_failed_run_has_left(stack: Stack, town: Town, tmp_path: Path) -> None:
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    asked = {"access": {"roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}}}
    stack.program = declaring(**asked)
    town.astro.fault(status=403, operation=POST, path=town.tokens[second])
    town.astro.fault(status=403, operation=POST, path=town.tokens[first], skip=1)
    stack.up()
    town.astro.clear_faults()

    without_refresh = [flag for flag in RECOMMENDED if flag != "--refresh"]
    again = reviewed(town, stack, tmp_path, *without_refresh, **asked)
    away = reviewed(town, stack, tmp_path, *without_refresh, access={"roles": {"d-0": {}}})
    refreshed = reviewed(town, stack, tmp_path, access={"roles": {"d-0": {}}})

    assert again == {("d-0", second): (None, ADMIN, ["admin"])}
    assert away == {("d-0", first): (ADMIN, None, [])}
    assert refreshed == {("d-0", first): (ADMIN, None, [])}


def test_what_an_exclusive_table_removes_is_lost_once(stack: Stack, town: Town) -> None:
    town.bind("d-0", "t-1", ACCESSOR)
    table = {"roles": {"d-0": {"t-0": ADMIN}}, "exclusive": True}

    made = preview(stack, access=table)
    stack.up()
    again = preview(stack, "--show-sames", access=table)
    other = preview(stack, "--show-sames", access={**table, "roles": {"d-0": {"t-0": ACCESSOR}}})
    town.bind("d-0", "t-1", ACCESSOR)
    back = preview(stack, "--show-sames", access=table)

    assert rows(town, made) == {("d-0", "t-0", None, ADMIN), ("d-0", "t-1", ACCESSOR, None)}
    assert rows(town, again) == set()
    assert rows(town, other) == {("d-0", "t-0", ADMIN, ACCESSOR)}
    assert rows(town, back) == {("d-0", "t-1", ACCESSOR, None)}


def test_drift_of_a_table_is_told_as_drift(stack: Stack, town: Town) -> None:
    table = {"roles": {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}}
    begin_with(stack, town.astro, declaring(access=table))
    town.bind("d-0", "t-0", ACCESSOR)
    town.unbind("d-0", "t-1")

    reverted = preview(stack, access=table)
    refreshed = read_digest(digest(stack, "refresh", "--preview-only").text, "digest.json")

    assert rows(town, reverted) == {("d-0", "t-0", ACCESSOR, ADMIN), ("d-0", "t-1", None, ADMIN)}
    assert {one.org_token_id for one in offline(reverted).drifted} == {town.tokens["t-0"], town.tokens["t-1"]}
    assert refreshed.is_refresh
    assert rows(town, refreshed) == {("d-0", "t-0", ADMIN, ACCESSOR), ("d-0", "t-1", ADMIN, None)}

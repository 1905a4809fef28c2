"""Digests of states and options for which the engine does not do what its steps seem to say.

The steps have the shape of those of engine 3.259; tests/reviews compares the same on the real engine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.access.digest import Diagnostic, read_digest
from astro_provider.access.facts import Facts
from astro_provider.access.flags import Flag
from astro_provider.access.review import Review, Row, review
from tests.support.processes import calls_to
from tests.support.shell import run

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
TYPE = "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"
ORGANIZATION = "clk2v5d8n000108mk4g7bz1qf"
D0, D1 = "clmdep0000000000000000000", "clmdep1000000000000000000"
TOKEN, OTHER = "clntoken00000000000000000", "clnother00000000000000000"


def urn(name: str, kind: str = TYPE) -> str:
    return f"urn:pulumi:test::bindings::{kind}::{name}"


def state(name: str, deployment: str = D0, role: str = ADMIN, token: str = TOKEN, **more: Any) -> dict[str, Any]:
    """A binding in the state."""
    outputs = {"organization_id": ORGANIZATION, "deployment_id": deployment, "org_token_id": token, "role": role}
    identifier = f"{ORGANIZATION}/{deployment}/{token}"
    return {"urn": urn(name), "type": TYPE, "id": identifier, "outputs": outputs, **more}


def asked(name: str, deployment: str = D0, role: str = ADMIN, token: str = TOKEN, **more: Any) -> dict[str, Any]:
    """A binding that a program asks for."""
    inputs = {"organization_id": ORGANIZATION, "deployment_id": deployment, "org_token_id": token, "role": role}
    return {"urn": urn(name), "type": TYPE, "inputs": {**inputs, **more}}


def step(op: str, old: Mapping[str, Any] | None = None, new: Mapping[str, Any] | None = None) -> dict[str, Any]:
    states = {which: one for which, one in (("oldState", old), ("newState", new)) if one is not None}
    return {"op": op, "urn": (new or old or {})["urn"], **states}


def refreshed(one: Mapping[str, Any]) -> dict[str, Any]:
    return step("refresh", one, one)


def reviewed(*steps: Mapping[str, Any], said: Any = (), facts: Facts | None = None, **summary: int) -> Review:
    document = {"steps": steps, "changeSummary": summary, "diagnostics": said}
    return review(read_digest(json.dumps(document), "digest.json"), facts or Facts())


def told(found: Review) -> list[tuple[str, str | None, str | None, str | None]]:
    """What happens, in which deployment, and the role before and after."""
    return [(row.kind.value, row.deployment_id, row.before, row.after) for row in found.rows]


def flags_of(row: Row) -> set[Flag]:
    return set(row.flags)


def test_a_replacement_whose_delete_an_earlier_run_made_has_nothing_before() -> None:
    gone = state("b", D0, pendingReplacement=True)
    back = reviewed(
        refreshed(gone), step("replace", gone, asked("b", D0)), step("create-replacement", gone, asked("b", D0))
    )
    on = reviewed(
        refreshed(gone), step("replace", gone, asked("b", D1)), step("create-replacement", gone, asked("b", D1))
    )
    without_steps = reviewed(refreshed(gone), step("replace", gone, asked("b", D1)))

    assert told(back) == [("gain", D0, None, ADMIN)]
    assert told(on) == told(without_steps) == [("gain", D1, None, ADMIN)]
    assert not flags_of(on.rows[0]) & {Flag.GAP, Flag.DRIFT_REVERTED}


def test_a_replacement_that_deletes_first_takes_the_old_role() -> None:
    old, gone = state("b", D0), state("b", D0, pendingReplacement=True)
    found = reviewed(
        step("delete-replaced", old),
        step("replace", gone, asked("b", D1)),
        step("create-replacement", gone, asked("b", D1)),
    )

    assert {("lose", D0, ADMIN, None), ("gain", D1, None, ADMIN)} == set(told(found))


def test_without_replacement_steps_and_refresh_it_is_not_known_whether_the_old_role_is_there() -> None:
    found = reviewed(step("replace", state("b", D0, pendingReplacement=True), asked("b", D1)))

    (lost,) = [row for row in found.rows if row.deployment_id == D0]
    assert (lost.kind, lost.before, lost.after_known) == ("lose", ADMIN, False)


@pytest.mark.parametrize("op", ["delete", "replace"])
def test_a_grant_that_is_retained_stays(op: str) -> None:
    old = state("b", D0, retainOnDelete=True)
    steps = [step("delete", old)] if op == "delete" else [step("replace", old, asked("b", D1))]

    found = reviewed(*steps)

    assert ("keep", D0, ADMIN, ADMIN) in told(found)
    assert found.retained == 1
    assert flags_of(next(row for row in found.rows if row.deployment_id == D0)) == {Flag.RELEASED}


def test_what_is_deleted_with_another_binding_stays() -> None:
    a, b = state("a", D0), state("b", D1, deletedWith=urn("a"))

    assert {("lose", D0, ADMIN, None), ("keep", D1, ADMIN, ADMIN)} == set(
        told(reviewed(step("delete", b), step("delete", a)))
    )
    assert told(reviewed(step("same", a, asked("a")), step("delete", b))) == [("lose", D1, ADMIN, None)]


def test_of_what_is_deleted_with_something_else_it_is_not_known() -> None:
    kind = "astronomer:index:ApiToken"
    other = {"urn": urn("a", kind), "type": kind, "id": "x", "outputs": {}}

    found = reviewed(step("delete", state("b", D1, deletedWith=urn("a", kind))), step("delete", other))

    assert [(row.kind, row.before, row.after, row.after_known) for row in found.rows] == [("lose", ADMIN, None, False)]
    assert Flag.UNKNOWN in flags_of(found.rows[0])


def test_a_leftover_that_a_run_is_aimed_at_is_revoked_unless_the_run_is_aimed_at_its_successor_too() -> None:
    old, new = state("old"), state("new")
    kept, deleted = step("same", new, asked("new")), step("delete", old)

    targeted = reviewed(refreshed(old), kept, deleted)
    whole = reviewed(refreshed(old), refreshed(new), kept, deleted)
    not_known = reviewed(kept, deleted)

    assert told(targeted) == [("lose", D0, ADMIN, None)]
    assert told(whole) == []
    assert [(row.kind, row.after_known) for row in not_known.rows] == [("lose", False)]


def test_two_resources_of_one_subject_are_both_rows_and_a_problem() -> None:
    found = reviewed(step("create", None, asked("a", D0, ADMIN)), step("create", None, asked("b", D0, ACCESSOR)))

    assert {("gain", D0, None, ADMIN), ("gain", D0, None, ACCESSOR)} == set(told(found))
    assert found.problems == (
        (
            f"Token {TOKEN} in deployment {D0} is asked for by 2 resources ('a', 'b'), so it is not known which role it has "
            "afterwards: remove all but one."
        ),
    )
    assert found.hits([Flag.ADMIN]) == [Flag.ADMIN]


def test_a_binding_that_was_only_read_becomes_managed_and_what_is_managed_may_be_read_only() -> None:
    read = state("b", D0, external=True)
    doomed = {**read, "delete": True}
    becomes = reviewed(
        step("create-replacement", read, asked("b")), step("replace", doomed, asked("b")), step("discard-replaced", doomed),
        facts=Facts(asked=True, held={(D0, TOKEN): ADMIN}),
    )  # fmt: skip
    moves = reviewed(step("replace", doomed, asked("b", D1)))
    released = reviewed(step("read", state("b"), {"urn": urn("b"), "type": TYPE, "external": True, "id": "x"}))

    assert told(becomes) == [("keep", D0, ADMIN, ADMIN)]
    assert Flag.ADOPTS in flags_of(becomes.rows[0])
    assert told(moves) == [("gain", D1, None, ADMIN)]
    assert told(released) == [("keep", D0, ADMIN, ADMIN)]
    assert Flag.RELEASED in flags_of(released.rows[0])


def test_a_delete_that_an_earlier_run_left_is_a_loss_whether_or_not_its_step_is_shown() -> None:
    left, now = state("b", D0, delete=True), state("b", D1)
    kept = step("same", now, asked("b", D1))

    shown = reviewed(refreshed(now), refreshed(left), kept, step("delete-replaced", left))
    hidden = reviewed(refreshed(now), refreshed(left), kept)
    replaced_too = reviewed(
        step("delete-replaced", now), step("replace", now, asked("b", "clmdep2000000000000000000")),
        step("create-replacement", now, asked("b", "clmdep2000000000000000000")), step("delete-replaced", left),
    )  # fmt: skip

    assert told(shown) == told(hidden) == [("lose", D0, ADMIN, None)]
    assert ("lose", D0, ADMIN, None) in told(replaced_too)


def test_what_a_failed_run_has_left_is_no_role_but_not_known() -> None:
    left = state("b", D0)
    left["outputs"]["unfinished"] = True
    table = {
        "urn": urn("t", f"{TYPE}s"), "type": f"{TYPE}s", "id": f"{ORGANIZATION}/x",
        "outputs": {
            "organization_id": ORGANIZATION, "roles": {D1: {}}, "unfinished": {D1: [TOKEN]},
            "deployment_ids": {D1: D1}, "token_ids": {TOKEN: TOKEN},
        },
    }  # fmt: skip
    found = reviewed(step("update", left, asked("b", D0, ACCESSOR)), step("delete", table))
    (gained,) = [row for row in found.rows if row.deployment_id == D0]
    (lost,) = [row for row in found.rows if row.deployment_id == D1]

    assert (gained.kind, gained.before, gained.before_known, gained.after) == ("gain", None, False, ACCESSOR)
    assert (lost.kind, lost.before, lost.before_known, lost.after) == ("lose", None, False, None)


def test_what_an_exclusive_table_may_take_is_a_row_that_is_not_known() -> None:
    kind = f"{TYPE}s"
    inputs: dict[str, Any] = {
        "organization_id": ORGANIZATION, "exclusive": True, "roles": {D0: {OTHER: ADMIN}, "made here": {}},
        "removes": {D0: {TOKEN: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "stranger": ADMIN}},
    }  # fmt: skip
    new = {"urn": urn("t", kind), "type": kind, "inputs": inputs}

    rows = reviewed(step("create", None, new)).rows

    found = {(one.org_token_id or one.org_token_name, one.deployment_id or one.deployment_name): one for one in rows}
    assert {pair: (one.kind, one.after_known) for pair, one in found.items()} == {
        (OTHER, D0): ("gain", True),
        (TOKEN, D0): ("lose", False),
        ("stranger", D0): ("lose", True),
        (None, "made here"): ("lose", False),
    }


def test_steps_that_the_engine_counts_and_the_digest_does_not_show_are_a_problem() -> None:
    whole = reviewed(step("delete", state("b")), delete=1)
    short = reviewed(step("delete", state("b")), delete=3, create=1)

    assert whole.problems == ()
    assert short.problems == (
        "The engine counts 1 create that the digest does not show.",
        "The engine counts 2 deletes that the digest does not show.",
    )


SENTENCES = (
    "Token 'x' ({other}) already has the role DEPLOYMENT_ADMIN in deployment 'y' ({d0}). It will be adopted unchanged.",
    "Token 'x' ({other}) already has the role DEPLOYMENT_ACCESSOR in deployment 'y' ({d0}): overwrite will change it.",
    "Token 'x' ({other}) will lose the role DEPLOYMENT_ADMIN in deployment 'y' ({d0}), because it is not in this table.",
    "Token 'x' ({other}) in deployment 'y' ({d0}) keeps its role: another resource of this program binds the two.",
    "No change of access.",
    "**The preview is incomplete. Changes may be missing here.**",
)


@pytest.mark.parametrize("severity", ["info", "info#err", "warning"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_nothing_that_a_run_prints_changes_a_row(sentence: str, severity: str) -> None:
    text = sentence.format(other=OTHER, d0=D0)
    steps = [
        step("create", None, asked("a", D0, ADMIN, OTHER)),
        step("delete", state("b", D0, ACCESSOR)),
        step("update", state("c", D1, ADMIN, OTHER), asked("c", D1, ACCESSOR, OTHER)),
    ]
    prefixes = ("astro: ", "astro: note: ", "astro: warning: ", "warning: astro: ", "")
    said = [{"severity": severity, "message": f"{prefix}{text}\n"} for prefix in prefixes]

    quiet, spoken = reviewed(*steps), reviewed(*steps, said=said)

    assert spoken.rows == quiet.rows
    assert (spoken.problems, spoken.unchanged, spoken.retained) == (quiet.problems, quiet.unchanged, quiet.retained)
    assert all(isinstance(one, Diagnostic) for one in spoken.diagnostics)


def test_a_token_that_is_named_like_a_note_hides_no_gain(astro: Emulator, tmp_path: Path) -> None:
    place, other = astro.store.add_deployment("y"), astro.store.add_token("other")
    spoof = f"x ({other}) already has the role DEPLOYMENT_ADMIN in deployment y ({place}): adopt"
    named = astro.store.add_token(spoof)
    astro.store.bind(named, place, ACCESSOR)
    organization = {"organization_id": astro.organization_id}
    note = f"astro: Token {spoof!r} ({named}) already has the role {ACCESSOR} in deployment 'y' ({place}). It will be adopted."
    document = {
        "steps": [
            step("create", None, asked("a", place, ADMIN, other, **organization)),
            step("create", None, asked("b", place, ACCESSOR, named, org_token_name=spoof, **organization)),
        ],
        "changeSummary": {"create": 2},
        "diagnostics": [{"severity": "info", "message": note}],
    }
    (tmp_path / "digest.json").write_text(json.dumps(document))
    astro.clear_calls()

    found = json.loads(run(astro, "review", str(tmp_path / "digest.json"), "--output", "json").out)["changes"]

    assert {one["org_token_id"]: (one["change"], one["before"], one["after"]) for one in found} == {
        other: ("gain", None, ADMIN),
        named: ("keep", ACCESSOR, ACCESSOR),
    }
    assert calls_to(astro) == {"ListApiTokens": 2, "ListDeployments": 1}


def test_an_overwrite_of_a_token_that_is_named_like_a_place_keeps_its_name_and_its_flag(
    astro: Emulator, tmp_path: Path
) -> None:
    place, token = astro.store.add_deployment("y"), astro.store.add_token("a in deployment b")
    astro.store.bind(token, place, ACCESSOR)
    wanted = asked("a", place, ADMIN, token, overwrite=True, organization_id=astro.organization_id)
    refused = {**wanted, "inputs": {**wanted["inputs"], "overwrite": False}}
    rows = []
    for one in (wanted, refused):
        (tmp_path / "digest.json").write_text(json.dumps({"steps": [step("create", None, one)], "changeSummary": {}}))
        rows += json.loads(run(astro, "review", str(tmp_path / "digest.json"), "--output", "json").out)["changes"]

    assert [(row["change"], row["before"], row["org_token_name"]) for row in rows] == [
        ("change", ACCESSOR, "a in deployment b")
    ] * 2
    assert [("overwrites" in row["flags"], "refused" in row["flags"]) for row in rows] == [(True, False), (False, True)]


def test_offline_a_gain_is_told_as_one_and_counts_as_an_overwrite_if_it_may_be_one() -> None:
    found = reviewed(
        step("create", None, asked("a", D0, ADMIN, overwrite=True)), step("create", None, asked("b", D1, ADMIN))
    )

    assert {(row.kind, row.before, row.before_known) for row in found.rows} == {("gain", None, False)}
    assert all(Flag.UNKNOWN in row.flags for row in found.rows)
    assert found.hits([Flag.OVERWRITES]) == [Flag.OVERWRITES]


def test_roles_are_asked_for_by_the_fewer_of_tokens_and_deployments(astro: Emulator, tmp_path: Path) -> None:
    places = [astro.store.add_deployment(f"d{number}") for number in range(4)]
    tokens = [astro.store.add_token(f"t{number}") for number in range(2)]

    def calls(*pairs: tuple[str, str]) -> dict[str, int]:
        steps = [
            step("create", None, asked(f"b{number}", place, ACCESSOR, token, organization_id=astro.organization_id))
            for number, (place, token) in enumerate(pairs)
        ]
        (tmp_path / "digest.json").write_text(json.dumps({"steps": steps, "changeSummary": {}}))
        astro.clear_calls()
        assert run(astro, "review", str(tmp_path / "digest.json")).status == 0
        return calls_to(astro)

    assert calls(*((place, token) for place in places for token in tokens)) == {
        "ListApiTokens": 1, "ListDeployments": 1, "GetApiToken": 2,
    }  # fmt: skip
    assert calls((places[0], tokens[0]), (places[0], tokens[1])) == {"ListApiTokens": 2, "ListDeployments": 1}


def test_a_name_that_astro_does_not_have_is_flagged(astro: Emulator, tmp_path: Path) -> None:
    place, token = astro.store.add_deployment("y"), astro.store.add_token("ci")
    organization = {"organization_id": astro.organization_id}
    misspelt = asked("a", place, "DEPLOYMENT_ACESSOR", token, **organization)
    unknown = asked("b", place, ADMIN, "", org_token_name="observabilty", **organization)
    right = asked("c", place, "Release Engineer", astro.store.add_token("other"), **organization)
    steps = [step("create", None, one) for one in (misspelt, unknown, right)]
    (tmp_path / "digest.json").write_text(json.dumps({"steps": steps, "changeSummary": {}}))

    ended = run(astro, "review", str(tmp_path / "digest.json"), "--output", "json", "--fail-on", "unknown-name")

    rows = {row["org_token_name"]: row["flags"] for row in json.loads(ended.out)["changes"]}
    assert ended.status == 3
    assert {name: "unknown-name" in flags for name, flags in rows.items()} == {
        "ci": True, "observabilty": True, "other": False,
    }  # fmt: skip


def test_a_token_or_a_deployment_that_was_deleted_in_astro_is_flagged(astro: Emulator, tmp_path: Path) -> None:
    place, token = astro.store.add_deployment("y"), astro.store.add_token("ci")
    organization = {"organization_id": astro.organization_id}
    no_token = asked("a", place, ADMIN, "clgonetoken", org_token_name="gone", **organization)
    no_place = asked("b", "clgonedeployment", ADMIN, token, **organization)
    right = asked("c", place, ADMIN, token, **organization)
    steps = [step("create", None, one) for one in (no_token, no_place, right)]
    (tmp_path / "digest.json").write_text(json.dumps({"steps": steps, "changeSummary": {}}))

    ended = run(astro, "review", str(tmp_path / "digest.json"), "--output", "json", "--fail-on", "unknown-name")

    rows = {(row["deployment_id"], row["org_token_id"]): row["flags"] for row in json.loads(ended.out)["changes"]}
    assert ended.status == 3
    assert {pair: "unknown-name" in flags for pair, flags in rows.items()} == {
        (place, "clgonetoken"): True, ("clgonedeployment", token): True, (place, token): False,
    }  # fmt: skip

from __future__ import annotations

import csv
import json

from astro_emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS
from tests.support.shell import run, run_process

KEYS = [
    "id",
    "name",
    "description",
    "scope",
    "deployment_role",
    "created_at",
    "created_by",
    "deployment_id",
    "deployment_name",
    "workspace_id",
    "organization_id",
    "expires_at",
    "last_used_at",
    "kind",
]


def test_json_carries_all_fields_under_stable_keys_and_absolute_times(organization: Emulator) -> None:
    ended = run(organization, "list", "--deployment-id", ORDERS, "--output", "json")

    first = json.loads(ended.out)[0]
    assert list(first) == KEYS
    assert {
        "id": "clx1ci0000000008l6aaaaaaa",
        "name": "ci",
        "description": "Deploys from main, on every merge",
        "scope": "ORGANIZATION",
        "deployment_role": "DEPLOYMENT_ADMIN",
        "created_at": organization.store.token("clx1ci0000000008l6aaaaaaa")["createdAt"],
        "created_by": "Ada Byron",
        "deployment_id": ORDERS,
        "deployment_name": "orders",
        "workspace_id": "clk2v6a3e000208mkh9x5c2wd",
        "organization_id": organization.organization_id,
        "expires_at": None,
        "last_used_at": None,
        "kind": "STANDARD",
    } == first


def test_csv_carries_the_same_with_a_head(organization: Emulator) -> None:
    organization.store.rename_token("clx1ci0000000008l6aaaaaaa", 'a "quoted", name')

    as_csv = run(organization, "list", "--all-deployments", "--output", "csv")
    as_json = run(organization, "list", "--all-deployments", "--output", "json")

    assert ",".join(KEYS) == as_csv.lines[0]
    rows = [{key: value or "" for key, value in row.items()} for row in json.loads(as_json.out)]
    assert rows == list(csv.DictReader(as_csv.lines))


def test_programs_get_the_same_shape_for_one_deployment_and_for_many(organization: Emulator) -> None:
    one = run(organization, "list", "--deployment-id", LEDGER, "--output", "json")
    many = run(organization, "list", "--all-deployments", "--output", "json")

    assert json.loads(one.out) == [row for row in json.loads(many.out) if row["deployment_id"] == LEDGER]


def test_nothing_assigned_is_an_empty_list_or_a_head_alone(organization: Emulator) -> None:
    empty = organization.store.add_deployment("empty")

    as_json = run(organization, "list", "--deployment-id", empty, "--output", "json")
    as_csv = run(organization, "list", "--deployment-id", empty, "--output", "csv")

    assert (as_json.status, as_json.out, as_json.err) == (0, "[]\n", "")
    assert (0, ",".join(KEYS) + "\n", "") == (as_csv.status, as_csv.out, as_csv.err)


def test_json_survives_a_pipe_of_any_encoding(organization: Emulator) -> None:
    organization.store.rename_token("clx1ci0000000008l6aaaaaaa", "Lösch-帳簿")
    asked = ["list", "--deployment-id", ORDERS, "--output", "json"]

    utf8 = run_process(organization, *asked)
    latin = run_process(organization, *asked, PYTHONIOENCODING="latin-1")

    assert '"name": "Lösch-帳簿"' in utf8.out
    assert latin.out.isascii()
    assert json.loads(utf8.out) == json.loads(latin.out)


def test_a_letter_that_a_pipe_cannot_spell_is_a_question_mark_and_no_failure(organization: Emulator) -> None:
    organization.store.rename_token("clx1ci0000000008l6aaaaaaa", "load-帳簿")

    for output in ("table", "csv"):
        ended = run_process(
            organization, "list", "--deployment-id", ORDERS, "--output", output, PYTHONIOENCODING="latin-1"
        )

        assert (ended.status, ended.err) == (0, "")
        assert "load-??" in ended.out


def test_csv_runs_nothing_in_a_spreadsheet_and_holds_no_control_character(organization: Emulator) -> None:
    organization.store.rename_token("clx1ci0000000008l6aaaaaaa", "=cmd|' /C calc'!A0\x9b31m")

    ended = run(organization, "list", "--deployment-id", ORDERS, "--output", "csv")

    assert "clx1ci0000000008l6aaaaaaa,'=cmd|' /C calc'!A0\ufffd31m," in ended.lines[1]


def test_json_holds_no_control_character_and_the_name_as_it_is(organization: Emulator) -> None:
    organization.store.rename_token("clx1ci0000000008l6aaaaaaa", "ci\x9b31m\u202e")

    ended = run(organization, "list", "--deployment-id", ORDERS, "--output", "json")

    assert '"name": "ci\\u009b31m\\u202e"' in ended.out
    assert json.loads(ended.out)[0]["name"] == "ci\x9b31m\u202e"

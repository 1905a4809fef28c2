"""An organization that is described in a file, and what a file is refused for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine

from astro_emulator import Emulator, SeedError
from astro_emulator.organization import (
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_CLOSE_ID,
    FINANCE_ID,
    ML_TRAINING_ID,
    ORGANIZATION_ID,
    OWNER_TOKEN_ID,
    entry,
)
from astro_emulator.planting import plant
from tests.support.shell import run, run_process

SMALL = """\
organization: {name: Little Air}
workspaces:
  - {name: Data}
  - {id: clxfinance, name: Finance}
deployments:
  - {name: orders, workspace: Data}
  - {id: clxledger, name: ledger, workspace: clxfinance}
roles:
  - {name: Auditor, restrictedTo: [Finance]}
tokens:
  - {name: owner, roles: [{role: ORGANIZATION_OWNER}]}
  - {id: clxci, name: ci}
"""


def seed(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "organization.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(SeedError) as refused:
        plant(seed(tmp_path, text))
    return str(refused.value).removeprefix(f"{tmp_path / 'organization.yaml'}, ")


def token_named(emulator: Emulator, name: str) -> dict[str, Any]:
    (found,) = (token for token in emulator.store.shown()["tokens"] if token["name"] == name)
    return found


def test_the_organization_of_every_start_is_the_one_that_ships_as_example() -> None:
    with (
        time_machine.travel(datetime.now(UTC), tick=False),  # ages count from the moment of the start
        Emulator.running() as plain,
        Emulator.running(seed="example") as example,
    ):
        assert plain.store.shown() == example.store.shown()
        assert plain.credential == example.credential
        ids = {record["id"] for records in plain.store.shown().values() for record in records if "id" in record}

    assert {ORGANIZATION_ID, FINANCE_ID, OWNER_TOKEN_ID} <= ids
    assert {ETL_PRODUCTION_ID, ETL_STAGING_ID, ML_TRAINING_ID, FINANCE_CLOSE_ID} <= ids


def test_a_small_file_is_an_organization_that_answers(tmp_path: Path) -> None:
    with Emulator.running(seed=seed(tmp_path, SMALL)) as emulator:
        base = f"{emulator.url}/v1/organizations/{emulator.organization_id}"
        headers = {"Authorization": f"Bearer {emulator.credential}"}
        deployments = httpx.get(f"{base}/deployments", headers=headers).json()["deployments"]
        made = httpx.post(
            f"{base}/tokens",
            json={"name": "new", "scope": "DEPLOYMENT", "entityId": "clxledger", "role": "auditor"},
            headers=headers,
        )

    assert [(one["name"], one["workspaceName"]) for one in deployments] == [("orders", "Data"), ("ledger", "Finance")]
    assert made.json()["roles"] == [entry("DEPLOYMENT", "clxledger", "Auditor")]


def test_ids_that_a_file_leaves_out_are_the_same_at_every_start(tmp_path: Path) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):
        first, second = (plant(seed(tmp_path, SMALL + "  - {name: ci}\n")) for _ in range(2))

    assert first == second
    assert len(first.state.tokens) == 3


def test_every_attribute_of_a_token_comes_out_as_it_went_in(tmp_path: Path) -> None:
    text = SMALL.replace("organization:", "people: [{id: clxada, fullName: Ada, username: ada@x}]\norganization:", 1)
    text += """\
  - id: clxall
    name: all
    description: Everything
    kind: DIRECT_ACCESS
    createdAt: 2025-01-02T03:04:05Z
    createdBy: Ada
    updatedAt: 2025-02-02T03:04:05Z
    updatedBy: owner
    startAt: 2025-01-03T03:04:05Z
    endAt: 2035-01-02T03:04:05Z
    expiryPeriodInDays: 30
    lastUsedAt: 2026-01-02T03:04:05Z
    lastRotatedAt: 2025-02-02T03:04:05Z
    roles:
      - role: organization_member
      - {role: WORKSPACE_MEMBER, workspace: Data}
      - {role: Auditor, deployment: ledger}
      - {role: DAG_VIEWER, deployment: ledger, dag: close}
      - {role: DAG_AUTHOR, deployment: ledger, dagTag: nightly}
"""
    with Emulator.running(seed=seed(tmp_path, text)) as emulator:
        url = f"{emulator.url}/v1/organizations/{emulator.organization_id}/tokens/clxall"
        shown = httpx.get(url, headers={"Authorization": f"Bearer {emulator.credential}"}).json()
        owner_id = token_named(emulator, "owner")["id"]
        workspace_id = emulator.store.shown()["workspaces"][0]["id"]

    assert shown == {
        "id": "clxall",
        "name": "all",
        "description": "Everything",
        "scope": "ORGANIZATION",
        "kind": "DIRECT_ACCESS",
        "shortToken": "clxall",
        "createdAt": "2025-01-02T03:04:05Z",
        "createdBy": {"id": "clxada", "subjectType": "USER", "fullName": "Ada", "username": "ada@x"},
        "updatedAt": "2025-02-02T03:04:05Z",
        "updatedBy": {"id": owner_id, "subjectType": "SERVICEKEY", "apiTokenName": "owner"},
        "startAt": "2025-01-03T03:04:05Z",
        "endAt": "2035-01-02T03:04:05Z",
        "expiryPeriodInDays": 30,
        "lastUsedAt": "2026-01-02T03:04:05Z",
        "lastRotatedAt": "2025-02-02T03:04:05Z",
        "roles": [
            entry("ORGANIZATION", emulator.organization_id, "ORGANIZATION_MEMBER"),
            entry("WORKSPACE", workspace_id, "WORKSPACE_MEMBER"),
            entry("DEPLOYMENT", "clxledger", "Auditor"),
            entry("DAG", "close", "DAG_VIEWER", deploymentId="clxledger"),
            entry("DAG_TAG", "nightly", "DAG_AUTHOR", deploymentId="clxledger"),
        ],
    }


def test_a_token_may_be_seeded_without_any_role_and_with_two_in_one_deployment(tmp_path: Path) -> None:
    twice = "[{role: DEPLOYMENT_ADMIN, deployment: ledger}, {role: DEPLOYMENT_ACCESSOR, deployment: ledger}]"
    text = SMALL + f"  - {{name: none, roles: []}}\n  - {{name: twice, roles: {twice}}}\n"

    with Emulator.running(seed=seed(tmp_path, text)) as emulator:
        assert token_named(emulator, "none")["roles"] == []
        assert [held["role"] for held in token_named(emulator, "twice")["roles"]] == [
            "DEPLOYMENT_ADMIN",
            "DEPLOYMENT_ACCESSOR",
        ]


def test_a_name_that_yaml_would_take_for_something_else_is_a_name(tmp_path: Path) -> None:
    names = ["no", "17", "2024-01-08", "~", "1e3"]
    text = SMALL + "".join(f"  - {{name: {name}}}\n" for name in names)

    planted = plant(seed(tmp_path, text))

    assert ["owner", "ci", *names] == [token["name"] for token in planted.state.tokens.values()]


def test_a_reset_goes_back_to_the_seed(tmp_path: Path) -> None:
    with Emulator.running(seed=seed(tmp_path, SMALL)) as emulator:
        before = emulator.store.shown()
        emulator.store.delete_token("clxci")
        emulator.store.bind(token_named(emulator, "owner")["id"], "clxledger", "DEPLOYMENT_ADMIN")

        emulator.reset()

        assert before == emulator.store.shown()


def test_the_credentials_are_those_of_the_tokens_that_are_named(tmp_path: Path) -> None:
    more = "  - {name: boss, roles: [{role: ORGANIZATION_OWNER}]}\n  - {name: reader}\n"
    planted = plant(seed(tmp_path, SMALL + more + "credentials: {update: boss, preview: reader}\n"))

    names = [planted.state.tokens[one["api_token_id"]]["name"] for one in planted.state.credentials.values()]
    assert names == ["boss", "reader"]
    assert [planted.update, planted.preview] == list(planted.state.credentials)


def test_a_custom_role_may_have_the_permission_to_write(tmp_path: Path) -> None:
    text = SMALL.replace("role: ORGANIZATION_OWNER", "role: Token Keeper").replace(
        "roles:\n",
        "roles:\n  - {name: Token Keeper, scopeType: ORGANIZATION, permissions: [organization.apiTokens.access, organization.customRoles.get]}\n",
        1,
    )
    with Emulator.running(seed=seed(tmp_path, text)) as emulator:
        base = f"{emulator.url}/v1/organizations/{emulator.organization_id}"
        headers = {"Authorization": f"Bearer {emulator.credential}"}

        assert httpx.delete(f"{base}/tokens/clxci", headers=headers).status_code == 204
        assert "permissions" not in httpx.get(f"{base}/roles", headers=headers).json()["roles"][0]


def test_where_every_token_may_write_there_is_no_second_credential(tmp_path: Path) -> None:
    text = SMALL.replace("  - {id: clxci, name: ci}\n", "")

    with Emulator.running(seed=seed(tmp_path, text)) as emulator:
        assert emulator.preview_credential is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL + "    colour: red\n", "line 13: not YAML: expected <block end>, but found '<block mapping start>'."),
        (
            SMALL + "  - {name: x, colour: red}\n",
            (
                "line 13: tokens[2].colour: there is no such key; the keys here are id, name, description, scope, kind, "
                "createdAt, createdBy, updatedAt, updatedBy, startAt, endAt, expiryPeriodInDays, lastUsedAt, "
                "lastRotatedAt, roles."
            ),
        ),
        (
            SMALL + "  - {name: x, roles: [{role: ORGANIZATION_MEMBER, team: y}]}\n",
            (
                "line 13: tokens[2].roles[0].team: there is no such key; the keys here are role, workspace, deployment, "
                "dag, dagTag."
            ),
        ),
        (
            SMALL + "colour: red\n",
            (
                "line 13: colour: there is no such key; the keys here are organization, people, workspaces, deployments, "
                "roles, tokens, credentials."
            ),
        ),
        (SMALL + "  - {id: clxci, name: x}\n", "line 13: tokens[2].id: clxci is the id of tokens[1] already."),
        (
            SMALL.replace("{name: Data}", "{id: clxfinance, name: Data}"),
            "line 4: workspaces[1].id: clxfinance is the id of workspaces[0] already.",
        ),
        (
            SMALL.replace("name: orders", "name: ledger, id: clxother")
            + "  - {name: x, roles: [{role: Auditor, deployment: ledger}]}\n",
            (
                "line 13: tokens[2].roles[0].deployment: ledger is the name of 2: clxother, clxledger; write the id of the "
                "one that is meant."
            ),
        ),
        (
            SMALL.replace("workspace: Data", "workspace: Dta"),
            "line 6: deployments[0].workspace: there is no workspace with the id or the name Dta.",
        ),
        (
            SMALL + "  - {name: ci}\ncredentials: {preview: ci}\n",
            (
                "line 14: credentials.preview: ci is the name of 2: clxci, cmg17db5rijdz738h1npc6xqt; write the id of the "
                "one that is meant."
            ),
        ),
        (
            SMALL + "credentials: {update: ci}\n",
            (
                "line 13: credentials.update: token ci does not have organization.apiTokens.access, so it is not the one "
                "for this."
            ),
        ),
        (
            SMALL + "credentials: {preview: owner}\n",
            "line 13: credentials.preview: token owner has organization.apiTokens.access, so it is not the one for this.",
        ),
        (
            SMALL.replace("ORGANIZATION_OWNER", "ORGANIZATION_MEMBER"),
            (
                "line 10: tokens: no token has organization.apiTokens.access (ORGANIZATION_OWNER has it), so no credential "
                "could write."
            ),
        ),
        (
            SMALL + "  - {name: x, roles: [{role: EMPEROR}]}\n",
            "line 13: tokens[2].roles[0].role: there is no role EMPEROR of scope ORGANIZATION.",
        ),
        (
            SMALL + "  - {name: x, roles: [{role: DAG_VIEWER, dag: close}]}\n",
            "line 13: tokens[2].roles[0]: needs the deployment of its DAG.",
        ),
        (
            SMALL + "  - {name: x, roles: [{role: R, workspace: Data, deployment: ledger}]}\n",
            "line 13: tokens[2].roles[0]: has to be a role in one workspace, one deployment, one DAG or one DAG tag.",
        ),
        (
            SMALL.replace("name: Auditor", "name: deployment_admin"),
            "line 9: roles[0].name: there is another role deployment_admin of scope DEPLOYMENT already.",
        ),
        (
            SMALL + "  - {name: x, endAt: tomorrow}\n",
            "line 13: tokens[2].endAt: has to be an age (-90d, -6d3h, +30d) or a time with its zone, for example 2026-01-31T12:00:00.000Z.",
        ),
        (
            SMALL + "  - {name: x, createdAt: 2026-01-31T12:00:00}\n",
            "line 13: tokens[2].createdAt: has to be an age (-90d, -6d3h, +30d) or a time with its zone, for example 2026-01-31T12:00:00.000Z.",
        ),
        (SMALL + "  - {id: a/b, name: x}\n", "line 13: tokens[2].id: has to be an id, without blanks and slashes."),
        (SMALL + "  - {id: x}\n", "line 13: tokens[2].name: this key is missing."),
        (SMALL + "  - {name: ''}\n", "line 13: tokens[2].name: is empty."),
        (SMALL + "  - ci\n", "line 13: tokens[2]: has to be a mapping of keys to values."),
        (
            SMALL + "  - {name: x, scope: PLANET}\n",
            "line 13: tokens[2].scope: has to be 'ORGANIZATION', 'WORKSPACE' or 'DEPLOYMENT'.",
        ),
        (SMALL + "  - {name: x, name: y}\n", "line 13: tokens[2].name: this key occurs twice."),
        (SMALL + "tokens: []\n", "line 13: tokens: this key occurs twice."),
        (SMALL + "  - {[a]: x}\n", "line 13: tokens[2]: a key has to be a text."),
        (SMALL + "  - &a {name: x, roles: [*a]}\n", "line 13: tokens[2].roles[0]: holds itself."),
        ("- 1\n", "line 1: has to be a mapping of keys to values."),
        ("", "line 1: organization: this key is missing."),
        (
            "organization: {name: x}\nworkspaces: []\ntokens: []\n",
            "line 2: workspaces: an organization has at least one workspace.",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_sentence_with_the_place(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said == refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"\xff\xfe\xff", "is not UTF-8 text."),
        (b"name: \x01", "is not YAML: it holds characters that YAML does not allow."),
        (b"[" * 1000, "is nested too deeply."),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_in_one_sentence(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "seed.yaml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SeedError) as refused:
        plant(file)

    assert f"{file} {said}" == str(refused.value)


def test_what_is_made_never_takes_the_id_of_what_a_seed_describes() -> None:
    with Emulator.running(seed="adopt") as emulator:
        before = len(emulator.store.shown()["tokens"])

        made = {emulator.store.add_token("new") for _ in range(3)}

        assert before + 3 == len(emulator.store.shown()["tokens"])
        assert {"new"} == {emulator.store.token(one)["name"] for one in made}


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError) as refused:
        plant(tmp_path)

    assert f"{tmp_path} cannot be read: Is a directory." == str(refused.value)


def test_the_command_refuses_a_file_with_status_1_and_starts_nothing(tmp_path: Path) -> None:
    file = seed(tmp_path, SMALL + "colour: red\n")

    ended = run_process(None, "emulator", "--port", "0", "--seed", str(file))

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"{file}, line 13: colour: there is no such key; the keys here are ")
    assert ended.err.count("\n") == 1


def test_the_seed_adopt_gives_what_docs_adopt_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "adopt.md").read_text(encoding="utf-8")
    with Emulator.running(seed="adopt") as emulator:
        ended = run(emulator, "adopt", "--all-deployments", "--out", str(tmp_path / "infra"), PATH="")

    said = ended.out + ended.err
    counted = "13 bindings: 8 organization tokens in 5 deployments"
    assert counted in said
    assert counted in page
    program = (tmp_path / "infra" / "__main__.py").read_text(encoding="utf-8")
    assert '"dbt-cloud": "DEPLOYMENT_ACCESSOR"' in program
    assert "cmeq29w5vd10792yvcknnmc9l" in (tmp_path / "infra" / "import.json").read_text(encoding="utf-8")


def test_an_age_counts_from_the_start_of_the_emulator(tmp_path: Path) -> None:
    text = SMALL + "  - {id: clxold, name: old, createdAt: -90d, lastUsedAt: -6d3h20m, endAt: +30d}\n"
    start = datetime(2031, 2, 28, 23, 59, 59, 500_000, tzinfo=UTC)

    with time_machine.travel(start, tick=False):
        token = plant(seed(tmp_path, text)).state.tokens["clxold"]

    assert token["createdAt"] == "2030-11-30T23:59:59.500Z"
    assert token["lastUsedAt"] == "2031-02-22T20:39:59.500Z"
    assert token["endAt"] == "2031-03-30T23:59:59.500Z"


@pytest.mark.parametrize("age", ["-", "90d", "-3h2d", "-1.5d", "+99999999d", "-d"])
def test_what_is_no_age_is_refused(tmp_path: Path, age: str) -> None:
    assert refusal(tmp_path, SMALL + f"  - {{name: x, endAt: '{age}'}}\n") == (
        "line 13: tokens[2].endAt: has to be an age (-90d, -6d3h, +30d) or a time with its zone, for example "
        "2026-01-31T12:00:00.000Z."
    )

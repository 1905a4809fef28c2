"""`astro-provider review` on digests of the real engine, beside an Astro that tells names, expiry and use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from tests.support.cast import DIRECT, EXPIRED, FINANCE, OBSERVABILITY, PRODUCTION, STAGING, TRAINER, TRAINING
from tests.support.previews import (
    ACCESSOR,
    ADMIN,
    NEW_DEPLOYER,
    OLD_DEPLOYER,
    SECRET_OUTPUT,
    Previews,
    grant_bindings,
)
from tests.support.processes import calls_to
from tests.support.schemas import valid
from tests.support.shell import COMMAND, Ending, environment, run, run_in_terminal


@pytest.fixture
def bound(astro: Emulator) -> Emulator:
    """An Astro that has what the stack's bindings give."""
    grant_bindings(astro)
    astro.clear_calls()
    return astro


@pytest.fixture
def many(previews: Previews, tmp_path: Path) -> str:
    return kept(tmp_path, previews.many.text)


def kept(directory: Path, text: str, name: str = "digest.json") -> str:
    path = directory / name
    path.write_text(text)
    return str(path)


def reviewed(astro: Emulator | None, *arguments: str) -> dict[str, Any]:
    ended = run(astro, "review", *arguments, "--output", "json")
    assert (ended.status, ended.err) == (0, "")
    return valid("review-1", ended.out)


def flags(document: dict[str, Any]) -> dict[tuple[str, str | None], list[str]]:
    return {(row["deployment_id"], row["org_token_id"]): row["flags"] for row in document["changes"]}


def test_each_row_says_who_where_before_after_and_what_is_worth_a_second_look(bound: Emulator, many: str) -> None:
    document = reviewed(bound, many, "--production", "*-production")

    assert tuple(document[key] for key in ("stack", "complete", "refresh", "offline")) == (
        "bindings/test",
        True,
        False,
        False,
    )
    assert {
        "change": "change",
        "organization_id": bound.organization_id,
        "deployment_id": PRODUCTION,
        "deployment_name": "etl-production",
        "org_token_id": OLD_DEPLOYER,
        "org_token_name": "ci-deployer",
        "before": ADMIN,
        "after": ACCESSOR,
        "flags": ["last-admin", "production", "unused"],
        "undecided": [],
        "before_known": True,
        "after_known": True,
    } == document["changes"][0]
    assert flags(document) == {
        (PRODUCTION, OLD_DEPLOYER): ["last-admin", "production", "unused"],
        (PRODUCTION, OBSERVABILITY): ["production", "adopts", "unused"],
        (TRAINING, TRAINER): ["admin", "overwrites"],
        (TRAINING, NEW_DEPLOYER): ["admin", "gap"],
        (TRAINING, DIRECT): ["gap"],
        (STAGING, None): ["admin", "unknown"],
        (STAGING, TRAINER): ["secret"],
        (FINANCE, EXPIRED): [],
    }


def test_an_overwrite_is_told_as_the_change_that_it_is(bound: Emulator, many: str) -> None:
    document = reviewed(bound, many)

    rows = {(row["deployment_id"], row["org_token_id"]): row for row in document["changes"]}
    overwritten, adopted = rows[TRAINING, TRAINER], rows[PRODUCTION, OBSERVABILITY]
    assert (overwritten["change"], overwritten["before"], overwritten["after"]) == ("change", ACCESSOR, ADMIN)
    assert (adopted["change"], adopted["before"], adopted["after"]) == ("keep", ACCESSOR, ACCESSOR)


def test_a_role_that_is_adopted_is_no_change_of_access(bound: Emulator, previews: Previews, tmp_path: Path) -> None:
    document = json.loads(previews.many.text)
    asked = [one for one in document["steps"] if one["urn"].endswith("::adopted")]
    document |= {"steps": [*document["steps"][:1], *asked], "changeSummary": {"create": len(asked)}}

    shown = run(bound, "review", kept(tmp_path, json.dumps(document)), "--output", "table").out

    assert "No change of access. 1 token keeps a role that this stack will manage." in shown
    assert "  keeps  " in shown
    assert "  gains  " not in shown


def test_the_page_about_pull_requests_shows_the_comment_as_it_came(bound: Emulator, many: str) -> None:
    comment = run(bound, "review", many, "--production", "*-production").out

    page = (Path(__file__).parents[2] / "docs" / "pull-requests.md").read_text()
    shown = comment.partition("\n")[2].partition("<details>")[0].rstrip().splitlines()
    quoted = "\n".join(f"> {line}".rstrip() for line in shown)
    assert f"{quoted}\n\nThe comment begins with" in page, quoted


def test_one_list_of_tokens_one_of_deployments_and_one_for_each_that_loses_an_admin(bound: Emulator, many: str) -> None:
    reviewed(bound, many)

    assert calls_to(bound) == {"ListApiTokens": 1 + 2, "ListDeployments": 1, "GetApiToken": 1}


def test_a_preview_that_changes_nothing_asks_nobody_and_needs_no_credential(previews: Previews, tmp_path: Path) -> None:
    document = reviewed(None, kept(tmp_path, previews.unchanged.text))

    assert (document["changes"], document["unchanged"], document["complete"]) == ([], 4, True)


def test_an_admin_who_is_not_the_last_is_not_called_so(bound: Emulator, many: str) -> None:
    bound.store.bind(DIRECT, PRODUCTION, ADMIN)

    assert "last-admin" not in flags(reviewed(bound, many))[PRODUCTION, OLD_DEPLOYER]


def test_an_expired_token_that_gains_is_flagged_and_one_that_loses_is_not(
    bound: Emulator, previews: Previews, tmp_path: Path
) -> None:
    made = reviewed(bound, kept(tmp_path, previews.made.text))
    destroyed = reviewed(bound, kept(tmp_path, previews.destroyed.text))

    assert flags(made)[FINANCE, EXPIRED] == ["adopts", "expired"]
    assert flags(destroyed)[FINANCE, EXPIRED] == []


def test_a_token_made_anew_under_its_name_is_seen_as_such(bound: Emulator, previews: Previews, tmp_path: Path) -> None:
    document = reviewed(bound, kept(tmp_path, previews.renewed.text))

    assert flags(document) == {
        (PRODUCTION, OLD_DEPLOYER): ["gap", "token-renewed"],
        (PRODUCTION, NEW_DEPLOYER): ["admin", "gap", "token-renewed"],
    }


def test_a_run_that_takes_drift_back_says_so(bound: Emulator, previews: Previews, tmp_path: Path) -> None:
    document = reviewed(bound, kept(tmp_path, previews.reverting.text))

    assert flags(document)[PRODUCTION, OLD_DEPLOYER] == ["admin", "drift-reverted", "unused"]
    assert "drift-reverted" in flags(document)[STAGING, OLD_DEPLOYER]


def test_a_refresh_shows_drift_and_that_nothing_will_be_written(
    bound: Emulator, previews: Previews, tmp_path: Path
) -> None:
    ended = run(bound, "review", kept(tmp_path, previews.refreshed.text), "--output", "json")

    document = valid("review-1", ended.out)
    assert document["refresh"]
    assert "drifted" in flags(document)[STAGING, OLD_DEPLOYER]


def test_offline_asks_nobody_and_says_what_it_cannot_tell(bound: Emulator, many: str) -> None:
    document = reviewed(bound, many, "--offline", "--production", "*-production")
    comment = run(bound, "review", many, "--offline").out

    assert calls_to(bound) == {}
    assert document["offline"]
    first = next(row for row in document["changes"] if row["org_token_id"] == OLD_DEPLOYER)
    assert (first["deployment_name"], first["flags"]) == ("etl-production", ["production"])
    assert first["undecided"] == ["expired", "last-admin", "unused"]
    assert "Astro was not asked" in comment


def test_offline_a_digest_without_names_of_deployments_leaves_production_undecided(
    bound: Emulator, previews: Previews, tmp_path: Path
) -> None:
    document = json.loads(previews.many.text)
    for step in document["steps"]:
        for state in (step.get("oldState") or {}, step.get("newState") or {}):
            for bag in ("inputs", "outputs"):
                state.get(bag, {}).pop("deployment_name", None)
    older = kept(tmp_path, json.dumps(document), "older.json")

    unnamed = reviewed(bound, older, "--offline", "--production", "*-production")
    failing = run(bound, "review", older, "--offline", "--production", "*-production", "--fail-on", "production")

    first = next(row for row in unnamed["changes"] if row["org_token_id"] == OLD_DEPLOYER)
    assert (first["deployment_name"], first["flags"]) == (None, ["unknown"])
    assert first["undecided"] == ["expired", "last-admin", "production", "unused"]
    assert (failing.status, failing.err) == (3, "Failed on: production.\n")


def test_offline_a_rule_that_needs_a_name_counts_as_broken(bound: Emulator, many: str, tmp_path: Path) -> None:
    rules = kept(tmp_path, 'production = ["Finance"]\n[binding]\nprotect = "production"\n', "access.toml")

    online = run(bound, "review", many, "--rules", rules, "--fail-on", "rule")
    offline = run(None, "review", many, "--rules", rules, "--fail-on", "rule", "--offline")

    assert (online.status, online.err) == (0, "")
    assert (offline.status, offline.err) == (3, "Failed on: rule.\n")
    assert "(it depends on what is not known yet)" in offline.out


def test_every_row_of_a_fork_is_unknown(previews: Previews, tmp_path: Path) -> None:
    document = reviewed(None, kept(tmp_path, previews.of_a_fork.text), "--offline")

    assert len(document["changes"]) == 4
    assert all("unknown" in row["flags"] for row in document["changes"])
    assert {"snowflake-direct", "airflow-1-migration"} < {row["org_token_name"] for row in document["changes"]}


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--fail-on", "gap"], 3, "Failed on: gap.\n"),
        (["--fail-on", "drifted"], 0, ""),
        (["--fail-on", "drifted", "--fail-on", "admin"], 3, "Failed on: admin.\n"),
        (["--offline", "--fail-on", "last-admin"], 3, "Failed on: last-admin.\n"),  # nobody can tell, so it counts
        (["--fail-on", "expired"], 0, ""),
        (["--exit-code", "0"], 0, ""),
        (["--exit-code", "7"], 0, ""),
        (
            ["--exit-code", "1", "--fail-on", "gap"],
            4,
            "Failed on: gap.\nThe preview is incomplete. The command ended with exit status 1.\n",
        ),
    ],
)
def test_the_exit_status_tells_what_was_found(
    bound: Emulator, many: str, arguments: list[str], status: int, complaint: str
) -> None:
    ended = run(bound, "review", many, *arguments)

    assert (status, complaint) == (ended.status, ended.err)
    assert ended.out.startswith("<!-- astro-provider review bindings/test -->\n### Access changes: `bindings/test`\n")


def test_the_engine_says_seven_where_changes_were_not_expected(previews: Previews, tmp_path: Path) -> None:
    made = previews.expecting_none

    ended = run(None, "review", kept(tmp_path, made.text), "--offline", "--exit-code", str(made.status))

    assert (made.status, ended.status) == (7, 0)


@pytest.mark.parametrize("output", ["markdown", "table", "json", "html"])
@pytest.mark.parametrize("which", ["failed", "crashed"])
def test_an_incomplete_preview_never_looks_like_no_changes(
    bound: Emulator, previews: Previews, tmp_path: Path, which: str, output: str
) -> None:
    ended = run(bound, "review", kept(tmp_path, getattr(previews, which).text), "--output", output)

    assert ended.status == 4
    assert ended.err.startswith("The preview is incomplete. It ended with ")
    assert "No change of access." not in ended.out
    if output == "json":
        assert not valid("review-1", ended.out)["complete"]
    else:
        assert "PREVIEW IS INCOMPLETE. CHANGES MAY BE MISSING HERE." in ended.out.upper()


def test_a_preview_that_never_began_still_makes_a_comment(previews: Previews, tmp_path: Path) -> None:
    made = previews.not_begun
    digest = kept(tmp_path, made.text)

    told = run(None, "review", digest, "--exit-code", str(made.status))
    untold = run(None, "review", digest)

    assert told.status == 4
    assert "It failed before the engine started, and printed no digest." in told.out
    assert (untold.status, untold.out) == (1, "")
    assert (
        f"Error: {digest} is empty: the preview failed before it began. Look at what it wrote on standard error.\n"
        == (untold.err)
    )


def test_nothing_of_the_digest_shows_but_access(bound: Emulator, many: str, previews: Previews) -> None:
    assert "__provider" in previews.many.text

    for output in ("markdown", "table", "json", "html"):
        shown = run(bound, "review", many, "--output", output)
        everything = shown.out + shown.err

        assert shown.status == 0
        assert not {
            word
            for word in (
                "__provider",
                "gASV",
                SECRET_OUTPUT,
                bound.credential,
                "04da6b54-80e4",
                "[secret]",
                "stackTrace",
            )
            if word in everything
        }


def test_a_pipe_is_read_as_well(bound: Emulator, many: str) -> None:
    piped = run_piped(bound, Path(many).read_bytes(), "review", "--output", "json")

    assert run(bound, "review", many, "--output", "json").out == piped.out


def test_a_terminal_gets_a_table_and_is_asked_for_a_file(bound: Emulator, many: str) -> None:
    shown = run_in_terminal(bound, "review", many, columns=200)
    unsaid = run_in_terminal(bound, "review")

    assert "loses" in shown.screen_text
    assert "etl-production" in shown.screen_text
    assert "| " not in shown.screen_text
    assert unsaid.status == 2
    assert "Give the preview: a FILE, or pipe the output of `pulumi preview --json` in." in unsaid.screen_text


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_table_fits_into_a_terminal_and_breaks_no_name_and_no_role(
    bound: Emulator, many: str, columns: int
) -> None:
    ended = run_in_terminal(bound, "review", many, "--production", "*-production", columns=columns)
    rows = json.loads(run(bound, "review", many, "--output", "json").out)["changes"]

    words = ended.screen_text.split()
    for row in rows:
        known = (row[key] for key in ("deployment_name", "deployment_id", "org_token_name", "before", "after"))
        assert {text for text in known if text} <= set(words)
    assert max(map(len, ended.screen_text.splitlines())) <= columns


def test_what_utf16_says_is_read(bound: Emulator, previews: Previews, tmp_path: Path) -> None:
    path = tmp_path / "from-powershell.json"
    path.write_bytes(previews.unchanged.text.encode("utf-16"))

    assert reviewed(bound, str(path))["unchanged"] == 4


def run_piped(astro: Emulator, content: bytes, *arguments: str) -> Ending:
    ended = subprocess.run(
        [COMMAND, *arguments], env=environment(astro), input=content, capture_output=True, check=False
    )
    return Ending(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

"""The kit's GitHub workflows, each `run:` step as it stands, on the real engine against the emulator.

What stands in for what, and what is not shown, say workflows.py, language_host.py and gh.py beside this.
"""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.cast import DEPLOYERS, OBSERVABILITY, PRODUCTION, STAGING, TRAINER, TRAINING
from tests.templates.conftest import ROOT, Machine, NewMachine
from tests.templates.workflows import Ended

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
NOWHERE = "http://127.0.0.1:1"


def rows(comment: str) -> list[str]:
    """The rows of the table, `mark token deployment before after flags`, without ids."""
    table = [line for line in comment.splitlines() if line.startswith("| ") and "`" in line]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return [
        " ".join([kind[2:], *(cell.split("`")[1] for cell in (token, where)), *more])
        for kind, token, where, *more in cells
    ]


def quoted(comment: str) -> str:
    """The comment as the page quotes it: without its mark, and without what the preview said."""
    shown = comment.partition("\n")[2].partition("<details><summary>What the preview said")[0]
    return "\n".join(f"> {line}".rstrip() for line in shown.rstrip().splitlines())


def calls(machine: Machine) -> list[list[str]]:
    """The calls of `gh` that write, by their first two words, and how often it was asked for the issue."""
    file = machine.directory / "calls.jsonl"
    return [json.loads(line)[:2] for line in file.read_text().splitlines()] if file.exists() else []


def issue(machine: Machine) -> dict[str, str]:
    kept: dict[str, str] = json.loads((machine.directory / "issue.json").read_text())
    return kept


def test_a_pull_request_is_told_who_gains_which_role_as_the_page_shows_it(machine_of_a_user: Machine) -> None:
    machine = machine_of_a_user
    before = machine.astro.store.shown()

    preview = machine.job("preview.yml", "preview")
    comment = machine.job("preview.yml", "comment", needs__preview__result=preview.result)

    assert (preview.result, preview.ran) == ("success", ["Review"]), preview.log
    assert preview.summary.startswith("<!-- astro-provider review team-access/production -->\n### Access changes: ")
    assert rows(preview.summary) == [
        "gains model-trainer etl-production none `DEPLOYMENT_ACCESSOR` **production**",
        "gains observability etl-staging none `DEPLOYMENT_ACCESSOR` unused",
        "keeps model-trainer ml-training `DEPLOYMENT_ACCESSOR` `DEPLOYMENT_ACCESSOR` adopts",
    ]
    assert (comment.result, comment.ran) == ("success", ["Say of which commit"])
    assert comment.comment == preview.summary + (
        "\nOf commit 4be9e76fd7c4901c61fb841f559994984270fce7, in [this run](https://github.example/acme/access/actions/runs/4711).\n"
    )
    assert before == machine.astro.store.shown()
    assert quoted(preview.summary) in (ROOT / "docs" / "pull-requests.md").read_text(), quoted(preview.summary)


@pytest.fixture(scope="module")
def loosened(new_machine: NewMachine) -> tuple[Ended, Ended]:
    """The preview and the comment of a pull request that breaks a rule and changes the rule so that it would not."""
    with new_machine() as machine:
        machine.replace("observability\n      role: DEPLOYMENT_ACCESSOR", "observability\n      role: DEPLOYMENT_ADMIN")
        machine.replace('tokens = ["ci-deployer"]', 'tokens = ["*"]', file="access.toml")
        preview = machine.job("preview.yml", "preview")
        return preview, machine.job("preview.yml", "comment", needs__preview__result=preview.result)


def test_a_broken_rule_fails_the_run_and_stands_in_the_comment(loosened: tuple[Ended, Ended]) -> None:
    preview, comment = loosened

    assert preview.result == "failure"
    assert comment.comment
    assert "**rule**" in rows(comment.comment)[0]
    assert "The preview is incomplete" not in comment.comment
    assert "this token may not be DEPLOYMENT_ADMIN" in comment.comment


def test_a_change_of_the_rules_is_reviewed_by_the_rules_of_its_base_and_says_so(
    loosened: tuple[Ended, Ended],
) -> None:
    preview, _ = loosened

    assert "this token may not be DEPLOYMENT_ADMIN" in preview.summary
    assert preview.summary.endswith("**access.toml is changed here. This review is by the rules of the base.**\n")


@pytest.fixture(scope="module")
def misspelt(new_machine: NewMachine) -> Ended:
    """The preview of a pull request with a misspelt role."""
    with new_machine() as machine:
        machine.replace(
            "observability\n      role: DEPLOYMENT_ACCESSOR", "observability\n      role: DEPLOYMENT_ACESSOR"
        )
        return machine.job("preview.yml", "preview")


def test_an_incomplete_preview_fails_the_run_and_says_so_on_top(misspelt: Ended) -> None:
    assert misspelt.result == "failure"
    assert "> **The preview is incomplete. Changes may be missing here.**" in misspelt.summary


def test_the_sentence_about_a_misspelt_role_is_whole(misspelt: Ended) -> None:
    said = misspelt.summary.partition("**Errors and warnings of the preview**")[2].partition("<details>")[0]

    assert "No deployment role is named 'DEPLOYMENT_ACESSOR' in organization" in said
    assert "DEPLOYMENT_ACCESSOR" in said


def test_a_preview_that_did_not_begin_is_no_review_without_changes(machine: Machine) -> None:
    machine.secrets["secrets.PULUMI_CONFIG_PASSPHRASE"] = "another one"

    preview = machine.job("preview.yml", "preview")

    assert preview.result == "failure"
    assert "The preview is incomplete" in preview.summary


def test_rules_that_cannot_be_read_leave_no_old_comment_standing(machine: Machine) -> None:
    machine.replace("most = 2", "mots = 2", file="access.toml")
    machine.commit()
    machine.git("push", "-q", "origin", "main")

    preview = machine.job("preview.yml", "preview")

    assert preview.result == "failure"
    assert "base/access.toml, line 10: unknown key 'mots' in [admin]" in preview.log
    assert preview.summary == "### Access changes: not known\n\nThe review failed. The log of the run says why.\n"


def test_a_run_that_failed_before_its_review_says_so(machine: Machine) -> None:
    machine.refuse_to_install()

    preview = machine.job("preview.yml", "preview", installs=True)
    comment = machine.job("preview.yml", "comment", needs__preview__result=preview.result)

    assert (preview.result, preview.ran) == ("failure", ["Install"])
    assert comment.result == "success"
    assert comment.comment
    assert comment.comment.startswith("### Access changes: not known\n\nThe run failed before there was a review.\n")


def test_a_fork_is_told_what_its_program_asks_for_and_gets_nothing_else(machine: Machine) -> None:
    machine.pulumi("config", "set", "--secret", "astro:token", "a credential", "--stack", "production")
    machine.environment["ASTRO_API_HOST"] = NOWHERE
    configuration = (machine.checkout / "Pulumi.production.yaml").read_text()
    kept = sorted((machine.directory / "state").rglob("*"))

    told = machine.job("preview.yml", "asked-for", fork=True)
    preview = machine.job("preview.yml", "preview", fork=True)
    comment = machine.job("preview.yml", "comment", fork=True, needs__preview__result=preview.result)

    # Only the passphrase, which a fork has not, would open what is encrypted there.
    assert "encryptionsalt:" in configuration
    assert "secure:" in configuration
    assert (told.result, told.ran) == ("success", ["What the program asks for"]), told.log
    assert told.summary.startswith("## What the program asks for, not what changes\n\n")
    assert [row.replace("**production**, ", "") for row in rows(told.summary)] == [
        "gains model-trainer etl-production not known `DEPLOYMENT_ACCESSOR` unknown",
        "gains observability etl-staging not known `DEPLOYMENT_ACCESSOR` unknown",
        "gains model-trainer ml-training not known `DEPLOYMENT_ACCESSOR` unknown",
    ]
    assert [preview.result, comment.result] == ["skipped", "skipped"]
    assert told.comment is None
    assert kept == sorted((machine.directory / "state").rglob("*"))


def test_a_rerun_of_an_old_update_applies_no_old_table(machine: Machine) -> None:
    machine.commit()
    machine.git("push", "-q", "origin", "main")
    machine.git("checkout", "-q", "HEAD~1")

    again = machine.job("up.yml", "up")

    assert again.result == "failure"
    assert "Nothing was applied: commit " in again.log
    assert machine.astro.store.deployment_role(OBSERVABILITY, STAGING) is None


def test_rows_that_read_alike_are_resources_of_their_own_and_a_wrong_key_names_its_row(machine: Machine) -> None:
    store, file = machine.astro.store, machine.checkout / "Pulumi.production.yaml"
    workspaces = sorted({one["workspaceId"] for one in store.shown()["deployments"]})[:2]
    deployments = [store.add_deployment("etl", workspace_id=one) for one in workspaces]
    dashed = [store.add_deployment(name) for name in ("a-b", "a")]
    tokens = [store.add_token(name) for name in ("c", "b-c")]
    rows = [{"deployment_name": "etl", "workspace_id": one, "org_token_name": "c"} for one in workspaces]
    rows += [{"deployment_name": "a-b", "org_token_name": "c"}, {"deployment_name": "a", "org_token_name": "b-c"}]
    settings = yaml.safe_load(file.read_text())
    settings["config"]["access:bindings"] = [{**row, "role": ACCESSOR} for row in rows]
    file.write_text(yaml.safe_dump(settings))

    up = machine.job("up.yml", "up")
    settings["config"]["access:bindings"][1]["token"] = settings["config"]["access:bindings"][1].pop("org_token_name")
    file.write_text(yaml.safe_dump(settings))
    wrong = machine.job("preview.yml", "preview")

    assert up.result == "success", up.log
    assert [store.deployment_role(tokens[0], one) for one in (*deployments, dashed[0])] == [ACCESSOR] * 3
    assert store.deployment_role(tokens[1], dashed[1]) == ACCESSOR
    assert wrong.result == "failure"
    assert "access:bindings, row 2: unknown key 'token'; there is deployment_name, deployment_id," in wrong.summary


def test_after_the_merge_astro_has_what_the_table_says_and_drift_is_taken_back(machine: Machine) -> None:
    store = machine.astro.store
    first = machine.job("up.yml", "up")
    given = [store.deployment_role(TRAINER, one) for one in (PRODUCTION, TRAINING)]
    given += [store.deployment_role(OBSERVABILITY, STAGING)]
    store.unbind(OBSERVABILITY, STAGING)

    preview = machine.job("preview.yml", "preview")
    second = machine.job("up.yml", "up")

    assert (first.result, first.ran) == ("success", ["Up"]), first.log
    assert given == [ACCESSOR] * 3
    assert rows(preview.summary) == [
        "gains observability etl-staging none `DEPLOYMENT_ACCESSOR` drift-reverted, unused"
    ]
    assert second.result == "success", second.log
    assert store.deployment_role(OBSERVABILITY, STAGING) == ACCESSOR


def test_drift_opens_one_issue_keeps_it_current_closes_it_and_a_night_without_a_look_leaves_it(
    machine: Machine,
) -> None:
    store = machine.astro.store
    machine.job("up.yml", "up")
    manage_all(machine)

    def night() -> str:
        look = machine.job("drift.yml", "look")
        assert (look.result, look.ran) == ("success", ["Look"]), look.log
        told = machine.job("drift.yml", "issue", needs__look__outputs__found=look.outputs["found"])
        assert (told.result, told.ran) == ("success", ["Tell"]), told.log
        return look.outputs["found"]

    quiet = night()
    store.unbind(OBSERVABILITY, STAGING)
    found = night()
    opened = issue(machine)
    store.bind(DEPLOYERS[0], TRAINING, ADMIN)
    found_more = night()
    updated = issue(machine)
    store.bind(OBSERVABILITY, STAGING, ACCESSOR)
    store.unbind(DEPLOYERS[0], TRAINING)
    mended = night()
    machine.environment |= {"ASTRO_API_HOST": NOWHERE, "ASTRO_TIMEOUT_SECONDS": "2"}
    blind = machine.job("drift.yml", "look")

    assert (blind.result, blind.outputs) == ("failure", {})  # so `issue`, which needs it, is skipped
    assert [quiet, found, found_more, mended] == ["false", "true", "true", "false"]
    assert "missing" in opened["body"]
    assert "unmanaged" not in opened["body"]
    assert "unmanaged" in updated["body"]
    assert [opened["state"], updated["state"], issue(machine)["state"]] == ["open", "open", "closed"]
    assert calls(machine) == [
        ["issue", "list"],
        ["issue", "list"],
        ["label", "create"],
        ["issue", "create"],
        ["issue", "list"],
        ["issue", "edit"],
        ["issue", "list"],
        ["issue", "close"],
    ]


def manage_all(machine: Machine) -> None:
    """Take away the roles that nobody manages, which the emulator starts with."""
    store = machine.astro.store
    managed = {(TRAINER, PRODUCTION), (OBSERVABILITY, STAGING), (TRAINER, TRAINING)}
    for token in store.shown()["tokens"]:
        for entry in token["roles"]:
            if entry["entityType"] == "DEPLOYMENT" and (token["id"], entry["entityId"]) not in managed:
                store.unbind(token["id"], entry["entityId"])

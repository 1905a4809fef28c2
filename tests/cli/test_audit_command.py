"""`astro-provider audit`: Astro beside the exports of stacks of the real engine."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_emulator.organization import OWNER_TOKEN_ID
from astro_provider.names import SIGNATURE
from tests.support.cast import (
    DIRECT,
    EXPIRED,
    FINANCE,
    MEMBER,
    OBSERVABILITY,
    OF_DEPLOYMENT,
    OF_WORKSPACE,
    PRODUCTION,
    STAGING,
    TRAINER,
    TRAINING,
)
from tests.support.previews import ACCESSOR, ADMIN, NEW_DEPLOYER, OLD_DEPLOYER, Previews, grant_bindings
from tests.support.processes import calls_to
from tests.support.schemas import valid
from tests.support.shell import run, run_in_terminal

Key = tuple[str, str, str]


@pytest.fixture
def bound(astro: Emulator) -> Emulator:
    """An Astro that has what the stack's bindings give."""
    grant_bindings(astro)
    astro.clear_calls()
    return astro


@pytest.fixture
def state(previews: Previews, tmp_path: Path) -> str:
    return kept(tmp_path, previews.exported.text, "export.json")


def kept(directory: Path, text: str, name: str) -> str:
    path = directory / name
    path.write_text(text)
    return str(path)


def audited(astro: Emulator, *arguments: str) -> dict[str, Any]:
    ended = run(astro, "audit", *arguments, "--output", "json")
    assert (ended.status, ended.err) == (0, "")
    return valid("audit-1", ended.out)


def found(document: dict[str, Any]) -> set[Key]:
    return {(one["finding"], one["deployment_id"], one["org_token_id"]) for one in document["findings"]}


def test_what_no_stack_manages_is_found_and_what_a_stack_manages_is_not(bound: Emulator, state: str) -> None:
    document = audited(bound, "--state", state)

    assert {
        ("unmanaged", PRODUCTION, OBSERVABILITY),
        ("unmanaged", TRAINING, TRAINER),
        ("expired", FINANCE, EXPIRED),
        ("unused", PRODUCTION, OLD_DEPLOYER),
        ("unused", STAGING, OLD_DEPLOYER),
        ("unused", TRAINING, DIRECT),
        ("unused", PRODUCTION, OBSERVABILITY),
    } == found(document)
    assert (["bindings/test"], 6, bound.organization_id) == (
        document["stacks"],
        document["assignments"],
        document["organization_id"],
    )


def test_tokens_of_other_scopes_are_nobodys_finding(bound: Emulator, state: str) -> None:
    document = audited(bound, "--state", state)

    assert not {OF_WORKSPACE, OF_DEPLOYMENT} & {one["org_token_id"] for one in document["findings"]}


def test_a_delete_that_is_pending_in_a_state_is_no_unmanaged_role_and_a_pending_replacement_no_missing_one(
    bound: Emulator, state: str, tmp_path: Path
) -> None:
    export = json.loads(Path(state).read_text())
    resources = {one["urn"].rpartition("::")[2]: one for one in export["deployment"]["resources"]}
    resources["training"]["delete"] = True
    resources["staging"]["pendingReplacement"] = True
    bound.store.unbind(OLD_DEPLOYER, STAGING)

    document = audited(bound, "--state", kept(tmp_path, json.dumps(export), "changed.json"))

    (pending,) = [one for one in document["findings"] if one["finding"] == "pending"]
    assert (pending["deployment_id"], pending["role"], pending["stacks"]) == (TRAINING, ADMIN, ["bindings/test"])
    assert ("unmanaged", TRAINING, DIRECT) not in found(document)
    assert "missing" not in {kind for kind, _, _ in found(document)}


def test_drift_and_loss_are_told_with_both_roles(bound: Emulator, state: str) -> None:
    bound.store.bind(OLD_DEPLOYER, PRODUCTION, ACCESSOR)
    bound.store.unbind(OLD_DEPLOYER, STAGING)

    document = audited(bound, "--state", state)

    rows = {(one["finding"], one["deployment_id"]): one for one in document["findings"]}
    drifted, missing = rows["drifted", PRODUCTION], rows["missing", STAGING]
    assert (drifted["role"], drifted["recorded_role"], drifted["stacks"]) == (ACCESSOR, ADMIN, ["bindings/test"])
    assert (missing["role"], missing["recorded_role"], missing["deployment_name"]) == (None, ACCESSOR, "etl-staging")


def test_what_vanished_with_its_deployment_and_token_is_missing_under_the_names_that_are_known(
    bound: Emulator, state: str
) -> None:
    bound.store.delete_deployment(STAGING)
    bound.store.delete_token(OLD_DEPLOYER)

    document = audited(bound, "--state", state)

    missing = {one["deployment_id"]: one for one in document["findings"] if one["finding"] == "missing"}
    assert {PRODUCTION, STAGING} == set(missing)
    assert (missing[STAGING]["deployment_name"], missing[STAGING]["org_token_name"]) == (None, "ci-deployer")


def test_a_credential_that_may_not_see_everything_calls_no_recorded_role_missing(bound: Emulator, state: str) -> None:
    bound.store.unbind(OLD_DEPLOYER, PRODUCTION)
    bound.fault(kind="changed", operation="ListApiTokens", only=OWNER_TOKEN_ID, change={"roles": [MEMBER]})

    ended = run(bound, "audit", "--state", state)

    assert (ended.status, ended.out) == (1, "")
    assert (
        f"1 recorded role was not seen, the first of token {OLD_DEPLOYER} in deployment {PRODUCTION}, but it is not known "
        f"whether they are missing in Astro, because the credential's own token 'platform-owner' ({OWNER_TOKEN_ID}) has the "
        "role ORGANIZATION_MEMBER, and only ORGANIZATION_OWNER is known to see everything. Run the audit again with the "
        "credential of an Organization Owner."
    ) in ended.err


def test_without_a_state_nothing_is_called_unmanaged_and_the_reader_is_told(bound: Emulator) -> None:
    document = audited(bound)
    table = run(bound, "audit")

    assert "unmanaged" not in {one["finding"] for one in document["findings"]}
    assert "Neither --state nor --all-stacks was given, so it is not known which roles stacks manage." in table.err


def test_two_stacks_that_manage_one_role_are_found(bound: Emulator, state: str, tmp_path: Path) -> None:
    other = kept(tmp_path, Path(state).read_text().replace(":test::", ":other::"), "other.json")

    document = audited(bound, "--state", state, "--state", other)
    alone = audited(bound, "--state", state, "--state", state)

    assert ("two-stacks", PRODUCTION, OLD_DEPLOYER) in found(document)
    assert {("bindings/test", "bindings/other")} == {
        tuple(one["stacks"]) for one in document["findings"] if one["finding"] == "two-stacks"
    }
    assert "two-stacks" not in {kind for kind, _, _ in found(alone)}


def test_drift_of_any_stack_is_told_with_the_role_that_this_stack_has(
    bound: Emulator, state: str, previews: Previews, tmp_path: Path
) -> None:
    text = previews.exported.text.replace(":test::", ":other::").replace(ADMIN, ACCESSOR)
    other = kept(tmp_path, text, "other.json")

    document = audited(bound, "--state", state, "--state", other)

    rows = {(one["finding"], one["deployment_id"]): one for one in document["findings"]}
    assert (rows["drifted", PRODUCTION]["role"], rows["drifted", PRODUCTION]["recorded_role"]) == (ADMIN, ACCESSOR)


def test_a_role_that_is_secret_is_not_compared_and_the_reader_is_told(
    bound: Emulator, previews: Previews, tmp_path: Path
) -> None:
    document = json.loads(previews.exported.text)
    for one in document["deployment"]["resources"]:
        if one["urn"].endswith("::etl"):
            one["outputs"]["role"] = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
    state = kept(tmp_path, json.dumps(document), "export.json")
    bound.store.bind(OLD_DEPLOYER, PRODUCTION, ACCESSOR)

    found_ = audited(bound, "--state", state)
    table = run(bound, "audit", "--state", state)

    assert found_["unreadable"] == 1
    assert not {"drifted", "missing"} & {kind for kind, _, _ in found(found_)}
    assert (
        "1 grant of the exports could not be compared: a value is secret, or names nothing that is there." in table.err
    )


def test_an_admin_in_production_and_an_owner_that_needs_no_role_are_found(bound: Emulator) -> None:
    bound.store.bind(OWNER_TOKEN_ID, FINANCE, ACCESSOR)

    document = audited(bound, "--production", "*-production", "--production", "Finance")

    assert {("admin", PRODUCTION, OLD_DEPLOYER), ("redundant", FINANCE, OWNER_TOKEN_ID)} == {
        key for key in found(document) if key[0] in ("admin", "redundant")
    }


def test_a_role_in_the_organization_that_is_not_shown_makes_no_owner(bound: Emulator) -> None:
    bound.store.bind(OWNER_TOKEN_ID, FINANCE, ACCESSOR)
    bound.fault(kind="no_roles", operation="ListApiTokens", times=1)

    assert "redundant" not in {kind for kind, _, _ in found(audited(bound))}


def test_a_rule_is_broken_in_astro_as_in_a_preview(
    bound: Emulator, state: str, previews: Previews, tmp_path: Path
) -> None:
    rules = kept(tmp_path, '[admin]\ntokens = ["ci-*"]\n[binding]\nprotect = "everywhere"\n', "access.toml")
    digest = kept(tmp_path, previews.unchanged.text, "digest.json")

    audit = audited(bound, "--state", state, "--rules", rules)
    review = json.loads(run(bound, "review", digest, "--rules", rules, "--output", "json").out)

    assert ("rule", TRAINING, DIRECT) in found(audit)
    managed = [one["text"] for one in audit["rules"]]
    assert sorted(managed) == sorted(one["text"] for one in review["rules"])
    assert len(managed) == 1 + 4


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--fail-on", "unmanaged"], 3, "Failed on: unmanaged."),
        (["--fail-on", "missing", "--fail-on", "drifted"], 0, ""),
        (["--fail-on", "expired", "--fail-on", "unused"], 3, "Failed on: expired, unused."),
    ],
)
def test_the_exit_status_tells_what_was_found(
    bound: Emulator, state: str, arguments: list[str], status: int, complaint: str
) -> None:
    ended = run(bound, "audit", "--state", state, "--output", "csv", *arguments)

    assert (status, complaint) == (ended.status, ended.err.strip())


def test_few_calls_are_made_by_deployment_and_by_token(bound: Emulator) -> None:
    audited(bound)
    by_deployment = calls_to(bound)
    for number in range(10):
        bound.store.add_deployment(f"deployment-{number}")
    bound.clear_calls()
    audited(bound)
    by_token = calls_to(bound)

    assert by_deployment == {"ListApiTokens": 1 + 6, "ListDeployments": 1}
    assert by_token == {"ListApiTokens": 1, "ListDeployments": 1, "GetApiToken": 7}


def test_csv_has_the_keys_of_the_document(bound: Emulator, state: str) -> None:
    ended = run(bound, "audit", "--state", state, "--output", "csv")

    rows = list(csv.DictReader(ended.out.splitlines()))
    document = audited(bound, "--state", state)
    assert next(list(one) for one in document["findings"]) == list(rows[0])
    assert [one["org_token_id"] for one in document["findings"]] == [one["org_token_id"] for one in rows]


def test_an_issue_says_how_many_rows_had_no_room(bound: Emulator) -> None:
    for number in range(60):
        token = bound.store.add_token(f"token-{number:02}", roles=[MEMBER], endAt="2020-01-01T00:00:00Z")
        bound.store.bind(token, PRODUCTION, ADMIN)

    whole = run(bound, "audit", "--output", "markdown").out
    short = run(bound, "audit", "--output", "markdown", "--max-length", "4000").out

    assert whole.startswith("<!-- astro-provider audit -->\n### Access audit\n")
    assert (whole.count("| expired |"), whole.count("| unused |")) == (60 + 1, 4)
    assert len(short) <= 4000
    assert "more rows are left out for want of room.**" in short


def test_rules_that_are_left_out_of_an_issue_are_counted(bound: Emulator, tmp_path: Path) -> None:
    rules = kept(tmp_path, "[admin]\ntokens = []\n", "access.toml")
    for number in range(60):
        bound.store.bind(bound.store.add_token(f"token-{number}"), STAGING, ADMIN)

    issue = run(bound, "audit", "--rules", rules, "--output", "markdown").out

    assert issue.count("this token may not be DEPLOYMENT_ADMIN") == 50
    assert "\n- and 12 more\n" in issue


def matrix(page: str) -> dict[str, list[tuple[str, str]]]:
    """The matrix of a page: colour and text of each field, by the token's name; the deployments beneath `Token`."""
    rows = page.partition('<table class="matrix" id="matrix">')[2].partition("</table>")[0].split("<tr>")[1:]
    fields = [re.findall(r"<t[hd](?: scope=.(?:row|col).)?(?: class=.(\w+).)?>(.*?)</t[hd]>", row) for row in rows]
    plain = [[(kind, re.sub("<wbr>", "", html).split("</bdi>")[0]) for kind, html in row] for row in fields]
    return {
        re.sub("<.*?>", "", head): [(kind, re.sub("<.*?>", "", text)) for kind, text in row]
        for (_, head), *row in plain
    }


def test_the_matrix_shows_at_one_glance_who_may_touch_production(bound: Emulator, state: str) -> None:
    bound.store.bind(OBSERVABILITY, TRAINING, "ADMIN")  # a custom role

    page = run(bound, "audit", "--state", state, "--output", "html", "--production", "ml-*").out

    shown = matrix(page)
    nothing = ("", "")
    assert [name for _, name in shown.pop("Token")] == ["ml-training", "etl-production", "etl-staging", "finance-close"]
    assert {
        "platform-owner": [("admin", "as owner"), *[("", "as owner")] * 3],
        "snowflake-direct": [("admin", ADMIN), *[nothing] * 3],
        "model-trainer": [("production", ACCESSOR), *[nothing] * 3],
        "observability": [("production", "ADMIN"), ("", ACCESSOR), *[nothing] * 2],
        "airflow-1-migration": [*[nothing] * 3, ("", ACCESSOR)],
        "ci-deployer": [nothing, ("", ADMIN), ("", ACCESSOR), nothing],
    } == shown
    assert list(shown)[:4] == ["platform-owner", "snowflake-direct", "model-trainer", "observability"]
    assert (
        "3 organization tokens may touch production by a role in a deployment; 1 of them as DEPLOYMENT_ADMIN." in page
    )
    assert "1 organization token may touch everything, as ORGANIZATION_OWNER." in page


def test_an_expired_token_may_touch_nothing_in_the_matrix(bound: Emulator) -> None:
    bound.store.bind(EXPIRED, FINANCE, ADMIN)

    page = run(bound, "audit", "--output", "html", "--production", "finance-*").out

    assert matrix(page)["airflow-1-migration"][0] == ("", ADMIN)
    assert "0 organization tokens may touch production by a role in a deployment" in page


def test_without_a_pattern_of_production_the_page_does_not_speak_of_it(bound: Emulator) -> None:
    page = run(bound, "audit", "--output", "html").out

    assert "may touch production" not in page
    assert "Production comes first" not in page


def test_a_terminal_gets_a_table(bound: Emulator, state: str) -> None:
    shown = run_in_terminal(bound, "audit", "--state", state, columns=220)

    assert shown.status == 0
    assert "unmanaged" in shown.screen_text
    assert "DEPLOYMENT                   TOKEN" in shown.screen_text
    assert "Access audit: 6 roles of organization tokens in deployments; found: 2 unmanaged, 1 expired, 4 unused." in (
        shown.screen_text
    )


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_a_row_is_one_grant_with_all_its_findings_and_breaks_no_name(bound: Emulator, state: str, columns: int) -> None:
    bound.store.bind(OLD_DEPLOYER, STAGING, ADMIN)

    ended = run_in_terminal(bound, "audit", "--state", state, "--production", "etl-*", columns=columns)

    lines = ended.screen_text.splitlines()
    [row] = [number for number, line in enumerate(lines) if line.startswith("etl-staging ")]
    assert lines[row].split()[1] == "ci-deployer"
    assert f"{STAGING}    {OLD_DEPLOYER}" in lines[row + 1]
    findings = " ".join(" ".join(line[58:] for line in lines[row : row + 5]).replace("bindings/test", "").split())
    assert "admin, drifted from DEPLOYMENT_ACCESSOR, unused" in findings
    assert max(map(len, lines)) <= columns


def test_the_markdown_has_one_row_for_a_grant(bound: Emulator, state: str) -> None:
    bound.store.bind(OLD_DEPLOYER, STAGING, "a|b")
    bound.store.bind(OLD_DEPLOYER, STAGING, ADMIN)

    issue = run(bound, "audit", "--state", state, "--production", "etl-*", "--output", "markdown").out

    assert (
        f"| `etl-staging` `{STAGING}` | `ci-deployer` `{OLD_DEPLOYER}` | `DEPLOYMENT_ADMIN` | **admin**, **drifted** from "
        "`DEPLOYMENT_ACCESSOR`, unused | `bindings/test` |"
    ) in issue


def test_the_name_of_a_workspace_is_a_pattern_of_production(bound: Emulator) -> None:
    bound.store.bind(OBSERVABILITY, FINANCE, ADMIN)

    assert ("admin", FINANCE, OBSERVABILITY) in found(audited(bound, "--production", "Finance"))


def test_renewed_tokens_are_unmanaged_and_the_old_ones_missing(bound: Emulator, state: str) -> None:
    bound.store.unbind(OLD_DEPLOYER, STAGING)
    bound.store.bind(NEW_DEPLOYER, STAGING, ACCESSOR)

    assert {("missing", STAGING, OLD_DEPLOYER), ("unmanaged", STAGING, NEW_DEPLOYER)} <= found(
        audited(bound, "--state", state)
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing", "is no JSON, or was cut: give the whole standard output of `pulumi stack export`."),
        ("[]", "is no stack's export: give the output of `pulumi stack export`."),
        ('{"steps": []}', "is a preview's digest, not an export: `astro-provider review` reads that."),
        (
            '{"deployment": {"resources": [{"type": "aws:s3/bucket:Bucket", "urn": "urn:pulumi:prod::web::aws::b"}]}}',
            "is the export of a stack that has no binding of a token: is it another project's? Leave it out.",
        ),
        (
            '{"deployment": {"resources": [{"type": "astro:index:DeploymentOrgTokenBinding", "urn": "urn:pulumi:p::w::a::b"}]}}',
            "a binding in it has no deployment, no token or no role, so this version of the package cannot read it: ",
        ),
    ],
)
def test_what_is_no_export_of_ours_is_refused_in_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = kept(tmp_path, text, "export.json")

    ended = run(None, "audit", "--state", path)

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"Error: {path}")
    assert reason in ended.err
    assert ended.err.count("\n") == 1


def test_the_state_of_another_organization_is_refused(bound: Emulator, state: str, tmp_path: Path) -> None:
    other = kept(tmp_path, Path(state).read_text().replace(bound.organization_id, "clother"), "other.json")

    ended = run(bound, "audit", "--state", other)

    assert (ended.status, ended.out) == (1, "")
    assert (
        "Error: The export of bindings/test has bindings of organization clother, and this audit is about "
        f"{bound.organization_id}: omit it, or write --organization-id.\n"
    ) == ended.err


def test_a_stack_that_was_destroyed_has_nothing_to_compare(bound: Emulator, tmp_path: Path) -> None:
    empty = kept(tmp_path, '{"version": 3, "deployment": {"manifest": {}}}', "empty.json")

    document = audited(bound, "--state", empty)

    assert sum(one["finding"] == "unmanaged" for one in document["findings"]) == 6


def test_with_more_deployments_than_tokens_deployments_are_the_rows_and_the_filter_is_of_the_matrix(
    astro: Emulator,
) -> None:
    for number in range(30):
        astro.store.bind(OBSERVABILITY, astro.store.add_deployment(f"etl-{number:02}"), ACCESSOR)

    page = run(astro, "audit", "--output", "html", "--production", "etl-29").out

    shown = matrix(page)
    first, *_ = [name for name in shown if name != "Deployment"]
    assert [name for _, name in shown["Deployment"]] == ["platform-owner", "observability", "model-trainer"]
    assert first == "etl-29"
    assert shown["etl-29"] == [("admin", "as owner"), ("production", ACCESSOR), ("", "")]
    assert page.index('data-of="matrix"') < page.index('<table class="matrix" id="matrix">')

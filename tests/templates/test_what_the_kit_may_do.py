"""What the kit's files say: which job a pull request gets, what each job may do, and where things come from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.templates.conftest import KIT, ROOT, installations
from tests.templates.workflows import holds

WORKFLOWS = sorted((KIT / ".github" / "workflows").glob("*.yml"))
OURS = "\n".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))
# Actions that the project's own workflows do not use; their hashes were read in public repositories.
FOUND = {
    "marocchino/sticky-pull-request-comment@0ea0beb66eb9baf113663a64ec522f60e49231c0 # v3.0.4",
    "pulumi/actions@8e5e406f4007fca908480587cb9893c07090f58d # v7.0.0",
}
EXECUTED = {"preview": {"preview", "comment", "asked-for"}, "up": {"up"}, "drift": {"look", "issue"}}


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


@pytest.mark.parametrize(
    ("event", "repository", "author", "expected"),
    [
        ("pull_request", "acme/access", "ada", ["preview"]),
        ("pull_request", "mallory/access", "mallory", ["asked-for"]),
        ("pull_request", "acme/access", "dependabot[bot]", ["asked-for"]),
        ("merge_group", "", "", ["preview"]),
    ],
)
def test_a_pull_request_and_a_merge_queue_get_the_job_that_fits_them(
    event: str, repository: str, author: str, expected: list[str]
) -> None:
    described = jobs(KIT / ".github" / "workflows" / "preview.yml")
    known = {
        "github.event.pull_request.head.repo.full_name": repository,
        "github.event.pull_request.user.login": author,
        "github.repository": "acme/access",
        "github.event_name": event,
    }

    started = [job for job in ("preview", "asked-for") if holds(described[job]["if"], known)]

    assert expected == started


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_is_executed_by_a_test(workflow: Path) -> None:
    assert EXECUTED[workflow.stem] == set(jobs(workflow))


def test_all_jobs_install_alike_so_that_one_environment_shows_it_for_all() -> None:
    found = installations()

    assert len(found) == 4 + 1
    assert len({script.strip().replace("python3 ", "python ") for script in found.values()}) == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_hash_and_known(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text())

    assert used
    assert [each for each in used if each not in FOUND and f"uses: {each}\n" not in OURS] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_what_may_write_on_github_runs_no_program_and_has_no_secret(workflow: Path) -> None:
    text = workflow.read_text()

    assert "\npermissions: {}\n" in text
    assert not re.search(r"^ *pull_request_target", text, re.MULTILINE)
    for job in jobs(workflow).values():
        writes = "write" in job["permissions"].values()
        assert writes != ("contents" in job["permissions"])
        assert not writes or "checkout" not in str(job)
        assert ("secrets." in str(job)) == ("environment" in job)
        assert "secrets." not in "".join(step.get("run", "") for step in job["steps"])


def test_a_forks_job_has_no_secret_and_no_right_to_comment() -> None:
    described = jobs(KIT / ".github" / "workflows" / "preview.yml")["asked-for"]

    assert described["permissions"] == {"contents": "read"}
    assert not re.search(r"secrets|vars\.|token|sticky|environment", str(described))


def test_an_update_waits_for_its_environment_and_for_the_one_before() -> None:
    content = yaml.safe_load((KIT / ".github" / "workflows" / "up.yml").read_text())

    assert content["concurrency"] == {"group": "up", "cancel-in-progress": False}
    assert content["jobs"]["up"]["environment"] == "production"


@pytest.mark.parametrize("template", ["infra-repo", "policy-pack"])
def test_the_package_is_asked_for_by_its_address_and_a_commit(template: str) -> None:
    text = (ROOT / "templates" / template / "requirements.txt").read_text()

    lines = [line for line in text.splitlines() if not line.startswith("#")]

    assert "pulumi-astro-provider" in lines[0]
    assert lines[0].endswith(" @ git+https://<your host>/<path>@<commit>")


def test_a_preview_and_an_update_take_the_same_policy_pack() -> None:
    scripts = [(KIT / "ci" / name).read_text() for name in ("review.sh", "up.sh")]

    assert all("\n. ci/policy.sh\n" in script and '"${policy[@]}"' in script for script in scripts)
    assert "--policy-pack policy-pack/run" in (KIT / "ci" / "policy.sh").read_text()

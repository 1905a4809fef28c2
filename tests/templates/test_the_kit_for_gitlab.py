"""The kit's GitLab pipeline: each job's script as it stands, on the real engine, with a small GitLab that keeps notes and issues.

Not shown: GitLab's runner, its rules, its image, and that the real GitLab takes these calls.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cast import OBSERVABILITY, PRODUCTION, STAGING, TRAINER
from tests.templates.conftest import KIT, Machine
from tests.templates.test_the_kit_for_github import manage_all
from tests.templates.workflows import SHELL

PIPELINE: dict[str, Any] = yaml.safe_load((KIT / ".gitlab-ci.yml").read_text())
TOKEN = "a project's token"


class GitLab(ThreadingHTTPServer):
    """Keeps the notes of merge request 5 and the issues of project 9; user 3 is whoever has the token, 4 somebody else."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.notes: list[dict[str, Any]] = [{"id": 1, "author": {"id": 4}, "body": "<!-- access -->\nNot yours."}]
        self.issues: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: GitLab

    def _answer(self) -> None:
        assert self.headers["PRIVATE-TOKEN"] == TOKEN
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        path, _, query = self.path.partition("?")
        notes, issues = self.server.notes, self.server.issues
        answer: Any = {}
        match self.command, *path.removeprefix("/api/v4/").split("/"):
            case "GET", "user":
                answer = {"id": 3}
            case "GET", "projects", "9", "merge_requests", "5", "notes":
                answer = notes if query.endswith("page=1") else []
            case "POST", "projects", "9", "merge_requests", "5", "notes":
                notes.append({"id": len(notes) + 1, "author": {"id": 3}, **sent})
            case "PUT", "projects", "9", "merge_requests", "5", "notes", number:
                notes[int(number) - 1] |= sent
            case "GET", "projects", "9", "issues":
                answer = [one for one in issues if one["state"] == "opened"]
            case "POST", "projects", "9", "issues":
                issues.append({"iid": len(issues) + 1, "state": "opened", **sent})
            case "PUT", "projects", "9", "issues", number:
                closing = {"state": "closed"} if sent.pop("state_event", "") == "close" else {}
                issues[int(number) - 1] |= {**sent, **closing}
            case _:
                self.send_error(404)
                return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  the server's names

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(machine: Machine, gitlab: GitLab, job: str, *, fork: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a job's script as the runner does: all lines in one shell, which ends at the first that fails.

    What it installs before that is there.
    """
    script = "\n".join(PIPELINE[job]["script"])
    secrets = {"GITLAB_TOKEN": TOKEN} | {name.partition(".")[2]: value for name, value in machine.secrets.items()}
    environment = (
        machine.environment
        | PIPELINE["variables"]
        | ({} if fork else secrets)
        | {
            "CI_API_V4_URL": f"http://127.0.0.1:{gitlab.server_port}/api/v4",
            "CI_PROJECT_ID": "9",
            "CI_MERGE_REQUEST_IID": "5",
            "CI_COMMIT_SHA": head(machine),
            "CI_COMMIT_BRANCH": "main",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_PIPELINE_URL": "https://gitlab.example/acme/access/-/pipelines/1",
        }
    )
    return subprocess.run(
        [*SHELL, "-c", script],
        cwd=machine.checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def head(machine: Machine) -> str:
    """The commit that is checked out."""
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.run(command, cwd=machine.checkout, capture_output=True, text=True, check=True).stdout.strip()


def comment(machine: Machine) -> str:
    return Path(machine.checkout, "comment.md").read_text()


def test_a_merge_request_keeps_one_note_which_is_the_review(machine: Machine, gitlab: GitLab) -> None:
    first = run(machine, gitlab, "preview")
    machine.replace("observability\n      role: DEPLOYMENT_ACCESSOR", "observability\n      role: DEPLOYMENT_ADMIN")
    second = run(machine, gitlab, "preview")

    assert [first.returncode, second.returncode] == [0, 3], first.stderr + second.stderr
    [foreign, ours] = gitlab.notes
    assert foreign["body"] == "<!-- access -->\nNot yours."
    assert ours["body"].startswith(f"<!-- access -->\n{comment(machine)}\nOf commit {head(machine)}")
    assert "**rule**" in ours["body"]


def test_a_policy_pack_that_cannot_be_installed_leaves_no_old_review_in_the_note(
    machine: Machine, gitlab: GitLab
) -> None:
    (machine.checkout / "comment.md").write_text("The review of an earlier commit.\n")
    pack = machine.checkout / "policy-pack"
    pack.mkdir()
    (pack / "run").write_text("#!/bin/sh\n")
    machine.refuse_to_install()

    ended = run(machine, gitlab, "preview")

    assert ended.returncode == 1, ended.stderr
    assert gitlab.notes[-1]["body"].startswith("<!-- access -->\n### Access changes: not known\n")


def test_a_fork_in_gitlab_writes_no_note(machine: Machine, gitlab: GitLab) -> None:
    ended = run(machine, gitlab, "asked-for", fork=True)

    assert ended.returncode == 0, ended.stderr
    assert len(gitlab.notes) == 1
    assert comment(machine).startswith("## What the program asks for, not what changes\n")


def test_gitlabs_update_and_nights_keep_one_issue(machine: Machine, gitlab: GitLab) -> None:
    store = machine.astro.store
    up = run(machine, gitlab, "up")
    manage_all(machine)
    store.unbind(OBSERVABILITY, STAGING)

    found = run(machine, gitlab, "drift")
    opened = dict(gitlab.issues[0])
    store.bind(OBSERVABILITY, STAGING, "DEPLOYMENT_ACCESSOR")
    mended = run(machine, gitlab, "drift")
    machine.environment |= {"ASTRO_API_HOST": "http://127.0.0.1:1", "ASTRO_TIMEOUT_SECONDS": "2"}
    blind = run(machine, gitlab, "drift")

    assert [one.returncode for one in (up, found, mended, blind)] == [0, 0, 0, 1], mended.stderr
    assert store.deployment_role(TRAINER, PRODUCTION) == "DEPLOYMENT_ACCESSOR"
    assert (opened["state"], opened["labels"]) == ("opened", "access-drift")
    assert "missing" in opened["description"]
    assert [one["state"] for one in gitlab.issues] == ["closed"]
    assert "Astro could not be looked at; the issue stays as it is." in blind.stderr


def test_each_job_of_the_pipeline_is_executed() -> None:
    assert {"preview", "asked-for", "up", "drift"} == set(PIPELINE) - {"variables", "default"}

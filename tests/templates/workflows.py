"""Runs the jobs of a GitHub workflow here: each `run:` step by the shell as it stands, in the file's order.

Actions are stood in for by what they are here for: artifacts are kept in a directory, the sticky comment's file is
recorded, and checkout, Python and Pulumi are there already. It knows the expressions and conditions that the kit uses, and
fails at any other. What it cannot show: GitHub's own runner, its permissions, and what the actions do.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")
NAME = re.compile(r"\b(?:github|needs|secrets|vars|steps)(?:\.[\w-]+)+")
THERE_ALREADY = {"actions/checkout", "actions/setup-python", "pulumi/actions"}
SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # what GitHub runs for `shell: bash`


@dataclass
class Ended:
    """How a job ended.

    Attributes:
        result: success, failure or skipped, as `needs` knows it.
        outputs: of the job.
        summary: the job summary.
        comment: what the sticky comment's action was given.
        log: what all steps printed.
        ran: the names of the `run:` steps that were run.
    """

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    comment: str | None = None
    log: str = ""
    ran: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Workflow:
    """A workflow, and where its artifacts are kept."""

    content: dict[str, Any]
    artifacts: Path

    @classmethod
    def read(cls, file: Path, artifacts: Path) -> Workflow:
        artifacts.mkdir(exist_ok=True)
        return cls(yaml.safe_load(file.read_text()), artifacts)

    def run(  # noqa: PLR0913, PLR0917  what a job is given
        self,
        job: str,
        directory: Path,
        environment: Mapping[str, str],
        known: Mapping[str, str],
        scratch: Path,
        passed_over: frozenset[str] = frozenset(),
    ) -> Ended:
        """Run one job.

        Args:
            job: its key.
            directory: the checkout, or for a job without one an empty directory.
            environment: variables of the machine.
            known: values of contexts, for example `github.sha`.
            scratch: for the files by which steps talk to the runner.
            passed_over: names of steps whose work is done already.
        """
        described = self.content["jobs"][job]
        if not holds(described.get("if", "true"), known):
            return Ended("skipped")
        scratch.mkdir()
        ended, contexts = Ended("success"), dict(known)
        for number, step in enumerate(described["steps"]):
            if (ended.result == "failure" and step.get("if") is None) or step.get("name") in passed_over:
                continue
            assert step.get("if") in {None, "${{ !cancelled() }}"}
            if not self._step(step, ended, contexts, directory, dict(environment), scratch / str(number)):
                ended.result = "success" if step.get("continue-on-error") else "failure"
        ended.outputs = (
            {name: resolved(value, contexts) for name, value in described.get("outputs", {}).items()}
            if (ended.result == "success")
            else {}
        )
        return ended

    def _step(  # noqa: PLR0913, PLR0917  what a step is given
        self,
        step: dict[str, Any],
        ended: Ended,
        contexts: dict[str, str],
        directory: Path,
        environment: dict[str, str],
        scratch: Path,
    ) -> bool:
        if "uses" in step:
            return self._action(step["uses"].partition("@")[0], step.get("with", {}), ended, directory)
        scratch.mkdir()
        output, summary, script = scratch / "output", scratch / "summary", scratch / "script.sh"
        output.touch()
        summary.touch()
        script.write_text(step["run"])
        for variables in (self.content.get("env", {}), step.get("env", {})):
            environment |= {name: resolved(value, contexts) for name, value in variables.items()}
        environment |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        done = subprocess.run(
            [*SHELL, str(script)],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        ended.ran.append(step["name"])
        ended.log += done.stdout + done.stderr
        ended.summary += summary.read_text()
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            contexts[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode == 0

    def _action(self, action: str, given: dict[str, Any], ended: Ended, directory: Path) -> bool:
        kept = self.artifacts / given.get("name", "")
        match action:
            case "actions/upload-artifact":
                kept.mkdir(exist_ok=True)
                file = directory / given["path"]
                if file.exists():
                    shutil.copy(file, kept)
                return file.exists() or given.get("if-no-files-found") == "ignore"
            case "actions/download-artifact":
                if not kept.exists() or not any(kept.iterdir()):
                    return False
                shutil.copytree(kept, directory, dirs_exist_ok=True)
                return True
            case "marocchino/sticky-pull-request-comment":
                ended.comment = (directory / given["path"]).read_text()
                return True
            case "actions/checkout" if "path" in given:  # the branch of the remote as it is now
                place = directory / given["path"]
                shutil.rmtree(place, ignore_errors=True)
                cloned = subprocess.run(["git", "clone", "-q", directory.parent / "origin.git", place], check=False)
                return cloned.returncode == 0
            case _:
                assert action in THERE_ALREADY
                return True


def resolved(text: str, contexts: Mapping[str, str]) -> str:
    """The text with its expressions' values; an expression of which nothing is known is an error."""
    return EXPRESSION.sub(lambda found: contexts[found[1]], text)


def holds(condition: str, contexts: Mapping[str, str]) -> bool:
    """Whether a job's condition holds: comparisons of contexts and texts, `&&`, `||` and `!cancelled()`."""
    words = condition.replace("${{", "").replace("}}", "").replace("!cancelled()", "True").replace("true", "True")
    words = words.replace("&&", " and ").replace("||", " or ")
    return bool(eval(" ".join(NAME.sub(lambda found: repr(contexts[found[0]]), words).split())))

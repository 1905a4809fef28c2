"""A process with a stack of its own, so that two commands of the engine can run at once, or be killed in the middle.

It takes one JSON object as its argument and prints the outcome as one: `python -m tests.support.engine_process JSON`
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from astro_provider import DeploymentOrgTokenBinding
from tests.support.forked_python import forked_python
from tests.support.key_service import key_service
from tests.support.stack import PYTHON_PATH, SPARING_GO, Outcome, Stack, new_stack
from tools.engine.install import find_engine

ROOT = Path(__file__).parents[2]
LONGEST_COMMAND_SECONDS = 240.0


@dataclass(frozen=True)
class Run:
    """One command of the engine on a stack whose program binds one token to deployments.

    Attributes:
        directory: where the stack stands.
        environment: variables for the engine and its providers.
        token_name: the token.
        deployments: to each of these the program binds it.
        command: what is run: up or destroy.
        after_cancel: run `pulumi cancel` before it.
        as_a_user: as in `Stack`; otherwise the providers are forks of a process that this one has started.
    """

    directory: str
    environment: dict[str, str]
    token_name: str
    deployments: list[str]
    command: str = "up"
    after_cancel: bool = False
    role: str = "DEPLOYMENT_ADMIN"
    as_a_user: bool = False


class EngineProcess:
    """A running process of this kind, with the engine and the providers that it has started."""

    def __init__(self, run: Run) -> None:
        self.run = run = _made_ready(run)
        command = [sys.executable, "-m", "tests.support.engine_process", json.dumps(asdict(run))]
        self._printed = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by end()
        self._complained = tempfile.TemporaryFile("w+")  # noqa: SIM115  as above
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=self._printed, stderr=self._complained, text=True)
        self._seen: dict[int, psutil.Process] = {self._process.pid: psutil.Process(self._process.pid)}

    def provider(self) -> psutil.Process:
        """The provider that serves now."""
        return self._only("the provider", lambda words: "pulumi.dynamic" in words)

    def engine(self) -> psutil.Process:
        """The engine."""
        return self._only("the engine", lambda words: Path(words[0]).name == "pulumi" and self.run.command in words)

    def outcome(self) -> Outcome:
        """Wait for the end of the command and return what it did."""
        code = self._process.wait(LONGEST_COMMAND_SECONDS)
        self._printed.seek(0)
        self._complained.seek(0)
        assert code == 0, self._complained.read()
        return Outcome(**json.load(self._printed))

    def end(self) -> None:
        """End whatever of it still runs, orphans that were seen before included."""
        self._look_around()
        for process in self._seen.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(10)
        psutil.wait_procs(self._seen.values(), timeout=10)
        self._printed.close()
        self._complained.close()

    def _look_around(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            children: list[psutil.Process] = self._seen[self._process.pid].children(recursive=True)
            self._seen |= {child.pid: child for child in children}
            return children
        return []

    def _only(self, what: str, fits: Callable[[list[str]], bool]) -> psutil.Process:
        found = []
        for child in self._look_around():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                words = child.cmdline()
                if words and fits(words):
                    found.append(child)
        assert len(found) == 1, f"{what} is not one of {found}"
        return found[0]


@contextlib.contextmanager
def engine_processes() -> Iterator[Callable[[Run], EngineProcess]]:
    """A starter of such processes, which all end, with whatever they have started, when the block ends."""
    with contextlib.ExitStack() as started:

        def start(run: Run) -> EngineProcess:
            process = EngineProcess(run)
            started.callback(process.end)
            return process

        yield start


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Return as soon as something is the case; the test fails where it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.01)


def _made_ready(run: Run) -> Run:
    """Make what this process has already, for many others: a new stack, and a process whose forks are the providers."""
    if not Path(run.directory).exists():
        shutil.copytree(new_stack(_engine(), as_a_user=run.as_a_user), run.directory)
    if run.as_a_user:
        return run
    forks = {"PYTHONPATH": PYTHON_PATH, "PULUMI_PYTHON_CMD": str(forked_python(PYTHON_PATH))}
    return replace(run, environment={**SPARING_GO, **key_service(), **forks, **run.environment})


_engine = functools.cache(find_engine)


def _main() -> None:
    run = Run(**json.loads(sys.argv[1]))

    def program() -> None:
        for deployment_id in run.deployments:
            DeploymentOrgTokenBinding(
                deployment_id, deployment_id=deployment_id, org_token_name=run.token_name, role=run.role
            )

    # What the program prints must not get between the lines that the test reads.
    with contextlib.redirect_stdout(sys.stderr):
        stack = Stack(find_engine(), Path(run.directory), run.environment, program, as_a_user=True)
        if run.after_cancel:
            stack.cancel()
        outcome: Outcome = getattr(stack, run.command)()
    print(json.dumps(asdict(outcome)))  # noqa: T201  what the test reads


if __name__ == "__main__":
    _main()

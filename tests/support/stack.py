"""A stack of the real Pulumi engine with an inline program, hermetic in a directory of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto
from pulumi.automation import events
from pulumi.automation._stack import StackInitMode

from astro_emulator import Emulator
from tests.support.forked_python import forked_python
from tests.support.key_service import SECRETS_PROVIDER, key_service

Program = Callable[[], None]
BINDING_TYPE = "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"
TABLE_TYPE = "pulumi-python:dynamic/astro:DeploymentOrgTokenBindings"
NATIVE_BINDING_TYPE = "astro:index:DeploymentOrgTokenBinding"
NATIVE_TABLE_TYPE = "astro:index:DeploymentOrgTokenBindings"
OUR_TYPES = (BINDING_TYPE, TABLE_TYPE, NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE)
STACK_TYPE = "pulumi:pulumi:Stack"
STACK_NAME = "test"
ROOT = Path(__file__).parents[2]
# For every process that a test starts: the checkout, and what moves the clock, if something does (`tests/another_day`).
PYTHON_PATH = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
LONGEST_END_SECONDS = 5.0
# Variables that the machine of the developer may have set and a process of a test must not inherit.
FOREIGN = re.compile(r"ASTRO_.*|PULUMI_.*|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|TERM|TTY_.*|PYTHONUNBUFFERED")
# The same for the engine, which inherits all; a blank value counts as unset.
UNSET = dict.fromkeys(
    (
        "ASTRO_API_TOKEN",
        "ASTRO_API_HOST",
        "ASTRO_ORGANIZATION_ID",
        "ASTRO_PREVIEW_CHECKS",
        "ASTRO_TIMEOUT_SECONDS",
        "ASTRO_SETTLE_SECONDS",
        "PULUMI_CONFIG",
    ),
    "",
)

# A command lives for a second, of which the collector and the threads of Go would take a quarter. Collect from 1 GiB on.
SPARING_GO = {"GOGC": "off", "GOMEMLIMIT": "1GiB", "GOMAXPROCS": "1"}

OF_THE_ENGINE = re.compile(  # what it prints of a run, beside what it prints of resources
    r"error: (1 error occurred:|(an )?unhandled|.*Program failed|\w+ failed$|Resource monitor has terminated|Traceback)"
)

# The Automation API lets the server of an inline program complain where the engine has gone first, and the complaint
# (kept by pytest with all its frames) would keep the program's thread alive. A filter, because uvicorn resets all else.
logging.getLogger("grpc._server").addFilter(lambda _record: False)


@dataclass
class Outcome:
    """What one engine command did and showed.

    Attributes:
        text: all that it printed, standard output first.
        changes: how many resources were created, updated, …, the stack's own resource included.
        steps: `operation name` of each resource that was not left as it is, in the engine's order; in a replacement
            `delete-replaced`, `replace` and `create-replacement`.
        notices: the provider's own warnings and notes, in the words of a process without an engine: `astro: warning: …`
            or `astro: note: …`, as the engine's severity tells.
        problems: the errors that stand beside a resource, as `name: text`.
        failed: whether the command ended with an error.
    """

    text: str
    changes: dict[str, int] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failed: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The output without blank lines and indents."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    @classmethod
    def told(cls, text: str, told: Sequence[events.EngineEvent], *, failed: bool) -> Outcome:
        """What the engine printed, and the events that it told beside it."""
        changes: dict[str, int] = {}
        for event in told:
            if event.summary_event:
                counted = event.summary_event.resource_changes or {}
                changes |= {str(getattr(kind, "value", kind)): count for kind, count in counted.items()}
        return cls(text, changes, _steps(told), _notices(told), failed, _problems(told))

    @property
    def errors(self) -> list[str]:
        """What a person reads about a failure: a resource's sentence, problems of properties, and last lines of tracebacks."""
        return [
            line
            for before, line in pairwise(["", *self.lines])
            if line.startswith("astro_provider.errors.")
            or (line.startswith("error: ") and not OF_THE_ENGINE.match(line))
            or before.endswith("error: 1 error occurred:")
        ]


def led_to(astro: Emulator) -> dict[str, str]:
    """The variables that lead an engine and its providers to that Astro."""
    return {
        "ASTRO_API_HOST": astro.url,
        "ASTRO_API_TOKEN": astro.credential,
        "ASTRO_SETTLE_SECONDS": "0",  # nobody else writes there, and looking again would only take time
        "PYTHONPATH": PYTHON_PATH,  # a provider process has to find the resources that stand in tests/support
    }


class Directory:
    """Where a stack lives, with its backend, its project (`work`) and its home; nothing is read or written elsewhere."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def resources(self) -> dict[str, dict[str, Any]]:
        """The bindings and tables in the state by their name; of one that is pending deletion, the live one."""
        found = self.exported().get("resources", [])
        found.sort(key=lambda resource: not resource.get("delete"))
        return {r["urn"].rsplit("::", 1)[1]: r for r in found if r["type"] in OUR_TYPES}

    def exported(self) -> dict[str, Any]:
        """The whole state, as it is stored: secrets are ciphertext."""
        path = self.directory / "state" / ".pulumi" / "stacks" / "bindings" / "test.json"
        stored = json.loads(path.read_text())
        deployment: dict[str, Any] = stored["checkpoint"].get("latest") or {}
        return deployment

    def state_text(self) -> str:
        """Every file of the backend (state, its backups, the history of all commands), as text."""
        return _text_below(self.directory / "state")

    def text_on_disk(self) -> str:
        """Every file that the engine and the provider have left anywhere in this stack's directory, as text."""
        return _text_below(self.directory)


class Stack(Directory):
    """One stack, its program exchangeable between commands.

    Args:
        engine: the `pulumi` command.
        directory: where state, project and home go; nothing is read or written elsewhere.
        environment: variables for the engine and its providers, for example ASTRO_API_TOKEN.
        program: the program of the first command; none declares nothing.
        as_a_user: start the providers by an interpreter and keep secrets by a passphrase, which takes three times as
            long; otherwise by `forked_python` and `key_service`.
    """

    def __init__(
        self,
        engine: auto.PulumiCommand,
        directory: Path,
        environment: Mapping[str, str],
        program: Program | None = None,
        *,
        as_a_user: bool = False,
    ) -> None:
        super().__init__(directory)
        self.program: Program = program or (lambda: None)
        self._ran: list[tuple[threading.Thread, asyncio.Task[Any]]] = []
        sparing = {} if as_a_user else SPARING_GO
        self.environment = {**sparing, **hermetic(directory, as_a_user=as_a_user), **environment}
        if not (directory / "state" / ".pulumi").exists():
            shutil.copytree(new_stack(engine, as_a_user=as_a_user), directory, dirs_exist_ok=True)
        self.stack = _BareStack(_workspace(engine, directory, self.environment, self.run_program))

    def end_programs(self) -> None:
        """End what the Automation API has left behind of the programs that ran."""
        while self._ran:
            _end(*self._ran.pop())

    def run_program(self) -> None:
        """Run the present program, as the engine asks for it."""
        task = asyncio.current_task()
        assert task is not None
        self._ran.append((threading.current_thread(), task))
        self.program()

    def set_environment(self, **variables: str) -> None:
        """Change variables of the environment for the commands that follow."""
        self.environment |= variables
        self.stack.workspace.env_vars = dict(self.environment)

    def set_config(self, key: str, value: str, *, secret: bool = False) -> None:
        """Set a value of the stack's configuration."""
        self.stack.set_config(key, auto.ConfigValue(value, secret=secret))

    def preview(self, **options: Any) -> Outcome:
        """Run `pulumi preview --diff`."""
        return self._run(self.stack.preview, diff=True, **options)

    def up(self, *, replace: Sequence[str] = (), **options: Any) -> Outcome:
        """Run `pulumi up`, with `--replace` for these URNs, or for the bindings of these names."""
        urns = [one if one.startswith("urn:") else self.urn(one) for one in replace]
        return self._run(self.stack.up, replace=urns, **options)

    def refresh(self, **options: Any) -> Outcome:
        """Run `pulumi refresh`; with `run_program=True` the program runs, and the config is the present one."""
        return self._run(self.stack.refresh, **options)

    def destroy(self, **options: Any) -> Outcome:
        """Run `pulumi destroy`."""
        return self._run(self.stack.destroy, **options)

    def cancel(self) -> None:
        """Run `pulumi cancel`, which takes away the lock that a killed engine left."""
        self.stack.cancel()

    def urn(self, name: str, kind: str = BINDING_TYPE) -> str:
        """The URN of the binding, or the table, of that name, wherever it is."""
        return f"urn:pulumi:test::bindings::{kind}::{name}"

    def outputs(self) -> dict[str, Any]:
        """What the program has exported, secrets in clear."""
        found = self.stack.workspace.stack_outputs(self.stack.name)
        return {name: output.value for name, output in found.items()}

    def _run(self, command: Callable[..., object], **options: Any) -> Outcome:
        printed: list[str] = []
        complained: list[str] = []
        told: list[events.EngineEvent] = []
        failed = False
        try:
            command(on_output=printed.append, on_error=complained.append, on_event=told.append, **options)
        except auto.CommandError:
            failed = True
        self.end_programs()
        return Outcome.told("\n".join([*printed, *complained]), told, failed=failed)


def hermetic(directory: Path, *, as_a_user: bool = False) -> dict[str, str]:
    """The environment in which nothing is read or written but below that directory; `as_a_user` as in `Stack`."""
    return {
        **UNSET,
        "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "for tests only",
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": sys.executable if as_a_user else str(forked_python(PYTHON_PATH)),
        **({} if as_a_user else key_service()),
        "NO_COLOR": "1",
        "ASTRO_LOCK_DIR": str(directory / "locks"),
    }


def _workspace(
    engine: auto.PulumiCommand, directory: Path, environment: Mapping[str, str], program: Program
) -> auto.LocalWorkspace:
    (directory / "state").mkdir(parents=True, exist_ok=True)
    (directory / "work").mkdir(exist_ok=True)
    workspace = auto.LocalWorkspace(
        work_dir=str(directory / "work"),
        program=program,
        env_vars=dict(environment),
        project_settings=auto.ProjectSettings(name="bindings", runtime="python"),
        pulumi_command=engine,
    )
    # As in a project of a user: `plugins.providers` names the folder where the executable is.
    project = directory / "work" / "Pulumi.yaml"
    plugins = {"providers": [{"name": "astro", "path": str(Path(environment["PULUMI_PYTHON_CMD"]).parent)}]}
    project.write_text(yaml.safe_dump({**yaml.safe_load(project.read_text()), "plugins": plugins}))
    return workspace


def new_stack(engine: auto.PulumiCommand, *, as_a_user: bool) -> Path:
    """A directory with a stack as `pulumi stack init` leaves it, made once in a process: two commands for each otherwise."""
    directory = Path(_kept.name) / ("new-of-a-user" if as_a_user else "new")
    if not directory.exists():
        workspace = _workspace(engine, directory, hermetic(directory, as_a_user=as_a_user), lambda: None)
        workspace.secrets_provider = None if as_a_user else SECRETS_PROVIDER
        workspace.create_stack(STACK_NAME)
        shutil.rmtree(directory / "home")
    return directory


_kept = tempfile.TemporaryDirectory(prefix="stack-")  # until the process ends


class _BareStack(auto.Stack):
    """The Automation API's stack without the commands that it runs before the first one and after each one.

    Nothing is selected, because every command names the stack. `stack output` and `stack history` would cost a second
    each time; a test that wants them asks for them.
    """

    def __init__(self, workspace: auto.Workspace) -> None:
        self.name = STACK_NAME
        self.workspace = workspace
        self._mode = StackInitMode.SELECT

    def outputs(self) -> auto.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary | None:  # noqa: ARG002, FBT001, FBT002  inherited
        return auto.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


def _end(thread: threading.Thread, task: asyncio.Task[Any]) -> None:
    """End what the Automation API leaves behind of an inline program: a thread, and after a failure an open loop.

    The thread would still print a traceback, and the garbage collector would end the task with another one, at any later
    moment. In Python 3.11 that even breaks the parser where another thread is parsing, as pytest does.
    """
    patience = time.monotonic() + LONGEST_END_SECONDS
    while not _has_ended(thread) and time.monotonic() < patience:
        time.sleep(0.005)
    loop = task.get_loop()
    while not loop.is_closed() and not loop.is_running() and time.monotonic() < patience:
        pending = {one for one in (task, *asyncio.all_tasks(loop)) if not one.done()}
        for one in pending:
            one.cancel()
        if not pending:
            loop.close()
            return
        # A program that the engine has stopped ends with KeyboardInterrupt or SystemExit, once for each of its tasks.
        with suppress(BaseException):
            loop.run_until_complete(asyncio.wait(pending, timeout=1.0))


def _has_ended(thread: threading.Thread) -> bool:
    """Return whether a thread has ended, or waits for more work in its pool, which the error of a command keeps alive."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001  nothing public shows where a thread is
    return frame is None or frame.f_code is concurrent.futures.thread._worker.__code__  # noqa: SLF001  as above


def _steps(told: Sequence[events.EngineEvent]) -> list[str]:
    steps = []
    for event in told:
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if step and step.type != STACK_TYPE:
            operation = str(getattr(step.op, "value", step.op))
            if operation != "same":
                steps.append(f"{operation} {step.urn.rsplit('::', 1)[1]}")
    return steps


def _notices(told: Sequence[events.EngineEvent]) -> list[str]:
    notices = []
    for event in told:
        said = event.diagnostic_event
        mark, _, text = said.message.strip().partition("astro: ") if said else ("", "", "")
        if said and text and not mark:
            # What was printed has another severity, `info#err`, and stands out here.
            severity = {"info": "note"}.get(said.severity, said.severity)
            notices.append(f"astro: {severity}: {text}")
    return notices


def _problems(told: Sequence[events.EngineEvent]) -> list[str]:
    said = [event.diagnostic_event for event in told]
    return [
        f"{one.urn.rsplit('::', 1)[1]}: {one.message.strip()}"
        for one in said
        if one and one.severity == "error" and one.urn and f"::{STACK_TYPE}::" not in one.urn
    ]


def _text_below(directory: Path) -> str:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return "\n".join(path.read_text(errors="replace") for path in files)

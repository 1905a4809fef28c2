"""The surroundings of the demo: an Astro, and a stack of the quickstart example, then of the table; both end with it.

The engine and its provider are processes of their own, which an exception in this one would leave behind. So an
interruption is only noted here: the engine gets Ctrl-C from the terminal as well and ends by itself, and the demo stops
before the next command.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import grpc  # type: ignore[import-untyped]  # it has no stubs here
from pulumi import automation as auto
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from astro_emulator import Emulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-quickstart"
TABLE = EXAMPLE.with_name("04-table")
STACK = "dev"  # the one that the example ships a configuration for
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Settings of this machine for its own stacks, which must not reach the demo.
NOT_THE_DEMOS = (
    "ASTRO_ORGANIZATION_ID",
    "ASTRO_PREVIEW_CHECKS",
    "ASTRO_SETTLE_SECONDS",
    "ASTRO_TIMEOUT_SECONDS",
    "PULUMI_CONFIG",
)

Role = tuple[str, ...]
Show = Callable[[str], None]


class Interrupted(Exception):
    """The demo was asked to end."""


class Interruption:
    """The signal that asked the demo to end, if there was one."""

    def __init__(self) -> None:
        self._signal = 0

    def note(self, number: int, _frame: FrameType | None = None) -> None:
        """Remember a signal."""
        self._signal = number

    def check(self) -> None:
        """Raise Interrupted if there was a signal."""
        if self._signal:
            raise Interrupted


@dataclass(frozen=True)
class Outcome:
    """The text that an engine command printed, and the number of resources by operation."""

    text: str
    changes: dict[str, int]


class Program:
    """The program of an example; the quickstart's, until another one takes its place."""

    def __init__(self) -> None:
        self.example = EXAMPLE

    def __call__(self) -> None:
        """Run it."""
        runpy.run_path(str(self.example / "__main__.py"), run_name="__main__")


class Stage:
    """An example as a stack of its own, and the Astro that it writes to."""

    def __init__(
        self, astro: Emulator, stack: auto.Stack, program: Program, interruption: Interruption, *, color: bool
    ) -> None:
        self.astro = astro
        self._stack = stack
        self._program = program
        self._interruption = interruption
        self._color = "always" if color else "never"

    @property
    def bindings(self) -> list[dict[str, str]]:
        """The bindings of the stack's configuration: deployment id, token name and role of each."""
        listed: list[dict[str, str]] = json.loads(self._stack.get_config("bindings").value)
        return listed

    def ask_for_role(self, position: int, role: str) -> None:
        """Change the role of one of `bindings`, as `pulumi config set --path` does."""
        self._stack.set_config(f"bindings[{position}].role", auto.ConfigValue(role), path=True)

    def ask_for_table(self, roles: dict[str, dict[str, str]], *, exclusive: bool) -> None:
        """Let the stack run the example of a table, and set its configuration."""
        self._program.example = TABLE
        self._stack.set_config("roles", auto.ConfigValue(json.dumps(roles)))
        self._stack.set_config("exclusive", auto.ConfigValue(json.dumps(exclusive)))

    def run(self, command: str, show: Show, **options: Any) -> Outcome:
        """Run preview, up, refresh or destroy and hand on each line that the engine prints.

        Raises:
            Interrupted: the demo was asked to end, before the command or during it.
            CommandError: the engine ended with an error.
        """
        self._interruption.check()
        lines: list[str] = []
        one_at_a_time = threading.Lock()  # standard output and standard error are read by a thread each

        def take(line: str) -> None:
            with one_at_a_time:
                lines.append(line)
                try:
                    show(line)
                except (OSError, SystemExit):  # rich raises these if the reader of the output has gone
                    self._interruption.note(signal.SIGPIPE)

        run: Callable[..., Any] = getattr(self._stack, command)
        result = run(on_output=take, on_error=take, color=self._color, suppress_progress=True, **options)
        self._interruption.check()
        counted = result.change_summary if command == "preview" else result.summary.resource_changes
        changes = {str(getattr(kind, "value", kind)): count for kind, count in (counted or {}).items()}
        return Outcome("\n".join(lines), changes)

    def review(self, digest: str, output: str) -> str:
        """The output of `astro-provider review` for a digest, as a table or as json.

        Raises:
            Interrupted: the demo was asked to end.
            subprocess.CalledProcessError: the command failed.
        """
        command = [
            sys.executable,
            "-m",
            "astro_provider",
            "review",
            "-",
            "--output",
            output,
            "--production",
            "*-production",
        ]
        reviewed = subprocess.run(  # noqa: S603  fixed words
            command, input=digest, env=self._environment(), capture_output=True, text=True, check=True
        )
        self._interruption.check()
        return reviewed.stdout

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._stack.workspace.env_vars}

    def digest(self) -> str:
        """The digest of `pulumi preview --json`, which the Automation API does not return.

        The engine is given the address of the server by which the Automation API runs inline programs.

        Raises:
            Interrupted: the demo was asked to end.
            subprocess.CalledProcessError: the preview failed.
        """
        self._interruption.check()
        server = grpc.server(ThreadPoolExecutor(4))
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(self._program), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        workspace = self._stack.workspace
        flags = ["--json", "--show-sames", "--show-replacement-steps", "--refresh", "--non-interactive"]
        inline = [f"--client=127.0.0.1:{port}", "--exec-kind", "auto.inline"]
        try:
            return subprocess.run(  # noqa: S603  fixed words
                [workspace.pulumi_command.command, "preview", "--stack", STACK, *flags, *inline],
                cwd=workspace.work_dir,
                env=self._environment(),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        finally:
            server.stop(0)

    def roles(self) -> set[Role]:
        """Every role of every token: token id, kind of entity, its id, role, and a DAG role's deployment."""
        return {
            (token["id"], entry["entityType"], entry["entityId"], entry["role"], entry.get("deploymentId", ""))
            for token in self.astro.store.shown()["tokens"]
            for entry in token["roles"]
        }

    def organization_tokens(self) -> dict[str, str]:
        """The names of the organization's own tokens by their ids."""
        tokens = self.astro.store.shown()["tokens"]
        return {token["id"]: token["name"] for token in tokens if token["scope"] == "ORGANIZATION"}

    def deployments(self) -> dict[str, str]:
        """The names of the deployments by their ids."""
        return {deployment["id"]: deployment["name"] for deployment in self.astro.store.shown()["deployments"]}


@contextmanager
def stage(engine: auto.PulumiCommand, *, color: bool) -> Iterator[Stage]:
    """Start an Astro, make the stack in a directory of its own, and take both away again."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.note) for number in INTERRUPTIONS}
    directory = Path(tempfile.mkdtemp(prefix="astro-demo-"))
    try:
        with Emulator.running() as astro:
            program = Program()
            yield Stage(astro, _stack(engine, directory, astro, program), program, interruption, color=color)
    except auto.CommandError:
        interruption.check()
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _stack(engine: auto.PulumiCommand, directory: Path, astro: Emulator, program: Program) -> auto.Stack:
    for name in ("state", "project"):
        (directory / name).mkdir()
    for name in ("Pulumi.yaml", f"Pulumi.{STACK}.yaml"):
        shutil.copy(EXAMPLE / name, directory / "project")
    environment = {
        "ASTRO_API_HOST": astro.url,
        "ASTRO_API_TOKEN": astro.credential,
        "ASTRO_LOCK_DIR": str(directory / "locks"),
        **dict.fromkeys(NOT_THE_DEMOS, ""),  # a blank value counts as unset
        "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a demo has no secrets",
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
    }
    return auto.create_stack(
        stack_name=STACK,
        project_name="astro-quickstart",
        program=program,
        opts=auto.LocalWorkspaceOptions(
            work_dir=str(directory / "project"), pulumi_command=engine, env_vars=environment
        ),
    )

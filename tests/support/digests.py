"""`pulumi … --json` on the real engine: what a pipeline hands to `astro-provider review`.

The Automation API asks a preview for JSON but not a refresh or a destroy, and none for the flags that a digest is best
made with. So the engine is started with the flags as a shell would write them, and with the address of the server by
which the Automation API runs inline programs.
"""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it has no stubs here
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from tests.support.stack import Stack

RECOMMENDED = ("--show-sames", "--show-replacement-steps", "--refresh")
LONGEST_SECONDS = 240.0


@dataclass(frozen=True)
class Digest:
    """What the engine printed on standard output and on standard error, and its exit status."""

    text: str
    complaints: str
    status: int


def digest(stack: Stack, *arguments: str) -> Digest:
    """Run one command of the engine, for example `preview --json --show-sames`; `--json` is added."""
    return ran(stack, *arguments, "--json")


def ran(stack: Stack, *arguments: str) -> Digest:
    """Run one command of the engine as a shell would, with the stack's program behind it."""
    server = grpc.server(ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(stack.run_program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    workspace = stack.stack.workspace
    command = [workspace.pulumi_command.command, *arguments, "--stack", "test", "--non-interactive"]
    try:
        ended = subprocess.run(
            [*command, f"--client=127.0.0.1:{port}", "--exec-kind", "auto.inline"],
            cwd=stack.directory / "work",
            env=_environment(stack, workspace.pulumi_command.command),
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    finally:
        server.stop(0)
        stack.end_programs()
    return Digest(ended.stdout, ended.stderr, ended.returncode)


def _environment(stack: Stack, command: str) -> dict[str, str]:
    """The stack's environment, without what a stack sets to nothing: a policy pack takes a blank value for one."""
    search = os.pathsep.join([str(Path(command).parent), os.environ["PATH"]])
    return {name: value for name, value in {**os.environ, **stack.environment, "PATH": search}.items() if value}

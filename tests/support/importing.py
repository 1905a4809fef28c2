"""`pulumi import` without the language host, which the official download brings and a build from Go does not.

The engine is told that the project's language is served at an address, and finds there the server by which the
Automation API runs inline programs.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it has no stubs here
import yaml
from pulumi.automation import CommandError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from tests.support.stack import Outcome, Stack

FLAGS = ("--yes", "--protect=false", "--generate-code=false")  # what `adopt` tells people to type


def import_file(stack: Stack, file: Path) -> Outcome:
    """Import a file into the stack's state."""
    return run_import(stack, "--file", str(file))


def run_import(stack: Stack, *arguments: str) -> Outcome:
    """Run `pulumi import` with these arguments."""
    work = stack.directory / "work"
    project = work / "Pulumi.yaml"
    before = project.read_text()
    server = grpc.server(ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(lambda: None), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    runtime = {"name": "client", "options": {"address": f"127.0.0.1:{port}"}}
    project.write_text(json.dumps({**yaml.safe_load(before), "runtime": runtime}))
    command = ["import", "--stack", "test", *arguments, *FLAGS]
    try:
        ended = stack.stack.workspace.pulumi_command.run(command, str(work), dict(stack.environment))
    except CommandError as error:
        return Outcome(str(error), failed=True)
    finally:
        server.stop(0)
        project.write_text(before)
    return Outcome(f"{ended.stdout}\n{ended.stderr}")

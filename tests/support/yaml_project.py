"""An ordinary Pulumi project, `runtime: yaml`, and a shell in its directory: what a user of the native provider types.

Nothing stands between: the engine starts Pulumi's own YAML language host, and finds the provider as it finds any other.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import yaml
from pulumi.automation import PulumiCommand
from pulumi.automation.events import EngineEvent

from tests.support.stack import (
    FOREIGN,
    NATIVE_BINDING_TYPE,
    NATIVE_TABLE_TYPE,
    SPARING_GO,
    STACK_NAME,
    Directory,
    Outcome,
    hermetic,
    new_stack,
)
from tools.yaml_host.install import find_yaml_host

LONGEST_COMMAND_SECONDS = 240.0
PLUGIN = "pulumi-resource-astro"
PLUGINS = Path(sys.executable).parent  # where pip puts the console scripts of what it installs
IN_PROJECT: Mapping[str, Any] = {"providers": [{"name": "astro", "path": str(PLUGINS)}]}
AT_ONCE = ("--yes", "--skip-preview")
Resources = Mapping[str, Mapping[str, Any]]


def binding(token: str | None, deployment: str, role: str = "DEPLOYMENT_ACCESSOR", **more: Any) -> dict[str, Any]:
    """A binding as Pulumi.yaml declares it, by the names of token and deployment.

    Args:
        token: its name; None: none is given.
        deployment: its name.
        role: what it gets.
        more: `options`, or other properties; None takes one out.
    """
    options = more.pop("options", None)
    properties = {"orgTokenName": token, "deploymentName": deployment, "role": role, **more}
    declared = {"type": NATIVE_BINDING_TYPE, "properties": {k: v for k, v in properties.items() if v is not None}}
    return declared | ({"options": options} if options else {})


def table(roles: Mapping[str, Mapping[str, str]], **more: Any) -> dict[str, Any]:
    """A table as Pulumi.yaml declares it."""
    return {"type": NATIVE_TABLE_TYPE, "properties": {"roles": roles, **more}}


def camel_case(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the Python class as properties of the native resource."""
    return {re.sub("_([a-z])", lambda after: after[1].upper(), name): value for name, value in arguments.items()}


class Command:
    """A command of `pulumi` that runs, in a process group of its own as a shell gives it."""

    def __init__(self, process: subprocess.Popen[str], events: Path) -> None:
        self._process, self._events = process, events

    def interrupt(self) -> None:
        """Press Ctrl-C: every process of the group gets the signal."""
        os.killpg(self._process.pid, signal.SIGINT)

    def outcome(self, longest_seconds: float = LONGEST_COMMAND_SECONDS) -> Outcome:
        """Wait for its end."""
        out, err = self._process.communicate(timeout=longest_seconds)
        told = [EngineEvent.from_json(json.loads(line)) for line in _lines(self._events)]
        return Outcome.told(f"{out}\n{err}", told, failed=self._process.returncode != 0)

    def end(self) -> None:
        """End whatever still runs of it."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()


class YamlProject(Directory):
    """A project whose stack is there, and which declares nothing yet.

    Args:
        engine: the `pulumi` command.
        directory: where everything goes; the stack that lives there already, of whatever language, goes on.
        environment: variables for the engine and its providers, for example ASTRO_API_TOKEN.
    """

    def __init__(self, engine: PulumiCommand, directory: Path, environment: Mapping[str, str]) -> None:
        super().__init__(directory)
        if not (directory / "state" / ".pulumi").exists():
            shutil.copytree(new_stack(engine, as_a_user=False), directory, dirs_exist_ok=True)
        self.work = directory / "work"
        inherited = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
        event_log = {"PULUMI_DEBUG_COMMANDS": "true"}  # brings the flag --event-log, as in the Automation API
        self.environment = {**inherited, **SPARING_GO, **hermetic(directory), **event_log, **environment}
        self.environment["PATH"] = os.pathsep.join([str(_programs(engine)), _without_the_plugin(inherited["PATH"])])
        self._numbers = itertools.count()
        self.write({})

    def write(
        self, resources: Resources, plugins: Mapping[str, Any] | Literal["forked"] | None = "forked", **more: Any
    ) -> None:
        """Write Pulumi.yaml.

        Args:
            resources: what it declares, by name.
            plugins: where it says that plugins are; None: nothing; "forked": where `forked_python` has put it.
            more: other keys of the file, for example `outputs`.
        """
        if plugins == "forked":
            path = Path(self.environment["PULUMI_PYTHON_CMD"]).parent
            plugins = {"providers": [{"name": "astro", "path": str(path)}]}
        project = {"name": "bindings", "runtime": "yaml", "plugins": plugins, "resources": dict(resources), **more}
        content = {key: value for key, value in project.items() if value}
        (self.work / "Pulumi.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def set_config(self, key: str, value: str, *, secret: bool = False) -> None:
        """Type `pulumi config set`."""
        self.pulumi("config", "set", key, value, *(["--secret"] if secret else []))

    def pulumi(self, *arguments: str) -> str:
        """Type a command about the stack that must succeed; what it printed to standard output."""
        return self.pulumi_anywhere(*arguments, "--stack", STACK_NAME)

    def pulumi_anywhere(self, *arguments: str) -> str:
        """Type a command that is about no stack and must succeed; what it printed to standard output."""
        ended = self._popen(arguments)
        out, err = ended.communicate(timeout=LONGEST_COMMAND_SECONDS)
        assert ended.returncode == 0, out + err
        return out

    def output(self, name: str) -> str:
        """Type `pulumi stack output`, secrets in clear."""
        return self.pulumi("stack", "output", name, "--show-secrets").strip()

    def preview(self, **options: Any) -> Outcome:
        """Type `pulumi preview --diff`; an option is a flag in Python's spelling, a list is a flag for each."""
        return self._run("preview", "--diff", *_flags(options))

    def up(self, **options: Any) -> Outcome:
        """Type `pulumi up`."""
        return self._run("up", *AT_ONCE, *_flags(options))

    def refresh(self, **options: Any) -> Outcome:
        """Type `pulumi refresh`, or with `preview_only` what only looks."""
        at_once = () if options.get("preview_only") else AT_ONCE
        return self._run("refresh", *at_once, *_flags(options))

    def destroy(self, **options: Any) -> Outcome:
        """Type `pulumi destroy`."""
        return self._run("destroy", *AT_ONCE, *_flags(options))

    def import_(self, *arguments: str, **options: Any) -> Outcome:
        """Type `pulumi import`."""
        return self._run("import", *arguments, *AT_ONCE, "--protect=false", *_flags(options))

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Command]:
        """Begin a command that works on the stack; it ends with the block."""
        events = self.directory / f"events-{next(self._numbers)}.json"
        flags = ["--stack", STACK_NAME, "--non-interactive", "--event-log", str(events)]
        command = Command(self._popen([*arguments, *flags]), events)
        try:
            yield command
        finally:
            command.end()

    def _run(self, *arguments: str) -> Outcome:
        with self.running(*arguments) as command:
            return command.outcome()

    def set_environment(self, **variables: str) -> None:
        """Change variables of the environment for the commands that follow."""
        self.environment |= variables

    def urn(self, name: str, kind: str = NATIVE_BINDING_TYPE) -> str:
        """The URN of the binding, or the table, of that name."""
        return f"urn:pulumi:{STACK_NAME}::bindings::{kind}::{name}"

    def _popen(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments],
            cwd=self.work,
            env=self.environment,
            executable=shutil.which("pulumi", path=self.environment["PATH"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _flags(options: Mapping[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        values = value if isinstance(value, (list, tuple)) else [value]
        flags += [flag if one is True else f"{flag}={one}" for one in values if one is not False]
    return flags


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _without_the_plugin(path: str) -> str:
    """PATH without the directories in which the plugin is: a test says where it is found."""
    return os.pathsep.join(one for one in path.split(os.pathsep) if not (Path(one) / PLUGIN).exists())


@functools.cache
def _programs(engine: PulumiCommand) -> Path:
    """A directory of `pulumi` and the YAML host beside it, as the official download has them."""
    found, host = shutil.which(engine.command), find_yaml_host(engine)
    assert found
    pulumi = Path(found).resolve()
    if pulumi.parent == host.parent:
        return pulumi.parent
    directory = Path(_kept.name)
    for file in (pulumi, host):
        place_of(file, directory / file.name)
    return directory


def place_of(file: Path, there: Path) -> None:
    """Put a program there itself: an engine that is linked to looks for its plugins where the link leads."""
    try:
        there.hardlink_to(file)
    except OSError:  # another file system
        shutil.copy(file, there)


_kept = tempfile.TemporaryDirectory(prefix="programs-")  # until the process ends

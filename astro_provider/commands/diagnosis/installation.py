"""The checks of this machine: the `pulumi` command, and the interpreter with which it will start the provider.

Pulumi chooses that interpreter: the virtual environment that Pulumi.yaml names, otherwise PULUMI_PYTHON_CMD, otherwise
`python3` on PATH.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astro_provider.commands.diagnosis.checks import Result, Status, failed, ok, unknown, warning
from astro_provider.commands.diagnosis.commands import answer_of
from astro_provider.commands.diagnosis.native import NAME as NATIVE_PLUGIN
from astro_provider.commands.diagnosis.native import check_native_provider
from astro_provider.commands.projects import PYTHON, UNREADABLE, project_of
from astro_provider.version import OLDEST_PULUMI, __version__

ON_PATH = "on PATH"

# Loads the class that a state names, as the engine will do. The last line is the version.
_PROBE = """
import os, sys, astro_provider, astro_provider.provider as p
p.DeploymentOrgTokenBindingProvider
try:
    from astro_provider.engine.probe import hidden_by_the_sdk
    print("hidden", *hidden_by_the_sdk())
except Exception:
    pass
print(astro_provider.__version__, flush=True)
os._exit(0)
"""
# The consequence for each part of the engine's call that the SDK hides from a dynamic provider (`engine/probe.py`).
_WITHOUT = {
    "call": "notices are printed for the whole stack",
    "errors": "errors come with a traceback, whose last line is the message",
    "threads": "four operations run at once",
}


def _pulumi(environ: Mapping[str, str], directory: Path) -> Result:
    where = "Install it from https://www.pulumi.com/docs/install/, or put it on PATH."
    command = shutil.which("pulumi", path=environ.get("PATH"))
    if command is None:
        return failed("There is no pulumi on PATH.", where)
    answer = answer_of([command, "version"], {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}, directory)
    found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", answer.text)
    if not answer.ok or found is None:
        status = Status.UNKNOWN if answer.late else Status.FAILED
        return Result(status, f"{command} does not print its version: {answer.last_line}", where)
    version = tuple(map(int, found.groups()))
    shown = f"{_dotted(version)} ({command})"
    if version < OLDEST_PULUMI:
        advice = f"Install {_dotted(OLDEST_PULUMI)} or later, the versions with which this package is tested."
        return failed(f"{shown} is too old.", advice)
    return ok(f"{shown}.")


def _language_host(environ: Mapping[str, str], directory: Path) -> Result:
    project = project_of(directory)
    runtime = PYTHON if project is None or project.runtime == UNREADABLE else project.runtime
    name, path = f"pulumi-language-{runtime}", environ.get("PATH")
    command, host = shutil.which("pulumi", path=path), shutil.which(name, path=path)
    if command is None:
        return unknown("Not looked at, because there is no pulumi on PATH.")
    beside = Path(command).resolve().with_name(name)
    if host or beside.exists():
        return ok(f"{host or beside}.")
    text = f"There is no {name} beside pulumi or on PATH: only the Automation API can run programs."
    return warning(text, "The official download of pulumi brings it.")


def _package(environ: Mapping[str, str], directory: Path) -> Result:
    chosen = _interpreter(environ, directory)
    if isinstance(chosen, Result):
        return chosen
    answer = answer_of([chosen.command, "-c", _PROBE], environ, chosen.directory)
    if answer.late:
        return unknown(f"{chosen} did not load astro_provider: {answer.last_line}.")
    install = f"Install version {__version__} of this package with that interpreter's pip."
    if chosen.whence == ON_PATH:
        # There is no project here, or one that leaves the choice to PATH.
        install += " If your project has a virtual environment, activate it, or call doctor beside its Pulumi.yaml."
    if not answer.ok:
        return failed(f"{chosen} cannot load astro_provider: {answer.last_line}", install)
    if answer.last_line != __version__:
        return failed(f"{chosen} loads astro_provider {answer.last_line}, and this is {__version__}.", install)
    text = f"{chosen} loads astro_provider {__version__}."
    hidden = next((line.split()[1:] for line in answer.text.splitlines() if line.startswith("hidden ")), [])
    if hidden:
        without = "; ".join(_WITHOUT.get(one, one) for one in hidden)
        text += f" Its Pulumi SDK hides the engine's call from dynamic resources: {without}."
        return warning(text, "All else works. Report the version of the SDK, or use an older one.")
    return ok(text)


@dataclass(frozen=True)
class _Interpreter:
    command: str
    whence: str
    directory: Path

    def __str__(self) -> str:
        return f"{self.command} ({self.whence})"


def _interpreter(environ: Mapping[str, str], directory: Path) -> _Interpreter | Result:
    """The interpreter that Pulumi will start, or the check if there is none."""
    found = project_of(directory)
    if found is not None:
        project, options, directory = found.file, found.options, found.directory
        if found.runtime != PYTHON:
            is_read = found.runtime != UNREADABLE
            text = f"{project} is a project of the runtime {found.runtime}, whose programs use the native provider."
            return ok(text) if is_read else failed(f"{project} cannot be read, so its interpreter is not known.")
        environment = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
        if environment:
            command = directory / str(environment) / "bin" / "python"
            if not command.is_file():
                text = f"{project} names the virtual environment {environment}, and there is none."
                advice = "Run `pulumi install` there, and install this package into it."
                if above := _environment_of_a_workspace(directory, options):
                    advice = f"The uv workspace has its virtual environment above: write `virtualenv: {above}` there."
                return failed(text, advice)
            return _Interpreter(str(command), f"virtualenv of {project.name}", directory)
        if options.get("toolchain") == "poetry":
            text = f"{project} leaves the interpreter to poetry."
            return unknown(text, "Run `poetry run astro-provider doctor` to look from inside.")
    given = environ.get("PULUMI_PYTHON_CMD", "").strip()
    name, whence = (given, "PULUMI_PYTHON_CMD") if given else ("python3", ON_PATH)
    command_found = shutil.which(name, path=environ.get("PATH"))
    if command_found is None:
        return failed(f"There is no {name} ({whence}), which Pulumi would start.")
    return _Interpreter(command_found, whence, directory)


def _environment_of_a_workspace(directory: Path, options: Mapping[str, Any]) -> str | None:
    """The path from a project to the virtual environment of the uv workspace above it; None: there is none.

    uv keeps one virtual environment for a whole workspace, at its root; Pulumi looks for one in the project.
    """
    if options.get("toolchain") != "uv":
        return None
    for number, path in enumerate(directory.resolve().parents, start=1):
        if (path / ".venv" / "bin" / "python").is_file() and (path / "pyproject.toml").is_file():
            return "../" * number + ".venv"
    return None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


OfMachine = Callable[[Mapping[str, str], Path], Result]  # of the environment's variables, and the directory of `pulumi`
# By name. They run at the same time, because each starts a program or looks at a disk.
CHECKS: dict[str, OfMachine] = {
    "pulumi": _pulumi,
    "language host": _language_host,
    "package": _package,
    NATIVE_PLUGIN: check_native_provider,
}

"""The checks that are about this machine: the `pulumi` command, and the interpreter that it will start the provider with.

Which interpreter that is, follows what Pulumi does: the virtual environment that Pulumi.yaml names comes before
PULUMI_PYTHON_CMD, and `python3` on PATH comes last.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.commands import answer_of
from astro_provider.commands.diagnosis.native import NAME as NATIVE_PLUGIN
from astro_provider.commands.diagnosis.native import check_native_provider
from astro_provider.commands.projects import PYTHON, UNREADABLE, Project, project_of
from astro_provider.version import OLDEST_PULUMI, __version__

ON_PATH = "on PATH"

# What the engine will do: load the class that the state names. The last line is the version.
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
# What follows if the Pulumi SDK hides a part of the engine's call from a dynamic provider (`engine/probe.py`).
_WITHOUT = {
    "call": "notices stand beside the stack",
    "errors": "errors come with a traceback, whose last line is the message",
    "threads": "four operations run at once",
}


def check_installation(environ: Mapping[str, str], directory: Path) -> list[Check]:
    """Look at all of it; the checks are always the same, in the same order."""
    return [check for _, run in LOOKS for check in run(environ, directory)]


def _pulumi(environ: Mapping[str, str], directory: Path) -> Iterator[Check]:
    where = "Install it from https://www.pulumi.com/docs/install/, or put it on PATH."
    command = shutil.which("pulumi", path=environ.get("PATH"))
    if command is None:
        yield Check("pulumi", Status.FAILED, "There is no pulumi on PATH.", where)
        return
    quiet = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = answer_of([command, "version"], {**environ, **quiet}, directory)
    version = _version(answer.text) if answer.ok else None
    if version is None:
        status = Status.UNKNOWN if answer.late else Status.FAILED
        yield Check("pulumi", status, f"{command} does not tell its version: {answer.last_line}", where)
        return
    shown = f"{_dotted(version)} ({command})"
    if version < OLDEST_PULUMI:
        advice = f"Install {_dotted(OLDEST_PULUMI)} or later, which is what this package is tested with."
        yield Check("pulumi", Status.FAILED, f"{shown} is too old.", advice)
    else:
        yield Check("pulumi", Status.OK, f"{shown}.")


def _language_host(environ: Mapping[str, str], directory: Path) -> Iterator[Check]:
    project = project_of(directory)
    runtime = PYTHON if project is None or project.runtime == UNREADABLE else project.runtime
    yield _language_host_of(f"pulumi-language-{runtime}", environ)


def _language_host_of(name: str, environ: Mapping[str, str]) -> Check:
    path = environ.get("PATH")
    command, host = shutil.which("pulumi", path=path), shutil.which(name, path=path)
    if command is None:
        return Check("language host", Status.UNKNOWN, "Not looked at, because there is no pulumi on PATH.")
    beside = Path(command).resolve().with_name(name)
    if host or beside.exists():
        return Check("language host", Status.OK, f"{host or beside}.")
    text = f"There is no {name} beside pulumi or on PATH: only the Automation API can run programs."
    return Check("language host", Status.WARNING, text, "The official download of pulumi brings it.")


def _package(environ: Mapping[str, str], directory: Path) -> Iterator[Check]:
    yield _package_in(environ, directory)


def _package_in(environ: Mapping[str, str], directory: Path) -> Check:
    chosen = _interpreter(environ, directory)
    if isinstance(chosen, Check):
        return chosen
    answer = answer_of([chosen.command, "-c", _PROBE], chosen.environ, chosen.directory)
    if answer.late:
        return Check("package", Status.UNKNOWN, f"{chosen} was asked to load astro_provider: {answer.last_line}.")
    install = f"Install version {__version__} of this package with that interpreter's pip."
    if chosen.whence == ON_PATH:  # there is no project here, or one that leaves it to PATH
        install += " If your project has a virtual environment, activate it, or call doctor beside its Pulumi.yaml."
    if not answer.ok:
        text = f"{chosen} cannot load astro_provider: {answer.last_line}"
        return Check("package", Status.FAILED, text, install)
    if answer.last_line != __version__:
        text = f"{chosen} loads astro_provider {answer.last_line}, and this is {__version__}."
        return Check("package", Status.FAILED, text, install)
    text = f"{chosen} loads astro_provider {__version__}."
    hidden = next((line.split()[1:] for line in answer.text.splitlines() if line.startswith("hidden ")), [])
    if hidden:
        without = "; ".join(_WITHOUT.get(one, one) for one in hidden)
        text += f" Its Pulumi SDK hides the engine's call from dynamic resources: {without}."
        return Check(
            "package", Status.WARNING, text, "All else works. Report the version of the SDK, or use an older one."
        )
    return Check("package", Status.OK, text)


@dataclass(frozen=True)
class _Interpreter:
    command: str
    whence: str
    environ: Mapping[str, str]
    directory: Path

    def __str__(self) -> str:
        return f"{self.command} ({self.whence})"


def _interpreter(environ: Mapping[str, str], directory: Path) -> _Interpreter | Check:
    """The interpreter, or what stands in the way of one."""
    found = project_of(directory)
    if found is not None:
        project, options = found.file, found.options
        if found.runtime != PYTHON:
            return _of_no_python(found)
        directory = project.parent
        environment = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
        if environment:
            command = directory / str(environment) / "bin" / "python"
            if not command.is_file():
                text = f"{project} names the virtual environment {environment}, and there is none."
                advice = "Run `pulumi install` there, and install this package into it."
                if above := _environment_of_a_workspace(directory, options):
                    advice = f"The uv workspace has its virtual environment above: write `virtualenv: {above}` there."
                return Check("package", Status.FAILED, text, advice)
            return _Interpreter(str(command), f"virtualenv of {project.name}", environ, directory)
        if options.get("toolchain") == "poetry":
            text = f"{project} leaves the interpreter to poetry."
            return Check("package", Status.UNKNOWN, text, "Run `poetry run astro-provider doctor` to look from inside.")
    given = environ.get("PULUMI_PYTHON_CMD", "").strip()
    name, whence = (given, "PULUMI_PYTHON_CMD") if given else ("python3", ON_PATH)
    command_found = shutil.which(name, path=environ.get("PATH"))
    if command_found is None:
        return Check("package", Status.FAILED, f"There is no {name} ({whence}), which Pulumi would start.")
    return _Interpreter(command_found, whence, environ, directory)


def _of_no_python(project: Project) -> Check:
    if project.runtime == UNREADABLE:
        return Check("package", Status.FAILED, f"{project.file} cannot be read, so its interpreter is not known.")
    text = f"{project.file} is a project of the runtime {project.runtime}, whose programs use the native provider."
    return Check("package", Status.OK, text)


def _environment_of_a_workspace(directory: Path, options: Mapping[str, Any]) -> str | None:
    """The way from a project to the virtual environment of the uv workspace above it; None: there is none.

    uv keeps one virtual environment for a whole workspace, at its root, and Pulumi looks for one in the project.
    """
    if options.get("toolchain") != "uv":
        return None
    for number, path in enumerate(directory.resolve().parents, start=1):
        if (path / ".venv" / "bin" / "python").is_file() and (path / "pyproject.toml").is_file():
            return "/".join([".."] * number + [".venv"])
    return None


def _version(text: str) -> tuple[int, int, int] | None:
    found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))


# Beside each other, because each starts a program or looks at a disk.
LOOKS: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, str], Path], Iterable[Check]]], ...] = (
    (("pulumi",), _pulumi),
    (("language host",), _language_host),
    (("package",), _package),
    ((NATIVE_PLUGIN,), check_native_provider),
)

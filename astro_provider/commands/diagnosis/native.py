"""The check that is about the native provider: whether the engine will find its executable, and which one.

It is looked for where the engine looks: the folder that `plugins.providers` of Pulumi.yaml names, the source that
`packages` names there, then PATH. A Python program that uses the dynamic resource needs none of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.commands import answer_of
from astro_provider.commands.projects import PYTHON, Project, project_of
from astro_provider.names import EXECUTABLE
from astro_provider.version import __version__

NAME = "native plugin"
PLUGIN_FILE = "PulumiPlugin.yaml"
ADD = "Run `pulumi package add <git address>/plugin@<commit>` (docs/languages.md)."
INSTALL = "Install this package there, or write the folder in which its executable is: `.venv/bin`, for example."


def check_native_provider(environ: Mapping[str, str], directory: Path) -> Iterator[Check]:
    """Look for the executable, and ask it for its version."""
    project = project_of(directory)
    named = project.folder_of_native_provider if project else None
    if project and named is not None:
        command = project.directory / named / EXECUTABLE
        if not os.access(command, os.X_OK):
            text = f"{project.file} says that it is in {named}, and there is no {EXECUTABLE}."
            yield Check(NAME, Status.FAILED, text, INSTALL)
        else:
            yield _asked(str(command), "plugins.providers of Pulumi.yaml", environ, directory)
        return
    if project and project.source_of_native_provider is not None:
        yield _source(project, project.source_of_native_provider)
        return
    found = shutil.which(EXECUTABLE, path=environ.get("PATH"))
    if found is not None:
        yield _asked(found, "on PATH", environ, directory)
    elif project is None or project.runtime == PYTHON:
        yield Check(NAME, Status.OK, f"There is no {EXECUTABLE} here, and only programs of the native door need it.")
    else:
        text = f"There is no {EXECUTABLE} in plugins.providers of {project.file.name} or on PATH."
        yield Check(NAME, Status.FAILED, text, "Install this package and name its folder there (docs/languages.md).")


def _source(project: Project, source: str) -> Check:
    """What `packages` names: a folder of this machine, an address with a commit or a version behind it, or a name."""
    where = f"packages of {project.file.name}"
    folder = project.directory / source
    if (folder / PLUGIN_FILE).is_file():
        return Check(NAME, Status.OK, f"Pulumi runs it from the folder {source} ({where}).")
    address, _, version = source.rpartition("@")
    if source.startswith((".", "/")):
        text = f"{where} names the folder {source}, and there is no {PLUGIN_FILE}."
        return Check(NAME, Status.FAILED, text, f"Write the folder `plugin` of the package's repository. {ADD}")
    if "/" not in source:
        text = f"{where} names {source}: Pulumi would download what is published under that name, which anyone may register."
        return Check(NAME, Status.WARNING, text, ADD)
    if not address:
        text = f"{where} names {source} without a commit or a version, so each machine may install another one."
        return Check(NAME, Status.WARNING, text, ADD)
    return Check(NAME, Status.OK, f"Pulumi installs version {version} from {address} ({where}).")


def _asked(command: str, whence: str, environ: Mapping[str, str], directory: Path) -> Check:
    answer = answer_of([command, "--version"], environ, directory)
    shown = f"{command} ({whence})"
    if answer.late:
        return Check(NAME, Status.UNKNOWN, f"{shown} was asked for its version: {answer.last_line}.")
    install = f"Install version {__version__} of this package there."
    if not answer.ok and (interpreter := _missing_interpreter(Path(command))) is not None:
        text = f"{shown} starts {interpreter}, which is not there: its virtual environment was moved or its Python removed."
        return Check(NAME, Status.FAILED, text, f"Make that virtual environment anew. {install}")
    if not answer.ok:
        return Check(NAME, Status.FAILED, f"{shown} does not run: {answer.last_line}", install)
    if answer.last_line != __version__:
        text = f"{shown} is of version {answer.last_line}, and this is {__version__}."
        return Check(NAME, Status.FAILED, text, install)
    return Check(NAME, Status.OK, f"{shown} is of version {__version__}.")


def _missing_interpreter(script: Path) -> str | None:
    """The interpreter that the first line of a script names, if there is none; pip writes it when it installs."""
    try:
        first = script.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    except OSError:
        return None
    interpreter = first.removeprefix("#!").strip()
    return interpreter if first.startswith("#!/") and not Path(interpreter.split(" ")[0]).exists() else None

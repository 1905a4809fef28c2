"""The check that is about the native provider: whether the engine will find its executable, and which one.

It is looked for where the engine looks: the folder that `plugins.providers` of Pulumi.yaml names, then PATH. A Python
program that uses the dynamic resource needs none of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.commands import answer_of
from astro_provider.commands.projects import PYTHON, project_of
from astro_provider.names import EXECUTABLE
from astro_provider.version import __version__

NAME = "native plugin"
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
    found = shutil.which(EXECUTABLE, path=environ.get("PATH"))
    if found is not None:
        yield _asked(found, "on PATH", environ, directory)
    elif project is None or project.runtime == PYTHON:
        yield Check(NAME, Status.OK, f"There is no {EXECUTABLE} here, and only programs of the native door need it.")
    else:
        text = f"There is no {EXECUTABLE} in plugins.providers of {project.file.name} or on PATH."
        yield Check(NAME, Status.FAILED, text, "Install this package and name its folder there (docs/native.md).")


def _asked(command: str, whence: str, environ: Mapping[str, str], directory: Path) -> Check:
    answer = answer_of([command, "--version"], environ, directory)
    shown = f"{command} ({whence})"
    if answer.late:
        return Check(NAME, Status.UNKNOWN, f"{shown} was asked for its version: {answer.last_line}.")
    install = f"Install version {__version__} of this package there."
    if not answer.ok:
        return Check(NAME, Status.FAILED, f"{shown} does not run: {answer.last_line}", install)
    if answer.last_line != __version__:
        text = f"{shown} is of version {answer.last_line}, and this is {__version__}."
        return Check(NAME, Status.FAILED, text, install)
    return Check(NAME, Status.OK, f"{shown} is of version {__version__}.")

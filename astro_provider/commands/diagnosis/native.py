"""The check of the native provider: the executable that the engine will find, if it finds one.

The engine looks in the folder that `plugins.providers` of Pulumi.yaml names, in the source that `packages` names there,
then on PATH. A Python program of the dynamic resource needs none of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from astro_provider.commands.diagnosis.checks import Result, failed, ok, unknown, warning
from astro_provider.commands.diagnosis.commands import answer_of
from astro_provider.commands.projects import PYTHON, Project, project_of
from astro_provider.names import EXECUTABLE
from astro_provider.version import __version__

NAME = "native plugin"
PLUGIN_FILE = "PulumiPlugin.yaml"
ADD = "Run `pulumi package add <git address>/plugin@<commit>` (docs/languages.md)."
INSTALL = "Install this package there, or write the folder of its executable: `.venv/bin`, for example."


def check_native_provider(environ: Mapping[str, str], directory: Path) -> Result:
    """Look for the executable, and ask it for its version."""
    project = project_of(directory)
    named = project.folder_of_native_provider if project else None
    if project and named is not None:
        command = project.directory / named / EXECUTABLE
        if not os.access(command, os.X_OK):
            return failed(f"{project.file} says that it is in {named}, and there is no {EXECUTABLE}.", INSTALL)
        return _asked(str(command), "plugins.providers of Pulumi.yaml", environ, directory)
    if project and project.source_of_native_provider is not None:
        return _source(project, project.source_of_native_provider)
    found = shutil.which(EXECUTABLE, path=environ.get("PATH"))
    if found is not None:
        return _asked(found, "on PATH", environ, directory)
    if project is None or project.runtime == PYTHON:
        return ok(f"There is no {EXECUTABLE} here; only programs with the native provider need it.")
    text = f"There is no {EXECUTABLE} in plugins.providers of {project.file.name} or on PATH."
    return failed(text, "Install this package and name its folder there (docs/languages.md).")


def _source(project: Project, source: str) -> Result:
    """Judge the source that `packages` names: a folder of this machine, an address with a commit or version, a name."""
    where = f"packages of {project.file.name}"
    folder = project.directory / source
    if (folder / PLUGIN_FILE).is_file():
        return ok(f"Pulumi runs it from the folder {source} ({where}).")
    address, _, version = source.rpartition("@")
    if source.startswith((".", "/")):
        text = f"{where} names the folder {source}, and there is no {PLUGIN_FILE}."
        return failed(text, f"Write the folder `plugin` of the package's repository. {ADD}")
    if "/" not in source:
        text = f"{where} names {source}: Pulumi would download what is published under that name, which anyone may register."
        return warning(text, ADD)
    if not address:
        text = f"{where} names {source} without a commit or a version, so each machine may install another one."
        return warning(text, ADD)
    return ok(f"Pulumi installs version {version} from {address} ({where}).")


def _asked(command: str, whence: str, environ: Mapping[str, str], directory: Path) -> Result:
    answer = answer_of([command, "--version"], environ, directory)
    shown = f"{command} ({whence})"
    if answer.late:
        return unknown(f"{shown} did not print its version: {answer.last_line}.")
    install = f"Install version {__version__} of this package there."
    if not answer.ok and (interpreter := _missing_interpreter(Path(command))) is not None:
        text = f"{shown} starts {interpreter}, which is not there: its virtual environment was moved or its Python removed."
        return failed(text, f"Create that virtual environment again. {install}")
    if not answer.ok:
        return failed(f"{shown} does not run: {answer.last_line}", install)
    if answer.last_line != __version__:
        return failed(f"{shown} is of version {answer.last_line}, and this is {__version__}.", install)
    return ok(f"{shown} is of version {__version__}.")


def _missing_interpreter(script: Path) -> str | None:
    """The interpreter that the first line of a script names, if it does not exist; pip writes that line."""
    try:
        first = script.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    except OSError:
        return None
    interpreter = first.removeprefix("#!").strip()
    return interpreter if first.startswith("#!/") and not Path(interpreter.split(" ")[0]).exists() else None

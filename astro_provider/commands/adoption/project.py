"""The Pulumi project of an adopted program: the one that is there already, or a new one.

A new one gets `astro:previewChecks: strict` for each of its stacks: its program makes neither tokens nor roles, so a
name that does not exist is misspelt. It goes without `strict` if a preview would warn of an adopted binding, because
`strict` would turn that warning into an error.
"""

from __future__ import annotations

import keyword
import re
from enum import Enum
from pathlib import Path

import yaml

from astro_provider.commands.projects import Project
from astro_provider.errors import InputError

STRICT = """\
config:
  # This program makes neither tokens nor roles, so one that does not exist is an error and not a warning.
  astro:previewChecks: strict
"""
PLUGIN = """\
plugins:
  providers:
    # The executable pulumi-resource-astro, which comes with the package.
    - name: astro
      path: .venv/bin
"""
LONGEST_NAME = 100  # characters, Pulumi's own limit


class Door(Enum):
    """The door through which a program declares its bindings, by the module whose classes it imports."""

    DYNAMIC = "astro_provider"
    NATIVE = "astro_provider.native"


def module_path(project: Project | None, directory: Path, module: str) -> str:
    """Return the name by which the project's program imports a module in a directory, for example `access.tokens`.

    Raises:
        InputError: there is no project, or its program cannot import the module from there.
    """
    if not _is_identifier(module):
        raise InputError("module", f"{module!r} is no name that Python can import. Nothing was written.")
    if project is None:
        text = f"{directory} is in no Pulumi project whose program could import it. Nothing was written."
        raise InputError("module", text)
    place = directory.resolve()
    parts = place.relative_to(project.program).parts if place.is_relative_to(project.program) else None
    if parts is None or not all(map(_is_identifier, parts)):
        raise InputError(
            "module",
            f"The program in {project.program} cannot import a module in {directory}. Nothing was written: choose a "
            "directory below the program whose name Python can import.",
        )
    return ".".join((*parts, module))


def new_project(directory: Path, *, strict: bool, door: Door = Door.DYNAMIC) -> str:
    """Return the Pulumi.yaml of a new project, named like its directory."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", directory.resolve().name).strip("-")[:LONGEST_NAME] or "bindings"
    text = f"""\
name: {yaml.safe_dump(name).splitlines()[0]}
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
"""
    return text + (PLUGIN if door is Door.NATIVE else "") + (STRICT if strict else "")


def _is_identifier(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)

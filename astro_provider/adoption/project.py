"""The Pulumi project that is there already, above or in the directory that is written; else the one that is made.

A project that is there is only read. A new one gets `astro:previewChecks: strict` for each of its stacks: its program
makes neither tokens nor roles, so whatever does not exist is misspelt. It goes without if a preview would warn of
something that is adopted, because strict would make that an error.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from astro_provider.adoption.doors import Door
from astro_provider.errors import InputError

PACKAGE = "astro"  # by which the engine asks for the native provider
PROJECT_FILE = "Pulumi.yaml"
PROJECT_FILES = (PROJECT_FILE, "Pulumi.yml", "Pulumi.json")
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


@dataclass(frozen=True)
class Project:
    """A project that is there.

    Attributes:
        file: its Pulumi.yaml.
        program: the directory of its program, where Python looks for modules first.
    """

    file: Path
    program: Path

    @property
    def directory(self) -> Path:
        """Where `pulumi` is called."""
        return self.file.parent


def project_of(directory: Path) -> Project | None:
    """Return the project in a directory or above it, which need not exist yet; None: there is none."""
    start = directory.resolve()
    for path in (start, *start.parents):
        for name in PROJECT_FILES:
            if (path / name).is_file():
                return Project(path / name, _program_directory(path / name))
    return None


def module_path(project: Project | None, directory: Path, module: str) -> str:
    """Return how the project's program imports a module that is written into a directory, for example `access.tokens`.

    Raises:
        InputError: there is no project, or its program cannot import the module from there.
    """
    if not _is_identifier(module):
        raise InputError("module", f"{module!r} is no name that Python can import. Nothing was written.")
    if project is None:
        raise InputError(
            "module", f"{directory} is in no Pulumi project whose program could import it. Nothing was written."
        )
    place = directory.resolve()
    parts = place.relative_to(project.program).parts if place.is_relative_to(project.program) else None
    if parts is None or not all(map(_is_identifier, parts)):
        raise InputError(
            "module",
            f"The program in {project.program} cannot import a module in {directory}. Nothing was written: choose a "
            "directory below it whose name Python can import.",
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


def names_plugin(project: Project) -> bool:
    """Tell whether a project says where the native provider is."""
    plugins = _content(project.file).get("plugins")
    providers = plugins.get("providers") if isinstance(plugins, dict) else None
    named = [one.get("name") for one in providers if isinstance(one, dict)] if isinstance(providers, list) else []
    return PACKAGE in named


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _program_directory(file: Path) -> Path:
    main = _content(file).get("main")
    place = (file.parent / main).resolve() if isinstance(main, str) else file.parent
    return place.parent if place.is_file() else place


def _is_identifier(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)

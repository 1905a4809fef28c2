"""The Pulumi project of a directory: the nearest Pulumi.yaml in it or above it, which is only read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from astro_provider.names import PACKAGE

PROJECT_FILE = "Pulumi.yaml"
PROJECT_FILES = (PROJECT_FILE, "Pulumi.yml", "Pulumi.json")
PYTHON = "python"
UNREADABLE = "(unreadable)"


@dataclass(frozen=True)
class Project:
    """A project that exists."""

    file: Path  # its Pulumi.yaml
    content: dict[str, Any] = field(default_factory=dict)  # the file's content; empty if it cannot be read
    runtime: str = UNREADABLE
    options: dict[str, Any] = field(default_factory=dict)  # those of the runtime

    @property
    def directory(self) -> Path:
        """The directory in which `pulumi` is called."""
        return self.file.parent

    @property
    def program(self) -> Path:
        """The directory of its program, where Python looks for modules first."""
        main = self.content.get("main")
        place = (self.directory / main).resolve() if isinstance(main, str) else self.directory
        return place.parent if place.is_file() else place

    @property
    def folder_of_native_provider(self) -> str | None:
        """The path of the native provider below `plugins.providers`, as it is written there; None: none."""
        plugins = self.content.get("plugins")
        providers = plugins.get("providers") if isinstance(plugins, dict) else None
        for one in providers if isinstance(providers, list) else ():
            if isinstance(one, dict) and one.get("name") == PACKAGE:
                return str(one.get("path") or "")
        return None

    @property
    def source_of_native_provider(self) -> str | None:
        """The address, folder or name of the native provider below `packages`, as it is written there; None: none."""
        packages = self.content.get("packages")
        source = packages.get(PACKAGE) if isinstance(packages, dict) else None
        if isinstance(source, dict):  # `source` and `version` apart
            source = "@".join(str(source[key]) for key in ("source", "version") if source.get(key))
        return None if source is None else str(source)


def project_of(directory: Path) -> Project | None:
    """Return the project of a directory, which need not exist yet; None: there is none."""
    places = (path / name for path in (directory, *directory.parents) for name in PROJECT_FILES)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return None
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict):
        return Project(file)
    runtime = content.get("runtime")
    if not isinstance(runtime, dict):
        return Project(file, content, str(runtime))
    options = runtime.get("options")
    return Project(file, content, str(runtime.get("name")), options if isinstance(options, dict) else {})

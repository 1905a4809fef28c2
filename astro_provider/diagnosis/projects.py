"""The Pulumi project of a directory: the nearest Pulumi.yaml in it or above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
PYTHON = "python"
UNREADABLE = "(unreadable)"


@dataclass(frozen=True)
class Project:
    """A project.

    Attributes:
        file: its Pulumi.yaml.
        content: what stands in it; empty if it cannot be read.
        runtime: the name of its runtime; UNREADABLE if the file does not tell.
        options: those of the runtime.
    """

    file: Path
    content: dict[str, Any] = field(default_factory=dict)
    runtime: str = UNREADABLE
    options: dict[str, Any] = field(default_factory=dict)


def project_of(directory: Path) -> Project | None:
    """Return the project; None: there is none."""
    file = next(
        (path / name for path in (directory, *directory.parents) for name in PROJECT_FILES if (path / name).is_file()),
        None,
    )
    if file is None:
        return None
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return Project(file)
    if not isinstance(content, dict):
        return Project(file)
    runtime = content.get("runtime")
    if isinstance(runtime, dict):
        options = runtime.get("options")
        return Project(file, content, str(runtime.get("name")), options if isinstance(options, dict) else {})
    return Project(file, content, str(runtime))

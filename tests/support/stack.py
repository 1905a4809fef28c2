"""A stack of the real Pulumi engine with an inline program, hermetic in a directory of its own."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation as auto

Program = Callable[[], None]
BINDING_TYPE = "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"


@dataclass
class Outcome:
    """What one engine command did and showed."""

    text: str
    changes: dict[str, int] = field(default_factory=dict)
    failed: bool = False

    @property
    def lines(self) -> list[str]:
        """The output without blank lines and indents."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]


class Stack:
    """One stack, its program exchangeable between commands."""

    def __init__(
        self, engine: auto.PulumiCommand, directory: Path, environment: Mapping[str, str], program: Program | None = None
    ) -> None:
        self.program: Program = program or (lambda: None)
        (directory / "state").mkdir(parents=True, exist_ok=True)
        (directory / "work").mkdir(exist_ok=True)
        self.directory = directory
        self.environment = {
            "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "for tests only",
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_PYTHON_CMD": sys.executable,
            "NO_COLOR": "1",
            **environment,
        }
        self.stack = auto.create_or_select_stack(
            stack_name="test",
            project_name="bindings",
            program=self._run_program,
            work_dir=str(directory / "work"),
            opts=auto.LocalWorkspaceOptions(
                pulumi_command=engine,
                work_dir=str(directory / "work"),
                env_vars=dict(self.environment),
                project_settings=auto.ProjectSettings(name="bindings", runtime="python"),
            ),
        )

    def _run_program(self) -> None:
        self.program()

    def set_environment(self, **variables: str) -> None:
        """Change variables of the environment for the commands that follow."""
        self.environment |= variables
        self.stack.workspace.environment_variables |= variables

    def set_config(self, key: str, value: str, *, secret: bool = False) -> None:
        """Set a value of the stack's configuration."""
        self.stack.set_config(key, auto.ConfigValue(value, secret=secret))

    def preview(self, **options: Any) -> Outcome:
        """Run `pulumi preview --diff`."""
        return self._run(lambda sink: self.stack.preview(diff=True, on_output=sink, **options))

    def up(self, **options: Any) -> Outcome:
        """Run `pulumi up`."""
        return self._run(lambda sink: self.stack.up(on_output=sink, **options))

    def refresh(self, **options: Any) -> Outcome:
        """Run `pulumi refresh`."""
        return self._run(lambda sink: self.stack.refresh(on_output=sink, **options))

    def destroy(self, **options: Any) -> Outcome:
        """Run `pulumi destroy`."""
        return self._run(lambda sink: self.stack.destroy(on_output=sink, **options))

    def resources(self) -> dict[str, dict[str, Any]]:
        """The bindings in the state by their name."""
        found = self.exported().get("resources", [])
        return {r["urn"].rsplit("::", 1)[1]: r for r in found if r["type"] == BINDING_TYPE}

    def exported(self) -> dict[str, Any]:
        """The whole state, as it is stored."""
        deployment: dict[str, Any] = self.stack.export_stack().deployment
        return deployment

    def state_text(self) -> str:
        """Every file of the backend, as text."""
        files = (path for path in (self.directory / "state").rglob("*") if path.is_file())
        return "\n".join(path.read_text(errors="replace") for path in files)

    def _run(self, command: Callable[[Callable[[str], None]], Any]) -> Outcome:
        lines: list[str] = []
        try:
            result = command(lines.append)
        except auto.CommandError as error:
            return Outcome("\n".join([*lines, str(error)]), failed=True)
        summary = getattr(result, "change_summary", None) or getattr(result.summary, "resource_changes", None) or {}
        changes = {str(getattr(kind, "value", kind)): count for kind, count in summary.items()}
        return Outcome("\n".join([*lines, getattr(result, "stderr", "")]), changes)

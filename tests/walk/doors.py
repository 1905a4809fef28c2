"""The two doors of the package, in front of which a walk declares the same programs and types the same commands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pulumi.automation import PulumiCommand

from tests.support.stack import BINDING_TYPE, NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE, TABLE_TYPE, Stack
from tests.support.table_programs import declaring
from tests.support.yaml_project import YamlProject, camel_case

Declared = Mapping[str, Mapping[str, Any]]  # by the resources' names, arguments as the Python class takes them
NATIVE_TYPES = {BINDING_TYPE: NATIVE_BINDING_TYPE, TABLE_TYPE: NATIVE_TABLE_TYPE}


class Door(StrEnum):
    """By which resources a walk goes: Python's dynamic ones, or the native ones in projects of YAML."""

    DYNAMIC = "dynamic"
    NATIVE = "native"

    def stack(
        self, engine: PulumiCommand, directory: Path, environment: Mapping[str, str]
    ) -> DynamicStack | NativeStack:
        """A new stack in a directory of its own."""
        kind = DynamicStack if self is Door.DYNAMIC else NativeStack
        return kind(engine, directory, environment)


class DynamicStack(Stack):
    """A stack of dynamic resources."""

    def declare(self, declared: Declared) -> None:
        """Let this be the program."""
        self.program = declaring(**{name: dict(arguments) for name, arguments in declared.items()})


class NativeStack(YamlProject):
    """A stack of native resources."""

    def declare(self, declared: Declared) -> None:
        """Let this be the program."""
        self.write(
            {
                name: {
                    "type": NATIVE_TABLE_TYPE if "roles" in arguments else NATIVE_BINDING_TYPE,
                    "properties": camel_case(arguments),
                    "options": {
                        "deleteBeforeReplace": True
                    },  # as the Python classes have; `--replace` asks no provider
                }
                for name, arguments in declared.items()
            }
        )

    def urn(self, name: str, kind: str = BINDING_TYPE) -> str:
        """The URN, by the name of the dynamic type."""
        return super().urn(name, NATIVE_TYPES[kind])

"""The doors of the package, in front of which a walk declares the same programs and types the same commands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi.automation import PulumiCommand

import astro_provider
from astro_provider import native
from tests.support.stack import BINDING_TYPE, NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE, TABLE_TYPE, Stack
from tests.support.yaml_project import YamlProject, camel_case

NATIVE_TYPES = {BINDING_TYPE: NATIVE_BINDING_TYPE, TABLE_TYPE: NATIVE_TABLE_TYPE}
PortOf = Callable[[Mapping[str, str]], int]  # the port of an attached process that has these variables


Declared = Mapping[str, Mapping[str, Any]]  # by the resources' names, arguments as the Python class takes them


@dataclass(frozen=True)
class Options:
    """The options of a program's resources.

    Attributes:
        native: in a project of both doors: the names of the native resources.
        after: the name of the resource that one depends on, by its own name.
    """

    native: Collection[str] = ()
    after: Mapping[str, str] = field(default_factory=dict)


PLAIN = Options()


class Door(StrEnum):
    """The resources of a walk.

    DYNAMIC: Python's dynamic ones. NATIVE: the native ones, in projects of YAML. BOTH: both kinds in one project of Python.
    ATTACHED: as NATIVE, by a provider process that was started by hand and serves one run after the other.
    """

    DYNAMIC = "dynamic"
    NATIVE = "native"
    BOTH = "both"
    ATTACHED = "attached"

    def stack(
        self, engine: PulumiCommand, directory: Path, environment: Mapping[str, str], port_of: PortOf | None = None
    ) -> DynamicStack | NativeStack:
        """A new stack in a directory of its own; `port_of` is for one that attaches."""
        if self is Door.ATTACHED and port_of is not None:
            return AttachedStack(engine, directory, environment, port_of)
        kind = NativeStack if self is Door.NATIVE else DynamicStack
        return kind(engine, directory, environment)


class DynamicStack(Stack):
    """A stack whose program is in Python."""

    def declare(self, declared: Declared, options: Options = PLAIN) -> None:
        """Let this be the program."""
        self.program = partial(_declare, declared, options)


def _declare(declared: Declared, options: Options) -> None:
    made: dict[str, pulumi.Resource] = {}
    for name, arguments in declared.items():
        door: Any = native if name in options.native else astro_provider
        kind = door.DeploymentOrgTokenBindings if "roles" in arguments else door.DeploymentOrgTokenBinding
        earlier = options.after.get(name)
        opts = pulumi.ResourceOptions(depends_on=[made[earlier]]) if earlier else None
        made[name] = kind(name, **arguments, opts=opts)


class NativeStack(YamlProject):
    """A stack of native resources."""

    def declare(self, declared: Declared, options: Options = PLAIN) -> None:
        """Let this be the program."""
        self.write(
            {
                name: {
                    "type": NATIVE_TABLE_TYPE if "roles" in arguments else NATIVE_BINDING_TYPE,
                    "properties": camel_case(arguments),
                    "options": {
                        "deleteBeforeReplace": True,  # as the Python classes have; `--replace` asks no provider
                        **({"dependsOn": [f"${{{options.after[name]}}}"]} if name in options.after else {}),
                    },
                }
                for name, arguments in declared.items()
            }
        )

    def urn(self, name: str, kind: str = NATIVE_BINDING_TYPE) -> str:
        """The URN, by the name of either type."""
        return super().urn(name, NATIVE_TYPES.get(kind, kind))


class AttachedStack(NativeStack):
    """A stack of native resources whose provider process was started by hand, with its environment."""

    def __init__(self, engine: PulumiCommand, directory: Path, environment: Mapping[str, str], port_of: PortOf) -> None:
        super().__init__(engine, directory, environment)
        self._port_of = port_of

    def set_environment(self, **variables: str) -> None:
        """Attach to the process that has these variables, for the commands that follow."""
        super().set_environment(PULUMI_DEBUG_PROVIDERS=f"astro:{self._port_of(variables)}")


@contextmanager
def processes(environment: Mapping[str, str]) -> Iterator[PortOf]:
    """Start a provider process for each set of variables that is asked for, and end all of them with the block."""
    ports: dict[frozenset[tuple[str, str]], int] = {}
    with ExitStack() as started:

        def port_of(variables: Mapping[str, str]) -> int:
            # Imported here, because a walk may be about an earlier version of the package, which knows no such process.
            from tests.support.native_process import EXECUTABLE  # noqa: PLC0415
            from tests.support.provider_process import running  # noqa: PLC0415

            key = frozenset(variables.items())
            if key not in ports:
                process = running([EXECUTABLE, "127.0.0.1:1"], {**environment, **variables})
                ports[key] = started.enter_context(process).port
            return ports[key]

        yield port_of

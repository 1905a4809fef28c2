"""Programs for a stack under test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import astro_provider
from astro_provider import native

Arguments = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Declares:
    """A program that declares resources, and does nothing else.

    Attributes:
        resources: by the resource's name, in this order: its class, and the arguments.
    """

    resources: Mapping[str, tuple[Any, Arguments]]

    def __call__(self) -> None:
        """Declare them."""
        for name, (kind, arguments) in self.resources.items():
            kind(name, **arguments)

    def __repr__(self) -> str:
        """All that it declares: what is equal is an equal program."""
        declared = {name: [f"{kind.__module__}.{kind.__name__}", args] for name, (kind, args) in self.resources.items()}
        return json.dumps(declared, default=vars)  # options of a resource


def declaring(door: ModuleType = astro_provider, /, **declared: dict[str, Any]) -> Declares:
    """The program that declares a resource of each name in this order: a table if it has `roles`, else a binding."""
    binding, table = door.DeploymentOrgTokenBinding, door.DeploymentOrgTokenBindings
    return Declares({name: (table if "roles" in args else binding, args) for name, args in declared.items()})


def natively(**declared: dict[str, Any]) -> Declares:
    """The same program through the native door."""
    return declaring(native, **declared)


def bindings(**declared: dict[str, Any]) -> Declares:
    """The program that declares a binding of each name with these arguments."""
    return declaring(**declared)

"""Programs for a stack under test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from astro_provider import DeploymentOrgTokenBinding

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


def bindings(**declared: dict[str, Any]) -> Declares:
    """The program that declares a binding of each name with these arguments."""
    return Declares({name: (DeploymentOrgTokenBinding, arguments) for name, arguments in declared.items()})

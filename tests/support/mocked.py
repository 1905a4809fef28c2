"""Pulumi's own mocks, which remember what a program declared."""

from __future__ import annotations

from typing import Any, TypeVar

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

T = TypeVar("T")


class Recorder(Mocks):
    """Remembers each resource, and gives it these outputs beside its inputs.

    Args:
        described: the description that every binding has.
    """

    def __init__(self, described: str) -> None:
        self.described = described
        self.types: set[str] = set()
        self.registered: dict[str, dict[str, Any]] = {}
        self.read: dict[str, str] = {}

    @classmethod
    def in_use(cls, described: str) -> Recorder:
        """One that Pulumi uses from now on."""
        recorder = cls(described)
        pulumi.runtime.set_mocks(recorder, preview=False)
        return recorder

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Remember a resource and make up its id and outputs."""
        self.types.add(args.typ)
        if args.resource_id:
            self.read[args.name] = args.resource_id
        else:
            self.registered[args.name] = args.inputs
        return args.resource_id or f"id of {args.name}", {**args.inputs, "description": self.described}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        """No function is called by what is tested."""
        raise AssertionError(f"{args.token} was called")


def value_of(output: pulumi.Output[T]) -> T:
    """Wait until everything is declared and return the value of an output."""
    values: list[T] = []
    pulumi.runtime.test(lambda: output.apply(values.append))()  # type: ignore[no-untyped-call]  # Pulumi's own
    return values[0]


def declared() -> None:
    """Wait until everything is declared."""
    value_of(pulumi.Output.from_input(None))

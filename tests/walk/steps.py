"""What a walk is made of: programs, commands, and hands in the service; data that can be written down and replayed.

Each step stands for itself: a command brings its whole program along. A walk therefore stays a walk if any of its steps
is left out, which is how a failing one is made short.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Pair(NamedTuple):
    """A token and a deployment, by the names that the walk gives them."""

    token: str
    deployment: str

    def __str__(self) -> str:
        return f"{self.token}@{self.deployment}"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Part):
    """A binding as a program declares it.

    Attributes:
        by_id: it names the token by its id, else by its name.
        native: in a project of both doors: it is a native resource, else a dynamic one. Each door has a process of its own.
    """

    token: str
    deployment: str
    role: str
    by_id: bool = False
    overwrite: bool = False
    native: bool = False

    @property
    def pair(self) -> Pair:
        """What it binds."""
        return Pair(self.token, self.deployment)

    @property
    def roles(self) -> dict[Pair, str]:
        """What it declares, as a table tells it."""
        return {self.pair: self.role}

    @property
    def deployments(self) -> frozenset[str]:
        """The deployments that it names beside its roles: none."""
        return frozenset()

    @property
    def options(self) -> frozenset[str]:
        """What else a state shows of it. Names and ids stand in every state, so how it is spelled does not."""
        return frozenset(option for option in ("overwrite", "native") if getattr(self, option))

    def __str__(self) -> str:
        spelled = "id" if self.by_id else "name"
        return f"{self.pair}={self.role} by {spelled}{''.join(f', {option}' for option in sorted(self.options))}"


class Table(_Part):
    """A table as a program declares it.

    Attributes:
        grid: the role by deployment and token; a deployment may be without any.
        by_id: its keys are ids, else names.
        native: as of a binding.
    """

    grid: dict[str, dict[str, str]]
    exclusive: bool = False
    by_id: bool = False
    overwrite: bool = False
    native: bool = False

    @property
    def roles(self) -> dict[Pair, str]:
        """What it declares."""
        return {Pair(token, place): role for place, row in self.grid.items() for token, role in row.items()}

    @property
    def deployments(self) -> frozenset[str]:
        """The deployments that it names."""
        return frozenset(self.grid)

    @property
    def options(self) -> frozenset[str]:
        """What else a state shows of it; its keys stand there as they are spelled."""
        return frozenset(option for option in ("exclusive", "by_id", "overwrite", "native") if getattr(self, option))

    def giving(self, pair: Pair, role: str) -> Table:
        """The table with this entry, in the place of the one that it has."""
        row = {**self.grid.get(pair.deployment, {}), pair.token: role}
        return self.model_copy(update={"grid": {**self.grid, pair.deployment: row}})

    def without(self, pair: Pair) -> Table:
        """The table without this entry; the deployment stays."""
        row = {token: role for token, role in self.grid.get(pair.deployment, {}).items() if token != pair.token}
        return self.model_copy(update={"grid": {**self.grid, pair.deployment: row}} if pair in self.roles else {})

    def __str__(self) -> str:
        rows = ", ".join(
            f"{place}({' '.join(f'{token}={role}' for token, role in row.items())})" for place, row in self.grid.items()
        )
        return f"table {rows}{''.join(f', {option}' for option in sorted(self.options))}"


Declared = Row | Table


class Command(_Part):
    """A command of the engine, and the circumstances in which it runs.

    Attributes:
        stack: which of the two stacks.
        program: what its program declares, by the resources' names.
        targets: names of resources; none: all.
        replace: names of resources that are to be replaced.
        run_program: for `destroy` and `refresh`.
        twin: the name of a binding that the program declares once more, spelled the other way; blank: none.
        twin_first: the engine asks about the twin first, else about the binding; the later one depends on the earlier.
        checks: `previewChecks`.
        faults: what the service does to single calls meanwhile; the fields are those of the emulator's `Fault`.
    """

    step: Literal["command"] = "command"
    stack: Literal["ours", "theirs"] = "ours"
    kind: Literal["up", "preview", "refresh", "destroy"]
    program: dict[str, Declared] = {}
    refresh: bool = False
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    continue_on_error: bool = False
    run_program: bool = False
    twin: str = ""
    twin_first: bool = False
    checks: Literal["warn", "strict", "off"] = "warn"
    faults: tuple[dict[str, Any], ...] = ()

    @property
    def twins(self) -> tuple[str, str] | None:
        """The names of two resources of one binding, the one that the engine asks about first in front."""
        if not self.twin:
            return None
        names = self.twin, twin_of(self.twin)
        return names[::-1] if self.twin_first else names

    @property
    def declared(self) -> dict[str, Declared]:
        """The program with the twin, and of the two the earlier one in front."""
        row = self.program.get(self.twin)
        if row is None or self.twins is None:
            return dict(self.program)
        two = {self.twin: row, twin_of(self.twin): row.model_copy(update={"by_id": not row.by_id})}
        return {**{name: two[name] for name in self.twins}, **self.program}

    @property
    def writes(self) -> bool:
        """Whether it may write to the service."""
        return self.kind in ("up", "destroy")

    def __str__(self) -> str:
        said: list[str] = [self.kind]
        said += ["--refresh"] if self.refresh else []
        said += [f"--target {name}" for name in self.targets]
        said += [f"--replace {name}" for name in self.replace]
        said += ["--continue-on-error"] if self.continue_on_error else []
        said += ["--run-program"] if self.run_program else []
        program = "; ".join(f"{name}: {row}" for name, row in self.program.items()) or "nothing"
        said.append(f"[{program}]")
        said += [f"and a twin {'before' if self.twin_first else 'after'} {self.twin}"] if self.twin else []
        said += [f"checks {self.checks}"] if self.checks != "warn" else []
        said += [f"fault {fault}" for fault in self.faults]
        return f"{self.stack}: {' '.join(said)}"


class HandEdit(_Part):
    """A person gives a token a role in a deployment, in the place of what it has there, or takes it away (None)."""

    step: Literal["hand"] = "hand"
    token: str
    deployment: str
    role: str | None

    def __str__(self) -> str:
        done = (
            f"takes the role in {self.deployment} from"
            if self.role is None
            else f"gives {self.role} in {self.deployment} to"
        )
        return f"by hand: somebody {done} {self.token}"


class ForeignEdit(_Part):
    """A person changes what else a token has: these entries from now on, in front of its roles in the walk's deployments."""

    step: Literal["foreign"] = "foreign"
    token: str
    entries: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        return f"by hand: {self.token} has {len(self.entries)} foreign entries: {list(self.entries)}"


class Deletion(_Part):
    """A person deletes a deployment; the entries that tokens have there stay on them and give no access any more."""

    step: Literal["deletion"] = "deletion"
    deployment: str

    def __str__(self) -> str:
        return f"by hand: {self.deployment} is deleted"


Edit = HandEdit | ForeignEdit | Deletion
Step = Annotated[Command | Edit, Field(discriminator="step")]
_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])


def twin_of(name: str) -> str:
    """The name of the resource that declares a binding once more."""
    return f"{name}-twin"


def written_down(steps: Iterable[Step]) -> str:
    """The steps as JSON, one line each."""
    shown = ({"step": step.step, **step.model_dump(mode="json", exclude_defaults=True)} for step in steps)
    return "[\n" + ",\n".join(json.dumps(one) for one in shown) + "\n]\n"


def read(text: str) -> list[Step]:
    """The steps that were written down."""
    return _STEPS.validate_json(text)

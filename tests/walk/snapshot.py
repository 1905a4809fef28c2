"""What the service shows and what the two states hold, at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.walk.steps import Pair

Entry = dict[str, Any]
UNFINISHED = "unfinished"  # the role, in a walk's words, of what the state marks as such


@dataclass(frozen=True)
class Held:
    """A binding or a table as a state holds it.

    Attributes:
        entries: its roles: of a binding one. The role of what is marked as unfinished is UNFINISHED.
        options: those of its flags that are set.
        deployments: those that a table names; a binding tells none.
        strangers: whom the last refresh found in an exclusive table's deployments, if no run has come since.
        gone: it was deleted for a replacement that was never created (the engine: `pendingReplacement`); the engine
            keeps it, so that it knows what to create.
    """

    entries: frozenset[tuple[Pair, str]]
    options: frozenset[str] = frozenset()
    deployments: frozenset[str] = frozenset()
    strangers: frozenset[tuple[Pair, str]] = frozenset()
    gone: bool = False

    @property
    def roles(self) -> dict[Pair, str]:
        """Its roles."""
        return dict(self.entries)

    def __str__(self) -> str:
        said = [*sorted(f"{pair}={role}" for pair, role in self.entries), *sorted(self.options)]
        said += [f"names {' '.join(sorted(self.deployments))}"] if self.deployments else []
        said += [f"stranger {pair}={role}" for pair, role in sorted(self.strangers)]
        return f"({', '.join([*said, *(['gone'] if self.gone else [])])})"


@dataclass(frozen=True)
class Snapshot:
    """One moment.

    Attributes:
        entries: the entry of each pair in the service, field for field; pairs without a role are not in it.
        foreign: of each token all other entries, in their order.
        rest: everything else that the service holds.
        states: of each stack what its state holds, by the resources' names.
        doomed: of each stack what is only kept to be deleted later (the engine: `delete`), which bindings never leave.
        deleted: the deployments that do not exist any more. A role there is none, whatever its token still shows.
    """

    entries: Mapping[Pair, Entry]
    foreign: Mapping[str, list[Entry]]
    rest: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, Mapping[str, Held]] = field(default_factory=lambda: {"ours": {}, "theirs": {}})
    doomed: Mapping[str, Sequence[tuple[str, Held]]] = field(default_factory=lambda: {"ours": (), "theirs": ()})
    deleted: frozenset[str] = frozenset()

    def role(self, pair: Pair) -> str | None:
        """The role that the service shows."""
        entry = self.entries.get(pair)
        return entry["role"] if entry else None

    @property
    def roles(self) -> dict[Pair, str]:
        """The role of each pair that has one."""
        return {pair: entry["role"] for pair, entry in self.entries.items()}

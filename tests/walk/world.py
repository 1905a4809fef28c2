"""The service and two stacks of the real engine, in which a walk takes place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.stack import BINDING_TYPE, OUR_TYPES, TABLE_TYPE, Outcome, led_to
from tests.walk.doors import NATIVE_TYPES, Door, DynamicStack, NativeStack, Options, PortOf, processes
from tests.walk.places import DEPLOYMENTS, FOREIGN, STACKS, TOKENS
from tests.walk.snapshot import UNFINISHED, Entry, Held, Snapshot
from tests.walk.steps import Command, Declared, Deletion, Edit, ForeignEdit, Pair, Row

SHORT_TIMEOUT_SECONDS = (
    "3"  # what a command under faults waits for; without faults the default, however slow the machine
)
CHANGING = ("roles", "updatedAt", "updatedBy")  # of a token whose roles are written


class World:
    """One service with the walk's tokens and deployments in it, and the two stacks beside each other.

    Args:
        engine: the `pulumi` command.
        astro: a service without commands and faults of others.
        directory: where the stacks live.
        environment: variables for the engine and its providers.
        door: by which resources.
        port_of: starts a provider process for stacks that attach to one.
    """

    def __init__(  # noqa: PLR0913, PLR0917  all that a world is made of
        self,
        engine: PulumiCommand,
        astro: Emulator,
        directory: Path,
        environment: Mapping[str, str],
        door: Door,
        port_of: PortOf,
    ) -> None:
        self._engine, self._astro, self._directory = engine, astro, directory
        self._environment, self._door, self._port_of = environment, door, port_of
        self._deployments = {name: astro.store.add_deployment(f"walk-{name}") for name in DEPLOYMENTS}
        self._tokens = {name: astro.store.add_token(f"walk-{name}") for name in TOKENS}
        self._deleted: set[str] = set()
        for name, entries in FOREIGN.items():
            self.change(ForeignEdit(token=name, entries=entries))
        self._stacks: dict[str, DynamicStack | NativeStack] = {}

    @classmethod
    @contextmanager
    def made(cls, engine: PulumiCommand, door: Door) -> Iterator[World]:
        """A new world, which ends with the block."""
        with Emulator.running() as astro, TemporaryDirectory(prefix="walk-") as directory:
            environment = {
                **led_to(astro),  # one command at a time, so no other writer undoes what it wrote
                "ASTRO_LOCK_DIR": str(Path(directory) / "locks"),
            }
            with processes(environment) as port_of:
                yield cls(engine, astro, Path(directory), environment, door, port_of)

    def change(self, edit: Edit) -> None:
        """Do what a person does in the service."""
        store = self._astro.store
        if isinstance(edit, Deletion):
            if edit.deployment not in self._deleted:
                store.delete_deployment(self._deployments[edit.deployment])
                self._deleted.add(edit.deployment)
            return
        token = self._tokens[edit.token]
        if isinstance(edit, ForeignEdit):
            roles = store.token(token)["roles"]
            ours = [entry for entry in roles if self._pair_of(edit.token, entry)]
            store.set_roles(token, [*edit.entries, *ours])
        elif edit.role is None:
            store.unbind(token, self._deployments[edit.deployment])
        else:
            store.bind(token, self._deployments[edit.deployment], edit.role)

    def run(self, command: Command) -> Outcome:
        """Run a command, under its faults, which end with it."""
        stack = self._stacks.get(command.stack)
        if stack is None:  # made late, because a walk may be too short for both
            directory = self._directory / command.stack
            stack = self._door.stack(self._engine, directory, self._environment, self._port_of)
            self._stacks[command.stack] = stack
        declared = {name: self._arguments(row) for name, row in command.declared.items()}
        native = [name for name, row in command.declared.items() if row.native]
        stack.declare(declared, Options(native, {command.twins[1]: command.twins[0]} if command.twins else {}))
        timeout = SHORT_TIMEOUT_SECONDS if command.faults else ""
        stack.set_environment(ASTRO_PREVIEW_CHECKS=command.checks, ASTRO_TIMEOUT_SECONDS=timeout)
        for fault in command.faults:
            self._astro.fault(**fault)
        try:
            outcome: Outcome = getattr(stack, command.kind)(**_options(command, stack))
            return outcome
        finally:
            self._astro.clear_faults()

    def snapshot(self) -> Snapshot:
        """What is there now."""
        shown = self._astro.store.shown()
        entries: dict[Pair, Entry] = {}
        foreign: dict[str, list[Entry]] = {name: [] for name in TOKENS}
        names = {token_id: name for name, token_id in self._tokens.items()}
        for token in shown["tokens"]:
            if (name := names.get(token["id"])) is None:
                continue
            for entry in token["roles"]:
                if (pair := self._pair_of(name, entry)) is None:
                    foreign[name].append(entry)
                elif pair.deployment not in self._deleted:
                    entries[pair] = entry
            for field in CHANGING:
                del token[field]
        held = {name: self._held(self._stacks[name]) if name in self._stacks else [] for name in STACKS}
        return Snapshot(
            entries=entries,
            foreign=foreign,
            rest=shown,
            states={name: {n: h for n, h, doomed in all_held if not doomed} for name, all_held in held.items()},
            doomed={name: [(n, h) for n, h, doomed in all_held if doomed] for name, all_held in held.items()},
            deleted=frozenset(self._deleted),
        )

    def _pair_of(self, token: str, entry: Entry) -> Pair | None:
        """Which pair an entry is about; None: none of the walk's."""
        for name, deployment_id in self._deployments.items():
            if (entry["entityType"], entry["entityId"]) == ("DEPLOYMENT", deployment_id):
                return Pair(token, name)
        return None

    def _arguments(self, row: Declared) -> dict[str, Any]:
        overwrite = {"overwrite": True} if row.overwrite else {}
        if isinstance(row, Row):
            given = {"org_token_id": self._tokens[row.token]} if row.by_id else {"org_token_name": f"walk-{row.token}"}
            return {"deployment_id": self._deployments[row.deployment], "role": row.role, **given, **overwrite}
        tokens = self._tokens if row.by_id else {name: f"walk-{name}" for name in TOKENS}
        deployments = self._deployments if row.by_id else {name: f"walk-{name}" for name in DEPLOYMENTS}
        roles = {
            deployments[place]: {tokens[token]: role for token, role in tokens_.items()}
            for place, tokens_ in row.grid.items()
        }
        return {"roles": roles, **({"exclusive": True} if row.exclusive else {}), **overwrite}

    def _held(self, stack: DynamicStack | NativeStack) -> list[tuple[str, Held, bool]]:
        return [
            (
                resource["urn"].rsplit("::", 1)[1],
                self._as_held(resource),
                bool(resource.get("delete")),
            )
            for resource in stack.exported().get("resources", [])
            if resource["type"] in OUR_TYPES
        ]

    def _as_held(self, resource: dict[str, Any]) -> Held:
        outputs, gone = resource["outputs"], bool(resource.get("pendingReplacement"))
        deployments = {key: name for name, id_ in self._deployments.items() for key in (id_, f"walk-{name}")}
        tokens = {key: name for name, id_ in self._tokens.items() for key in (id_, f"walk-{name}")}
        options = {option for option in ("overwrite", "exclusive") if outputs.get(option)}
        options |= {"native"} if self._door is Door.BOTH and resource["type"] in NATIVE_TYPES.values() else set()
        if "roles" not in outputs:
            _, deployment_id, token_id = resource["id"].split("/")
            pair = Pair(tokens[token_id], deployments[deployment_id])
            role = UNFINISHED if outputs.get("unfinished") else outputs["role"]
            return Held(frozenset({(pair, role)}), frozenset(options), gone=gone)

        def entries(roles: dict[str, dict[str, str]]) -> frozenset[tuple[Pair, str]]:
            return frozenset(
                (Pair(tokens[token], deployments[place]), role)
                for place, row in roles.items()
                for token, role in row.items()
            )

        roles = {place: dict(row) for place, row in outputs["roles"].items()}
        for place, marked in (outputs.get("unfinished") or {}).items():
            roles.setdefault(place, {}).update(dict.fromkeys(marked, UNFINISHED))
        options |= {"by_id"} if any(key in self._deployments.values() for key in roles) else set()
        return Held(
            entries(roles),
            frozenset(options),
            frozenset(deployments[key] for key in roles),
            entries(outputs.get("strangers") or {}),
            gone=gone,
        )


def _options(command: Command, stack: DynamicStack | NativeStack) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option, names in (("target", command.targets), ("replace", command.replace)):
        if names:
            # A command that names resources does not move them through another door, so the program knows their types, too.
            types = {name: _type(row) for name, row in command.program.items()}
            types |= {name: resource["type"] for name, resource in stack.resources().items()}
            options[option] = [stack.urn(name, types[name]) for name in names]
    for flag in ("refresh", "continue_on_error", "run_program"):
        if getattr(command, flag):
            options[flag] = True
    return options


def _type(row: Declared) -> str:
    kind = BINDING_TYPE if isinstance(row, Row) else TABLE_TYPE
    return NATIVE_TYPES[kind] if row.native else kind

"""Compares a review with what Astro shows after the update: for an update that succeeds, and with nobody else at work.

review                       what is compared
---------------------------  -------------------------------------------------------------------------------------
online, a row that is known  its role before and after are what Astro shows before and after the update
online, no row               Astro shows no difference
online, a row that is not    may be a difference, or none
known
offline                      each difference has a row
a preview that failed        the review is not complete
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pulumi
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindings
from tests.reviews.programs import DEPLOYMENTS, TABLES, TOKENS, Declared, Round
from tests.support.digests import ran
from tests.support.shell import run
from tests.support.stack import TABLE_TYPE, Stack, led_to

Pair = tuple[str, str]
Held = dict[Pair, str | None]
VAGUE = "not known"  # a deployment or a token of a row


@dataclass(frozen=True)
class Compared:
    """How a round ended: whether the update succeeded, and what was not as the review said."""

    succeeded: bool
    complaints: tuple[str, ...]


class World:
    """One stack on the real engine, and an Astro with a few tokens and deployments, whose names copy our sentences."""

    def __init__(self, engine: PulumiCommand, directory: Path, astro: Emulator) -> None:
        self._astro, self._directory = astro, directory
        self._deployments = {name: astro.store.add_deployment(name) for name in DEPLOYMENTS}
        self._tokens: dict[str, str] = {}
        for name in reversed(TOKENS):
            self._tokens[name] = astro.store.add_token(self._spoof(name))
        self._stack = Stack(engine, directory, led_to(astro))

    def _spoof(self, name: str) -> str:
        """A token's name that reads like our note about the token before it."""
        if not self._tokens:
            return name
        other, place = list(self._tokens.values())[-1], self._deployments["d0"]
        return f"{name} ({other}) already has the role DEPLOYMENT_ADMIN in deployment d0 ({place}): adopt"

    def held(self) -> Held:
        """The role of each token in each deployment."""
        store = self._astro.store
        return {
            (place, token): store.deployment_role(self._tokens[token], self._deployments[place])
            for place, token in product(DEPLOYMENTS, TOKENS)
        }

    def compare(self, one: Round) -> Compared:
        """Preview and review a round, run the update, and compare."""
        for (place, token), role in one.edits.items():
            if role is None:
                self._astro.store.unbind(self._tokens[token], self._deployments[place])
            else:
                self._astro.store.bind(self._tokens[token], self._deployments[place], role)
        self._stack.program = self._program(one)
        flags = [
            *(["--refresh"] if one.refresh else []),
            *(part for name in one.targets for part in ("--target", self._urn(name))),
            *(part for name in one.replaces for part in ("--replace", self._urn(name))),
        ]
        shown = ["--show-sames", "--show-replacement-steps"] if one.steps_shown else []
        preview = ran(self._stack, "preview", "--json", *flags, *shown)
        file = self._directory / "digest.json"
        file.write_text(preview.text)
        online, offline = (self._review(file, *how) for how in ((), ("--offline",)))
        if preview.status:
            return Compared(
                False, () if not online["complete"] else ("the preview failed, and the review is complete",)
            )
        before = self.held()
        if one.refused_after is not None:
            self._astro.fault(operation="UpdateApiTokenRoles", status=403, skip=one.refused_after, times=1)
        up = ran(self._stack, "up", "--yes", "--skip-preview", *flags)
        self._astro.clear_faults()
        if up.status:
            return Compared(False, ())
        complaints = self._complaints(before, self.held(), online["changes"], offline["changes"])
        return Compared(True, tuple(complaints) if online["complete"] else ())

    def _review(self, file: Path, *how: str) -> dict[str, Any]:
        ended = run(self._astro, "review", str(file), "--output", "json", *how)
        document: dict[str, Any] = json.loads(ended.out)
        return document

    def _complaints(
        self, before: Held, after: Held, online: Iterable[dict[str, Any]], offline: Iterable[dict[str, Any]]
    ) -> Iterator[str]:
        rows = self._by_pair(online)
        there = self._by_pair(offline)
        for pair in before:
            row, changed = rows.get(pair), before[pair] != after[pair]
            really = f"{pair}: {before[pair]} became {after[pair]}"
            if row is None and changed and not self._has_a_vague_row(rows):
                yield f"{really}, and there is no row"
            elif row and row["before_known"] and row["after_known"]:
                if (row["before"], row["after"]) != (before[pair], after[pair]):
                    yield f"{really}, and the row says {row['before']} → {row['after']}"
                if changed == (row["change"] == "keep") and "gap" not in row["flags"]:
                    yield f"{really}, and the row is called {row['change']!r}"
            if changed and pair not in there and not self._has_a_vague_row(there):
                yield f"{really}, and there is no row offline"

    def _has_a_vague_row(self, rows: dict[Pair, dict[str, Any]]) -> bool:
        return any(VAGUE in pair for pair in rows)

    def _by_pair(self, rows: Iterable[dict[str, Any]]) -> dict[Pair, dict[str, Any]]:
        places = {id_: name for name, id_ in self._deployments.items()}
        tokens = {id_: name for name, id_ in self._tokens.items()} | {
            token["name"]: name
            for token in self._astro.store.shown()["tokens"]
            for name, id_ in self._tokens.items()
            if token["id"] == id_
        }
        return {
            (
                places.get(row["deployment_id"], VAGUE),
                tokens.get(row["org_token_id"] or row["org_token_name"], VAGUE),
            ): row
            for row in rows
        }

    def _urn(self, name: str) -> str:
        return self._stack.urn(name, TABLE_TYPE) if name in TABLES else self._stack.urn(name)

    def _program(self, one: Round) -> Callable[[], None]:
        organization = self._astro.organization_id

        def program() -> None:
            made: dict[str, pulumi.Resource] = {}
            for name, declared in one.program.items():
                (place, token), role = next(iter(declared.rows.items()))
                ids = self._deployments[place], self._tokens[token]
                if declared.is_read:
                    made[name] = DeploymentOrgTokenBinding.get(name, f"{organization}/{ids[0]}/{ids[1]}")
                    continue
                options = pulumi.ResourceOptions(
                    retain_on_delete=declared.retain or None,
                    deleted_with=made.get(declared.deleted_with),
                    delete_before_replace=False if declared.create_first else None,
                )
                more: dict[str, Any] = {"overwrite": True} if declared.overwrite else {}
                if name in TABLES:
                    more |= {"exclusive": True} if declared.exclusive else {}
                    made[name] = DeploymentOrgTokenBindings(name, roles=self._roles(declared), opts=options, **more)
                else:
                    made[name] = DeploymentOrgTokenBinding(
                        name, deployment_id=ids[0], org_token_id=ids[1], role=role, opts=options, **more
                    )

        return program

    def _roles(self, declared: Declared) -> dict[str, dict[str, str]]:
        roles: dict[str, dict[str, str]] = {}
        for (place, token), role in declared.rows.items():
            roles.setdefault(self._deployments[place], {})[self._tokens[token]] = role
        return roles

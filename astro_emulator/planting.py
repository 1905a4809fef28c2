"""Turns a seed into the records of the service: makes ids, looks names up, and refuses references that do not fit.

An id that a seed leaves out is made from the name, so it is the same at every start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from astro_emulator import organization as records
from astro_emulator.identity import credential, cuid
from astro_emulator.organization import credential_record, entry
from astro_emulator.places import Document, Place
from astro_emulator.rights import may_write
from astro_emulator.seed import DEFAULT, HeldRolePart, Seed, TokenPart, read, resolve
from astro_emulator.state import Record, State

LONG_AGO = "-1000d"


@dataclass(frozen=True)
class Planted:
    """An organization as a seed describes it.

    Attributes:
        state: its records; a store changes only a copy of them.
        organization_id: its id.
        workspace_id: its first workspace.
        update: the credential of the token that may write.
        preview: the credential of a token that may only read, or None.
    """

    state: State
    organization_id: str
    workspace_id: str
    update: str
    preview: str | None


def plant(named: str | Path = DEFAULT) -> Planted:
    """Return the organization of a seed file, or of a seed that ships with the package; SeedError if it cannot be used.

    Its ages count from now, so each start of an emulator plants again.
    """
    return _Planting(*read(named)).planted()


class _Planting:
    def __init__(self, seed: Seed, document: Document) -> None:
        self._seed = seed
        self._document = document
        self._organization_id = seed.organization.id or cuid("seed", "organization", seed.organization.name)
        self._state = State()
        self._now = datetime.now(UTC)  # one moment for the whole seed, so that its ages keep their distances
        self._people: dict[str, Record] = {}

    def planted(self) -> Planted:
        seed, state, organization_id = self._seed, self._state, self._organization_id
        if not seed.workspaces:
            raise self._document.error(("workspaces",), "an organization has at least one workspace")
        state.organizations[organization_id] = {
            "id": organization_id,
            "name": seed.organization.name,
            "product": seed.organization.product,
            "status": "ACTIVE",
        }
        for key, person in self._keyed("people", seed.people, "full_name"):
            about = {"id": key, "subjectType": "USER", "fullName": person.full_name, "username": person.username}
            self._people[key] = about
        for key, workspace in self._keyed("workspaces", seed.workspaces):
            state.workspaces[key] = {"id": key, "name": workspace.name, "organizationId": organization_id}
        self._plant_deployments()
        self._plant_roles()
        self._plant_tokens()
        update = self._credential("update", writes=True)
        if update is None:
            raise self._document.error(
                ("tokens",),
                "no token has organization.apiTokens.access (ORGANIZATION_OWNER has it), so no credential could write",
            )
        preview = self._credential("preview", writes=False)
        return Planted(state, organization_id, next(iter(state.workspaces)), update, preview)

    def _at(self, time: str) -> str:
        return resolve(time, self._now)

    def _plant_deployments(self) -> None:
        for index, (key, one) in enumerate(self._keyed("deployments", self._seed.deployments)):
            place = ("deployments", index, "workspace")
            workspace_id = self._key_of("workspace", self._state.workspaces, one.workspace, place)
            at = self._at(one.created_at or LONG_AGO)
            self._state.deployments[key] = records.deployment(
                key,
                one.name,
                workspace_id,
                at=at,
                organization_id=self._organization_id,
                description=one.description,
                status=one.status,
            )

    def _plant_roles(self) -> None:
        for index, (key, one) in enumerate(self._keyed("roles", self._seed.roles)):
            restricted = [
                self._key_of("workspace", self._state.workspaces, name, ("roles", index, "restrictedTo", position))
                for position, name in enumerate(one.restricted_to)
            ]
            at = self._at(one.created_at or LONG_AGO)
            if self._state.role(self._organization_id, one.scope_type, one.name) is not None:
                raise self._document.error(
                    ("roles", index, "name"), f"there is another role {one.name} of scope {one.scope_type} already"
                )
            record = records.custom_role(
                key,
                one.name,
                scope_type=one.scope_type,
                restricted_workspace_ids=restricted,
                organization_id=self._organization_id,
                at=at,
            )
            if one.permissions:
                record["permissions"] = list(one.permissions)
            self._state.roles[key] = record

    def _plant_tokens(self) -> None:
        keyed = list(self._keyed("tokens", self._seed.tokens))
        self._tokens = {key: {"id": key, "name": one.name} for key, one in keyed}
        for index, (key, one) in enumerate(keyed):
            place: Place = ("tokens", index)
            at = self._at(one.created_at or LONG_AGO)
            times = {
                "startAt": one.start_at or at,
                "updatedAt": one.updated_at or at,
                "endAt": one.end_at,
                "lastUsedAt": one.last_used_at,
                "lastRotatedAt": one.last_rotated_at,
            }
            given: Record = {name: self._at(time) for name, time in times.items() if time is not None}
            if one.expiry_period_in_days is not None:
                given["expiryPeriodInDays"] = one.expiry_period_in_days
            created_by = self._subject(one.created_by, (*place, "createdBy"))
            record = records.token(
                key,
                one.name,
                roles=self._roles_of(one, place),
                at=at,
                organization_id=self._organization_id,
                scope=one.scope,
                kind=one.kind,
                description=one.description,
                **given,
            )
            for name, subject in (
                ("createdBy", created_by),
                ("updatedBy", self._subject(one.updated_by, (*place, "updatedBy")) or created_by),
            ):
                if subject is None:
                    del record[name]
                else:
                    record[name] = subject
            self._state.tokens[key] = record

    def _roles_of(self, token: TokenPart, place: Place) -> list[Record]:
        if token.roles is None:
            is_member = token.scope == "ORGANIZATION"
            return [entry("ORGANIZATION", self._organization_id, "ORGANIZATION_MEMBER")] if is_member else []
        return [self._held(one, (*place, "roles", index)) for index, one in enumerate(token.roles)]

    def _held(self, held: HeldRolePart, place: Place) -> Record:
        kind, entity_id, more = "ORGANIZATION", self._organization_id, {}
        if held.workspace is not None:
            kind = "WORKSPACE"
            entity_id = self._key_of("workspace", self._state.workspaces, held.workspace, (*place, "workspace"))
        elif held.deployment is not None:
            kind = "DEPLOYMENT"
            entity_id = self._key_of("deployment", self._state.deployments, held.deployment, (*place, "deployment"))
        if held.dag is not None or held.dag_tag is not None:
            more = {"deploymentId": entity_id}
            kind, entity_id = ("DAG", held.dag) if held.dag is not None else ("DAG_TAG", str(held.dag_tag))
        scope_type = "DAG" if more else kind
        role = self._state.role(self._organization_id, scope_type, held.role)
        if role is None:
            raise self._document.error((*place, "role"), f"there is no role {held.role} of scope {scope_type}")
        return entry(kind, entity_id, role["name"], **more)

    def _credential(self, purpose: str, *, writes: bool) -> str | None:
        asked = getattr(self._seed.credentials, purpose)
        place = ("credentials", purpose)
        if asked is not None:
            key = self._key_of("token", self._state.tokens, asked, place)
            if may_write(self._state, self._state.tokens[key]) is not writes:
                has = "does not have" if writes else "has"
                raise self._document.error(
                    place, f"token {asked} {has} organization.apiTokens.access, so it is not the one for this"
                )
        else:
            fitting = (
                key
                for key, token in self._state.tokens.items()
                if token["scope"] == "ORGANIZATION" and may_write(self._state, token) is writes
            )
            key = next(fitting, "")
        if not key:
            return None
        bearer = credential(key, self._organization_id)
        self._state.credentials[bearer] = credential_record(bearer, self._organization_id, key)
        return bearer

    def _subject(self, asked: str | None, place: Place) -> Record | None:
        if asked is None:
            return None
        people = {key: {"id": key, "name": person["fullName"]} for key, person in self._people.items()}
        key = self._key_of("person or token", {**people, **self._tokens}, asked, place)
        if key in self._people:
            return self._people[key]
        return {"id": key, "subjectType": "SERVICEKEY", "apiTokenName": self._tokens[key]["name"]}

    def _keyed(self, kind: str, parts: Sequence[Any], name: str = "name") -> Iterator[tuple[str, Any]]:
        """Yield each part with its id; SeedError if an id occurs twice."""
        taken: dict[str, int] = {}
        counted: Counter[str] = Counter()
        for index, part in enumerate(parts):
            called = getattr(part, name)
            counted[called] += 1
            key = part.id or cuid("seed", kind, called, counted[called])
            if key in taken:
                raise self._document.error((kind, index, "id"), f"{key} is the id of {kind}[{taken[key]}] already")
            taken[key] = index
            yield key, part

    def _key_of(self, kind: str, among: dict[str, Record], asked: str, place: Place) -> str:
        """Return the id that an id or a name stands for; SeedError if none or several fit."""
        if asked in among:
            return asked
        found = [key for key, record in among.items() if record["name"] == asked]
        if len(found) == 1:
            return found[0]
        if not found:
            raise self._document.error(place, f"there is no {kind} with the id or the name {asked}")
        raise self._document.error(
            place, f"{asked} is the name of {len(found)}: {', '.join(found)}; write the id of the one that is meant"
        )

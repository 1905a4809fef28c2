"""What the service shows, and what it leaves out.

A list of tokens is not the truth about their roles: unfiltered it carries none, filtered it carries only those that
the filter is about. The one full reading is a token by its id. These functions are pure; the caller holds the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from astro_emulator.state import DEFAULT_ROLES, Record, State

INTERNAL = frozenset(("organizationId", "rolesHidden", "roles", "permissions"))
SORT_FIELDS = {"tokenStartAt": "startAt"}


class Page(NamedTuple):
    """The part of a list that is asked for."""

    limit: int
    offset: int

    def of(self, key: str, records: Sequence[Record], shown: Callable[[Record], Record]) -> dict[str, Any]:
        """Return the page as the API answers it; only the records on it are rendered."""
        part = records[self.offset : self.offset + self.limit]
        return {
            key: [shown(record) for record in part],
            "limit": self.limit,
            "offset": self.offset,
            "totalCount": len(records),
        }


class TokenFilter(NamedTuple):
    """What a list of tokens is narrowed to; no field set means all tokens, without their roles."""

    deployment_id: str | None = None
    workspace_id: str | None = None
    only_organization: bool = False


def organizations(state: State, organization_id: str, page: Page) -> dict[str, Any]:
    """Return the organizations of a credential: the one that it was made for."""
    return page.of("organizations", [o for o in state.organizations.values() if o["id"] == organization_id], dict)


def token(state: State, organization_id: str, token_id: str) -> Record:
    """Return one token with all its roles; ApiError 404."""
    record = state.token(organization_id, token_id)
    return shown_token(record)


def tokens(state: State, organization_id: str, wanted: TokenFilter, sorts: Sequence[str], page: Page) -> dict[str, Any]:
    """Return a page of tokens; ApiError 404 if the filter names an unknown deployment or workspace."""
    entities = []
    if wanted.deployment_id is not None:
        entities.append(("DEPLOYMENT", state.deployment(organization_id, wanted.deployment_id)["id"]))
    if wanted.workspace_id is not None:
        entities.append(("WORKSPACE", state.workspace(organization_id, wanted.workspace_id)["id"]))
    found = [record for record in state.tokens.values() if record["organizationId"] == organization_id]
    for entity in entities:
        found = [record for record in found if any(_is_in(entry, entity) for entry in record["roles"])]
    if wanted.only_organization:
        found = [record for record in found if record["scope"] == "ORGANIZATION"]
        entities.append(("ORGANIZATION", organization_id))
    # A stable sort by the last key first is the sort by all of them.
    for sort in reversed(sorts):
        name, _, direction = sort.partition(":")
        field = SORT_FIELDS.get(name, name)
        found.sort(key=lambda record: record[field], reverse=direction == "desc")

    def shown(record: Record) -> Record:
        if not entities:
            return _without_internal(record)
        visible = [entry for entry in record["roles"] if any(_is_in(entry, entity) for entity in entities)]
        return shown_token({**record, "roles": visible})

    return page.of("tokens", found, shown)


def deployment(state: State, organization_id: str, deployment_id: str) -> Record:
    """Return one deployment; ApiError 404."""
    return shown_deployment(state, state.deployment(organization_id, deployment_id))


def deployments(state: State, organization_id: str, wanted: Mapping[str, Sequence[str]], page: Page) -> dict[str, Any]:
    """Return a page of deployments; `wanted` maps an attribute to the values of which a deployment has one."""
    found = [record for record in state.deployments.values() if record["organizationId"] == organization_id]
    for name, values in wanted.items():
        if values:
            among = frozenset(values)
            found = [record for record in found if record[name] in among]
    return page.of("deployments", found, lambda record: shown_deployment(state, record))


def roles(
    state: State, organization_id: str, scope_types: Sequence[str], page: Page, *, include_default: bool
) -> dict[str, Any]:
    """Return a page of custom roles, and beside it all built-in roles if they are asked for."""

    def is_wanted(role: Record) -> bool:
        return not scope_types or role["scopeType"] in scope_types

    own = (role for role in state.roles.values() if role["organizationId"] == organization_id)
    answer = page.of("roles", [role for role in own if is_wanted(role)], _without_internal)
    if include_default:
        answer["defaultRoles"] = [role for role in DEFAULT_ROLES if is_wanted(role)]
    return answer


def shown_token(record: Record) -> Record:
    """Return a token as the API shows it, with its roles unless they are hidden."""
    shown = _without_internal(record)
    return shown if record.get("rolesHidden") else {**shown, "roles": record["roles"]}


def shown_deployment(state: State, record: Record) -> Record:
    """Return a deployment as the API shows it."""
    workspace = state.workspaces.get(record["workspaceId"])
    return {**record, "workspaceName": workspace["name"]} if workspace else record


def _is_in(entry: Record, entity: tuple[str, str]) -> bool:
    return (entry["entityType"], entry["entityId"]) == entity


def _without_internal(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in INTERNAL}

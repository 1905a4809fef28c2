"""The answers of the service to reads, and the attributes that they leave out.

A list of tokens does not show all their roles: an unfiltered one shows none, a filtered one only those of the filter's
entity. Only the read of a single token shows all. These functions are pure; the caller holds the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from astro_emulator.completing import whole_deployment, whole_organization, whole_role, whole_workspace
from astro_emulator.rights import Sight
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
    """The filter of a list of tokens; no field set means all tokens, without their roles."""

    deployment_id: str | None = None
    workspace_id: str | None = None
    only_organization: bool = False
    kind: str | None = None
    dag_id: str | None = None
    dag_tags: Sequence[str] = ()


Wanted = Mapping[str, Sequence[str]]


def organizations(
    state: State, organization_id: str, wanted: Mapping[str, str | None], sorts: Sequence[str], page: Page
) -> dict[str, Any]:
    """Return the organizations of a credential: the one that it was made for, if it is `wanted`."""
    found = [whole_organization(o) for o in state.organizations.values() if o["id"] == organization_id]
    if (product := wanted["product"]) is not None:
        found = [one for one in found if one.get("product") == product]
    for plan in (("productPlanName", wanted["productPlan"]), ("astronomerProduct", wanted["astronomerProduct"])):
        if plan[1] is not None:
            found = [one for one in found if any(has[plan[0]] == plan[1] for has in one["productPlans"])]
    return page.of("organizations", _sorted(found, sorts), dict)


def organization(state: State, organization_id: str) -> Record:
    """Return one organization; ApiError 404."""
    if organization_id not in state.organizations:
        raise state.not_found("Organization", organization_id)
    return whole_organization(state.organizations[organization_id])


def workspace(state: State, organization_id: str, workspace_id: str) -> Record:
    """Return one workspace; ApiError 404."""
    return whole_workspace(state, state.workspace(organization_id, workspace_id))


def workspaces(  # noqa: PLR0913, PLR0917 as for tokens
    state: State, organization_id: str, wanted: Wanted, sorts: Sequence[str], page: Page, seen: Sight
) -> dict[str, Any]:
    """Return a page of the workspaces that the credential sees; `wanted` as for deployments."""
    found = [one for one in state.workspaces.values() if one["organizationId"] == organization_id]
    found = [one for one in _among(found, wanted) if seen.sees_workspace(one)]
    whole = [whole_workspace(state, one) for one in found]
    return page.of("workspaces", _sorted(whole, sorts), dict)


def token(state: State, organization_id: str, token_id: str) -> Record:
    """Return one token with all its roles; ApiError 404."""
    record = state.token(organization_id, token_id)
    return shown_token(record)


def tokens(  # noqa: PLR0913, PLR0917 the state, who asks, and for what
    state: State, organization_id: str, wanted: TokenFilter, sorts: Sequence[str], page: Page, seen: Sight
) -> dict[str, Any]:
    """Return a page of the tokens that the credential sees.

    Raises:
        ApiError: 404 if the filter names an unknown deployment or workspace.
    """
    entities = []
    if wanted.deployment_id is not None:
        entities.append(("DEPLOYMENT", state.deployment(organization_id, wanted.deployment_id)["id"]))
    if wanted.workspace_id is not None:
        entities.append(("WORKSPACE", state.workspace(organization_id, wanted.workspace_id)["id"]))
    found = [record for record in state.tokens.values() if record["organizationId"] == organization_id]
    found = [record for record in found if seen.sees_token(record)]
    if wanted.kind is not None:
        found = [record for record in found if record["kind"] == wanted.kind]
    dags = _dags(wanted)
    if dags:
        found = [record for record in found if any(_is_of_dag(entry, dags) for entry in record["roles"])]
    for entity in entities:
        found = [record for record in found if any(_is_in(entry, entity) for entry in record["roles"])]
    if wanted.only_organization:
        found = [record for record in found if record["scope"] == "ORGANIZATION"]
        entities.append(("ORGANIZATION", organization_id))

    def shown(record: Record) -> Record:
        if not entities and not dags:
            return _without_internal(record)
        visible = [
            entry
            for entry in record["roles"]
            if any(_is_in(entry, entity) for entity in entities) or _is_of_dag(entry, dags)
        ]
        return shown_token({**record, "roles": visible})

    return page.of("tokens", _sorted(found, sorts), shown)


def deployment(state: State, organization_id: str, deployment_id: str) -> Record:
    """Return one deployment; ApiError 404."""
    return shown_deployment(state, state.deployment(organization_id, deployment_id))


def deployments(  # noqa: PLR0913, PLR0917 as for tokens
    state: State, organization_id: str, wanted: Wanted, sorts: Sequence[str], page: Page, seen: Sight
) -> dict[str, Any]:
    """Return a page of the deployments that the credential sees.

    Args:
        state: the records.
        organization_id: the organization.
        wanted: attributes, each with the values of which a deployment has one; no value: any.
        sorts: the order.
        page: the part that is asked for.
        seen: what the credential sees.
    """
    found = [record for record in state.deployments.values() if record["organizationId"] == organization_id]
    found = [record for record in _among(found, wanted) if seen.sees_deployment(record)]
    return page.of("deployments", _sorted(found, sorts), lambda record: shown_deployment(state, record))


def roles(  # noqa: PLR0913 as for tokens
    state: State,
    organization_id: str,
    scope_types: Sequence[str],
    sorts: Sequence[str],
    page: Page,
    *,
    include_default: bool,
) -> dict[str, Any]:
    """Return a page of custom roles, and all built-in roles if they are asked for."""

    def is_wanted(role: Record) -> bool:
        return not scope_types or role["scopeType"] in scope_types

    own = [role for role in state.roles.values() if role["organizationId"] == organization_id and is_wanted(role)]
    answer = page.of("roles", _sorted(own, sorts), lambda role: _without_internal(whole_role(role)))
    if include_default:
        answer["defaultRoles"] = [role for role in DEFAULT_ROLES if is_wanted(role)]
    return answer


def custom_role(state: State, organization_id: str, role_id: str) -> Record:
    """Return one custom role with its permissions; ApiError 404."""
    return shown_role(state.custom_role(organization_id, role_id))


def shown_role(record: Record) -> Record:
    """Return a custom role as the API shows a single one, with its permissions."""
    return {**_without_internal(whole_role(record)), "permissions": record.get("permissions", [])}


def shown_token(record: Record) -> Record:
    """Return a token as the API shows it, with its roles unless they are hidden."""
    shown = _without_internal(record)
    return shown if record.get("rolesHidden") else {**shown, "roles": record["roles"]}


def shown_deployment(state: State, record: Record) -> Record:
    """Return a deployment as the API shows it."""
    workspace = state.workspaces.get(record["workspaceId"])
    return whole_deployment({**record, "workspaceName": workspace["name"]} if workspace else record)


def _among(records: Sequence[Record], wanted: Wanted) -> Sequence[Record]:
    for name, values in wanted.items():
        if values:
            among = frozenset(values)
            records = [record for record in records if record[name] in among]
    return records


def _sorted(records: Sequence[Record], sorts: Sequence[str]) -> list[Record]:
    found = list(records)
    # A stable sort by the last key first is the sort by all of them.
    for sort in reversed(sorts):
        name, _, direction = sort.partition(":")
        field = SORT_FIELDS.get(name, name)
        found.sort(key=lambda record: record.get(field, ""), reverse=direction == "desc")
    return found


def _dags(wanted: TokenFilter) -> frozenset[tuple[str, str]]:
    of_ids = {("DAG", wanted.dag_id)} if wanted.dag_id is not None else set()
    return frozenset(of_ids | {("DAG_TAG", tag) for tag in wanted.dag_tags})


def _is_of_dag(entry: Record, dags: frozenset[tuple[str, str]]) -> bool:
    return (entry["entityType"], entry["entityId"]) in dags


def _is_in(entry: Record, entity: tuple[str, str]) -> bool:
    return (entry["entityType"], entry["entityId"]) == entity


def _without_internal(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in INTERNAL}

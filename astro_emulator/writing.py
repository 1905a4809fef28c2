"""Takes a role list that a caller posts whole, or refuses it whole, as the service does.

There is no precondition and no merge. A list that was built from an old read replaces all changes since; that is the
service's behaviour, and the reason for this project. One invalid entry refuses the list, even an entry that the token
has already and that has become stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from astro_emulator.answers import ApiError, FieldError
from astro_emulator.state import DAG_KINDS, Record, State

KNOWN_KINDS = ("ORGANIZATION", "WORKSPACE", "DEPLOYMENT", *DAG_KINDS)


def accepted(state: State, token: Record, body: object) -> list[Record]:
    """Return the role list that the token holds after `body` was posted.

    Role names come back in their canonical spelling, everything else as it came, unknown fields included.

    Raises:
        ApiError: 400 for a malformed list, two entries for one entity, an unknown role or one that is restricted to
            other workspaces, an unknown kind of entry that the token does not hold already; 404 for an organization,
            workspace or deployment that does not exist.
    """
    entries = _well_formed(body)
    for entry in entries:
        _require_scope(token, entry)
    seen: set[tuple[str, str, str | None]] = set()
    for entry in entries:
        entity = (entry["entityType"], entry["entityId"], entry.get("deploymentId") if _in_dag(entry) else None)
        if entity in seen:
            raise ApiError(400, f"Two roles are given for {entity[0]} {entity[1]}; one entity takes one role.")
        seen.add(entity)
    held: list[Record] = token["roles"]
    taken = [checked(state, token, entry, held) for entry in entries]
    if token["scope"] == "ORGANIZATION" and not any(entry["entityType"] == "ORGANIZATION" for entry in taken):
        taken = [entry for entry in held if entry["entityType"] == "ORGANIZATION"] + taken
    return taken


def checked(state: State, token: Record, entry: Record, held: list[Record]) -> Record:
    """Return one entry with its role in canonical spelling; ApiError 400 or 404, see `accepted()`."""
    kind, entity_id, organization_id = entry["entityType"], entry["entityId"], token["organizationId"]
    workspace_id = None
    if kind not in KNOWN_KINDS:
        if entry not in held:
            raise ApiError(400, f"Entity type {kind} is not supported.")
        return entry
    if kind == "ORGANIZATION":
        if entity_id != organization_id:
            raise ApiError(404, f"Organization {entity_id} not found.")
    elif kind == "WORKSPACE":
        workspace_id = state.workspace(organization_id, entity_id)["id"]
    else:
        deployment_id = entry["deploymentId"] if _in_dag(entry) else entity_id
        workspace_id = state.deployment(organization_id, deployment_id)["workspaceId"]
    scope_type = "DAG" if _in_dag(entry) else kind
    role = state.role(organization_id, scope_type, entry["role"])
    if role is None:
        raise ApiError(400, f"Role {entry['role']} of scope {scope_type} does not exist.")
    restricted_to = role.get("restrictedWorkspaceIds")
    if restricted_to and workspace_id not in restricted_to:
        raise ApiError(400, f"Role {role['name']} may not be used in workspace {workspace_id}.")
    return {**entry, "role": role["name"]}


def _require_scope(token: Record, entry: Record) -> None:
    """Refuse a role above the token's own scope (the rule is stated, its words are inferred)."""
    above = {"WORKSPACE": ("ORGANIZATION",), "DEPLOYMENT": ("ORGANIZATION", "WORKSPACE")}.get(token["scope"], ())
    if entry["entityType"] in above:
        raise ApiError(
            400, f"Invalid request: a token of scope {token['scope']} takes no role of {entry['entityType']}"
        )


def subject_roles(entries: list[Record]) -> dict[str, Any]:
    """Return the answer to a write: the roles by kind, without those of unknown kinds, and without empty lists."""
    shown: dict[str, Any] = {}
    for entry in entries:
        kind, entity_id, role = entry["entityType"], entry["entityId"], entry["role"]
        if kind == "ORGANIZATION":
            shown["organizationRole"] = role
        elif kind == "WORKSPACE":
            shown.setdefault("workspaceRoles", []).append({"workspaceId": entity_id, "role": role})
        elif kind == "DEPLOYMENT":
            shown.setdefault("deploymentRoles", []).append({"deploymentId": entity_id, "role": role})
        elif kind in DAG_KINDS:
            name = "dagId" if kind == "DAG" else "dagTag"
            dag_role = {"deploymentId": entry["deploymentId"], "role": role, name: entity_id}
            shown.setdefault("dagRoles", []).append(dag_role)
    return shown


def _well_formed(body: object) -> list[Record]:
    if not isinstance(body, dict):
        raise ApiError(400, "The body has to be a JSON object.")
    entries = body.get("roles")
    if not isinstance(entries, list) or not entries:
        fault = FieldError("min", "roles", "roles has to be a list of at least 1 item.")
        raise ApiError(400, "Invalid request.", field_errors=[fault])
    faults = [fault for index, entry in enumerate(entries) for fault in _faults_of(entry, f"roles[{index}]")]
    if faults:
        raise ApiError(400, "Invalid request.", field_errors=faults)
    return entries


def _faults_of(entry: object, place: str) -> Iterator[FieldError]:
    if not isinstance(entry, dict):
        yield FieldError("type", place, f"{place} has to be an object.")
        return
    required = {"entityType", "entityId", "role"} | ({"deploymentId"} if _in_dag(entry) else set())
    for name in sorted(required | (entry.keys() & {"deploymentId"})):
        if not isinstance(entry.get(name), str):
            code = "type" if name in entry else "required"
            yield FieldError(code, f"{place}.{name}", f"{place}.{name} has to be a string.")


def _in_dag(entry: Record) -> bool:
    return entry.get("entityType") in DAG_KINDS

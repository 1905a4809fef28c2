"""Everything that the emulator knows, as records in the shapes of the API.

A record is the dictionary that the API would show, plus what the API never shows: `organizationId` of tokens and
custom roles, and `rolesHidden` of a token whose roles are kept from callers. Entries of a role list are never changed
in place, only replaced, so a reader may hold on to them outside the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from astro_emulator.answers import ApiError, FieldError

Record = dict[str, Any]
Records = dict[str, Record]

DAG_KINDS = ("DAG", "DAG_TAG")

_IN_DEPLOYMENT = ("deployment.get", "deployment.update", "deployment.delete")
_IN_WORKSPACE = ("workspace.get", "workspace.apiTokens.access", *_IN_DEPLOYMENT)
_IN_ORGANIZATION = (
    *("organization.get", "organization.apiTokens.access", "organization.deployments.get"),
    *("organization.workspaces.get", "organization.customRoles.get", "organization.customRoles.create"),
    *("organization.customRoles.update", "organization.customRoles.delete", *_IN_WORKSPACE),
)
# The names of the roles are Astro's. Their permissions are those that this emulator's calls ask for, as far as the
# descriptions of the roles in Astronomer's documents let one infer them; Astro's lists are longer.
DEFAULT_ROLES: tuple[Record, ...] = tuple(
    {"name": name, "scopeType": scope_type, "description": description, "permissions": list(permissions)}
    for scope_type, name, description, permissions in (
        ("ORGANIZATION", "ORGANIZATION_OWNER", "Everything in the Organization.", _IN_ORGANIZATION),
        (
            *("ORGANIZATION", "ORGANIZATION_BILLING_ADMIN", "Reads and pays the bills."),
            ("organization.get", "organization.billing.get"),
        ),
        ("ORGANIZATION", "ORGANIZATION_MEMBER", "Sees that the Organization exists.", ("organization.get",)),
        ("ORGANIZATION", "ORGANIZATION_OBSERVE_ADMIN", "Manages Astro Observe.", ("organization.get",)),
        ("ORGANIZATION", "ORGANIZATION_OBSERVE_MEMBER", "Reads Astro Observe.", ("organization.get",)),
        ("WORKSPACE", "WORKSPACE_OWNER", "Everything in the Workspace.", _IN_WORKSPACE),
        (
            *("WORKSPACE", "WORKSPACE_OPERATOR", "Manages its Deployments."),
            ("workspace.get", "workspace.deployments.create", *_IN_DEPLOYMENT),
        ),
        (
            *("WORKSPACE", "WORKSPACE_AUTHOR", "Ships code to its Deployments."),
            ("workspace.get", "deployment.get", "deployment.deploys.create"),
        ),
        ("WORKSPACE", "WORKSPACE_MEMBER", "Reads its Deployments.", ("workspace.get", "deployment.get")),
        ("WORKSPACE", "WORKSPACE_ACCESSOR", "Sees that the Workspace exists.", ("workspace.get",)),
        ("DEPLOYMENT", "DEPLOYMENT_ADMIN", "Everything in the Deployment.", _IN_DEPLOYMENT),
        ("DEPLOYMENT", "DEPLOYMENT_ACCESSOR", "Sees that the Deployment exists.", ("deployment.get",)),
        ("DAG", "DAG_AUTHOR", "Runs and changes the DAG.", ("dag.airflow.dag.get", "dag.airflow.dag.update")),
        ("DAG", "DAG_VIEWER", "Reads the DAG.", ("dag.airflow.dag.get",)),
    )
)

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "organizations": ("id", "name"),
    "workspaces": ("id", "name", "organizationId"),
    "deployments": ("id", "name", "organizationId", "workspaceId", "status", "createdAt", "updatedAt"),
    "roles": ("id", "name", "organizationId", "scopeType", "restrictedWorkspaceIds", "createdAt", "updatedAt"),
    "tokens": (
        *("id", "name", "description", "organizationId", "scope", "kind"),
        *("shortToken", "startAt", "createdAt", "updatedAt", "roles"),
    ),
    "credentials": ("token", "organization_id", "api_token_id", "expired", "can_read", "can_write"),
}
_LISTS = ("roles", "restrictedWorkspaceIds")
_FLAGS = ("expired", "can_read", "can_write")


@dataclass
class State:
    """All records, each kind by its key, in the order of their making."""

    organizations: Records = field(default_factory=dict)
    workspaces: Records = field(default_factory=dict)
    deployments: Records = field(default_factory=dict)
    roles: Records = field(default_factory=dict)
    tokens: Records = field(default_factory=dict)
    credentials: Records = field(default_factory=dict)

    def shown(self) -> dict[str, list[Record]]:
        """Return all records as lists, the shape of `/_emulator/state`."""
        return {kind.name: list(getattr(self, kind.name).values()) for kind in fields(self)}

    @classmethod
    def taken_over(cls, shown: object) -> State:
        """Return the state that `shown` describes, the reverse of `shown()`; ApiError 400 says what is wrong in it."""
        if not isinstance(shown, dict):
            raise ApiError(400, "The state has to be an object.")
        faults = list(_faults_of(shown))
        if faults:
            raise ApiError(400, "This is not a whole state.", field_errors=faults)
        return cls(**{kind: {item[required[0]]: item for item in shown[kind]} for kind, required in REQUIRED.items()})

    def deployment(self, organization_id: str, deployment_id: str) -> Record:
        """Return a deployment; ApiError 404 if the organization has none of that id."""
        return _found(self.deployments, "Deployment", deployment_id, organization_id)

    def workspace(self, organization_id: str, workspace_id: str) -> Record:
        """Return a workspace; ApiError 404 if the organization has none of that id."""
        return _found(self.workspaces, "Workspace", workspace_id, organization_id)

    def token(self, organization_id: str, token_id: str) -> Record:
        """Return a token; ApiError 404 if the organization has none of that id."""
        return _found(self.tokens, "API token", token_id, organization_id)

    def custom_role(self, organization_id: str, role_id: str) -> Record:
        """Return a custom role; ApiError 404 if the organization has none of that id."""
        return _found(self.roles, "Custom role", role_id, organization_id)

    @staticmethod
    def not_found(kind: str, key: str) -> ApiError:
        """Return the refusal of an object that is not there, or that the caller may not know of."""
        return ApiError(404, f"{kind} {key} not found.")

    def role(self, organization_id: str, scope_type: str, name: str) -> Record | None:
        """Return the built-in or custom role of exactly that name, or else of that name in other letters, or None."""
        custom = (role for role in self.roles.values() if role["organizationId"] == organization_id)
        wanted = (scope_type, name.casefold())
        alike = [one for one in (*DEFAULT_ROLES, *custom) if (one["scopeType"], one["name"].casefold()) == wanted]
        exact = [one for one in alike if one["name"] == name]
        return next(iter(exact or alike), None)


def _found(records: Records, kind: str, key: str, organization_id: str) -> Record:
    record = records.get(key)
    if record is None or record["organizationId"] != organization_id:
        raise State.not_found(kind, key)
    return record


def _faults_of(shown: Record) -> Iterable[FieldError]:
    for kind, required in REQUIRED.items():
        items = shown.get(kind)
        if not isinstance(items, list):
            yield FieldError("required", kind, f"{kind} has to be a list.")
            continue
        for index, item in enumerate(items):
            place = f"{kind}[{index}]"
            if not isinstance(item, dict):
                yield FieldError("type", place, f"{place} has to be an object.")
                continue
            for name in required:
                wanted = list if name in _LISTS else bool if name in _FLAGS else str
                if not isinstance(item.get(name), wanted):
                    yield FieldError("required", f"{place}.{name}", f"{place}.{name} has to be a {wanted.__name__}.")
        for index, item in enumerate(items if kind == "tokens" else ()):
            yield from _faulty_entries(item, f"tokens[{index}]")


def _faulty_entries(token: object, place: str) -> Iterable[FieldError]:
    entries = token.get("roles") if isinstance(token, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict) or not {"entityType", "entityId", "role"} <= entry.keys():
            yield FieldError("required", f"{place}.roles[{index}]", "A role entry has entityType, entityId and role.")

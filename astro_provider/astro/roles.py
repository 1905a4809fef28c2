"""Pure functions over a token's role list: the roles that it gives, and the list after a change.

Nothing here reads, writes or waits. A changed list is a new tuple, in which each foreign entry is the object that came in,
so that it goes back to the service field for field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from astro_provider.astro.api.models import NAMELESS, ApiToken, ApiTokenRole, agreed
from astro_provider.errors import InputError, RolesUnknown

DEPLOYMENT = "DEPLOYMENT"
ORGANIZATION = "ORGANIZATION"
BELOW_DEPLOYMENT = ("DAG", "DAG_TAG")


def require_roles(token: ApiToken) -> tuple[ApiTokenRole, ...]:
    """Return the token's roles, as a list that is whole.

    Raises:
        RolesUnknown: the answer left them out, or not all of them can be there. They are unknown then, not empty.
    """
    if token.roles is None:
        raise RolesUnknown(
            f"The service left the roles out of its answer about token {token.name!r} ({token.id}), so they are unknown "
            "and nothing was written. The credential may not see them: it needs the permission "
            "organization.apiTokens.access (the role Organization Owner has it)."
        )
    if token.scope == ORGANIZATION and not any(entry.entity_type == ORGANIZATION for entry in token.roles):
        raise RolesUnknown(
            f"The service's answer about token {token.name!r} ({token.id}) cannot be right: its ORGANIZATION entry is "
            "missing, so the list is not whole, and nothing was written. The credential may not see all roles: it needs "
            "the permission organization.apiTokens.access (the role Organization Owner has it)."
        )
    return token.roles


def wrong_scope(token: ApiToken) -> str | None:
    """Return why a token cannot be bound, because of its scope; None if it can, or if the answer leaves its scope out."""
    if token.scope in (None, ORGANIZATION):
        return None
    return f"Token {token.name!r} ({token.id}) is of scope {token.scope}: only ORGANIZATION tokens can be bound."


def require_organization_scope(token: ApiToken) -> None:
    """Raise an InputError for a token that belongs to a workspace or a deployment."""
    if reason := wrong_scope(token):
        raise InputError("org_token_id", reason)


def same_role(one: str | None, other: str | None, *, exact: bool = False) -> bool:
    """Return whether two names mean the same role. The service ignores case.

    With `exact` letters count, because the organization has two roles that differ in case only.
    """
    return one == other if exact else role_key(one) == role_key(other)


def role_key(name: str | None) -> str:
    """Return a text that is equal for two names of one role. `casefold` is wrong: STRASSE and straße are two roles."""
    return (name or "").lower()


def role_in(roles: Iterable[ApiTokenRole], deployment_id: str) -> str | None:
    """Return the role that a token's whole list gives in the deployment, or None if it has no entry there.

    A list may hold several entries of a deployment, although it should not. If they disagree, the answer names all of
    them, as in `DEPLOYMENT_ACCESSOR and DEPLOYMENT_ADMIN`. That is no role that a program can ask for, so it is drift, no
    change is fulfilled by it, and `with_changes` makes one entry of them. The same goes for an entry without a role.
    """
    return held_roles(roles).get(deployment_id)


def held_roles(roles: Iterable[ApiTokenRole]) -> dict[str, str]:
    """Return what `role_in` returns for each deployment in which the list gives a role; one pass over a list of thousands."""
    held: dict[str, list[str | None]] = {}
    for entry in roles:
        if entry.entity_type == DEPLOYMENT and entry.entity_id is not None:
            held.setdefault(entry.entity_id, []).append(entry.role)
    return {deployment_id: agreed(found) or NAMELESS for deployment_id, found in held.items()}


def role_shown(token: ApiToken, deployment_id: str) -> str | None:
    """Return the role in the deployment that a list of tokens shows; None is no evidence: such lists leave roles out."""
    found = [one for one in token.roles or () if one.entity_type == DEPLOYMENT and one.entity_id == deployment_id]
    return agreed([one.role for one in found])


def with_changes(roles: Iterable[ApiTokenRole], wanted: Mapping[str, str | None]) -> tuple[ApiTokenRole, ...]:
    """Return the list with these roles by deployment, each changed in place or added at the end, and None removed.

    Roles in the DAGs of a deployment stay. One pass over a list of thousands.
    """
    changed: list[ApiTokenRole] = []
    given: set[str] = set()
    for entry in roles:
        deployment_id = entry.entity_id
        if entry.entity_type != DEPLOYMENT or deployment_id is None or deployment_id not in wanted:
            changed.append(entry)
        elif (role := wanted[deployment_id]) is not None and deployment_id not in given:
            given.add(deployment_id)
            changed.append(entry.model_copy(update={"role": role}))
    added = [
        ApiTokenRole(entity_type=DEPLOYMENT, entity_id=deployment_id, role=role)
        for deployment_id, role in wanted.items()
        if role is not None and deployment_id not in given
    ]
    return (*changed, *added)


def dag_roles_in(roles: Iterable[ApiTokenRole], deployment_id: str) -> tuple[ApiTokenRole, ...]:
    """Return the DAG and DAG_TAG entries of the deployment. The service's rules for them are unknown, so they are left."""
    return tuple(e for e in roles if e.entity_type in BELOW_DEPLOYMENT and e.deployment_id == deployment_id)


def deployment_of(entry: ApiTokenRole) -> str | None:
    """Return the deployment that an entry names, by itself or as that of its DAG; None if it names none."""
    if entry.entity_type == DEPLOYMENT:
        return entry.entity_id
    return entry.deployment_id if entry.entity_type in BELOW_DEPLOYMENT else None

"""Deployments and organization tokens that a program chooses from, by workspace or by name.

The lists are those that checks of the same process use, so choosing costs no call that a check has made already; they are
a minute old at most. A filter that nothing fits is an error and never an empty list: a program that makes bindings for
what it finds would otherwise declare none, and the next update would remove them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.hints import is_a_name, nearest_names, other_workspace
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.astro.rows import OrganizationDeployment, OrganizationToken
from astro_provider.errors import InputError


def deployments_of(
    reader: Reader, *, workspace: str | None = None, name: str | None = None
) -> list[OrganizationDeployment]:
    """Return the deployments of an organization, by name, then by id.

    Only those of a workspace, given by its name or its id, and only those of a name: one in each workspace at most.

    Raises:
        InputError: no deployment fits what is given.
    """
    found = list(reader.deployments().values()) if name is None else _named(reader, name, "name")
    if workspace is not None:
        found = _in_workspace(reader, found, workspace)
    return [
        OrganizationDeployment(one.id, one.name, one.workspace_id, one.workspace_name, reader.organization_id)
        for one in sorted(found, key=lambda one: (one.name, one.id))
    ]


def organization_tokens(reader: Reader, *, name: str | None = None) -> list[OrganizationToken]:
    """Return the API tokens of an organization's scope, by name, then by id; an InputError if none has the name."""
    listed = reader.tokens().listed
    found = listed if name is None else reader.tokens_of_key(name, certain=True)[1]
    tokens = [token for token in found if token.scope == ORGANIZATION]
    if name is not None and not tokens:
        known = [token.name for token in listed if token.scope == ORGANIZATION]
        raise InputError("name", f"There is no organization token named {name!r}{nearest_names(name, known)}.")
    tokens.sort(key=lambda token: (token.name, token.id))
    return [OrganizationToken(**token_facts(token), organization_id=reader.organization_id) for token in tokens]


def token_facts(token: ApiToken) -> dict[str, Any]:
    """Return what each row says about a token itself, by attributes."""
    end = token.end_at  # in UTC
    return {
        "id": token.id,
        "name": token.name,
        "description": token.description or "",
        "created_at": token.created_at,
        "created_by": token.created_by.display_name if token.created_by else None,
        "expires_at": None if end is None else end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "last_used_at": token.last_used_at,
        "kind": token.kind,
    }


def deployment_meant(
    reader: Reader,
    *,
    deployment_id: str | None = None,
    deployment_name: str | None = None,
    workspace_id: str | None = None,
) -> Deployment:
    """Return the deployment of that id, of that name, or of both.

    The workspace is a guard, which also decides between several deployments of one name.

    Raises:
        InputError: neither id nor name is given, no deployment or several fit, or it belongs to another workspace.
    """
    if deployment_id is not None:
        [found] = choose_deployments(reader, deployment_ids=[deployment_id], workspace_id=workspace_id)
        if deployment_name not in (None, found.name):
            raise InputError(
                "deployment_name",
                f"Deployment {found.id} is named {found.name!r}, not {deployment_name!r}: give deployment_id or "
                "deployment_name alone.",
            )
        return found
    if deployment_name is None:
        raise InputError("deployment_id", "Neither deployment_id nor deployment_name is given: give one of the two.")
    named = _named(reader, deployment_name, "deployment_name")
    if len(named) > 1 and workspace_id is not None:
        named = [one for one in named if one.workspace_id == workspace_id] or named[:1]
    if len(named) > 1:
        ids = ", ".join(sorted(one.id for one in named))
        raise InputError(
            "deployment_name",
            f"{len(named)} deployments are named {deployment_name!r}: {ids}. Give deployment_id instead, or the "
            "workspace_id of the one that you mean.",
        )
    _require_workspace(named[0], workspace_id)
    return named[0]


def choose_deployments(
    reader: Reader, *, deployment_ids: Sequence[str] = (), workspace_id: str | None = None
) -> list[Deployment]:
    """Return the deployments of these ids; without any, all of the workspace or of the organization, by name.

    If deployments are given, the workspace is a guard.

    Raises:
        InputError: a deployment does not exist, or belongs to another workspace; a workspace has no deployments.
    """
    if not deployment_ids:
        everywhere = reader.deployments().values()
        meant = [found for found in everywhere if workspace_id in (None, found.workspace_id)]
        if workspace_id is not None and not meant:
            workspaces = {found.workspace_id for found in everywhere if found.workspace_id}
            raise InputError(
                "workspace_id",
                f"No deployment of organization {reader.organization_id} belongs to workspace "
                f"{workspace_id}{nearest_names(workspace_id, workspaces)}.",
            )
        return sorted(meant, key=lambda found: (found.name, found.id))
    chosen = []
    for deployment_id in dict.fromkeys(deployment_ids):
        found = reader.deployment(deployment_id)
        if found is None:
            raise InputError("deployment_id", _no_deployment(reader, deployment_id))
        _require_workspace(found, workspace_id)
        chosen.append(found)
    return chosen


def _require_workspace(deployment: Deployment, workspace_id: str | None) -> None:
    if workspace_id is not None and deployment.workspace_id != workspace_id:
        raise InputError("workspace_id", other_workspace(deployment, workspace_id))


def _no_deployment(reader: Reader, deployment_id: str) -> str:
    """Return the sentence about a deployment that does not exist, with the one that may have been meant."""
    everywhere = reader.deployments().values()
    if named := [one.id for one in everywhere if one.name == deployment_id]:
        hint = is_a_name(named, "deployment_name")
    else:
        hint = nearest_names(deployment_id, [*(one.name for one in everywhere), *(one.id for one in everywhere)])
    return f"There is no deployment with the id {deployment_id} in organization {reader.organization_id}{hint}."


def _named(reader: Reader, name: str, argument: str) -> list[Deployment]:
    found = reader.deployments_of_key(name, certain=True)[1]
    if not found:
        known = [one.name for one in reader.deployments().values()]
        raise InputError(
            argument,
            f"No deployment is named {name!r} in organization {reader.organization_id}{nearest_names(name, known)}.",
        )
    return found


def _in_workspace(reader: Reader, found: Sequence[Deployment], workspace: str) -> list[Deployment]:
    inside = [one for one in found if workspace in (one.workspace_id, one.workspace_name)]
    if inside:
        return inside
    everywhere = reader.deployments().values()
    known = {text for one in everywhere for text in (one.workspace_id, one.workspace_name) if text}
    if workspace in known:
        raise InputError("name", other_workspace(found[0], workspace))
    raise InputError(
        "workspace", f"No deployment belongs to a workspace {workspace!r}{nearest_names(workspace, known)}."
    )

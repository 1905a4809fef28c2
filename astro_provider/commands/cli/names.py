"""Turns names on the command line into ids.

An id is used as it is, even if something else has it as a name. A name is used if it is unique; otherwise the error
lists the candidates with their ids. A text that is neither stays as it is, so that its look-up fails with the better
message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from astro_provider.astro.api import AstroClient, Deployment
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.reading.choosing import choose_deployments
from astro_provider.astro.reading.reader import Reader
from astro_provider.commands.cli.options import Where
from astro_provider.errors import InputError
from astro_provider.names import CUID


def chosen(where: Where, reader: Reader) -> list[Deployment]:
    """Return the deployments that are asked for, by id or by name.

    Raises:
        InputError: a deployment or a workspace is unknown or ambiguous, or they do not belong together.
    """
    if not where.deployment_ids and not where.deployment_names and where.workspace_id is None:
        return choose_deployments(reader)
    everywhere = reader.deployments()
    workspace_id = where.workspace_id and _workspace_id(where.workspace_id, everywhere.values())
    candidates = [one for one in everywhere.values() if workspace_id in (None, one.workspace_id)]
    ids = [
        given if given in everywhere else _deployment_id(given, candidates) or given for given in where.deployment_ids
    ]
    for name in where.deployment_names:
        found = _deployment_id(name, candidates, "deployment_name")
        if found is None:
            place = f"workspace {workspace_id}" if workspace_id else f"organization {reader.organization_id}"
            hint = nearest_names(name, [one.name for one in candidates])
            raise InputError("deployment_name", f"No deployment of {place} is named {name!r}{hint}.")
        ids.append(found)
    return choose_deployments(reader, deployment_ids=list(dict.fromkeys(ids)), workspace_id=workspace_id)


def organization_named(client: AstroClient, given: str) -> str:
    """Return the id of an organization that is given by its id or its name.

    Raises:
        InputError: several organizations have the name.
    """
    if CUID.fullmatch(given):
        return given
    seen = client.list_organizations()
    if any(one.id == given for one in seen):
        return given
    return (
        _only("organization_id", given, "organizations", {one.id: one.id for one in seen if one.name == given}) or given
    )


def workspaces(deployments: Iterable[Deployment]) -> dict[str, str]:
    """The names of the deployments' workspaces, by id; blank if Astro does not show the name."""
    found: dict[str, str] = {}
    for deployment in deployments:
        if deployment.workspace_id:
            found[deployment.workspace_id] = found.get(deployment.workspace_id) or deployment.workspace_name or ""
    return found


def _deployment_id(name: str, candidates: Sequence[Deployment], option: str = "deployment_id") -> str | None:
    found = {
        one.id: f"{one.id} (workspace {one.workspace_name or one.workspace_id})"
        for one in candidates
        if one.name == name
    }
    return _only(option, name, "deployments", found, or_else=", or --workspace-id")


def _workspace_id(given: str, deployments: Iterable[Deployment]) -> str:
    known = workspaces(deployments)
    if given in known:
        return given
    if found := _only("workspace_id", given, "workspaces", {one: one for one, name in known.items() if name == given}):
        return found
    if hint := nearest_names(given, filter(None, known.values())):
        raise InputError("workspace_id", f"No deployment belongs to a workspace with the id or name {given}{hint}.")
    return given


def _only(option: str, name: str, kind: str, found: Mapping[str, str], or_else: str = "") -> str | None:
    """Return the id that has a name, if any, of those that are found, each with the text by which an error lists it."""
    if len(found) > 1:
        listed = ", ".join(found.values())
        raise InputError(option, f"{name!r} is the name of {len(found)} {kind}: {listed}. Write one's id{or_else}.")
    return next(iter(found), None)

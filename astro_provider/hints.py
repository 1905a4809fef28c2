"""What a message says of a name or an id that is not there or does not fit: what it may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from astro_provider.api import Deployment

MOST = 3


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ` (nearest: a, b)` for a message, closest first; an empty text where nothing is near."""
    spelled = {candidate.casefold(): candidate for candidate in names}
    found = difflib.get_close_matches(name.casefold(), spelled, n=MOST)
    return f" (nearest: {', '.join(repr(spelled[match]) for match in found)})" if found else ""


def other_workspace(deployment: Deployment, workspace_id: str) -> str:
    """Say that a deployment does not belong to the workspace that it must belong to, or that nobody can tell."""
    which = f"deployment {deployment.name!r} ({deployment.id})"
    if deployment.workspace_id is None:
        return (
            f"the service does not show the workspace of {which}, so it cannot be held against {workspace_id}: use a "
            "credential that may see it, or leave the workspace out."
        )
    return f"{which} belongs to workspace {deployment.workspace_id}, not to {workspace_id}."


def no_deployment(deployments: Iterable[Deployment], organization_id: str, deployment_id: str) -> str:
    """Say that there is no such deployment among the organization's, and which one may have been meant."""
    everywhere = list(deployments)
    hint = that_is_the_name_of(found.id for found in everywhere if found.name == deployment_id)
    hint = hint or nearest(deployment_id, [found.name for found in everywhere] + [found.id for found in everywhere])
    return f"no deployment with the id {deployment_id} in organization {organization_id}{hint}."


def that_is_the_name_of(ids: Iterable[str]) -> str:
    """Return the end of a message about an unknown id that is a name; an empty text where nothing has that name."""
    named = ", ".join(sorted(ids))
    return f": that is the name of {named}, write its id" if named else ""

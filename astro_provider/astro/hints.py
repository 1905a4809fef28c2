"""Parts of messages about a name or an id that does not exist or does not fit: what may have been meant."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from astro_provider.astro.api import Deployment

MOST = 3


def nearest_names(name: str, names: Iterable[str], *, prefix: str = "") -> str:
    """Return ` (nearest: a, b)` for a message, closest first; an empty text if nothing is near.

    `prefix` stands before each name in the message, and is not compared: it would make all of them alike. A name that looks
    alike and is written with other characters is named as that: `é` is one character or two.
    """
    candidates = list(names)
    alike = [
        one
        for one in candidates
        if one != name and unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", name)
    ]
    if alike:
        return f" ({alike[0]!r} looks alike and is written with other Unicode characters: copy the name from Astro)"
    spelled = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), spelled, n=MOST)
    return f" (nearest: {', '.join(repr(prefix + spelled[match]) for match in found)})" if found else ""


def other_workspace(deployment: Deployment, workspace_id: str) -> str:
    """Return the sentence about a deployment that does not belong to the workspace that it must belong to, or may not."""
    which = f"{deployment.name!r} ({deployment.id})"
    if deployment.workspace_id is None:
        return (
            f"The service does not show the workspace of deployment {which}, so it cannot be checked whether it belongs "
            f"to workspace {workspace_id}. Use a credential that can see workspaces, or do not set the workspace."
        )
    return f"Deployment {which} belongs to workspace {deployment.workspace_id}, not to {workspace_id}."


def is_a_name(ids: Iterable[str], name_property: str) -> str:
    """Return the end of a message about an id that is a name: the ids of that name, and how to give it."""
    return f": that is the name of {', '.join(sorted(ids))}. Give it as {name_property}, or write the id"

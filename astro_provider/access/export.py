"""What `pulumi stack export` prints, as grants that a stack manages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from astro_provider.access.model import Grant
from astro_provider.access.resources import OURS, Incomprehensible, grants, is_state
from astro_provider.errors import UnusableInput

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Export:
    """One stack's state.

    Attributes:
        stack: `<project>/<stack>`.
        grants: what its resources grant, as the state recorded it.
        pending: what an earlier run has replaced and could not delete; the next run takes it away.
    """

    stack: str
    grants: tuple[Grant, ...]
    pending: tuple[Grant, ...] = ()


def read_export(text: str, source: str, *, may_have_no_binding: bool = False) -> Export:
    """Read an export.

    Args:
        text: what `pulumi stack export` printed.
        source: what a message calls it.
        may_have_no_binding: other resources without a binding are no error.

    Raises:
        UnusableInput: it is no export, or of a stack that has resources and no binding among them; one sentence.
    """
    resources = _resources(text, source)
    # A resource that is only read is not managed, and the role of a pending replacement was removed by an earlier run.
    ours = [
        one
        for one in resources
        if one.get("type") in OURS and not one.get("external") and not one.get("pendingReplacement")
    ]
    try:
        found = {doomed: list(_granted(ours, doomed=doomed)) for doomed in (False, True)}
    except Incomprehensible as reason:
        raise UnusableInput(
            f"{source}: a binding in it has {reason}; it was not made by a version of the package that this one knows."
        ) from None
    kinds = {one.get("type") for one in resources} - {STACK_TYPE}
    if kinds and not kinds & OURS and not may_have_no_binding:
        raise UnusableInput(
            f"{source} is the export of a stack that has no binding of a token: is it another project's? Leave it out."
        )
    return Export(_stack(resources) or source, tuple(found[False]), tuple(found[True]))


def _granted(ours: Iterable[Mapping[str, Any]], *, doomed: bool) -> Iterator[Grant]:
    for one in ours:
        if bool(one.get("delete")) == doomed:
            yield from grants(one, one.get("outputs") or one.get("inputs") or {}, moment="recorded")


def _resources(text: str, source: str) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableInput(
            f"{source} is no JSON, or was cut: give the whole standard output of `pulumi stack export`."
        ) from None
    if isinstance(document, dict) and "steps" in document:
        raise UnusableInput(f"{source} is a preview's digest, not an export: `astro-provider review` reads that.")
    deployment = document.get("deployment") if isinstance(document, dict) else None
    resources = (deployment.get("resources") or []) if isinstance(deployment, dict) else None
    if not isinstance(resources, list) or not all(map(is_state, resources)):
        raise UnusableInput(f"{source} is no stack's export: give the output of `pulumi stack export`.")
    return resources


def _stack(resources: list[Mapping[str, Any]]) -> str | None:
    for one in resources:
        head, _, rest = str(one.get("urn", "")).removeprefix("urn:pulumi:").partition("::")
        if rest:
            return f"{rest.partition('::')[0]}/{head}"
    return None

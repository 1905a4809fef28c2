"""Reads the output of `pulumi stack export`: the grants that a stack manages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from astro_provider.access.model import Grant
from astro_provider.access.resources import OURS, Incomprehensible, grants, is_state, stack_of
from astro_provider.errors import UnusableInput

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Export:
    """One stack's state."""

    stack: str  # `<project>/<stack>`
    grants: tuple[Grant, ...]
    # The grants that an earlier run has replaced and could not delete; the next run takes them away.
    pending: tuple[Grant, ...] = ()


def read_export(text: str, source: str, *, may_have_no_binding: bool = False) -> Export:
    """Return an export from its text.

    `source` is its name in messages; `may_have_no_binding` allows a stack of other resources alone.

    Raises:
        UnusableInput: it is no export, or of a stack that has resources and no binding among them; one sentence.
    """
    resources = _resources(text, source)
    found: dict[bool, list[Grant]] = {False: [], True: []}
    try:
        for one in resources:
            # A resource that is only read is not managed; the role of a pending replacement was removed by an earlier run.
            if one.get("type") in OURS and not one.get("external") and not one.get("pendingReplacement"):
                found[bool(one.get("delete"))] += grants(one, moment="recorded")
    except Incomprehensible as reason:
        raise UnusableInput(reason.in_file(source)) from None
    kinds = {one.get("type") for one in resources} - {STACK_TYPE}
    if kinds and not kinds & OURS and not may_have_no_binding:
        raise UnusableInput(
            f"{source} is the export of a stack that has no binding of a token: is it another project's? Leave it out."
        )
    return Export(stack_of(resources) or source, tuple(found[False]), tuple(found[True]))


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

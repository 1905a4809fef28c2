"""Which calls cover a set of bindings: one list serves all tokens of a deployment, one token all its deployments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from astro_provider.identity import BindingId


@dataclass(frozen=True)
class Reading:
    """One call and the bindings that it shows: a list of a deployment's tokens, or one token."""

    of_deployment: bool
    bindings: tuple[BindingId, ...]


def fewest_reads(bindings: Iterable[BindingId]) -> list[Reading]:
    """Choose calls that cover all bindings: again and again the one that covers most of what is left.

    Where a list and a token cover as many, the token is read, because it tells all its roles for certain.
    """
    left = set(bindings)
    readings = []
    while left:
        groups: defaultdict[tuple[bool, str, str], set[BindingId]] = defaultdict(set)
        for binding in left:
            groups[False, binding.organization_id, binding.token_id].add(binding)
            groups[True, binding.organization_id, binding.deployment_id].add(binding)
        (of_deployment, _, _), covered = max(groups.items(), key=lambda group: (len(group[1]), not group[0][0]))
        readings.append(Reading(of_deployment, tuple(sorted(covered))))
        left -= covered
    return readings

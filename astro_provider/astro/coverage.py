"""The fewest calls that cover a set of bindings: one list serves all tokens of a deployment, one token all its deployments."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from astro_provider.astro.identity import BindingId

_Group = tuple[bool, str, str]  # true for a deployment's list; organization id; id of the deployment or token


@dataclass(frozen=True)
class Reading:
    """One call and the bindings that it shows: a list of a deployment's tokens, or one token."""

    of_deployment: bool
    bindings: tuple[BindingId, ...]


def fewest_reads(bindings: Iterable[BindingId]) -> list[Reading]:
    """Choose calls that cover all bindings: again and again the one that covers most of what is left.

    If a list and a token cover as many, the token is read, because only it shows all its roles for certain. The calls stand
    in a heap by what they covered when they were put in; one that covers less by now is put in again.
    """
    left = set(bindings)
    groups: defaultdict[_Group, set[BindingId]] = defaultdict(set)
    for binding in left:
        groups[False, binding.organization_id, binding.token_id].add(binding)
        groups[True, binding.organization_id, binding.deployment_id].add(binding)
    heap = [(-len(covered), group) for group, covered in groups.items()]
    heapq.heapify(heap)
    readings = []
    while left:
        size, group = heapq.heappop(heap)
        covered = groups[group] & left
        if len(covered) < -size:
            groups[group] = covered
            heapq.heappush(heap, (-len(covered), group))
            continue
        of_deployment, _, _ = group
        readings.append(Reading(of_deployment, tuple(sorted(covered))))
        left -= covered
    return readings

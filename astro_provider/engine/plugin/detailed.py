"""The differences between stored and checked inputs, place by place, as the engine prints them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pulumi.runtime.proto.provider_pb2 import PropertyDiff

from astro_provider.engine.plugin.properties import Properties
from astro_provider.engine.property_names import STRANGERS
from astro_provider.lifecycle.life import Difference
from astro_provider.names import camel

_REPLACING = {
    PropertyDiff.ADD: PropertyDiff.ADD_REPLACE,
    PropertyDiff.DELETE: PropertyDiff.DELETE_REPLACE,
    PropertyDiff.UPDATE: PropertyDiff.UPDATE_REPLACE,
}
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")


def detailed(old: Properties, new: Properties, difference: Difference, outputs: Properties) -> dict[str, PropertyDiff]:
    """Return the places that differ, each with its kind: added, deleted, updated, and whether it replaces the resource.

    Args:
        old: the stored inputs.
        new: the checked inputs.
        difference: the lifecycle's answer about the two.
        outputs: the stored outputs.

    Returns:
        By place, for example `roles.etl["ci-deployer"]`; empty if a change shows in no input.
    """
    found = {}
    for name in {**old, **new}:
        for place, kind in _differences(camel(name), old.get(name), new.get(name)):
            replaces = name in difference.replaces
            found[place] = PropertyDiff(kind=_REPLACING[kind] if replaces else kind, inputDiff=True)
    if difference.beyond_inputs and outputs.get(STRANGERS):
        found[STRANGERS] = PropertyDiff(kind=PropertyDiff.DELETE)
    return found


def _differences(place: str, old: Any, new: Any) -> Iterator[tuple[str, PropertyDiff.Kind.ValueType]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        steps = {key: _step(key) for key in {**old, **new} if old.get(key) != new.get(key)}
        if None in steps.values():
            yield place, PropertyDiff.UPDATE
            return
        for key, step in steps.items():
            yield from _differences(f"{place}{step}", old.get(key), new.get(key))
    elif old is None:
        yield place, PropertyDiff.ADD
    else:
        yield place, PropertyDiff.DELETE if new is None else PropertyDiff.UPDATE


def _step(key: str) -> str | None:
    """Return a key as the engine reads it in a place; None if no place can have it, so the whole map counts as different.

    Between quotes the engine knows one escape, that of a quote; every other character means itself, a backslash too.
    """
    if _PLAIN_KEY.fullmatch(key):
        return f".{key}"
    if key.endswith("\\") or '\\"' in key:
        return None
    quoted = key.replace('"', '\\"')
    return f'["{quoted}"]'


def roots(places: Collection[str]) -> list[str]:
    """Return the properties in which the places are, each once."""
    return list(dict.fromkeys(re.split(r"[.\[]", place, maxsplit=1)[0] for place in places))

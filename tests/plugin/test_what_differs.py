"""The places that differ between stored and checked inputs, as the engine is told them."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from astro_provider.engine.plugin.detailed import detailed, roots
from astro_provider.lifecycle.life import Difference
from astro_provider.lifecycle.values import UNKNOWN

OLD: dict[str, Any] = {"deployment_id": "d", "role": "A", "roles": {"etl": {"ci": "A", "a b": "B"}}}


def places(new: dict[str, Any], difference: Difference | None = None, **outputs: Any) -> dict[str, str]:
    found = detailed(OLD, new, difference or Difference(changes=True, replaces=[]), outputs)
    return {place: provider_pb2.PropertyDiff.Kind.Name(one.kind) for place, one in found.items()}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, {}),
        ({"role": "B"}, {"role": "UPDATE"}),
        ({"role": UNKNOWN}, {"role": "UPDATE"}),
        ({"workspace_id": "w"}, {"workspaceId": "ADD"}),
        ({"deployment_id": None}, {"deploymentId": "DELETE"}),
        ({"roles": {"etl": {"ci": "B", "a b": "B"}}}, {"roles.etl.ci": "UPDATE"}),
        ({"roles": {"etl": {"ci": "A"}}}, {'roles.etl["a b"]': "DELETE"}),
        ({"roles": {"etl": OLD["roles"]["etl"], "org_token_id": {}}}, {"roles.org_token_id": "ADD"}),
        ({"roles": UNKNOWN}, {"roles": "UPDATE"}),
        ({"roles": {"etl": {**OLD["roles"]["etl"], "a\\b": "A"}}}, {'roles.etl["a\\b"]': "ADD"}),
        ({"roles": {"etl": {**OLD["roles"]["etl"], 'a"b': "A"}}}, {'roles.etl["a\\"b"]': "ADD"}),
        ({"roles": {"etl": {**OLD["roles"]["etl"], "at the end\\": "A"}}}, {"roles.etl": "UPDATE"}),
    ],
)
def test_each_place_has_what_happens_to_it(change: dict[str, Any], found: dict[str, str]) -> None:
    assert places({**OLD, **change}) == found


def test_a_place_of_what_identifies_replaces() -> None:
    difference = Difference(changes=True, replaces=["deployment_id"])

    assert places({**OLD, "deployment_id": "e", "role": "B"}, difference) == {
        "deploymentId": "UPDATE_REPLACE",
        "role": "UPDATE",
    }


def test_strangers_are_told_if_no_input_shows_the_change() -> None:
    beyond = Difference(changes=True, replaces=[], beyond_inputs=True)

    assert places(OLD, beyond, strangers={"etl": {"x": "A"}}) == {"strangers": "DELETE"}
    assert places(OLD, beyond) == {}


def test_the_properties_of_places_are_told_once_each() -> None:
    assert roots(["roles.etl.ci", 'roles["a b"]', "role"]) == ["roles", "role"]

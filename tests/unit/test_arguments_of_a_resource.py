"""The arguments of both resources, in each place that names them, and the keywords that Python shows and refuses."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest

from astro_provider import (
    DeploymentOrgTokenBinding,
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindings,
    DeploymentOrgTokenBindingsArgs,
    native,
)
from astro_provider.engine.plugin.servicer import COMPUTED
from astro_provider.lifecycle.inputs import Inputs
from astro_provider.lifecycle.tables.values import Table
from astro_provider.names import UNFINISHED
from astro_provider.program import arguments as types
from astro_provider.program.binding import OneBinding
from astro_provider.program.bindings import ManyBindings

INPUTS = {
    DeploymentOrgTokenBindingArgs: {one.name for one in fields(Inputs)} - {UNFINISHED},
    DeploymentOrgTokenBindingsArgs: {one.name for one in fields(Table)} - set(COMPUTED),
}
RESOURCES = pytest.mark.parametrize(
    ("resource", "arguments", "constructor"),
    [
        (DeploymentOrgTokenBinding, DeploymentOrgTokenBindingArgs, "OneBinding.__init__()"),
        (DeploymentOrgTokenBindings, DeploymentOrgTokenBindingsArgs, "ManyBindings.__init__()"),
        (native.DeploymentOrgTokenBinding, DeploymentOrgTokenBindingArgs, "OneBinding.__init__()"),
        (native.DeploymentOrgTokenBindings, DeploymentOrgTokenBindingsArgs, "ManyBindings.__init__()"),
    ],
)


@RESOURCES
def test_the_signature_lists_each_argument(resource: type, arguments: Any, constructor: str) -> None:
    assert constructor
    names = ["resource_name", "args", "opts", *(one.name for one in fields(arguments))]

    assert list(inspect.signature(resource).parameters) == names


@RESOURCES
def test_another_keyword_is_refused(resource: Any, arguments: Any, constructor: str) -> None:
    assert arguments
    with pytest.raises(TypeError) as refused:
        resource("ci", workspace_id="w", deployment="d")

    assert str(refused.value) == f"{constructor} got an unexpected keyword argument 'deployment'"


@pytest.mark.parametrize("arguments", INPUTS)
def test_the_provider_reads_each_argument_and_no_other(arguments: Any) -> None:
    assert {one.name for one in fields(arguments)} == INPUTS[arguments]


@pytest.mark.parametrize(
    ("keywords", "arguments"),
    [
        (types.DeploymentIdTokenName, DeploymentOrgTokenBindingArgs),
        (types.DeploymentIdTokenId, DeploymentOrgTokenBindingArgs),
        (types.DeploymentNameTokenName, DeploymentOrgTokenBindingArgs),
        (types.DeploymentNameTokenId, DeploymentOrgTokenBindingArgs),
        (types.Overriding, DeploymentOrgTokenBindingArgs),
        (types.DeploymentOrgTokenBindingsArgsDict, DeploymentOrgTokenBindingsArgs),
        (types.OverridingOfTable, DeploymentOrgTokenBindingsArgs),
    ],
)
def test_a_type_checker_knows_each_argument_and_no_other(keywords: type, arguments: Any) -> None:
    assert keywords.__annotations__.keys() == INPUTS[arguments]


@pytest.mark.parametrize(
    ("resource", "arguments"),
    [(OneBinding, DeploymentOrgTokenBindingArgs), (ManyBindings, DeploymentOrgTokenBindingsArgs)],
)
def test_each_argument_is_an_output(resource: type, arguments: Any) -> None:
    assert resource.__annotations__.keys() >= INPUTS[arguments]

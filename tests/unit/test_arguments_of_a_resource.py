"""The keywords that a constructor takes, as Python shows and refuses them."""

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

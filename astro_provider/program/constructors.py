"""The parts that the constructors of a binding and of a table share, through either door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from inspect import Parameter, signature
from typing import Any, TypeVar

import pulumi

from astro_provider.errors import credential_in_clear
from astro_provider.names import PACKAGE

_F = TypeVar("_F", bound=Callable[..., None])


class Constructor:
    """The step of both constructors that a door implements."""

    def _declare(self, resource_name: str, properties: dict[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        """Declare the resource to the engine."""
        raise NotImplementedError


def taking(arguments: type) -> Callable[[_F], _F]:
    """Make the fields of a dataclass the keywords of a constructor, instead of its last parameter, which collects them."""

    def with_keywords(constructor: _F) -> _F:
        own = signature(constructor)
        keywords = [
            Parameter(one.name, Parameter.KEYWORD_ONLY, default=None, annotation=one.type) for one in fields(arguments)
        ]
        constructor.__signature__ = own.replace(parameters=[*list(own.parameters.values())[:-1], *keywords])  # type: ignore[attr-defined]  # as `inspect` has it
        return constructor

    return with_keywords


def properties_of(
    kind: type[Constructor], args: object = None, keywords: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the properties of a resource from its arguments: an object or a dictionary, over which keywords take precedence.

    Each output is a key, even with None, because Pulumi makes attributes of keys only.

    Raises:
        TypeError: the constructor takes no such keyword.
        SettingsError: the stack's configuration has the credential in clear, so the state would have it in clear too.
    """
    constructor = kind.__init__
    for name in keywords or ():
        if name not in signature(constructor).parameters:
            raise TypeError(f"{constructor.__qualname__}() got an unexpected keyword argument {name!r}")
    if pulumi.Config(PACKAGE).get("token") is not None and not pulumi.runtime.is_config_secret("astro:token"):
        raise credential_in_clear()
    properties: dict[str, Any] = dict.fromkeys(kind.__annotations__)
    for given in (args if isinstance(args, dict) else vars(args) if args else {}, keywords or {}):
        properties |= {name: value for name, value in given.items() if value is not None}
    return properties


def options_with_alias(opts: pulumi.ResourceOptions | None, of_other_door: str) -> pulumi.ResourceOptions:
    """Return the options of the program, with two of every resource of ours, which the program may override.

    Args:
        opts: the options of the program.
        of_other_door: the type of the resource through the other door.
    """
    # A replacement deletes first. `diff` answers the same, but the engine does not call it for a forced replacement. And a
    # resource in the state that the other door made is this one.
    ours = pulumi.ResourceOptions(delete_before_replace=True, aliases=[pulumi.Alias(type_=of_other_door)])
    return pulumi.ResourceOptions.merge(ours, opts)

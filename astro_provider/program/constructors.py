"""The parts that the constructors of a binding and of a table share, through either door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, signature
from typing import Any, ClassVar, TypeVar

import pulumi

from astro_provider.errors import credential_in_clear

_F = TypeVar("_F", bound=Callable[..., None])


class Constructor(pulumi.CustomResource):
    """A resource, of either kind, through either door.

    Attributes:
        _kind: its type.
        _kind_of_other_door: its type through the other door.
    """

    _kind: ClassVar[str]
    _kind_of_other_door: ClassVar[str]

    def _declare(self, resource_name: str, properties: dict[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        """Declare the resource to the engine, with two options of our own, which those of the program may override."""
        # A replacement deletes first. `diff` answers the same, but the engine does not call it for a forced replacement. And
        # a resource in the state that the other door made is this one.
        alias = pulumi.Alias(type_=self._kind_of_other_door)
        ours = pulumi.ResourceOptions(delete_before_replace=True, aliases=[alias])
        options = pulumi.ResourceOptions.merge(ours, opts)
        pulumi.CustomResource.__init__(self, self._kind, resource_name, self._handed_over(properties), options)

    def _handed_over(self, properties: dict[str, Any]) -> Any:
        """Return the properties as the door hands them over to Pulumi."""
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


def properties_of(kind: type[Constructor], args: object = None, /, **keywords: Any) -> dict[str, Any]:
    """Return the properties of a resource from its arguments: an object or a dictionary, over which keywords take precedence.

    Each output is a key, even with None, because Pulumi makes attributes of keys only.

    Raises:
        TypeError: the constructor takes no such keyword.
        SettingsError: the stack's configuration has the credential in clear, so the state would have it in clear too.
    """
    taken = signature(kind.__init__).parameters
    for name in keywords:
        if name not in taken:
            raise TypeError(f"{kind.__init__.__qualname__}() got an unexpected keyword argument {name!r}")
    if pulumi.runtime.get_config("astro:token") is not None and not pulumi.runtime.is_config_secret("astro:token"):
        raise credential_in_clear()
    given = args if isinstance(args, dict) else vars(args) if args else {}
    properties: dict[str, Any] = dict.fromkeys(kind.__annotations__)
    for arguments in (given, keywords):
        properties |= {name: value for name, value in arguments.items() if value is not None}
    return properties

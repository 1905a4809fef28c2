"""The two resources that a program writes, through the dynamic door.

Their lifecycles are those of the provider class that each names; the engine finds it by its pickled name in the state.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from pulumi.dynamic import Resource, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from astro_provider.names import DYNAMIC_BINDING, DYNAMIC_TABLE, NATIVE_BINDING, NATIVE_TABLE, PROVIDER_KEY
from astro_provider.program.binding import OneBinding
from astro_provider.program.bindings import ManyBindings
from astro_provider.program.constructors import Constructor
from astro_provider.provider import DeploymentOrgTokenBindingProvider, DeploymentOrgTokenBindingsProvider


class _Dynamic(Constructor, Resource):
    """A resource through the dynamic door.

    Attributes:
        _lifecycle: the class that the engine calls.
    """

    _lifecycle: ClassVar[type[ResourceProvider]]

    def _handed_over(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {**properties, PROVIDER_KEY: _pickled(self._lifecycle)}  # type: ignore[arg-type]  # a class can be hashed

    def __init_subclass__(cls, **keywords: str) -> None:
        """Keep the type of the resource for a subclass.

        Raises:
            TypeError: the subclass asks for a type of its own.
        """
        if keywords:
            of, given = cls._kind.rpartition(":")[2], " and ".join(keywords)
            raise TypeError(
                f"class {cls.__name__} is given {given}, but every subclass of {of} is the same resource to Pulumi, and "
                f"`astro-provider review` and `audit` know it by its type. Remove {given} from the class line."
            )
        super().__init_subclass__()


class DeploymentOrgTokenBinding(OneBinding, _Dynamic):
    """An organization API token's role in a deployment.

    Creating it is `astro deployment token organization-token add`, changing its role `update`, deleting it `remove`,
    and a refresh `list`. Its id is `<organization id>/<deployment id>/<token id>`.

    A subclass, whatever its constructor takes, is the same resource: it has the same type in the state and all outputs.
    """

    _kind, _kind_of_other_door = DYNAMIC_BINDING, NATIVE_BINDING
    _lifecycle = DeploymentOrgTokenBindingProvider


class DeploymentOrgTokenBindings(ManyBindings, _Dynamic):
    """The roles of many organization API tokens in deployments, as one resource.

    It owns its entries and leaves all others alone; with `exclusive`, no other organization token keeps a role in its
    deployments. Its id is `<organization id>/` and a random part that stays.

    A subclass, whatever its constructor takes, is the same resource: it has the same type in the state and all outputs.
    """

    _kind, _kind_of_other_door = DYNAMIC_TABLE, NATIVE_TABLE
    _lifecycle = DeploymentOrgTokenBindingsProvider


@functools.cache
def _pickled(provider: type[ResourceProvider]) -> str:
    """Return a provider as every state has it, in `__provider`.

    It is pickled once a process, because the SDK's function wraps the pickler anew at each call: after some 400 calls, no
    other provider of the program whose class is pickled by value can be pickled any more (RecursionError).
    """
    return str(serialize_provider(provider()))

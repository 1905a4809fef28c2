"""The resource that a program writes for many bindings: a table of the roles of tokens in deployments.

Annotations are not postponed here, as in `binding.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from astro_provider.names import DYNAMIC_TABLE, NATIVE_TABLE, PROVIDER_KEY
from astro_provider.program.constructors import ManyBindings
from astro_provider.program.declared import options_with_alias, pickled, refuse_type_of_its_own
from astro_provider.provider import DeploymentOrgTokenBindingsProvider

_MODULE, _NAME = "astro", "DeploymentOrgTokenBindings"  # the type in every URN, for ever


class DeploymentOrgTokenBindings(ManyBindings, Resource, module=_MODULE, name=_NAME):
    """The roles of many organization API tokens in deployments, as one resource.

    It owns its entries and leaves all others alone; with `exclusive`, no other organization token keeps a role in its
    deployments. Its id is `<organization id>/` and a random part that stays.

    A subclass, whatever its constructor takes, is the same resource: it has the same type in the state and all outputs.
    """

    organization_id: pulumi.Output[str]
    """The id of the organization."""
    roles: pulumi.Output[Mapping[str, Mapping[str, str]]]
    """The roles, by deployment and token, with the keys of the program."""
    exclusive: pulumi.Output[bool]
    """True if no other organization token may have a role in the deployments, as the program gives it."""
    workspace_id: pulumi.Output[str | None]
    """The workspace that each deployment must belong to, as given."""
    overwrite: pulumi.Output[bool]
    """True if a new entry may take over a binding that exists with another role, as the program gives it."""
    deployment_ids: pulumi.Output[Mapping[str, str]]
    """The ids of the deployments that are given by name."""
    token_ids: pulumi.Output[Mapping[str, str]]
    """The ids of the tokens that are given by name."""
    strangers: pulumi.Output[Mapping[str, Mapping[str, str]] | None]
    """With `exclusive`: the roles of tokens that are not in the table, as the last refresh found them."""
    unfinished: pulumi.Output[Mapping[str, Sequence[str]] | None]
    """The tokens, by deployment, whose role a run that failed may have written or taken; None: there are none."""

    def _declare(
        self, resource_name: str, arguments: list[Mapping[str, Any]], opts: pulumi.ResourceOptions | None
    ) -> None:
        properties = self._declared(_OUTPUTS, resource_name, arguments, opts)
        options = options_with_alias(opts, NATIVE_TABLE)
        properties[PROVIDER_KEY] = pickled(DeploymentOrgTokenBindingsProvider)
        pulumi.CustomResource.__init__(self, DYNAMIC_TABLE, resource_name, properties, options)

    def __init_subclass__(cls, **keywords: str) -> None:
        """Give a subclass the type of this class; Pulumi would give it `pulumi-python:dynamic:Resource`.

        Raises:
            TypeError: the subclass asks for a type of its own.
        """
        refuse_type_of_its_own(cls, _NAME, keywords)
        super().__init_subclass__(module=_MODULE, name=_NAME)


_OUTPUTS = tuple(DeploymentOrgTokenBindings.__annotations__)  # not those of a subclass, which may have any of its own

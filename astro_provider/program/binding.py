"""The resource that a program writes: an organization API token bound to a deployment with a role.

Annotations are not postponed here (`from __future__ import annotations`), because Pulumi evaluates those of a resource
class anew for each resource, and as text they would be compiled each time.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from astro_provider.names import DYNAMIC_BINDING, NATIVE_BINDING, PROVIDER_KEY
from astro_provider.program.constructors import OneBinding
from astro_provider.program.declared import options_with_alias, pickled, refuse_type_of_its_own
from astro_provider.provider import DeploymentOrgTokenBindingProvider

_MODULE, _NAME = "astro", "DeploymentOrgTokenBinding"  # the type in every URN, for ever


class DeploymentOrgTokenBinding(OneBinding, Resource, module=_MODULE, name=_NAME):
    """An organization API token's role in a deployment.

    Creating it is `astro deployment token organization-token add`, changing its role `update`, deleting it `remove`,
    and a refresh `list`. Its id is `<organization id>/<deployment id>/<token id>`.

    A subclass, whatever its constructor takes, is the same resource: it has the same type in the state and all outputs.
    """

    organization_id: pulumi.Output[str]
    """The id of the organization."""
    deployment_id: pulumi.Output[str]
    """The id of the deployment."""
    deployment_name: pulumi.Output[str | None]
    """The name of the deployment; None in a state of a version without this output, until an update."""
    org_token_id: pulumi.Output[str]
    """The id of the organization token."""
    org_token_name: pulumi.Output[str]
    """The name of the organization token."""
    role: pulumi.Output[str]
    """The role that the token has in the deployment."""
    workspace_id: pulumi.Output[str | None]
    """The workspace that the deployment must belong to, as given."""
    overwrite: pulumi.Output[bool]
    """True if a create may take over a binding that exists with another role, as the program gives it."""
    description: pulumi.Output[str | None]
    """The token's description."""
    scope: pulumi.Output[str]
    """The token's scope: ORGANIZATION."""
    created_at: pulumi.Output[str]
    """When the token was made (RFC 3339)."""
    created_by: pulumi.Output[str | None]
    """The person or token that made the token: the full name, or the token's name, or the user name, or the id."""
    unfinished: pulumi.Output[bool | None]
    """True if a run that failed may have written another role, or this one; None: no."""

    def _declare(
        self, resource_name: str, arguments: list[Mapping[str, Any]], opts: pulumi.ResourceOptions | None
    ) -> None:
        properties = self._declared(_OUTPUTS, resource_name, arguments, opts)
        options = options_with_alias(opts, NATIVE_BINDING)
        properties[PROVIDER_KEY] = pickled(DeploymentOrgTokenBindingProvider)
        pulumi.CustomResource.__init__(self, DYNAMIC_BINDING, resource_name, properties, options)

    def __init_subclass__(cls, **keywords: str) -> None:
        """Give a subclass the type of this class; Pulumi would give it `pulumi-python:dynamic:Resource`.

        Raises:
            TypeError: the subclass asks for a type of its own.
        """
        refuse_type_of_its_own(cls, _NAME, keywords)
        super().__init_subclass__(module=_MODULE, name=_NAME)


_OUTPUTS = tuple(DeploymentOrgTokenBinding.__annotations__)  # not those of a subclass, which may have any of its own

"""The resource that a program writes: an organization API token bound to a deployment with a role.

Annotations are not postponed here (`from __future__ import annotations`), because Pulumi evaluates those of a resource
class anew for each resource, and as text they would be compiled each time.
"""

from collections.abc import Mapping
from typing import Any, Self, Unpack, overload

import pulumi
from pulumi.dynamic import Resource

from astro_provider.arguments import (
    DeploymentIdTokenId,
    DeploymentIdTokenName,
    DeploymentNameTokenId,
    DeploymentNameTokenName,
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindingArgsDict,
)
from astro_provider.declared import (
    deleted_before_replaced,
    of_binding,
    properties_of,
    refuse_credential_in_clear,
    refuse_twice,
    refuse_type_of_its_own,
)
from astro_provider.provider import DeploymentOrgTokenBindingProvider

_MODULE, _NAME = "astro", "DeploymentOrgTokenBinding"  # the type in every URN, for ever


class DeploymentOrgTokenBinding(Resource, module=_MODULE, name=_NAME):
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
    """The name of the deployment; None in a state that was written before this output was there, until an update."""
    org_token_id: pulumi.Output[str]
    """The id of the organization token."""
    org_token_name: pulumi.Output[str]
    """The name of the organization token."""
    role: pulumi.Output[str]
    """The role that the token holds in the deployment."""
    workspace_id: pulumi.Output[str | None]
    """The workspace that the deployment must belong to, as given."""
    overwrite: pulumi.Output[bool]
    """Whether `create` may take over a binding that exists with another role, as given."""
    description: pulumi.Output[str | None]
    """The token's description."""
    scope: pulumi.Output[str]
    """The token's scope: ORGANIZATION."""
    created_at: pulumi.Output[str]
    """When the token was made (RFC 3339)."""
    created_by: pulumi.Output[str | None]
    """Who made the token: full name, else token name, else user name, else id."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: None = None,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Unpack[DeploymentIdTokenName],
    ) -> None: ...
    @overload
    def __init__(
        self,
        resource_name: str,
        args: None = None,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Unpack[DeploymentIdTokenId],
    ) -> None: ...
    @overload
    def __init__(
        self,
        resource_name: str,
        args: None = None,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Unpack[DeploymentNameTokenName],
    ) -> None: ...
    @overload
    def __init__(
        self,
        resource_name: str,
        args: None = None,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Unpack[DeploymentNameTokenId],
    ) -> None: ...
    @overload
    def __init__(
        self,
        resource_name: str,
        args: DeploymentOrgTokenBindingArgs | DeploymentOrgTokenBindingArgsDict,
        opts: pulumi.ResourceOptions | None = None,
        *,
        deployment_id: pulumi.Input[str] | None = None,
        deployment_name: pulumi.Input[str] | None = None,
        role: pulumi.Input[str] | None = None,
        org_token_name: pulumi.Input[str] | None = None,
        org_token_id: pulumi.Input[str] | None = None,
        workspace_id: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        overwrite: pulumi.Input[bool] | None = None,
    ) -> None: ...
    def __init__(  # noqa: PLR0913  Pulumi's convention: every argument is a keyword
        self,
        resource_name: str,
        args: DeploymentOrgTokenBindingArgs | DeploymentOrgTokenBindingArgsDict | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        deployment_id: pulumi.Input[str] | None = None,
        deployment_name: pulumi.Input[str] | None = None,
        role: pulumi.Input[str] | None = None,
        org_token_name: pulumi.Input[str] | None = None,
        org_token_id: pulumi.Input[str] | None = None,
        workspace_id: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        overwrite: pulumi.Input[bool] | None = None,
    ) -> None:
        """Declare the binding.

        Args:
            resource_name: Pulumi's name of the resource; name it by deployment and token, not by position in a list.
            args: the arguments as one object or dictionary; keywords given beside it take precedence.
            opts: Pulumi's resource options.
            deployment_id: see `DeploymentOrgTokenBindingArgs`, as all that follow.
            deployment_name: see there.
            role: see there.
            org_token_name: see there.
            org_token_id: see there.
            workspace_id: see there.
            organization_id: see there.
            overwrite: see there.

        Raises:
            SettingsError: `astro:token` stands in the stack's configuration in clear.
            BindingConflict: another resource of this program binds the same token to the same deployment.
        """
        keywords = {
            "deployment_id": deployment_id,
            "deployment_name": deployment_name,
            "role": role,
            "org_token_name": org_token_name,
            "org_token_id": org_token_id,
            "workspace_id": workspace_id,
            "organization_id": organization_id,
            "overwrite": overwrite,
        }
        as_one: Mapping[str, Any] = args if isinstance(args, dict) else vars(args) if args else {}
        self._declare(resource_name, [as_one, keywords], opts)

    def _declare(
        self, resource_name: str, arguments: list[Mapping[str, Any]], opts: pulumi.ResourceOptions | None
    ) -> None:
        refuse_credential_in_clear()
        properties = properties_of(_OUTPUTS, *arguments)
        refuse_twice(resource_name, of_binding(properties))
        super().__init__(DeploymentOrgTokenBindingProvider(), resource_name, properties, deleted_before_replaced(opts))

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],  # noqa: A002  Pulumi's name
        opts: pulumi.ResourceOptions | None = None,
    ) -> Self:
        """Read a binding that exists into the program, without managing it.

        Args:
            resource_name: Pulumi's name of the resource.
            id: `<organization id>/<deployment id>/<token id>`.
            opts: Pulumi's resource options.

        Raises:
            NotFound: in the preview and in the update, if there is no such binding.
        """
        # The constructor of a subclass may want arguments that a read has no use for.
        found = cls.__new__(cls)
        found._declare(resource_name, [], pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))  # noqa: SLF001
        return found

    def __init_subclass__(cls, **keywords: str) -> None:
        """Give a subclass the type of this class, which Pulumi would otherwise make `pulumi-python:dynamic:Resource`.

        Raises:
            TypeError: the subclass is given a type of its own.
        """
        refuse_type_of_its_own(cls, _NAME, keywords)
        super().__init_subclass__(module=_MODULE, name=_NAME)


_OUTPUTS = tuple(DeploymentOrgTokenBinding.__annotations__)  # not those of a subclass, which may have any of its own

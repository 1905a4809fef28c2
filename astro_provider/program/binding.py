"""A binding as a program has it through either door: an organization API token's role in a deployment.

Annotations are not postponed here (`from __future__ import annotations`), because Pulumi evaluates those of a resource
class, and as text they would be compiled each time.
"""

from typing import Any, Self, Unpack, overload

import pulumi

from astro_provider.program.arguments import (
    DeploymentIdTokenId,
    DeploymentIdTokenName,
    DeploymentNameTokenId,
    DeploymentNameTokenName,
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindingArgsDict,
    Overriding,
)
from astro_provider.program.constructors import Constructor, properties_of, taking
from astro_provider.program.declared import of_binding, refuse_twice


class OneBinding(Constructor):
    """The arguments and the outputs of a binding."""

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
        **arguments: Unpack[Overriding],
    ) -> None: ...
    @taking(DeploymentOrgTokenBindingArgs)
    def __init__(
        self,
        resource_name: str,
        args: DeploymentOrgTokenBindingArgs | DeploymentOrgTokenBindingArgsDict | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Any,
    ) -> None:
        """Declare the binding.

        Args:
            resource_name: Pulumi's name of the resource; name it by deployment and token, not by position in a list.
            args: the arguments as one object or dictionary; keywords take precedence over it.
            opts: Pulumi's resource options.
            arguments: those of `DeploymentOrgTokenBindingArgs`, which explains them.

        Raises:
            SettingsError: the stack's configuration has `astro:token` in clear.
            BindingConflict: another resource of this program binds the same token to the same deployment.
        """
        properties = properties_of(OneBinding, args, **arguments)
        refuse_twice(resource_name, of_binding(properties), opts)
        self._declare(resource_name, properties, opts)

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
        # The constructor of a subclass may require arguments that a read does not need.
        found = cls.__new__(cls)
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        found._declare(resource_name, properties_of(OneBinding), options)  # noqa: SLF001
        return found

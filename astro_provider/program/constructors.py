"""The constructors of the two resources, for both doors: their arguments, and the ones that are refused at once.

Annotations are not postponed here, as in `binding.py`.
"""

import json
from collections.abc import Iterable, Mapping
from inspect import isawaitable
from typing import Any, Self, Unpack, overload

import pulumi

from astro_provider.errors import InputError
from astro_provider.names import hidden_key
from astro_provider.program.arguments import (
    DeploymentIdTokenId,
    DeploymentIdTokenName,
    DeploymentNameTokenId,
    DeploymentNameTokenName,
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindingArgsDict,
    DeploymentOrgTokenBindingsArgs,
    DeploymentOrgTokenBindingsArgsDict,
    RolesByDeployment,
)
from astro_provider.program.declared import (
    of_binding,
    of_table,
    properties_of,
    refuse_credential_in_clear,
    refuse_twice,
)


class _Constructor:
    """The step of both constructors that a door implements."""

    def _declare(
        self, resource_name: str, arguments: list[Mapping[str, Any]], opts: pulumi.ResourceOptions | None
    ) -> None:
        """Declare the resource to the engine, with these arguments, of which later ones take precedence."""
        raise NotImplementedError


class OneBinding(_Constructor):
    """The constructor of a binding; a door declares it to the engine."""

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
            args: the arguments as one object or dictionary; keywords take precedence over it.
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
            SettingsError: the stack's configuration has `astro:token` in clear.
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
        self._declare(resource_name, [_as_mapping(args), keywords], opts)

    @staticmethod
    def _declared(
        outputs: Iterable[str],
        resource_name: str,
        arguments: Iterable[Mapping[str, Any]],
        opts: pulumi.ResourceOptions | None,
    ) -> dict[str, Any]:
        """Note the binding as declared, and return its properties."""
        refuse_credential_in_clear()
        properties = properties_of(outputs, *arguments)
        refuse_twice(resource_name, of_binding(properties), opts)
        return properties

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
        found._declare(resource_name, [], pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))  # noqa: SLF001
        return found


class ManyBindings(_Constructor):
    """The constructor of a table; a door declares it to the engine."""

    def __init__(  # noqa: PLR0913  Pulumi's convention: every argument is a keyword
        self,
        resource_name: str,
        args: DeploymentOrgTokenBindingsArgs | DeploymentOrgTokenBindingsArgsDict | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        roles: RolesByDeployment | None = None,
        exclusive: pulumi.Input[bool] | None = None,
        workspace_id: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        overwrite: pulumi.Input[bool] | None = None,
    ) -> None:
        """Declare the table.

        Args:
            resource_name: Pulumi's name of the resource.
            args: the arguments as one object or dictionary; keywords take precedence over it.
            opts: Pulumi's resource options.
            roles: see `DeploymentOrgTokenBindingsArgs`, as all that follow.
            exclusive: see there.
            workspace_id: see there.
            organization_id: see there.
            overwrite: see there.

        Raises:
            SettingsError: the stack's configuration has `astro:token` in clear.
            BindingConflict: another resource of this program binds one of the tokens to the same deployment.
        """
        keywords = {
            "roles": roles,
            "exclusive": exclusive,
            "workspace_id": workspace_id,
            "organization_id": organization_id,
            "overwrite": overwrite,
        }
        self._declare(resource_name, [_as_mapping(args), keywords], opts)

    @staticmethod
    def _declared(
        outputs: Iterable[str],
        resource_name: str,
        arguments: Iterable[Mapping[str, Any]],
        opts: pulumi.ResourceOptions | None,
    ) -> dict[str, Any]:
        """Note the entries of the table as declared, and return its properties."""
        refuse_credential_in_clear()
        properties = properties_of(outputs, *arguments)
        if properties["roles"] is not None:
            properties["roles"] = _roles_for_pulumi(properties["roles"])
        refuse_twice(resource_name, of_table(properties), opts)
        return properties


def _as_mapping(args: object) -> Mapping[str, Any]:
    """The arguments that are given as one object or dictionary."""
    return args if isinstance(args, dict) else vars(args) if args else {}


def _roles_for_pulumi(value: Any, *keys: str) -> Any:
    """Return the roles without values that Pulumi would drop on the way to the provider, in silence.

    A None becomes "", which the check refuses; dropped, a None of an output would revoke the grant.

    Args:
        value: the roles, or the part of them beneath these keys.
        keys: the deployment, and the token.

    Raises:
        InputError: a key begins like Pulumi's own properties.
    """
    if isinstance(value, pulumi.Output) or isawaitable(value):
        return pulumi.Output.from_input(value).apply(lambda known: _roles_for_pulumi(known, *keys))
    if isinstance(value, Mapping):
        for key in value:
            if reason := hidden_key(key, "token" if keys else "deployment"):
                raise InputError("roles" + "".join(f"[{json.dumps(one)}]" for one in (*keys, key)), reason)
        return {key: _roles_for_pulumi(one, *keys, key) for key, one in value.items()}
    return "" if value is None else value

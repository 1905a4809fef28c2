"""The same two resources through the native door, for programs that want what only that door can do.

They take the same arguments and have the same outputs as `astro_provider.DeploymentOrgTokenBinding` and
`DeploymentOrgTokenBindings`, and a state that those made is theirs. The engine finds the executable
`pulumi-resource-astro` of this package by `plugins.providers` in Pulumi.yaml, or on PATH.

Annotations are not postponed here, as in `program/binding.py`.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from astro_provider.errors import SettingsError
from astro_provider.names import (
    DYNAMIC_BINDING,
    DYNAMIC_TABLE,
    NATIVE_BINDING,
    NATIVE_TABLE,
    PACKAGE,
    is_default_provider,
)
from astro_provider.program.arguments import (
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindingArgsDict,
    DeploymentOrgTokenBindingsArgs,
    DeploymentOrgTokenBindingsArgsDict,
    RolesByDeployment,
)
from astro_provider.program.constructors import ManyBindings, OneBinding
from astro_provider.program.declared import options_with_alias

__all__ = [
    "DeploymentOrgTokenBinding",
    "DeploymentOrgTokenBindingArgs",
    "DeploymentOrgTokenBindingArgsDict",
    "DeploymentOrgTokenBindings",
    "DeploymentOrgTokenBindingsArgs",
    "DeploymentOrgTokenBindingsArgsDict",
    "Provider",
]


class DeploymentOrgTokenBinding(OneBinding, pulumi.CustomResource):
    """An organization API token's role in a deployment.

    Its id is `<organization id>/<deployment id>/<token id>`, which `pulumi import` takes.
    """

    @property
    @pulumi.getter(name="organizationId")
    def organization_id(self) -> pulumi.Output[str]:
        """The id of the organization."""
        return pulumi.get(self, "organization_id")

    @property
    @pulumi.getter(name="deploymentId")
    def deployment_id(self) -> pulumi.Output[str]:
        """The id of the deployment."""
        return pulumi.get(self, "deployment_id")

    @property
    @pulumi.getter(name="deploymentName")
    def deployment_name(self) -> pulumi.Output[str | None]:
        """The name of the deployment."""
        return pulumi.get(self, "deployment_name")

    @property
    @pulumi.getter(name="orgTokenId")
    def org_token_id(self) -> pulumi.Output[str]:
        """The id of the organization token."""
        return pulumi.get(self, "org_token_id")

    @property
    @pulumi.getter(name="orgTokenName")
    def org_token_name(self) -> pulumi.Output[str]:
        """The name of the organization token."""
        return pulumi.get(self, "org_token_name")

    @property
    @pulumi.getter(name="role")
    def role(self) -> pulumi.Output[str]:
        """The role that the token has in the deployment."""
        return pulumi.get(self, "role")

    @property
    @pulumi.getter(name="workspaceId")
    def workspace_id(self) -> pulumi.Output[str | None]:
        """The workspace that the deployment must belong to, as given."""
        return pulumi.get(self, "workspace_id")

    @property
    @pulumi.getter(name="overwrite")
    def overwrite(self) -> pulumi.Output[bool]:
        """Whether a create may take over a binding that exists with another role, as given."""
        return pulumi.get(self, "overwrite")

    @property
    @pulumi.getter(name="description")
    def description(self) -> pulumi.Output[str | None]:
        """The token's description."""
        return pulumi.get(self, "description")

    @property
    @pulumi.getter(name="scope")
    def scope(self) -> pulumi.Output[str]:
        """The token's scope: ORGANIZATION."""
        return pulumi.get(self, "scope")

    @property
    @pulumi.getter(name="createdAt")
    def created_at(self) -> pulumi.Output[str]:
        """When the token was made (RFC 3339)."""
        return pulumi.get(self, "created_at")

    @property
    @pulumi.getter(name="createdBy")
    def created_by(self) -> pulumi.Output[str | None]:
        """Who made the token: full name, else token name, else user name, else id."""
        return pulumi.get(self, "created_by")

    def _declare(
        self, resource_name: str, arguments: list[Mapping[str, Any]], opts: pulumi.ResourceOptions | None
    ) -> None:
        properties = self._declared(_ONE, resource_name, arguments, opts)
        options = options_with_alias(opts, DYNAMIC_BINDING)
        pulumi.CustomResource.__init__(
            self, NATIVE_BINDING, resource_name, _spelled(_BindingInputs, properties), options
        )


class DeploymentOrgTokenBindings(ManyBindings, pulumi.CustomResource):
    """Which organization API token has which role in which deployment, as one resource.

    Its id is `<organization id>/` and a random part that stays.
    """

    @property
    @pulumi.getter(name="organizationId")
    def organization_id(self) -> pulumi.Output[str]:
        """The id of the organization."""
        return pulumi.get(self, "organization_id")

    @property
    @pulumi.getter(name="roles")
    def roles(self) -> pulumi.Output[Mapping[str, Mapping[str, str]]]:
        """The roles, by deployment and token, with the keys of the program."""
        return pulumi.get(self, "roles")

    @property
    @pulumi.getter(name="exclusive")
    def exclusive(self) -> pulumi.Output[bool]:
        """Whether nobody else may have a role in the deployments, as given."""
        return pulumi.get(self, "exclusive")

    @property
    @pulumi.getter(name="workspaceId")
    def workspace_id(self) -> pulumi.Output[str | None]:
        """The workspace that each deployment must belong to, as given."""
        return pulumi.get(self, "workspace_id")

    @property
    @pulumi.getter(name="overwrite")
    def overwrite(self) -> pulumi.Output[bool]:
        """Whether a new entry may take over what exists with another role, as given."""
        return pulumi.get(self, "overwrite")

    @property
    @pulumi.getter(name="deploymentIds")
    def deployment_ids(self) -> pulumi.Output[Mapping[str, str]]:
        """The ids of the deployments that are given by name."""
        return pulumi.get(self, "deployment_ids")

    @property
    @pulumi.getter(name="tokenIds")
    def token_ids(self) -> pulumi.Output[Mapping[str, str]]:
        """The ids of the tokens that are given by name."""
        return pulumi.get(self, "token_ids")

    @property
    @pulumi.getter(name="strangers")
    def strangers(self) -> pulumi.Output[Mapping[str, Mapping[str, str]] | None]:
        """With `exclusive`: the roles of tokens that are not in the table, as the last refresh found them."""
        return pulumi.get(self, "strangers")

    def _declare(
        self, resource_name: str, arguments: list[Mapping[str, Any]], opts: pulumi.ResourceOptions | None
    ) -> None:
        properties = self._declared(_MANY, resource_name, arguments, opts)
        options = options_with_alias(opts, DYNAMIC_TABLE)
        pulumi.CustomResource.__init__(self, NATIVE_TABLE, resource_name, _spelled(_TableInputs, properties), options)


class Provider(pulumi.ProviderResource):
    """A service, a credential and an organization, for the resources that name this provider in their options.

    What is given here comes before the environment.
    """

    def __init__(  # noqa: PLR0913  Pulumi's convention: every argument is a keyword
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        token: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        host: pulumi.Input[str] | None = None,
        preview_checks: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] | None = None,
        settle_seconds: pulumi.Input[float] | None = None,
        lock_dir: pulumi.Input[str] | None = None,
        trace: pulumi.Input[str] | None = None,
    ) -> None:
        """Declare the provider.

        Args:
            resource_name: Pulumi's name of it.
            opts: Pulumi's resource options.
            token: the credential. It is stored encrypted, whether it is marked as a secret or not.
            organization_id: the id of the organization.
            host: the service, for example http://127.0.0.1:8765.
            preview_checks: `warn`, `strict` or `off`.
            timeout_seconds: the bound of one operation with all its retries.
            settle_seconds: how long another writer may take from its read to its write.
            lock_dir: where the lock files are.
            trace: a file that gets one line of JSON for each call.

        Raises:
            SettingsError: the name is that of the engine's own provider, which takes the environment first.
        """
        if is_default_provider(resource_name):
            raise SettingsError(
                f"A provider of the name {resource_name!r} cannot be told from Pulumi's own, whose credential is that of the "
                "environment. Give it another name."
            )
        values: dict[str, Any] = {
            "token": None if token is None else pulumi.Output.secret(token),
            "organizationId": organization_id,
            "host": host,
            "previewChecks": preview_checks,
            "timeoutSeconds": _as_json(timeout_seconds),
            "settleSeconds": _as_json(settle_seconds),
            "lockDir": lock_dir,
            "trace": trace,
        }
        given = {name: value for name, value in values.items() if value is not None}
        options = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(additional_secret_outputs=["token"]), opts)
        super().__init__(PACKAGE, resource_name, given, options)


def _as_json(number: pulumi.Input[float] | None) -> pulumi.Output[str] | None:
    """A number as the engine hands it to providers, whose configuration is text."""
    return None if number is None else pulumi.Output.from_input(number).apply(pulumi.runtime.to_json)


def _spelled(kind: type, properties: Mapping[str, Any]) -> Any:
    """The properties as an object whose type tells Pulumi how the names are spelled; the keys of maps stay."""
    found: Any = object.__new__(kind)
    found.__dict__.update(properties)
    return found


@pulumi.input_type
class _BindingInputs:
    role: pulumi.Input[str]
    deployment_id: pulumi.Input[str] | None = pulumi.property("deploymentId", default=None)
    deployment_name: pulumi.Input[str] | None = pulumi.property("deploymentName", default=None)
    org_token_id: pulumi.Input[str] | None = pulumi.property("orgTokenId", default=None)
    org_token_name: pulumi.Input[str] | None = pulumi.property("orgTokenName", default=None)
    workspace_id: pulumi.Input[str] | None = pulumi.property("workspaceId", default=None)
    organization_id: pulumi.Input[str] | None = pulumi.property("organizationId", default=None)
    overwrite: pulumi.Input[bool] | None = None


@pulumi.input_type
class _TableInputs:
    roles: RolesByDeployment
    exclusive: pulumi.Input[bool] | None = None
    workspace_id: pulumi.Input[str] | None = pulumi.property("workspaceId", default=None)
    organization_id: pulumi.Input[str] | None = pulumi.property("organizationId", default=None)
    overwrite: pulumi.Input[bool] | None = None


def _outputs_of(kind: type) -> tuple[str, ...]:
    return tuple(name for name, member in vars(kind).items() if isinstance(member, property))


_ONE, _MANY = _outputs_of(DeploymentOrgTokenBinding), _outputs_of(DeploymentOrgTokenBindings)

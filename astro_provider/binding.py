"""The resource that a program writes: an organization API token bound to a deployment with a role.

Annotations are not postponed here (`from __future__ import annotations`), because Pulumi evaluates those of a resource
class anew for each resource, and as text they would be compiled each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Required, Self, TypedDict
from weakref import WeakKeyDictionary

import pulumi
from pulumi.dynamic import Resource

from astro_provider.errors import BindingConflict, SettingsError
from astro_provider.provider import DeploymentOrgTokenBindingProvider


@dataclass
class DeploymentOrgTokenBindingArgs:
    """What a binding is asked to be.

    Attributes:
        deployment_id: the id of the deployment.
        role: `DEPLOYMENT_ADMIN`, or the name of any other deployment role.
        org_token_name: the name of the organization token; give this or `org_token_id`.
        org_token_id: the id of the organization token.
        workspace_id: a guard: the deployment must belong to this workspace.
        organization_id: the id of the organization, where the credential does not tell it.
        overwrite: on create, take over a binding that exists with another role.
    """

    deployment_id: pulumi.Input[str] | None = None
    role: pulumi.Input[str] | None = None
    org_token_name: pulumi.Input[str] | None = None
    org_token_id: pulumi.Input[str] | None = None
    workspace_id: pulumi.Input[str] | None = None
    organization_id: pulumi.Input[str] | None = None
    overwrite: pulumi.Input[bool] | None = None


class DeploymentOrgTokenBindingArgsDict(TypedDict, total=False):
    """`DeploymentOrgTokenBindingArgs` as a plain dictionary."""

    deployment_id: Required[pulumi.Input[str]]
    role: Required[pulumi.Input[str]]
    org_token_name: pulumi.Input[str] | None
    org_token_id: pulumi.Input[str] | None
    workspace_id: pulumi.Input[str] | None
    organization_id: pulumi.Input[str] | None
    overwrite: pulumi.Input[bool] | None


class DeploymentOrgTokenBinding(Resource, module="astro", name="DeploymentOrgTokenBinding"):
    """An organization API token's role in a deployment.

    Creating it is `astro deployment token organization-token add`, changing its role `update`, deleting it `remove`,
    and a refresh `list`. Its id is `<organization id>/<deployment id>/<token id>`.
    """

    organization_id: pulumi.Output[str]
    """The id of the organization."""
    deployment_id: pulumi.Output[str]
    """The id of the deployment."""
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

    def __init__(  # noqa: PLR0913  Pulumi's convention: every argument is a keyword
        self,
        resource_name: str,
        args: DeploymentOrgTokenBindingArgs | DeploymentOrgTokenBindingArgsDict | None = None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        deployment_id: pulumi.Input[str] | None = None,
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
        _refuse_credential_in_clear()
        keywords = DeploymentOrgTokenBindingArgs(
            deployment_id=deployment_id,
            role=role,
            org_token_name=org_token_name,
            org_token_id=org_token_id,
            workspace_id=workspace_id,
            organization_id=organization_id,
            overwrite=overwrite,
        )
        # A property must be named here, even as None, for its output to become an attribute.
        properties: dict[str, Any] = dict.fromkeys(type(self).__annotations__)
        as_one: Mapping[str, Any] = args if isinstance(args, dict) else vars(args or keywords)
        for given in (as_one, vars(keywords)):
            properties |= {name: value for name, value in given.items() if value is not None}
        _refuse_twice(resource_name, properties)
        # `diff` says the same, but the engine does not ask it when a replacement is forced.
        defaults = pulumi.ResourceOptions(delete_before_replace=True)
        super().__init__(
            DeploymentOrgTokenBindingProvider(),
            resource_name,
            properties,
            pulumi.ResourceOptions.merge(defaults, opts),
        )

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
            NotFound: in the preview and in the update, where there is no such binding.
        """
        return cls(resource_name, opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))


# What each running program has declared so far: the spelled values, and the name of the resource that has them. A
# process can run several programs, one after the other.
_declared: WeakKeyDictionary[pulumi.Resource, dict[tuple[str, ...], str]] = WeakKeyDictionary()


def _refuse_twice(resource_name: str, properties: dict[str, Any]) -> None:
    """Compare plain values as they are spelled; `create` catches what is spelled differently or not known here."""
    program = pulumi.runtime.get_root_resource()
    token = properties["org_token_name"] or properties["org_token_id"]
    values = (properties["organization_id"] or "", properties["deployment_id"], token)
    if program is None or not all(isinstance(value, str) for value in values):
        return
    first = _declared.setdefault(program, {}).setdefault(values, resource_name)
    if first != resource_name:
        raise BindingConflict(
            f"The resources {first!r} and {resource_name!r} both bind token {token!r} to deployment "
            f"{properties['deployment_id']}. A token has one role in a deployment: remove one of the two."
        )


def _refuse_credential_in_clear() -> None:
    if pulumi.Config("astro").get("token") is not None and not pulumi.runtime.is_config_secret("astro:token"):
        raise SettingsError(
            "astro:token is set without --secret, so it would stand in the state in clear. Set it again with "
            "`pulumi config set --secret astro:token`, and rotate the token if that state is shared; or remove it and "
            "export ASTRO_API_TOKEN."
        )

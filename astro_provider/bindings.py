"""The resource that a program writes for many bindings: a table of which token has which role in which deployment.

Annotations are not postponed here, as in `binding.py`.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from astro_provider.arguments import (
    DeploymentOrgTokenBindingsArgs,
    DeploymentOrgTokenBindingsArgsDict,
    RolesByDeployment,
)
from astro_provider.declared import (
    deleted_before_replaced,
    of_table,
    properties_of,
    refuse_credential_in_clear,
    refuse_twice,
    refuse_type_of_its_own,
)
from astro_provider.provider import DeploymentOrgTokenBindingsProvider

_MODULE, _NAME = "astro", "DeploymentOrgTokenBindings"  # the type in every URN, for ever


class DeploymentOrgTokenBindings(Resource, module=_MODULE, name=_NAME):
    """Which organization API token has which role in which deployment, as one resource.

    It owns its entries and leaves all others alone; with `exclusive`, no other organization token keeps a role in its
    deployments. Its id is `<organization id>/` and a random part that stays.

    A subclass, whatever its constructor takes, is the same resource: it has the same type in the state and all outputs.
    """

    organization_id: pulumi.Output[str]
    """The id of the organization."""
    roles: pulumi.Output[Mapping[str, Mapping[str, str]]]
    """The roles, by deployment and token, with the keys of the program."""
    exclusive: pulumi.Output[bool]
    """Whether nobody else may have a role in the deployments, as given."""
    workspace_id: pulumi.Output[str | None]
    """The workspace that each deployment must belong to, as given."""
    overwrite: pulumi.Output[bool]
    """Whether a new entry may take over what exists with another role, as given."""
    deployment_ids: pulumi.Output[Mapping[str, str]]
    """The ids of the deployments that are given by name."""
    token_ids: pulumi.Output[Mapping[str, str]]
    """The ids of the tokens that are given by name."""
    strangers: pulumi.Output[Mapping[str, Mapping[str, str]] | None]
    """With `exclusive`: the roles of tokens that are not in the table, as the last refresh found them."""

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
            args: the arguments as one object or dictionary; keywords given beside it take precedence.
            opts: Pulumi's resource options.
            roles: see `DeploymentOrgTokenBindingsArgs`, as all that follow.
            exclusive: see there.
            workspace_id: see there.
            organization_id: see there.
            overwrite: see there.

        Raises:
            SettingsError: `astro:token` stands in the stack's configuration in clear.
            BindingConflict: another resource of this program binds one of the tokens to the same deployment.
        """
        refuse_credential_in_clear()
        keywords = {
            "roles": roles,
            "exclusive": exclusive,
            "workspace_id": workspace_id,
            "organization_id": organization_id,
            "overwrite": overwrite,
        }
        as_one: Mapping[str, Any] = args if isinstance(args, dict) else vars(args) if args else {}
        properties = properties_of(_OUTPUTS, as_one, keywords)
        properties["roles"] = _without_none(properties["roles"])
        refuse_twice(resource_name, of_table(properties))
        super().__init__(DeploymentOrgTokenBindingsProvider(), resource_name, properties, deleted_before_replaced(opts))

    def __init_subclass__(cls, **keywords: str) -> None:
        """Give a subclass the type of this class, which Pulumi would otherwise make `pulumi-python:dynamic:Resource`.

        Raises:
            TypeError: the subclass is given a type of its own.
        """
        refuse_type_of_its_own(cls, _NAME, keywords)
        super().__init_subclass__(module=_MODULE, name=_NAME)


_OUTPUTS = tuple(DeploymentOrgTokenBindings.__annotations__)  # not those of a subclass, which may have any of its own


def _without_none(roles: Any) -> Any:
    """The roles with "" for None, which Pulumi would leave out on its way to the provider without a word."""
    if not isinstance(roles, Mapping):
        return roles
    return {
        deployment: {token: "" if role is None else role for token, role in row.items()}
        if isinstance(row, Mapping)
        else row
        for deployment, row in roles.items()
    }

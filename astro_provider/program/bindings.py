"""A table as a program has it through either door: the roles of many organization API tokens in deployments.

Annotations are not postponed here, as in `binding.py`.
"""

import json
from collections.abc import Mapping, Sequence
from inspect import isawaitable
from typing import Any, Unpack

import pulumi

from astro_provider.errors import InputError
from astro_provider.names import hidden_key
from astro_provider.program.arguments import (
    DeploymentOrgTokenBindingsArgs,
    DeploymentOrgTokenBindingsArgsDict,
    OverridingOfTable,
)
from astro_provider.program.constructors import Constructor, properties_of, taking
from astro_provider.program.declared import of_table, refuse_twice


class ManyBindings(Constructor):
    """The arguments and the outputs of a table."""

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

    @taking(DeploymentOrgTokenBindingsArgs)
    def __init__(
        self,
        resource_name: str,
        args: DeploymentOrgTokenBindingsArgs | DeploymentOrgTokenBindingsArgsDict | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Unpack[OverridingOfTable],
    ) -> None:
        """Declare the table.

        Args:
            resource_name: Pulumi's name of the resource.
            args: the arguments as one object or dictionary; keywords take precedence over it.
            opts: Pulumi's resource options.
            arguments: those of `DeploymentOrgTokenBindingsArgs`, which explains them.

        Raises:
            SettingsError: the stack's configuration has `astro:token` in clear.
            BindingConflict: another resource of this program binds one of the tokens to the same deployment.
        """
        properties = properties_of(ManyBindings, args, **arguments)
        if properties["roles"] is not None:
            properties["roles"] = _roles_for_pulumi(properties["roles"])
        refuse_twice(resource_name, of_table(properties), opts)
        self._declare(resource_name, properties, opts)


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

"""The arguments of a binding and of a table, as types, so that a type checker refuses wrong ones before a program runs.

A binding takes a deployment and a token, each by id, by name, or by both, which must then mean the same thing, and a role.
`TypedDict` has no "one of the two", so each combination is a type of its own, and `DeploymentOrgTokenBindingArgsDict` is
any of them. The same types are the keywords of `DeploymentOrgTokenBindingArgs` and of the resource. While a program runs,
nothing is examined here: `check` does that.

Annotations are not postponed here (`from __future__ import annotations`), because programs may ask a `TypedDict` for its
keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict, Unpack, overload

import pulumi


class _Optional(TypedDict, total=False):
    workspace_id: pulumi.Input[str] | None
    organization_id: pulumi.Input[str] | None
    overwrite: pulumi.Input[bool] | None


class _Common(_Optional):
    role: pulumi.Input[str]


class _DeploymentById(TypedDict):
    deployment_id: pulumi.Input[str]
    deployment_name: NotRequired[pulumi.Input[str] | None]


class _DeploymentByName(TypedDict):
    deployment_name: pulumi.Input[str]
    deployment_id: NotRequired[pulumi.Input[str] | None]


class _TokenByName(TypedDict):
    org_token_name: pulumi.Input[str]
    org_token_id: NotRequired[pulumi.Input[str] | None]


class _TokenById(TypedDict):
    org_token_id: pulumi.Input[str]
    org_token_name: NotRequired[None]


class _RestByTokenId(_Optional):
    org_token_id: pulumi.Input[str]
    deployment_name: NotRequired[pulumi.Input[str] | None]


class DeploymentIdTokenName(_DeploymentById, _TokenByName, _Common):
    """A deployment by its id (and perhaps by its name too), a token by its name (and perhaps by its id too)."""


class DeploymentIdTokenId(_DeploymentById, _TokenById, _Common):
    """A deployment by its id (and perhaps by its name too), a token by its id."""


class DeploymentNameTokenName(_DeploymentByName, _TokenByName, _Common):
    """A deployment by its name (and perhaps by its id too), a token by its name (and perhaps by its id too)."""


class DeploymentNameTokenId(_DeploymentByName, _TokenById, _Common):
    """A deployment by its name (and perhaps by its id too), a token by its id."""


class Overriding(_Optional, total=False):
    """The arguments that take precedence over those of an object; none is required."""

    deployment_id: pulumi.Input[str] | None
    deployment_name: pulumi.Input[str] | None
    role: pulumi.Input[str] | None
    org_token_name: pulumi.Input[str] | None
    org_token_id: pulumi.Input[str] | None


DeploymentOrgTokenBindingArgsDict: TypeAlias = (
    DeploymentIdTokenName | DeploymentIdTokenId | DeploymentNameTokenName | DeploymentNameTokenId
)
"""`DeploymentOrgTokenBindingArgs` as a plain dictionary."""


@dataclass
class DeploymentOrgTokenBindingArgs:
    """The arguments of a binding.

    Attributes:
        deployment_id: the id of the deployment; give this, `deployment_name`, or both of the same deployment.
        deployment_name: the name of the deployment. A name is unique in a workspace, so `workspace_id` decides if two
            workspaces have it.
        role: `DEPLOYMENT_ADMIN`, or the name of any other deployment role.
        org_token_name: the name of the organization token; give this, `org_token_id`, or both of the same token.
        org_token_id: the id of the organization token.
        workspace_id: a guard: the deployment must belong to this workspace.
        organization_id: the id of the organization, if the credential does not name it.
        overwrite: on create, take over a binding that exists with another role.
    """

    deployment_id: pulumi.Input[str] | None = None
    role: pulumi.Input[str] | None = None
    org_token_name: pulumi.Input[str] | None = None
    org_token_id: pulumi.Input[str] | None = None
    workspace_id: pulumi.Input[str] | None = None
    organization_id: pulumi.Input[str] | None = None
    overwrite: pulumi.Input[bool] | None = None
    deployment_name: pulumi.Input[str] | None = None

    if TYPE_CHECKING:  # while a program runs, the dataclass has its own constructor

        @overload
        def __init__(
            self,
            deployment_id: pulumi.Input[str],
            role: pulumi.Input[str],
            org_token_name: pulumi.Input[str],
            org_token_id: pulumi.Input[str] | None = None,
            workspace_id: pulumi.Input[str] | None = None,
            organization_id: pulumi.Input[str] | None = None,
            overwrite: pulumi.Input[bool] | None = None,
            deployment_name: pulumi.Input[str] | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            deployment_id: pulumi.Input[str],
            role: pulumi.Input[str],
            org_token_name: None = None,
            **arguments: Unpack[_RestByTokenId],
        ) -> None: ...
        @overload
        def __init__(self, **arguments: Unpack[DeploymentNameTokenName]) -> None: ...
        @overload
        def __init__(self, **arguments: Unpack[DeploymentNameTokenId]) -> None: ...
        def __init__(self, *positional: Any, **arguments: Any) -> None: ...


RolesByDeployment: TypeAlias = pulumi.Input[Mapping[str, pulumi.Input[Mapping[str, pulumi.Input[str]]]]]
"""The roles of a table: {deployment: {token: role}}, each key a name or an id."""


class _OptionalOfTable(TypedDict, total=False):
    exclusive: pulumi.Input[bool] | None
    workspace_id: pulumi.Input[str] | None
    organization_id: pulumi.Input[str] | None
    overwrite: pulumi.Input[bool] | None


class DeploymentOrgTokenBindingsArgsDict(_OptionalOfTable):
    """`DeploymentOrgTokenBindingsArgs` as a plain dictionary."""

    roles: RolesByDeployment


class OverridingOfTable(_OptionalOfTable, total=False):
    """As `Overriding`, for a table."""

    roles: RolesByDeployment | None


@dataclass
class DeploymentOrgTokenBindingsArgs:
    """The arguments of a table.

    Attributes:
        roles: the roles, `{deployment: {token: role}}`. Each key is a name or an id; at least one deployment.
        exclusive: whether organization tokens that are not named here lose their roles in the deployments that are. With
            `{}` a deployment has none of them. The preview names the roles that a run takes, as `removes`.
        workspace_id: a guard: each deployment must belong to this workspace. It also decides between deployments of one name.
        organization_id: the id of the organization, if the credential does not name it.
        overwrite: a new entry may take over a binding that exists with another role.
    """

    roles: RolesByDeployment
    exclusive: pulumi.Input[bool] | None = None
    workspace_id: pulumi.Input[str] | None = None
    organization_id: pulumi.Input[str] | None = None
    overwrite: pulumi.Input[bool] | None = None

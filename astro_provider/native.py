"""The two resources through the native door, and what only that door has: an explicit provider.

They take the same arguments and have the same outputs as `astro_provider.DeploymentOrgTokenBinding` and
`DeploymentOrgTokenBindings`, and a state that those made is theirs. The engine finds the executable
`pulumi-resource-astro` of this package by `plugins.providers` in Pulumi.yaml, or on PATH.

The functions call the provider, with the credential of `opts.provider` if there is one. Like the functions of every
generated SDK they return an object with one list, so that the code that `pulumi convert` writes runs with this package;
that code imports it as `pulumi_astro`.

Annotations are not postponed here, as in `program/binding.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar, TypeVar, get_args

import pulumi

from astro_provider.astro.rows import DeploymentOrgToken, OrganizationDeployment, OrganizationToken
from astro_provider.errors import SettingsError
from astro_provider.names import (
    DYNAMIC_BINDING,
    DYNAMIC_TABLE,
    GET_DEPLOYMENTS,
    GET_TOKENS,
    LIST_TOKENS,
    NATIVE_BINDING,
    NATIVE_TABLE,
    PACKAGE,
    camel,
    is_default_provider,
)
from astro_provider.program.arguments import (
    DeploymentOrgTokenBindingArgs,
    DeploymentOrgTokenBindingArgsDict,
    DeploymentOrgTokenBindingsArgs,
    DeploymentOrgTokenBindingsArgsDict,
)
from astro_provider.program.binding import OneBinding
from astro_provider.program.bindings import ManyBindings
from astro_provider.program.constructors import Constructor

__all__ = [
    "DeploymentOrgToken",
    "DeploymentOrgTokenBinding",
    "DeploymentOrgTokenBindingArgs",
    "DeploymentOrgTokenBindingArgsDict",
    "DeploymentOrgTokenBindings",
    "DeploymentOrgTokenBindingsArgs",
    "DeploymentOrgTokenBindingsArgsDict",
    "GetDeploymentsResult",
    "GetOrganizationTokensResult",
    "ListDeploymentOrgTokensResult",
    "OrganizationDeployment",
    "OrganizationToken",
    "Provider",
    "get_deployments",
    "get_deployments_output",
    "get_organization_tokens",
    "get_organization_tokens_output",
    "list_deployment_org_tokens",
    "list_deployment_org_tokens_output",
]

_Answer = TypeVar("_Answer")


class _Native(Constructor):
    """A resource through the native door.

    Attributes:
        _arguments: the type of its arguments, which has the provider's spelling of their names.
    """

    _arguments: ClassVar[type]

    def _handed_over(self, properties: dict[str, Any]) -> Any:
        # Of such a type Pulumi spells the names of the properties as the provider has them, and leaves the keys of maps.
        spelled: Any = object.__new__(self._arguments)
        spelled.__dict__.update(properties)
        return spelled


def _arguments_of(arguments: type) -> type:
    """Return the type of a resource's arguments for Pulumi: the fields of a dataclass, under the names that the provider has."""
    types = {one.name: one.type for one in fields(arguments)}
    names = {name: pulumi.property(camel(name), default=None) for name in types}
    return pulumi.input_type(type(arguments.__name__, (), {"__annotations__": types, **names}))


class DeploymentOrgTokenBinding(OneBinding, _Native):
    """An organization API token's role in a deployment.

    Its id is `<organization id>/<deployment id>/<token id>`, which `pulumi import` takes.
    """

    _kind, _kind_of_other_door = NATIVE_BINDING, DYNAMIC_BINDING
    _arguments = _arguments_of(DeploymentOrgTokenBindingArgs)


class DeploymentOrgTokenBindings(ManyBindings, _Native):
    """The roles of many organization API tokens in deployments, as one resource.

    Its id is `<organization id>/` and a random part that stays.
    """

    _kind, _kind_of_other_door = NATIVE_TABLE, DYNAMIC_TABLE
    _arguments = _arguments_of(DeploymentOrgTokenBindingsArgs)


def _output(name: str, kind: object) -> property:
    """Return the property of an output, by which Pulumi finds it under the name that the provider has."""

    def value(self: pulumi.Resource) -> Any:
        return pulumi.get(self, name)

    value.__annotations__["return"] = kind
    return property(pulumi.getter(name=camel(name))(value))


for _resource, _outputs in ((DeploymentOrgTokenBinding, OneBinding), (DeploymentOrgTokenBindings, ManyBindings)):
    for _name, _type in _outputs.__annotations__.items():
        setattr(_resource, _name, _output(_name, _type))


class Provider(pulumi.ProviderResource):
    """A service, a credential and an organization, for the resources that name this provider in their options.

    Its arguments come before the environment.
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
            token: the credential. It is stored encrypted, even if it is not marked as a secret.
            organization_id: the id of the organization.
            host: the service, for example http://127.0.0.1:8765.
            preview_checks: `warn`, `strict` or `off`.
            timeout_seconds: the bound of one operation with all its retries.
            settle_seconds: how long another writer may take from its read to its write.
            lock_dir: the directory of the lock files.
            trace: a file that gets one line of JSON for each call.

        Raises:
            SettingsError: the name is that of the engine's own provider, for which the environment comes first.
        """
        if is_default_provider(resource_name):
            raise SettingsError(
                f"A provider named {resource_name!r} counts as Pulumi's own, which takes the credential of the environment "
                "first. Give it another name."
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


@dataclass(frozen=True)
class GetDeploymentsResult:
    """The answer of `get_deployments`."""

    deployments: list[OrganizationDeployment]


@dataclass(frozen=True)
class GetOrganizationTokensResult:
    """The answer of `get_organization_tokens`."""

    tokens: list[OrganizationToken]


@dataclass(frozen=True)
class ListDeploymentOrgTokensResult:
    """The answer of `list_deployment_org_tokens`."""

    tokens: list[DeploymentOrgToken]


def get_deployments(
    *,
    workspace: str | None = None,
    name: str | None = None,
    organization_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetDeploymentsResult:
    """Return the organization's deployments, by name. It waits for the service.

    Args:
        workspace: only those of this workspace, given by its name or its id.
        name: only those of this name: one in each workspace at most.
        organization_id: the organization, if the credential does not name it.
        opts: Pulumi's options of a function, such as the provider.

    Raises:
        Exception: no deployment fits the arguments, or a call failed; the text says which.
    """
    return _ask(
        GET_DEPLOYMENTS, GetDeploymentsResult, opts, workspace=workspace, name=name, organization_id=organization_id
    )


def get_deployments_output(
    *,
    workspace: pulumi.Input[str | None] = None,
    name: pulumi.Input[str | None] = None,
    organization_id: pulumi.Input[str | None] = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetDeploymentsResult]:
    """As `get_deployments`, for values that are outputs."""
    return _ask_later(
        GET_DEPLOYMENTS, GetDeploymentsResult, opts, workspace=workspace, name=name, organization_id=organization_id
    )


def get_organization_tokens(
    *, name: str | None = None, organization_id: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetOrganizationTokensResult:
    """Return the organization API tokens, by name, without their roles. It waits for the service.

    Args:
        name: only those of this name.
        organization_id: the organization, if the credential does not name it.
        opts: Pulumi's options of a function, such as the provider.

    Raises:
        Exception: no organization token has that name, or a call failed; the text says which.
    """
    return _ask(GET_TOKENS, GetOrganizationTokensResult, opts, name=name, organization_id=organization_id)


def get_organization_tokens_output(
    *,
    name: pulumi.Input[str | None] = None,
    organization_id: pulumi.Input[str | None] = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetOrganizationTokensResult]:
    """As `get_organization_tokens`, for values that are outputs."""
    return _ask_later(GET_TOKENS, GetOrganizationTokensResult, opts, name=name, organization_id=organization_id)


def list_deployment_org_tokens(  # noqa: PLR0913  Pulumi's convention: every argument is a keyword
    deployment_id: str | None = None,
    *,
    deployment_name: str | None = None,
    workspace_id: str | None = None,
    organization_id: str | None = None,
    include_other_scopes: bool | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> ListDeploymentOrgTokensResult:
    """Return the tokens that have a role in a deployment, by name. It waits for the service.

    Args:
        deployment_id: the deployment; this, its name, or both.
        deployment_name: its name.
        workspace_id: a guard: the deployment must belong to this workspace. It also decides between several deployments
            of one name.
        organization_id: the organization, if the credential does not name it.
        include_other_scopes: also tokens of a workspace or of a deployment.
        opts: Pulumi's options of a function, such as the provider.

    Raises:
        Exception: no deployment or several fit, it belongs to another workspace, or a call failed; the text says which.
    """
    return _ask(
        LIST_TOKENS,
        ListDeploymentOrgTokensResult,
        opts,
        deployment_id=deployment_id,
        deployment_name=deployment_name,
        workspace_id=workspace_id,
        organization_id=organization_id,
        include_other_scopes=include_other_scopes,
    )


def list_deployment_org_tokens_output(  # noqa: PLR0913  as above
    deployment_id: pulumi.Input[str | None] = None,
    *,
    deployment_name: pulumi.Input[str | None] = None,
    workspace_id: pulumi.Input[str | None] = None,
    organization_id: pulumi.Input[str | None] = None,
    include_other_scopes: pulumi.Input[bool | None] = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[ListDeploymentOrgTokensResult]:
    """As `list_deployment_org_tokens`, for values that are outputs."""
    return _ask_later(
        LIST_TOKENS,
        ListDeploymentOrgTokensResult,
        opts,
        deployment_id=deployment_id,
        deployment_name=deployment_name,
        workspace_id=workspace_id,
        organization_id=organization_id,
        include_other_scopes=include_other_scopes,
    )


def _ask(function: str, kind: type[_Answer], opts: pulumi.InvokeOptions | None, **arguments: Any) -> _Answer:
    """Call a function of the provider, and wait for its answer."""
    answer: _Answer = _read(kind, pulumi.runtime.invoke(function, _in_camel_case(arguments), opts).value)
    return answer


def _ask_later(
    function: str,
    kind: type[_Answer],
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None,
    **arguments: Any,
) -> pulumi.Output[_Answer]:
    """Call a function of the provider once the arguments are known."""
    return pulumi.runtime.invoke_output(function, _in_camel_case(arguments), opts).apply(partial(_read, kind))


def _read(kind: type[Any], answer: Mapping[str, Any]) -> Any:
    """Return an answer of the provider as a dataclass, which has one field: a list of dataclasses."""
    [rows] = fields(kind)
    [row] = get_args(rows.type)
    names = [one.name for one in fields(row)]
    # The provider omits a property whose value is None.
    return kind([row(**{name: one.get(camel(name)) for name in names}) for one in answer[rows.name]])


def _in_camel_case(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {camel(name): value for name, value in arguments.items()}


def _as_json(number: pulumi.Input[float] | None) -> pulumi.Output[str] | None:
    """Return a number as the engine passes it to providers, whose configuration is text."""
    return None if number is None else pulumi.Output.from_input(number).apply(pulumi.runtime.to_json)

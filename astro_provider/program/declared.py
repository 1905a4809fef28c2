"""How a program's resources are declared, and what a running program has declared so far.

The same binding twice is refused by name. Plain values are compared as they are spelled. What is spelled differently, or
not known in the program, is found by the provider: in the preview between a table and a binding, and in the update at the
latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import pulumi
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.mocks import MockMonitor

from astro_provider.errors import BindingConflict, credential_in_clear
from astro_provider.names import PACKAGE


class Declaration(NamedTuple):
    """A binding as a program spells it.

    Attributes:
        organization_id: the organization, if it is given.
        workspace_id: the workspace, if the deployment is given by name: a name is unique in a workspace only.
        deployment_id: the deployment's id, or None.
        deployment_name: its name, if it is not given by its id, which is never ambiguous.
        token_id: the token's id, or None.
        token_name: its name, if it is not given by its id.
        provider: the provider that the program has made for it, if anything is given by name: two providers may lead to
            two organizations, in which one name means two things.
    """

    organization_id: str | None
    workspace_id: str | None
    deployment_id: str | None
    deployment_name: str | None
    token_id: str | None
    token_name: str | None
    provider: str | None = None


# What each running program has declared so far: the spelled values, and the name of the resource that has them. A
# process can run several programs, one after the other.
_declared: WeakKeyDictionary[pulumi.Resource, dict[Declaration, str]] = WeakKeyDictionary()


def refuse_twice(
    resource_name: str, declarations: Iterable[Declaration], opts: pulumi.ResourceOptions | None = None
) -> None:
    """Note what a resource declares, with these options.

    Unit tests with mocks are left alone: all tests of a process share one root resource, so their programs could not be
    told apart.

    Raises:
        BindingConflict: another resource of this program binds the same token to the same deployment.
    """
    program = pulumi.runtime.get_root_resource()
    if program is None or isinstance(pulumi.runtime.settings.get_monitor(), MockMonitor):
        return
    noted = _declared.setdefault(program, {})
    provider = _provider_of(opts)
    for one in declarations:
        if not all(value is None or isinstance(value, str) for value in one):
            continue
        by_name = one.deployment_name is not None or one.token_name is not None
        first = noted.setdefault(one._replace(provider=provider) if by_name else one, resource_name)
        if first != resource_name:
            raise BindingConflict(
                f"The resources {first!r} and {resource_name!r} both bind token {one.token_id or one.token_name!r} to "
                f"deployment {one.deployment_id or one.deployment_name}. A token has one role in a deployment: remove one of "
                "the two."
            )


def _provider_of(opts: pulumi.ResourceOptions | None) -> str | None:
    """The name of the provider that the program has made for a resource with these options, or for its parent."""
    if opts is None:
        return None
    provider = opts.provider or (opts.parent._providers.get(PACKAGE) if opts.parent else None)  # noqa: SLF001  no other way
    return provider._name if provider is not None else None  # noqa: SLF001  as above


def of_binding(properties: Mapping[str, Any]) -> list[Declaration]:
    """What a binding declares."""
    deployment_id, token_id = properties["deployment_id"], properties["org_token_id"]
    deployment_name = properties["deployment_name"] if deployment_id is None else None
    token_name = properties["org_token_name"] if token_id is None else None
    if (deployment_id, deployment_name) == (None, None) or (token_id, token_name) == (None, None):
        return []
    where = properties["workspace_id"] if deployment_id is None else None
    return [Declaration(properties["organization_id"], where, deployment_id, deployment_name, token_id, token_name)]


def of_table(properties: Mapping[str, Any]) -> list[Declaration]:
    """What a table declares: each of its keys may be an id or a name."""
    roles, organization_id, where = (properties[name] for name in ("roles", "organization_id", "workspace_id"))
    if not isinstance(roles, Mapping):
        return []
    return [
        Declaration(organization_id, *deployment, *token_)
        for key, row in roles.items()
        if isinstance(row, Mapping)
        for deployment in ((None, key, None), (where, None, key))
        for token in row
        for token_ in ((token, None), (None, token))
    ]


def properties_of(outputs: Iterable[str], *arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a resource from its arguments, of which later ones take precedence.

    Each output is named, even as None, or it would not become an attribute.
    """
    properties: dict[str, Any] = dict.fromkeys(outputs)
    for given in arguments:
        properties |= {name: value for name, value in given.items() if value is not None}
    return properties


_pickled: dict[type[ResourceProvider], str] = {}


def pickled(provider: type[ResourceProvider]) -> str:
    """Return a provider as it stands in every state, `__provider`.

    It is pickled once a process, because the SDK's function wraps the pickler anew at each call: after some 400 calls, no
    other provider of the program whose class is pickled by value can be pickled any more (RecursionError).
    """
    if provider not in _pickled:
        _pickled[provider] = serialize_provider(provider())
    return _pickled[provider]


def options_with_alias(opts: pulumi.ResourceOptions | None, of_other_door: str) -> pulumi.ResourceOptions:
    """The options, with what every resource of ours has unless they say otherwise.

    The old one is deleted before a new one takes its place. `diff` says the same, but the engine does not ask it when a
    replacement is forced. And a resource that the other door made is this one.

    Args:
        opts: what the program gives.
        of_other_door: the type of the resource through the other door.
    """
    ours = pulumi.ResourceOptions(delete_before_replace=True, aliases=[pulumi.Alias(type_=of_other_door)])
    return pulumi.ResourceOptions.merge(ours, opts)


def refuse_type_of_its_own(subclass: type, of: str, keywords: Mapping[str, str]) -> None:
    """Refuse the keywords by which a subclass would get a type of its own.

    Raises:
        TypeError: there are some.
    """
    if keywords:
        raise TypeError(
            f"class {subclass.__name__} is given {' and '.join(keywords)}, but every subclass of {of} is the same resource "
            f"to Pulumi, and `astro-provider review` and `audit` know it by its type. Remove {' and '.join(keywords)} from "
            "the class line."
        )


def refuse_credential_in_clear() -> None:
    """Refuse a stack whose configuration has the credential in clear.

    Raises:
        SettingsError: it would stand in the state in clear.
    """
    if pulumi.Config(PACKAGE).get("token") is not None and not pulumi.runtime.is_config_secret("astro:token"):
        raise credential_in_clear()

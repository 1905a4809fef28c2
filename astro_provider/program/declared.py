"""Refuses a binding that the running program has declared already.

Plain values are compared as the program spells them. Two spellings of one binding, and values that the program does not
know, are left to the provider: its check finds them, and an update at the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.mocks import MockMonitor

from astro_provider.errors import BindingConflict
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
        provider: the provider that the program has made for it, if anything is given by name: one name has two meanings
            if two providers lead to two organizations.
    """

    organization_id: str | None
    workspace_id: str | None
    deployment_id: str | None
    deployment_name: str | None
    token_id: str | None
    token_name: str | None
    provider: str | None = None


# The declarations of each running program, with the name of the resource. A process can run several programs, one after
# the other.
_declared: WeakKeyDictionary[pulumi.Resource, dict[Declaration, str]] = WeakKeyDictionary()


def refuse_twice(resource_name: str, declarations: Iterable[Declaration], opts: pulumi.ResourceOptions | None) -> None:
    """Note the declarations of a resource with these options.

    Under Pulumi's mocks nothing is noted: all unit tests of a process share one root resource, so the programs of two tests
    would count as one.

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
    """Return the name of the provider that the program has made for a resource with these options, or for its parent."""
    if opts is None:
        return None
    provider = opts.provider or (opts.parent._providers.get(PACKAGE) if opts.parent else None)  # noqa: SLF001  no other way
    return provider._name if provider is not None else None  # noqa: SLF001  as above


def of_binding(properties: Mapping[str, Any]) -> list[Declaration]:
    """Return the declaration of a binding; none if the program does not know its deployment or its token."""
    deployment_id, token_id = properties["deployment_id"], properties["org_token_id"]
    deployment_name = properties["deployment_name"] if deployment_id is None else None
    token_name = properties["org_token_name"] if token_id is None else None
    if (deployment_id, deployment_name) == (None, None) or (token_id, token_name) == (None, None):
        return []
    where = properties["workspace_id"] if deployment_id is None else None
    return [Declaration(properties["organization_id"], where, deployment_id, deployment_name, token_id, token_name)]


def of_table(properties: Mapping[str, Any]) -> list[Declaration]:
    """Return the declarations of a table: each key may be an id or a name, so it is declared as both."""
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

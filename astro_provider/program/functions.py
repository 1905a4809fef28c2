"""The functions of a program: the organization's deployments and tokens, and the roles in a deployment.

All functions of a process share the connections, the pace of the calls, and the lists of deployments and tokens, which are
a minute old at most. Roles are read anew each time, because the program itself may have changed them.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pulumi

from astro_provider.astro.reading.assignments import tokens_in
from astro_provider.astro.reading.choosing import deployments_of, organization_tokens
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.rows import DeploymentOrgToken, OrganizationDeployment, OrganizationToken
from astro_provider.astro.settings import Settings

_Answer = TypeVar("_Answer")


def get_deployments(
    *, workspace: str | None = None, name: str | None = None, organization_id: str | None = None
) -> list[OrganizationDeployment]:
    """Return the organization's deployments, by name. It waits for the service.

    Args:
        workspace: only those of this workspace, given by its name or its id.
        name: only those of this name: one in each workspace at most.
        organization_id: the organization, if the credential does not name it.

    Raises:
        SettingsError: no credential or no organization, or a malformed setting.
        InputError: no deployment fits the arguments. For an empty list the program would declare no bindings, and the next
            update would remove the existing ones.
        ServiceError: a call failed.
    """
    return deployments_of(_reader_of(organization_id), workspace=workspace, name=name)


def get_deployments_output(
    *,
    workspace: pulumi.Input[str | None] = None,
    name: pulumi.Input[str | None] = None,
    organization_id: pulumi.Input[str | None] = None,
) -> pulumi.Output[list[OrganizationDeployment]]:
    """As `get_deployments`, for values that are outputs. It waits in a thread, the program goes on."""
    return _as_output(get_deployments, workspace=workspace, name=name, organization_id=organization_id)


def get_organization_tokens(*, name: str | None = None, organization_id: str | None = None) -> list[OrganizationToken]:
    """Return the organization API tokens, by name, without their roles. It waits for the service.

    Args:
        name: only those of this name.
        organization_id: the organization, if the credential does not name it.

    Raises:
        SettingsError: no credential or no organization, or a malformed setting.
        InputError: no organization token has that name.
        ServiceError: a call failed.
    """
    return organization_tokens(_reader_of(organization_id), name=name)


def get_organization_tokens_output(
    *, name: pulumi.Input[str | None] = None, organization_id: pulumi.Input[str | None] = None
) -> pulumi.Output[list[OrganizationToken]]:
    """As `get_organization_tokens`, for values that are outputs. It waits in a thread, the program goes on."""
    return _as_output(get_organization_tokens, name=name, organization_id=organization_id)


def list_deployment_org_tokens(
    deployment_id: str | None = None,
    *,
    deployment_name: str | None = None,
    workspace_id: str | None = None,
    organization_id: str | None = None,
    include_other_scopes: bool = False,
) -> list[DeploymentOrgToken]:
    """Return the tokens that have a role in a deployment, by name. It waits for the service.

    Args:
        deployment_id: the deployment; this, its name, or both.
        deployment_name: its name.
        workspace_id: a guard: the deployment must belong to this workspace. It also decides between several deployments
            of one name.
        organization_id: the organization, if the credential does not name it.
        include_other_scopes: also tokens of a workspace or of a deployment.

    Raises:
        SettingsError: no credential or no organization, or a malformed setting.
        InputError: no deployment or several fit, or it belongs to another workspace.
        ServiceError: a call failed.
    """
    return tokens_in(
        _reader_of(organization_id),
        deployment_id=deployment_id,
        deployment_name=deployment_name,
        workspace_id=workspace_id,
        include_other_scopes=include_other_scopes,
    )


def list_deployment_org_tokens_output(
    deployment_id: pulumi.Input[str | None] = None,
    *,
    deployment_name: pulumi.Input[str | None] = None,
    workspace_id: pulumi.Input[str | None] = None,
    organization_id: pulumi.Input[str | None] = None,
    include_other_scopes: pulumi.Input[bool] = False,
) -> pulumi.Output[list[DeploymentOrgToken]]:
    """As `list_deployment_org_tokens`, for values that are outputs. It waits in a thread, the program goes on."""
    return _as_output(
        list_deployment_org_tokens,
        deployment_id=deployment_id,
        deployment_name=deployment_name,
        workspace_id=workspace_id,
        organization_id=organization_id,
        include_other_scopes=include_other_scopes,
    )


def _as_output(function: Callable[..., _Answer], **arguments: Any) -> pulumi.Output[_Answer]:
    async def ask(values: dict[str, Any]) -> _Answer:
        return await asyncio.to_thread(function, **values)

    return pulumi.Output.all(**arguments).apply(ask)


_lock = threading.Lock()
_readers: dict[Settings, Readers] = {}


def _reader_of(organization_id: str | None) -> Reader:
    """Return the reader of this organization, or the settings' one, by this run's settings."""
    settings = Settings.find(pulumi.runtime.get_config, os.environ)
    with _lock:
        if settings not in _readers:
            client = settings.client()
            atexit.register(client.close)
            _readers[settings] = Readers(client)
        readers = _readers[settings]
    return readers.of(organization_id or settings.organization_id)

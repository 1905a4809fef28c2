"""What a program can ask: which organization tokens hold a role in a deployment.

All questions of a process share the connections and the pace to the service, and what is known about deployments. What
is assigned is read anew each time, because the program itself may have changed it meanwhile.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from typing import Any

import pulumi

from astro_provider.astro.reading.assignments import DeploymentOrgToken, tokens_in
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.settings import Settings


def list_deployment_org_tokens(
    deployment_id: str,
    *,
    workspace_id: str | None = None,
    organization_id: str | None = None,
    include_other_scopes: bool = False,
) -> list[DeploymentOrgToken]:
    """Return the tokens that hold a role in a deployment, by name. It waits for the service.

    Args:
        deployment_id: the deployment.
        workspace_id: a guard: the deployment must belong to this workspace.
        organization_id: the organization, if the credential does not tell it.
        include_other_scopes: also tokens of a workspace or of a deployment.

    Raises:
        SettingsError: no credential or no organization, or a malformed setting.
        InputError: the deployment does not exist, or belongs to another workspace.
        ServiceError: a call failed.
    """
    settings = Settings.find(_config, os.environ)
    reader = _reader(settings)
    organization = organization_id or reader.organization_id(settings.organization_id)
    return tokens_in(
        reader, organization, deployment_id, workspace_id=workspace_id, include_other_scopes=include_other_scopes
    )


def list_deployment_org_tokens_output(
    deployment_id: pulumi.Input[str],
    *,
    workspace_id: pulumi.Input[str | None] = None,
    organization_id: pulumi.Input[str | None] = None,
    include_other_scopes: pulumi.Input[bool] = False,
) -> pulumi.Output[list[DeploymentOrgToken]]:
    """As `list_deployment_org_tokens`, for values that are outputs. It waits in a thread, the program goes on."""

    async def ask(values: dict[str, Any]) -> list[DeploymentOrgToken]:
        return await asyncio.to_thread(list_deployment_org_tokens, values.pop("deployment_id"), **values)

    return pulumi.Output.all(
        deployment_id=deployment_id,
        workspace_id=workspace_id,
        organization_id=organization_id,
        include_other_scopes=include_other_scopes,
    ).apply(ask)


_lock = threading.Lock()
_readers: dict[Settings, Reader] = {}


def _reader(settings: Settings) -> Reader:
    with _lock:
        if settings not in _readers:
            client = settings.client()
            atexit.register(client.close)
            _readers[settings] = Reader(client)
        return _readers[settings]


def _config(key: str) -> str | None:
    namespace, _, name = key.partition(":")
    return pulumi.Config(namespace).get(name)

"""What a subcommand that asks the service works with: settings, a reader of facts, the organization.

Everything comes from the environment; the configuration of a stack is Pulumi's to read, so nothing here looks at it,
and no message sends anybody there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from astro_provider.astro.api import AstroClient, Deployment
from astro_provider.astro.reading.choosing import choose_deployments
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.settings import Settings, only_organization
from astro_provider.commands.cli.names import organization_named, with_ids
from astro_provider.commands.cli.options import Where
from astro_provider.commands.cli.terminal import progress_bar
from astro_provider.errors import SettingsError


@dataclass(frozen=True)
class Session:
    """One run of a subcommand against one organization.

    Attributes:
        settings: what the environment says.
        reader: the facts of the organization.
    """

    settings: Settings
    reader: Reader

    def deployments(self, where: Where) -> list[Deployment]:
        """Return the deployments that are asked for, by id or by name.

        Raises:
            InputError: a deployment or a workspace is unknown or several are meant, or they do not belong together.
        """
        found = with_ids(where, self.reader)
        return choose_deployments(self.reader, deployment_ids=found.deployment_ids, workspace_id=found.workspace_id)

    @contextmanager
    def progress(self, doing: str) -> Iterator[Callable[[int, int], None]]:
        """Lend what is to be told how many calls are done, of how many; it shows a bar where a person watches.

        Args:
            doing: what is being done, for example `Reading assignments`.
        """
        with progress_bar(doing) as tell:
            yield tell


@contextmanager
def opened(organization_id: str | None) -> Iterator[Session]:
    """Open a session from the environment, and close its connections afterwards.

    Args:
        organization_id: id or name, as given on the command line; else the environment, the credential or the service tells it.

    Raises:
        SettingsError: no credential, no organization, or a malformed setting.
        ServiceError: the service was asked for the organization, and the call failed.
    """
    settings = environment_settings()
    client = settings.client()
    try:
        given = organization_id and organization_named(client, organization_id)
        organization = given or settings.organization_id or _only_organization(client)
        yield Session(settings, Readers(client).of(organization))
    finally:
        client.close()


def environment_settings() -> Settings:
    """Return what the environment says.

    Raises:
        SettingsError: no credential, or a malformed setting.
    """
    settings = Settings.find(lambda _key: None, os.environ)
    if settings.credential is None:
        raise SettingsError("No credential for Astro: export ASTRO_API_TOKEN, an API token of the organization.")
    return settings


def _only_organization(client: AstroClient) -> str:
    seen = client.list_organizations()
    only = only_organization(seen)
    if only is None:
        names = ", ".join(f"{found.id} ({found.name})" if found.name else found.id for found in seen)
        raise SettingsError(
            "No organization: neither --organization-id nor ASTRO_ORGANIZATION_ID nor the credential's claims tell it, "
            f"and the credential sees {f'several: {names}' if seen else 'none'}. Write --organization-id."
        )
    return only

"""A connection to the service for one run of a subcommand: settings, a reader of facts, the organization.

All settings come from the environment. A stack's configuration is read by Pulumi only, so nothing here reads it, and no
message recommends it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import typer

from astro_provider.astro.api import AstroClient
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.settings import Settings, only_organization, unknown_in_words
from astro_provider.commands.cli.names import organization_named
from astro_provider.errors import SettingsError


@dataclass(frozen=True)
class Session:
    """One run of a subcommand against one organization."""

    settings: Settings
    reader: Reader


@contextmanager
def opened(organization_id: str | None) -> Iterator[Session]:
    """Open a session with an organization, by its id or its name, and close its connections afterwards.

    None: the environment decides, then the credential's claims, then the only organization that the credential sees.

    Raises:
        SettingsError: no credential, no organization, or a malformed setting.
        ServiceError: the service was asked for the organization, and the call failed.
    """
    with connected() as (settings, client):
        given = organization_id and organization_named(client, organization_id)
        organization = given or settings.organization_id or _only_organization(client)
        yield Session(settings, Readers(client).of(organization))


@contextmanager
def connected() -> Iterator[tuple[Settings, AstroClient]]:
    """Yield the settings of the environment, and the service; a misspelled variable is a warning on standard error.

    Raises:
        SettingsError: no credential, or a malformed setting.
    """
    settings = Settings.find(lambda _key: None, os.environ)
    for name in settings.unknown:
        typer.echo(f"Warning: {unknown_in_words(name)}", err=True)
    if settings.credential is None:
        raise SettingsError("No credential for Astro: export ASTRO_API_TOKEN, an API token of the organization.")
    with closing(settings.client()) as client:
        yield settings, client


def _only_organization(client: AstroClient) -> str:
    seen = client.list_organizations()
    if (only := only_organization(seen)) is not None:
        return only
    names = ", ".join(f"{found.id} ({found.name})" if found.name else found.id for found in seen)
    raise SettingsError(
        "No organization: neither --organization-id nor ASTRO_ORGANIZATION_ID nor the credential's claims name one, "
        f"and the credential sees {f'several: {names}' if seen else 'none'}. Write --organization-id."
    )

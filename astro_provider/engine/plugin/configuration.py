"""The settings of a native provider, and the problems of its configuration.

The default provider has the configuration of the stack. On refresh and destroy the engine sends the one that was stored
with the state, so the environment comes before it, as in the dynamic door. An explicit provider has values of the program,
for an organization or a credential of its own, so they come before the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from astro_provider.astro.identity import holds_secret
from astro_provider.astro.settings import (
    CREDENTIAL,
    HOST,
    NAMESPACE,
    ORGANIZATION_ID,
    TOKEN,
    Settings,
    only_organization_in,
)
from astro_provider.astro.settings import SOURCES as ALL_SOURCES
from astro_provider.errors import InputError, SettingsError
from astro_provider.lifecycle.values import UNKNOWN

SOURCES = {source.config_key.removeprefix(f"{NAMESPACE}:"): source for source in ALL_SOURCES}
SECRET = TOKEN.config_key.removeprefix(f"{NAMESPACE}:")
_ORGANIZATION = ORGANIZATION_ID.config_key.removeprefix(f"{NAMESPACE}:")
# Keys that the engine adds, about the origin of the plugin.
_OF_THE_ENGINE = frozenset(("version", "pluginDownloadURL", "pluginChecksums", "parameterization"))

Configuration = Mapping[str, Any]


def settings(configuration: Configuration, *, explicit: bool, project: str = "") -> Settings:
    """Return the settings of a provider.

    Args:
        configuration: its values by the names of the schema.
        explicit: whether the program has made the provider.
        project: the name of the Pulumi project; the configuration of one named `astro` has its program's keys as well.

    Raises:
        SettingsError: a value is malformed.
    """
    users = [name for name in configuration if name not in _OF_THE_ENGINE and not name.startswith("__")]
    keys = [f"{NAMESPACE}:{name}" for name in users if project != NAMESPACE]
    own = {source.config_key: configuration.get(name) for name, source in SOURCES.items()}
    if not explicit:
        return Settings.find(own.get, os.environ, keys)
    given = {SOURCES[name].variable: _text(value) for name, value in configuration.items() if name in SOURCES}
    environ = {**os.environ, **{variable: text for variable, text in given.items() if text.strip()}}
    if given.get(TOKEN.variable, "").strip() and not given.get(ORGANIZATION_ID.variable, "").strip():
        # If this credential names its organization, the environment's organization is that of another credential.
        alone = Settings.find({TOKEN.config_key: given[TOKEN.variable]}.get, {})
        if only_organization_in(alone.credential) is not None:
            environ.pop(ORGANIZATION_ID.variable, None)
    return Settings.find(lambda _key: None, environ, keys)


def problems(configuration: Configuration) -> list[InputError]:
    """Return the malformed values of a configuration, without a call to the service."""
    found = []
    token = _known(configuration, SECRET) or os.environ.get(TOKEN.variable, "").strip()
    credential = SecretStr(token) if CREDENTIAL.fullmatch(token) else None
    for name, source in SOURCES.items():
        text = _known(configuration, name)
        if not text:
            continue
        with_token = {TOKEN.config_key: credential.get_secret_value()} if credential else {}
        try:
            Settings.find({**with_token, source.config_key: text}.get, {})
        except SettingsError as error:
            # A host may have a password before its @, and a token's secret may stand in the place of an id.
            is_secret = source is TOKEN or holds_secret(text, credential) or (source is HOST and "@" in text)
            found.append(InputError(name, str(error), is_secret=is_secret))
    return found


def is_another_organization(old: Configuration, new: Configuration) -> bool:
    """Return whether two configurations of an explicit provider name two organizations, by id or by their credential's claims."""
    named = {_known(one, _ORGANIZATION) or only_organization_in(SecretStr(_known(one, SECRET))) for one in (old, new)}
    return None not in named and len(named) > 1


def _known(configuration: Configuration, name: str) -> str:
    """Return a value as text; blank if there is none, or if it is not known yet."""
    value = configuration.get(name)
    return "" if value is None or value is UNKNOWN else _text(value).strip()


def _text(value: Any) -> str:
    """Return a value as text; a whole number is written without a fraction."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

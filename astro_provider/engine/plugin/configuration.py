"""Where a native provider's settings come from, and what is wrong with its configuration.

The default provider has the configuration of the stack. On refresh and destroy that is what was stored with the state,
so the environment comes before it, as in the dynamic door. An explicit provider is given its values by the program, for
an organization or a credential of its own, so they come before the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from astro_provider.astro.identity import holds_secret
from astro_provider.astro.settings import (
    HOST,
    LOCK_DIRECTORY,
    ORGANIZATION_ID,
    PREVIEW_CHECKS,
    SETTLE,
    TIMEOUT,
    TOKEN,
    TRACE,
    Settings,
    only_organization_in,
)
from astro_provider.errors import InputError, SettingsError
from astro_provider.lifecycle.values import UNKNOWN

SOURCES = {
    source.config_key.removeprefix("astro:"): source
    for source in (TOKEN, ORGANIZATION_ID, HOST, PREVIEW_CHECKS, TIMEOUT, SETTLE, LOCK_DIRECTORY, TRACE)
}
SECRET = TOKEN.config_key.removeprefix("astro:")

Configuration = Mapping[str, Any]


def settings(configuration: Configuration, *, explicit: bool) -> Settings:
    """The settings of a provider.

    Args:
        configuration: its values by the names of the schema.
        explicit: whether the program gave them.

    Raises:
        SettingsError: a value is malformed.
    """
    own = {source.config_key: configuration.get(name) for name, source in SOURCES.items()}
    if not explicit:
        return Settings.find(own.get, os.environ)
    given = {SOURCES[name].variable: _text(value) for name, value in configuration.items() if name in SOURCES}
    environ = {**os.environ, **{variable: text for variable, text in given.items() if text.strip()}}
    if given.get(TOKEN.variable, "").strip() and not given.get(ORGANIZATION_ID.variable, "").strip():
        # The organization of the environment is that of another credential, if this one tells its own.
        alone = Settings.find({TOKEN.config_key: given[TOKEN.variable]}.get, {})
        if only_organization_in(alone.credential) is not None:
            environ.pop(ORGANIZATION_ID.variable, None)
    return Settings.find(lambda _key: None, environ)


def problems(configuration: Configuration) -> list[InputError]:
    """What is wrong with the form of a configuration; nothing is asked of the service."""
    found = []
    for name, source in SOURCES.items():
        value = configuration.get(name)
        if value is None or value is UNKNOWN:
            continue
        text = _text(value)
        try:
            Settings.find({source.config_key: text}.get, {})
        except SettingsError as error:
            # What stands before a host may be a password, and what stands for an id may be the secret of a token.
            is_secret = source is TOKEN or holds_secret(text) or (source is HOST and "@" in text)
            found.append(InputError(name, str(error), is_secret=is_secret))
    return found


def _text(value: Any) -> str:
    """A value as text; a number without a fraction has none."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

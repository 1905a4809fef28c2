"""The settings: credential, organization, host and timings, and the places where a user sets them.

The environment comes before the stack's configuration, because on refresh and destroy Pulumi hands out the
configuration that was stored with the state, which may be old. A blank value counts as unset. Nothing here calls the
service; the last place to look for an organization, the service itself, is asked by `reading/`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from astro_provider.astro.api import waiting
from astro_provider.astro.api.claims import claims_in, permissions_in
from astro_provider.astro.api.client import AstroClient
from astro_provider.astro.api.models import Organization
from astro_provider.astro.api.network import is_loopback
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.identity import holds_secret, is_identifier, no_secret
from astro_provider.errors import SettingsError
from astro_provider.messages import notices

CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/=-]+")  # RFC 6750, section 2.1
DEFAULT_HOST = "https://api.astronomer.io"
DEFAULT_SETTLE_SECONDS = 1.0  # a writer elsewhere takes two calls, a read and a write, of some 100 ms each
DEFAULT_TIMEOUT_SECONDS = 120.0  # a whole operation with its retries; a deploy job waits that long without a person
MOST_SETTLE_SECONDS = 600.0  # each batch ends that much later; no writer takes ten minutes from its read to its write
MOST_TIMEOUT_SECONDS = 86_400.0  # a day; jobs of CI end sooner, and far longer waits overflow the system's clocks


class PreviewChecks(StrEnum):
    """The strictness of a preview.

    `warn`: what cannot exist yet is a warning. `strict`: every warning is an error. `off`: the service is not called
    and no credential is needed, for pull requests from forks.
    """

    WARN = "warn"
    STRICT = "strict"
    OFF = "off"


@dataclass(frozen=True)
class Source:
    """A setting's places, a variable of the environment, then a key of the stack's configuration; and its content."""

    variable: str
    config_key: str
    content: str = ""

    def find(self, config: Callable[[str], Any], environ: Mapping[str, str]) -> str | None:
        """Return the first value that is not blank, without blanks around it."""
        candidates = (environ.get(self.variable), config(self.config_key))
        return next((str(value).strip() for value in candidates if value is not None and str(value).strip()), None)

    def __str__(self) -> str:
        return f"{self.variable} (environment) or {self.config_key} (pulumi config)"


TOKEN = Source("ASTRO_API_TOKEN", "astro:token")
ORGANIZATION_ID = Source("ASTRO_ORGANIZATION_ID", "astro:organizationId", "the id of the organization")
HOST = Source("ASTRO_API_HOST", "astro:host", f"scheme and host, as in {DEFAULT_HOST}")
PREVIEW_CHECKS = Source("ASTRO_PREVIEW_CHECKS", "astro:previewChecks", f"one of {', '.join(PreviewChecks)}")
SETTLE = Source("ASTRO_SETTLE_SECONDS", "astro:settleSeconds", "a number of seconds")
LOCK_DIRECTORY = Source("ASTRO_LOCK_DIR", "astro:lockDir", "a directory")
TIMEOUT = Source("ASTRO_TIMEOUT_SECONDS", "astro:timeoutSeconds", "a number of seconds")
TRACE = Source("ASTRO_TRACE", "astro:trace", "a file")
NAMESPACE = "astro"
PREFIX = "ASTRO_"  # of each variable above; the Astro CLI and others have variables that begin with it too
LONG = 12  # letters after the prefix: two edits of a name so long lead to no other word
SOURCES = (TOKEN, ORGANIZATION_ID, HOST, PREVIEW_CHECKS, TIMEOUT, SETTLE, LOCK_DIRECTORY, TRACE)


@dataclass(frozen=True)
class Settings:
    """The settings of a user, checked for form."""

    credential: SecretStr | None
    organization_id: str | None  # from a setting, otherwise the only one in the credential's claims
    host: str = DEFAULT_HOST  # with its scheme, without a slash at the end
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS  # the bound of one operation with all its retries
    settle_seconds: float = DEFAULT_SETTLE_SECONDS  # from a writer's read to its write; 0: no write is looked at again
    # Of the locks between this machine's processes; None: in the user's cache directory.
    lock_directory: str | None = None
    preview_checks: PreviewChecks = PreviewChecks.WARN
    trace_file: str | None = None  # gets a line of JSON for each call to the service
    unknown: tuple[str, ...] = ()  # keys and variables that look like a setting, and have no effect

    @classmethod
    def find(cls, config: Callable[[str], Any], environ: Mapping[str, str], keys: Iterable[str] = ()) -> Settings:
        """Look every setting up.

        Args:
            config: returns the value of a key such as `astro:token`, or None.
            environ: the environment's variables.
            keys: all keys of the configuration, those of other namespaces included.

        Raises:
            SettingsError: a value is malformed; the text names its places and what to write.
        """
        credential = _credential(TOKEN.find(config, environ))

        def found(source: Source) -> str | None:
            """Return the value. It would be shown if it is malformed, so the secret of a token in a wrong place is refused."""
            value = source.find(config, environ)
            if value is not None and holds_secret(value, credential):
                raise SettingsError(f"{source} {no_secret(source.content)}")
            return value

        return cls(
            credential=credential,
            organization_id=_organization_id(found(ORGANIZATION_ID)) or only_organization_in(credential),
            host=_host(found(HOST) or DEFAULT_HOST),
            timeout_seconds=_seconds(TIMEOUT, found(TIMEOUT), DEFAULT_TIMEOUT_SECONDS, MOST_TIMEOUT_SECONDS),
            settle_seconds=_seconds(SETTLE, found(SETTLE), DEFAULT_SETTLE_SECONDS, MOST_SETTLE_SECONDS),
            lock_directory=found(LOCK_DIRECTORY),
            preview_checks=_preview_checks(found(PREVIEW_CHECKS)),
            trace_file=found(TRACE),
            unknown=(*unknown_keys(keys), *misspelled_variables(environ)),
        )

    def client(self) -> AstroClient:
        """Return a client of the service, whose long waits are reported in notes.

        A missing credential is an error of its first call.
        """
        waiting.listen(notices.note)
        return AstroClient(
            self.host, self.require_credential, bound_seconds=self.timeout_seconds, trace_file=self.trace_file
        )

    def require_credential(self) -> str:
        """Return the credential in clear, for the request header; a SettingsError names the places if there is none."""
        if self.credential is None:
            raise SettingsError(
                f"No credential for Astro: looked at {TOKEN}. Export ASTRO_API_TOKEN, or run "
                "`pulumi config set --secret astro:token`."
            )
        return self.credential.get_secret_value()


def unknown_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys below `astro:` that no setting has, sorted."""
    known = {source.config_key for source in SOURCES}
    return sorted(key for key in keys if key.startswith(f"{NAMESPACE}:") and key not in known)


def misspelled_variables(environ: Mapping[str, str]) -> list[str]:
    """The variables whose names are a slip of the hand away from a setting's, sorted.

    A false warning is worse than none. So a variable counts only if the setting's own is not set, and not if it has
    more behind a setting's name: `ASTRO_API_TOKEN_PROD` is a user's own.
    """
    missing = [source.variable for source in SOURCES if not environ.get(source.variable, "").strip()]
    return sorted(
        name
        for name, value in environ.items()
        if name.startswith(PREFIX) and value.strip() and not name.startswith(tuple(one.variable for one in SOURCES))
        if any(_is_slip(name.removeprefix(PREFIX), variable.removeprefix(PREFIX)) for variable in missing)
    )


def _is_slip(written: str, meant: str) -> bool:
    """Return whether one edit parts two names, or two of a long one, or two letters that changed places."""
    # Levenshtein's rows: the edits from the letters so far to each beginning of the name that was meant.
    edits: Sequence[int] = range(len(meant) + 1)
    for number, letter in enumerate(written, start=1):
        row = [number]
        for place, other in enumerate(meant):
            row.append(min(row[place] + 1, edits[place + 1] + 1, edits[place] + (letter != other)))
        edits = row
    return edits[-1] <= (2 if len(meant) >= LONG or sorted(written) == sorted(meant) else 1)


def unknown_in_words(name: str) -> str:
    """Name the setting that an unknown key or variable may have meant; if none is near, all of them."""
    prefix, kind = (PREFIX, "variable") if name.startswith(PREFIX) else (f"{NAMESPACE}:", "key")
    places = [source.variable if prefix == PREFIX else source.config_key for source in SOURCES]
    hint = nearest_names(name.removeprefix(prefix), [place.removeprefix(prefix) for place in places], prefix=prefix)
    choices = hint or f" (there are: {', '.join(places)})"
    return f"{name} is no setting of this provider{choices}, so it has no effect. Correct the {kind}, or remove it."


def only_organization(seen: Sequence[Organization]) -> str | None:
    """Return the only organization that the credential sees, the last resort if no setting and no claim has one.

    None if it sees several: guessing among them could write to the wrong one.
    """
    return seen[0].id if len(seen) == 1 else None


def no_organization(seen: int) -> SettingsError:
    """The error if the organization is unknown; `seen` is the number of organizations that the credential can see."""
    return SettingsError(
        f"No organization: looked at the argument organization_id, {ORGANIZATION_ID}, the claims of the credential, and "
        f"the organizations that it can see ({seen}; exactly one would do). Set one of the first three."
    )


def only_organization_in(credential: SecretStr | None) -> str | None:
    """Return the only `organizationId:` among the claims of a JWT's `permissions`; None if there is none, or several."""
    claims = claims_in(credential.get_secret_value()) if credential else {}
    found = set(permissions_in(claims, "organizationId"))
    return found.pop() if len(found) == 1 else None


def _credential(value: str | None) -> SecretStr | None:
    if value and not CREDENTIAL.fullmatch(value):
        raise SettingsError(
            f"The credential in {TOKEN} holds blanks or characters that no API token has. Copy it again."
        )
    return SecretStr(value) if value else None


def _organization_id(value: str | None) -> str | None:
    """Return the id. With the quotes of a file of variables around it, it would get a 403, which misleads."""
    if value and (not is_identifier(value) or not value.isprintable() or set(value) & set("\"'")):
        raise SettingsError(f"{value!r} in {ORGANIZATION_ID} is no id: write the id alone, without quotes and blanks.")
    return value


def _host(value: str) -> str:
    url = value if "://" in value else f"https://{value}"
    # The text beside a host may be a password.
    shown = repr(re.split("[/?#]", value.rpartition("@")[2])[0] if "@" in value else value)
    no_service = SettingsError(f"{shown} in {HOST} is no service: write scheme and host only, as in {DEFAULT_HOST}.")
    try:
        parts = urlsplit(url.rstrip("/"))
        well_formed = (
            _is_host_name(parts.hostname or "") and parts.port != 0 and value.isprintable() and " " not in value
        )
    except ValueError:
        raise no_service from None
    if not well_formed or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        raise no_service
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise SettingsError(
            f"{shown} in {HOST} would send the credential in clear: write https:// (plain http "
            "is only for this machine, as in http://127.0.0.1:8765)."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _is_host_name(name: str) -> bool:
    """Return whether a name, or an address, can be looked up: no empty part, and none that is too long."""
    if ":" in name:  # urlsplit has looked at the address between the brackets
        return True
    try:
        ascii_name = name.encode("idna").decode()
    except UnicodeError:
        return False
    return re.fullmatch(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?", ascii_name) is not None


def _preview_checks(value: str | None) -> PreviewChecks:
    try:
        return PreviewChecks(value or PreviewChecks.WARN)
    except ValueError:
        choices = ", ".join(PreviewChecks)
        raise SettingsError(f"{value!r} in {PREVIEW_CHECKS} is unknown: write one of {choices}.") from None


def _seconds(source: Source, text: str | None, default: float, most: float) -> float:
    if text is None:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    zero_is_allowed = source is SETTLE
    if not math.isfinite(seconds) or seconds < 0 or (seconds == 0 and not zero_is_allowed):
        kind = "a number of seconds, 0 or more" if zero_is_allowed else "a number of seconds above 0"
        raise SettingsError(f"{text!r} in {source} is not {kind}: write, for example, {default:g}.")
    if seconds > most:
        raise SettingsError(
            f"{text!r} in {source} is too long: write {most:.0f} seconds at most, for example {default:g}."
        )
    return seconds

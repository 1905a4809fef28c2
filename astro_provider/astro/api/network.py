"""The way to the service: the proxy, and the certificates that are trusted.

Both are set by environment variables that curl, git and the Pulumi engine read as well. A variable that cannot be used is an
error with its name; no message has a proxy's password. Traffic to this machine goes through no proxy.

Certificates: SSL_CERT_FILE or SSL_CERT_DIR if one is set, otherwise the machine's own store and certifi's. With the
machine's store, a company's CA that curl and the Pulumi engine trust is trusted here too; certifi serves containers
that have no store. `truststore` would add the keychain of macOS only: there, SSL_CERT_FILE has to name an export.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from astro_provider.errors import SettingsError

PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
NO_PROXY_VARIABLES = ("no_proxy", "NO_PROXY")
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
UNREAD_CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the variable that names it."""

    url: str  # scheme, host and port
    variable: str
    auth: tuple[str, str] | None  # user and password

    def __str__(self) -> str:
        return f"{self.url} ({self.variable})"


def is_loopback(host: str) -> bool:
    """Return whether a URL's host is this machine: `localhost` or a loopback address."""
    name = urlsplit(host).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def find_proxy(host: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that leads to a service, given by scheme and host, or None; a SettingsError if it cannot be used."""
    variable = first_set(PROXY_VARIABLES, environ)
    if variable is None or is_loopback(host):
        return None
    exceptions = first_set(NO_PROXY_VARIABLES, environ)
    if exceptions is not None and is_excepted(host, environ[exceptions]):
        return None
    text = environ[variable].strip()
    unusable = SettingsError(
        f"The proxy in {variable} cannot be used: write http://host:port, http://user:password@host:port or "
        "socks5h://host:port, with special characters of a password as %XX, or unset the variable."
    )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise unusable from None
    if parts.scheme not in DEFAULT_PORTS or not re.fullmatch(r"[A-Za-z0-9._:-]+", parts.hostname or ""):
        raise unusable
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise SettingsError(
            f"{variable} names a SOCKS proxy, which needs the package socksio: install socksio (the extra `socks`), or "
            "unset the variable."
        )
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    auth = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
    return Proxy(f"{parts.scheme}://{name}:{port}", variable, auth)


def is_excepted(host: str, exceptions: str) -> bool:
    """Return whether NO_PROXY excepts a service, given by scheme and host. An unreadable entry excepts nothing.

    Entries are names (with all that end in them), addresses and networks, each with or without a port, or `*`; they are
    separated by commas or blanks.
    """
    parts = urlsplit(host)
    name = (parts.hostname or "").rstrip(".")
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    return any(_excepts(entry.lower(), name, port) for entry in re.split(r"[,\s]+", exceptions) if entry)


def _excepts(entry: str, name: str, port: int) -> bool:
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2].rstrip("/")
    if with_port := re.fullmatch(r"(\[.+\]|[^:]+):(\d+)", entry):
        if int(with_port[2]) != port:
            return False
        entry = with_port[1]
    entry = entry.strip("[]")
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        suffix = entry.removeprefix("*").strip(".")
        return bool(suffix) and (name == suffix or name.endswith(f".{suffix}"))
    try:
        return ipaddress.ip_address(name) in network
    except ValueError:
        return False


def trusted_certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The certificates that the service's must come from; a SettingsError if they cannot be read."""
    variable = first_set(CERTIFICATE_VARIABLES, environ)
    if variable is None:
        import certifi  # noqa: PLC0415  httpx brings it

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    path = Path(environ[variable].strip())
    try:
        if variable == "SSL_CERT_FILE":
            return ssl.create_default_context(cafile=path)
        next(path.iterdir(), None)
        return ssl.create_default_context(capath=path)
    except (OSError, ValueError) as error:  # ssl's own errors are OSErrors
        why = "it holds no certificates (PEM)" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", error)
        kind = "file" if variable == "SSL_CERT_FILE" else "directory"
        raise SettingsError(
            f"The {kind} {str(path)!r} in {variable} cannot be used ({why}): name a {kind} with your company's CA, or unset "
            "the variable."
        ) from None


def unread_certificates(environ: Mapping[str, str]) -> str | None:
    """A variable that other programs read for certificates and this package does not, if it is the only one set."""
    return None if first_set(CERTIFICATE_VARIABLES, environ) else first_set(UNREAD_CERTIFICATE_VARIABLES, environ)


def first_set(variables: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """The first of the variables that is not blank."""
    return next((name for name in variables if environ.get(name, "").strip()), None)

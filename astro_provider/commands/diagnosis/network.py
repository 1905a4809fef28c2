"""The checks of the way to Astro: the proxy, the certificates, the trace.

They read the environment and the stack's configuration, and make no call; the check of the service makes some.
"""

from __future__ import annotations

from collections.abc import Mapping

from astro_provider.astro.api import network
from astro_provider.astro.settings import TRACE, Settings
from astro_provider.commands.diagnosis.checks import NO_SETTINGS, Check, Result, failed, ok, warning
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.errors import SettingsError

# A program reaches its engine on this machine by gRPC, which reads these and `no_proxy`, and only in lower case.
READ_BY_GRPC = ("http_proxy", "https_proxy")
NAMES = ("proxy", "certificates", "trace")
ENGINE_HOSTS = ("127.0.0.1", "localhost")


def check_network(environ: Mapping[str, str], stack: Configuration) -> list[Check]:
    """Return the three checks, always in the same order; the environment comes before the stack's configuration."""
    try:
        host = Settings.find(stack.value, environ).host
    except SettingsError:
        results = NO_SETTINGS, NO_SETTINGS, _trace(environ, stack)
    else:
        results = _proxy(host, environ), _certificates(host, environ), _trace(environ, stack)
    return [Check(name, *result) for name, result in zip(NAMES, results, strict=True)]


def _proxy(host: str, environ: Mapping[str, str]) -> Result:
    try:
        proxy = network.find_proxy(host, environ)
    except SettingsError as error:
        return failed(str(error))
    found = f"Calls to {host} go through {'the proxy ' + str(proxy) if proxy else 'no proxy'}."
    variable = network.first_set(READ_BY_GRPC, environ)
    exceptions = environ.get("no_proxy", "")
    if variable and not all(network.is_excepted(f"http://{name}", exceptions) for name in ENGINE_HOSTS):
        return warning(
            f"{found} {variable} in lower case cuts every Pulumi program in Python off from its engine on this machine.",
            f"Export no_proxy={','.join(ENGINE_HOSTS)} (in lower case), or set {variable.upper()} instead of {variable}.",
        )
    return ok(found)


def _certificates(host: str, environ: Mapping[str, str]) -> Result:
    if host.startswith("http:"):
        return ok(f"No certificates are needed: {host} is this machine, in clear.")
    try:
        network.trusted_certificates(environ)
    except SettingsError as error:
        return failed(str(error))
    variable = network.first_set(network.CERTIFICATE_VARIABLES, environ)
    if variable:
        return ok(f"The certificates in {environ[variable].strip()} are trusted ({variable}).")
    found = "The certificates of this machine and of certifi are trusted."
    if unread := network.unread_certificates(environ):
        advice = f"If {host} is not trusted, set SSL_CERT_FILE to the file in {unread}."
        return warning(f"{found} {unread} is set, but this package does not read it.", advice)
    return ok(found)


def _trace(environ: Mapping[str, str], stack: Configuration) -> Result:
    path = TRACE.find(stack.value, environ)
    if path is None:
        return ok(f"{TRACE.variable} is not set; {TRACE.variable}=<file> records each call to Astro.")
    whence = TRACE.variable if environ.get(TRACE.variable, "").strip() else TRACE.config_key
    return ok(f"Each call to Astro is recorded in {path} ({whence}).")

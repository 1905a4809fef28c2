"""The checks that are about the way to Astro: the proxy, the certificates, the trace.

They read the environment and the stack's configuration and call nobody; whether the way leads anywhere, the check of the service shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from astro_provider.astro.api import network
from astro_provider.astro.settings import TRACE, Settings
from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.errors import SettingsError

# gRPC, by which a program reaches its engine on this machine, reads these and `no_proxy`, and only in lower case.
READ_BY_GRPC = ("http_proxy", "https_proxy")
NAMES = ("proxy", "certificates", "trace")
ENGINE_HOSTS = ("127.0.0.1", "localhost")


def check_network(environ: Mapping[str, str], stack: Configuration) -> list[Check]:
    """Look at all of it; the checks are always the same, in the same order.

    Args:
        environ: the environment's variables.
        stack: what the stack's configuration sets, which the environment comes before.
    """
    try:
        host = Settings.find(stack.value, environ).host
    except SettingsError:
        unknown = "Not looked at, because a setting is malformed."
        return [
            Check("proxy", Status.UNKNOWN, unknown),
            Check("certificates", Status.UNKNOWN, unknown),
            _trace(environ, stack),
        ]
    return [_proxy(host, environ), _certificates(host, environ), _trace(environ, stack)]


def _proxy(host: str, environ: Mapping[str, str]) -> Check:
    try:
        proxy = network.find_proxy(host, environ)
    except SettingsError as error:
        return Check("proxy", Status.FAILED, str(error))
    found = f"Calls to {host} go through {'the proxy ' + str(proxy) if proxy else 'no proxy'}."
    variable = network.first_set(READ_BY_GRPC, environ)
    exceptions = environ.get("no_proxy", "")
    if variable and not all(network.is_excepted(f"http://{name}", exceptions) for name in ENGINE_HOSTS):
        return Check(
            "proxy",
            Status.WARNING,
            f"{found} {variable} in lower case cuts every Pulumi program in Python off from its engine on this machine.",
            f"Export no_proxy={','.join(ENGINE_HOSTS)} (in lower case), or set {variable.upper()} instead of {variable}.",
        )
    return Check("proxy", Status.OK, found)


def _certificates(host: str, environ: Mapping[str, str]) -> Check:
    if host.startswith("http:"):
        return Check("certificates", Status.OK, f"None are needed: {host} is this machine, in clear.")
    try:
        network.trusted_certificates(environ)
    except SettingsError as error:
        return Check("certificates", Status.FAILED, str(error))
    variable = network.first_set(network.CERTIFICATE_VARIABLES, environ)
    if variable:
        return Check("certificates", Status.OK, f"Trusted are those in {environ[variable].strip()} ({variable}).")
    found = "Trusted are those of this machine and certifi's."
    if unread := network.unread_certificates(environ):
        advice = f"If {host} is not trusted, set SSL_CERT_FILE to the file in {unread}."
        return Check("certificates", Status.WARNING, f"{found} {unread} is set, which is not read here.", advice)
    return Check("certificates", Status.OK, found)


def _trace(environ: Mapping[str, str], stack: Configuration) -> Check:
    path = TRACE.find(stack.value, environ)
    if path is None:
        return Check(
            "trace", Status.OK, f"{TRACE.variable} is not set; {TRACE.variable}=<file> records each call to Astro."
        )
    whence = TRACE.variable if environ.get(TRACE.variable, "").strip() else TRACE.config_key
    return Check("trace", Status.OK, f"Each call to Astro is recorded in {path} ({whence}).")

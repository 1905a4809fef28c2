"""The reason for a missing answer, in words that name the variable and the remedy, and whether another attempt can help.

What cannot get better by waiting (a certificate, a proxy's refusal, a wrong variable) is tried once. A name that does not
resolve is tried three times, and a port of this machine without a listener for two seconds: an emulator may be
starting.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator, Mapping

from astro_provider.astro.api.http import httpx
from astro_provider.astro.api.network import CERTIFICATE_VARIABLES, Proxy, first_set, is_loopback, unread_certificates
from astro_provider.errors import ONCE, UNTIL_DEADLINE, Patience

TRIES_OF_A_NAME = 3  # with their pauses, two seconds at most
SECONDS_OF_THIS_MACHINE = 1.5  # and the pause that has begun


def unreachable(
    error: Exception, what: str, host: str, proxy: Proxy | None, environ: Mapping[str, str]
) -> tuple[str, Patience]:
    """Return why no answer came, and how long another attempt is worth it.

    `error` is what httpx raised, and `what` its text, fit to be shown.
    """
    causes = list(_causes(error))
    untrusted = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return _untrusted(untrusted, host, environ), ONCE
    if isinstance(error, httpx.ProxyError) and proxy is not None and (status := re.match(r"4\d\d\b", what)):
        return _refused_by_proxy(status[0], what, host, proxy), ONCE
    is_about_connecting = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    if is_about_connecting and any(isinstance(cause, socket.gaierror) for cause in causes):
        return _without_name(what, host, proxy), Patience(tries=TRIES_OF_A_NAME)
    if is_about_connecting and any(isinstance(one, OSError) and one.errno == errno.ECONNREFUSED for one in causes):
        if proxy is not None:
            start = f"the proxy {proxy} refuses connections ({what}). Start it, or correct or unset {proxy.variable}."
            return start, ONCE
        if is_loopback(f"//{host}"):
            patience = Patience(seconds=SECONDS_OF_THIS_MACHINE)
            return f"no answer from {host} ({what}). Is the emulator running?", patience
    return f"no answer from {host} ({what}).", UNTIL_DEADLINE


def _without_name(what: str, host: str, proxy: Proxy | None) -> str:
    if proxy is not None:
        return f"the name of the proxy {proxy} cannot be found ({what}). Correct or unset {proxy.variable}."
    return (
        f"the name {host} cannot be found ({what}). Check the network and ASTRO_API_HOST (or astro:host); behind a "
        "company's proxy, set HTTPS_PROXY."
    )


def _untrusted(error: ssl.SSLCertVerificationError, host: str, environ: Mapping[str, str]) -> str:
    text = f"the certificate of {host} is not trusted ({error.verify_message})."
    if variable := first_set(CERTIFICATE_VARIABLES, environ):
        return f"{text} {variable} is set: does it hold your company's CA?"
    if variable := unread_certificates(environ):
        return f"{text} {variable} is set, which is not read here: set SSL_CERT_FILE to the same file."
    return f"{text} If your company's proxy opens encrypted traffic, set SSL_CERT_FILE to your company's CA file."


def _refused_by_proxy(status: str, what: str, host: str, proxy: Proxy) -> str:
    text = f"the proxy {proxy} refuses to lead to {host} ({what})."
    if status == "407":
        return f"{text} Set {proxy.variable} to http://user:password@host:port, with a user that the proxy knows."
    return f"{text} Ask for access to {host}, or name it in NO_PROXY if it can be reached without the proxy."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

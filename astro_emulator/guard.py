"""Refuses the calls that a web page could make a browser send to this machine.

A page of any site may post a form or plain text to 127.0.0.1 without asking, and a site whose name resolves to
127.0.0.1 may read the answers as well. So the header Host has to name a loopback address, the content type of a body
has to be JSON (which no page may send to another site unasked), and a header Origin has to name the emulator itself.
This is the emulator's rule; nothing is known about the service's.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from astro_emulator.answers import JSON, ApiError, error_response


class Guard:
    """An ASGI application around another; refused calls reach nothing and are not logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] == "http" and (refusal := _refusal(scope)) is not None:
            await error_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _refusal(scope: Scope) -> ApiError | None:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "")
    if not _is_loopback(host):
        return ApiError(403, "The emulator is only there for this machine: the header Host has to name 127.0.0.1.")
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return ApiError(403, "The emulator does not take calls from web pages: the header Origin names another origin.")
    content_type = headers.get("content-type")
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if content_type is None and not has_body:
        return None
    if (content_type or "").partition(";")[0].strip().lower() != JSON:
        return ApiError(415, f"The emulator takes JSON only: send the header Content-Type: {JSON}.")
    return None


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False

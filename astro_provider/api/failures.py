"""What a failed call says: the operation, the ids it was about, the service's own words with its request id, what to do.

People read these texts in pull requests and send them to support. At most LONGEST_QUOTE characters of an answer are
repeated, in one line, and the credential is cut out of them, because a service may echo what it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from astro_provider.api.http import httpx
from astro_provider.api.retry import parse_retry_after
from astro_provider.errors import (
    CallRefused,
    CredentialRefused,
    Forbidden,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
)

LONGEST_QUOTE = 256  # characters of an answer's body that a message repeats

_ADVICE = {
    401: "Check that ASTRO_API_TOKEN (or astro:token) holds a valid token that has not expired.",
    403: "The credential needs the permission organization.apiTokens.access (the role Organization Owner has it).",
}
_ORGANIZATION_ADVICE = (
    "Check the organization's id (organization_id, or ASTRO_ORGANIZATION_ID), and whose credential it is."
)
_ERRORS: dict[int, type[ServiceError]] = {401: CredentialRefused, 403: Forbidden, 404: NotFound, 429: Unavailable}


class Failures:
    """The errors of one client.

    Args:
        host: the service's host, as messages name it.
        credential: returns what must not stand in a message.
    """

    def __init__(self, host: str, credential: Callable[[], str]) -> None:
        self._host = host
        self._credential = credential

    def no_answer(self, operation: str, path: str, error: httpx.HTTPError) -> Unavailable:
        """The error of a call that nobody answered."""
        what = self._scrubbed(str(error)) or type(error).__name__
        return Unavailable(f"{_where(operation, path)}: no answer from {self._host} ({what}).")

    def no_json(self, operation: str, path: str, response: httpx.Response) -> UnexpectedAnswer:
        """The error of a success that cannot be read."""
        kind = response.headers.get("content-type", "no content type")
        return self.unexpected(operation, path, f"the answer is no JSON ({self._quoted(kind)})", response.text)

    def unexpected(self, operation: str, path: str, reason: str, body: str = "") -> UnexpectedAnswer:
        """The error of an answer that is not what the API promises."""
        quoted = self._quoted(body)
        text = f"{_where(operation, path)}: unexpected answer from {self._host}: {reason}"
        text += f": {quoted}" if quoted else ""
        return UnexpectedAnswer(f"{text}. Check ASTRO_API_HOST (or astro:host) if this goes on.")

    def refused(self, operation: str, path: str, response: httpx.Response) -> ServiceError:
        """The error that belongs to an answer which is no success."""
        if response.is_redirect:
            return self._somebody_elses(operation, path, "a redirect", response)
        if response.status_code == HTTPStatus.NOT_FOUND and _error_object(response) is None:
            # A proxy or a wrong host knows nothing of tokens: it must not make anybody believe that one is gone.
            return self._somebody_elses(operation, path, "but not in the service's own words", response)
        status = response.status_code
        words, request_id = self._words(response)
        text = f"{_where(operation, path)}: HTTP {status} {_phrase(status)}"
        text += f": {words}" if words else ""
        text += f" (requestId {request_id})." if request_id else "."
        advice = _ADVICE.get(status)
        if status == HTTPStatus.NOT_FOUND and _is_of_whole_organization(response.request.url):
            advice = _ORGANIZATION_ADVICE
        text += f" {advice}" if advice else ""
        kind = _ERRORS.get(status, CallRefused if response.is_client_error else Unavailable)
        retry_after = parse_retry_after(response.headers.get("retry-after"))
        return kind(text, status=status, request_id=request_id, retry_after=retry_after)

    def _somebody_elses(self, operation: str, path: str, what: str, response: httpx.Response) -> CallRefused:
        """The error of an answer that is not the service's; another attempt would end there too."""
        status = response.status_code
        unexpected = self.unexpected(operation, path, f"HTTP {status}, {what}", response.text)
        return CallRefused(str(unexpected), status=status)

    def _words(self, response: httpx.Response) -> tuple[str, str | None]:
        """The service's own words about an error, and its request id; the body's start where it is no error object."""
        body = _error_object(response)
        if body is None:
            return self._quoted(response.text), None
        details = [
            f"{field.get('field')}: {field.get('message')}"
            for field in (body["fieldErrors"] if isinstance(body.get("fieldErrors"), list) else ())
            if isinstance(field, dict)
        ]
        words = "; ".join(text.rstrip(".") for text in [str(body["message"]), *details])
        request_id = body.get("requestId")
        return self._quoted(words), self._quoted(str(request_id)) if request_id else None

    def _quoted(self, text: str) -> str:
        """One line of at most LONGEST_QUOTE characters, without the credential."""
        line = " ".join(self._scrubbed(text).split())
        return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._credential(), "***")


def _error_object(response: httpx.Response) -> dict[str, Any] | None:
    """The service's error object; None where the body is something else."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and "message" in body else None


def _is_of_whole_organization(url: httpx.URL) -> bool:
    """Tell whether a call was for all tokens, deployments or roles of an organization."""
    return "organizations" in url.path.split("/")[-3:-2] and "deploymentId" not in url.params


def _where(operation: str, path: str) -> str:
    """The operation and the ids it was about, from a path that alternates between kinds and ids."""
    parts = path.strip("/").split("/")
    ids = [f"{kind.rstrip('s')} {identifier}" for kind, identifier in zip(parts[::2], parts[1::2], strict=False)]
    return f"{operation} ({', '.join(ids)})" if ids else operation


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"

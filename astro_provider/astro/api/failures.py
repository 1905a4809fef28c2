"""Errors of failed calls: the operation, the ids it was about, the service's own words with its request id, what to do.

People read these texts in pull requests and send them to support. At most `shown.LONGEST_QUOTE` characters of an answer are
repeated, in one line, and the credential is cut out of them, because a service may echo what it was sent, also encoded.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses

from astro_provider.astro.api.answers import LARGEST_BYTES, Answer
from astro_provider.astro.api.claims import claims_in, permissions_in
from astro_provider.astro.api.http import httpx
from astro_provider.astro.api.network import Proxy
from astro_provider.astro.api.retry import parse_retry_after
from astro_provider.astro.api.unreachable import unreachable
from astro_provider.errors import (
    NOT_MADE,
    ONCE,
    CallRefused,
    Cancelled,
    CredentialRefused,
    Forbidden,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
)
from astro_provider.messages import shown

TOKENS_ACCESS = "organization.apiTokens.access"

_EXPIRED = "Check that ASTRO_API_TOKEN (or astro:token) holds a valid token that has not expired."
# Each call has a right of its own in the published API; reading and writing tokens share one.
_RIGHTS = {
    "ListDeployments": "organization.deployments.get",
    "GetDeployment": "deployment.get",
    "ListRoles": "organization.customRoles.get",
    "ListApiTokens": TOKENS_ACCESS,
    "GetApiToken": TOKENS_ACCESS,
    "UpdateApiTokenRoles": TOKENS_ACCESS,
}
# Its description wants a personal token, so a refusal says nothing about other calls.
_OF_PERSONS = "ListOrganizations"
_SET_ORGANIZATION = (
    "Set ASTRO_ORGANIZATION_ID (or astro:organizationId): then this call, which Astro documents for personal tokens, is "
    "not made."
)
_ORGANIZATION_ADVICE = (
    "Check the organization's id (organization_id, or ASTRO_ORGANIZATION_ID), and whose credential it is."
)
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_ERRORS: dict[int, type[ServiceError]] = {
    401: CredentialRefused,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    425: Unavailable,
    429: Unavailable,
}


@dataclass(frozen=True)
class Call:
    """A call of the service: its operation, its path, which alternates between kinds and ids, and its parameters."""

    operation: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The last part of the path: of a list, the kind of its objects, and where an answer has them."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        """The operation and the ids it is about, as messages name the call."""
        parts = self.path.strip("/").split("/")
        ids = [f"{kind.rstrip('s')} {identifier}" for kind, identifier in zip(parts[::2], parts[1::2], strict=False)]
        return f"{self.operation} ({', '.join(ids)})" if ids else self.operation


class Failures:
    """The errors of one client, whose messages name the host, and never the credential."""

    def __init__(self, host: str, credential: Callable[[], str]) -> None:
        self._host = host
        self._credential = credential
        self.proxy: Proxy | None = None  # known once the connection is opened

    def no_answer(self, call: Call, error: httpx.HTTPError) -> Unavailable:
        """The error of a call without an answer, with the remedy if another attempt cannot help."""
        what = self._scrubbed(str(error)) or type(error).__name__
        reason, patience = unreachable(error, what, self._host, self.proxy, os.environ)
        return Unavailable(
            f"{call}: {self._scrubbed(reason)}", patience=patience, sent=not isinstance(error, _BEFORE_SENDING)
        )

    def too_late(self, call: Call) -> Unavailable:
        """The error of a call whose turn would come after the deadline."""
        text = "the service allows so many calls a second, and this call's turn would come after timeoutSeconds"
        return Unavailable(f"{call}: {text}, so it was not made. Run again.", patience=NOT_MADE, sent=False)

    def cancelled(self, call: Call) -> Cancelled:
        """The error of a call that is not made, because the run was cancelled."""
        return Cancelled(f"The run was cancelled, so {call} was not called. Run again.")

    def no_json(self, call: Call, answer: Answer) -> UnexpectedAnswer:
        """The error of a success that cannot be read."""
        kind = answer.headers.get("content-type", "no content type")
        return self.unexpected(call, f"the answer is no JSON ({self._quoted(kind)})", answer.text)

    def too_large(self, call: Call) -> UnexpectedAnswer:
        """The error of an answer that was not taken in."""
        reason = (
            f"the answer is larger than {LARGEST_BYTES // 1024**2} MiB, or has more values than any page of the API"
        )
        return self.unexpected(call, reason, lasting=True)

    def unexpected(self, call: Call, reason: str, body: str = "", *, lasting: bool = False) -> UnexpectedAnswer:
        """The error of an answer that is not what the API promises."""
        quoted = self._quoted(body)
        text = f"{call}: unexpected answer from {self._host}: {self._scrubbed(reason)}"
        text += f": {quoted}" if quoted else ""
        return UnexpectedAnswer(
            f"{text}. Check ASTRO_API_HOST (or astro:host) if this goes on.", patience=ONCE if lasting else None
        )

    def refused(self, call: Call, answer: Answer) -> ServiceError:
        """The error that belongs to an answer which is no success."""
        status, error = answer.status, answer.error
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        # Gateways send a message too, but neither of the other two.
        is_of_the_api = "message" in error and error.get("statusCode") and error.get("requestId")
        if is_redirect or (status == HTTPStatus.NOT_FOUND and not is_of_the_api):
            # A proxy or a wrong host knows nothing of tokens: its 404 must not be taken as the sign that one is gone.
            what = "a redirect" if is_redirect else "but not in the service's own words"
            return CallRefused(str(self.unexpected(call, f"HTTP {status}, {what}", answer.text)), status=status)
        request_id = self._quoted(str(error["requestId"])) if "message" in error and error.get("requestId") else None
        words = self._words(answer)
        text = f"{call}: HTTP {status} {responses.get(status, 'unknown status')}"
        text += f": {words}" if words else ""
        text += f" (requestId {request_id})." if request_id else "."
        advice = _advice(call, status)
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            advice = _wrong_organization(call.path, self._credential()) or advice
        text += f" {advice}" if advice else ""
        kind = _ERRORS.get(status, CallRefused if status < HTTPStatus.INTERNAL_SERVER_ERROR else Unavailable)
        retry_after = parse_retry_after(answer.headers.get("retry-after"))
        return kind(text, status=status, request_id=request_id, retry_after=retry_after)

    def _words(self, answer: Answer) -> str:
        """The service's own words about an error; the body's start if it is no error object."""
        error = answer.error
        if "message" not in error:
            return self._quoted(answer.text)
        fields = error["fieldErrors"] if isinstance(error.get("fieldErrors"), list) else ()
        details = [f"{one.get('field')}: {one.get('message')}" for one in fields if isinstance(one, dict)]
        return self._quoted("; ".join(text.rstrip(".") for text in [str(error["message"]), *details]))

    def _quoted(self, text: str) -> str:
        """One line of a text, cut to a length that a message can repeat, without the credential."""
        return shown.line(" ".join(self._scrubbed(text).split()), longest=shown.LONGEST_QUOTE)

    def _scrubbed(self, text: str) -> str:
        return _in_any_spelling(self._credential()).sub("***", text)


@functools.lru_cache(maxsize=4)
def _in_any_spelling(secret: str) -> re.Pattern[str]:
    """The pattern that finds a secret in clear, percent-encoded, escaped in JSON or in HTML, or partly so."""
    return re.compile("".join(map(_character_in_any_spelling, secret)))


def _character_in_any_spelling(character: str) -> str:
    code = ord(character)
    escapes = f"(?i:%{code:02x}|\\\\u{code:04x}|&#{code};|&#x{code:x};)"
    return f"(?:\\\\?{re.escape(character)}|{escapes})"


def _advice(call: Call, status: int) -> str | None:
    if status == HTTPStatus.UNAUTHORIZED:
        return f"{_SET_ORGANIZATION} If other calls fail too: {_EXPIRED}" if call.operation == _OF_PERSONS else _EXPIRED
    if status == HTTPStatus.FORBIDDEN:
        if call.operation == _OF_PERSONS:
            return _SET_ORGANIZATION
        return f"The credential needs the permission {_RIGHTS[call.operation]} (the role Organization Owner has it)."
    is_of_whole_organization = "organizations" in call.path.split("/")[-3:-2] and "deploymentId" not in call.params
    return _ORGANIZATION_ADVICE if status == HTTPStatus.NOT_FOUND and is_of_whole_organization else None


def _wrong_organization(path: str, credential: str) -> str | None:
    """The advice if the credential names the organizations that it is for, and a call was about another one."""
    kind, asked, *_ = *path.strip("/").split("/"), "", ""
    claimed = permissions_in(claims_in(credential), "organizationId")
    if kind != "organizations" or not asked or not claimed or asked in claimed:
        return None
    return (
        f"The credential is for organization {', '.join(claimed)}, not for {asked}: correct organization_id (or "
        "ASTRO_ORGANIZATION_ID, astro:organizationId), or use a credential of that organization."
    )

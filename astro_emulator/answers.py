"""Answers on the wire: plain JSON, and one shape for every error.

Answers are not validated against models on their way out, because a page of 1000 tokens has to leave in a few
milliseconds. The contract test validates them, from outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.responses import Response

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A whole answer, which a fault may still spoil before it is sent.

    `drip_ms` is the pause before each byte of the body, in milliseconds; 0 sends it at once.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    drip_ms: float = 0


class FieldError(NamedTuple):
    """One fault in a request: a code, the place, and a sentence."""

    code: str
    field: str
    message: str


class ApiError(Exception):
    """A refusal: becomes an answer in the error shape of the API.

    Args:
        status: the HTTP status.
        message: the sentence for the caller.
        field_errors: the places at fault, for a 400.
        headers: further headers of the answer.
        as_text: the answer is the message alone, as a gateway's is.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field_errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        as_text: bool = False,
    ) -> None:
        super().__init__(message)
        self.as_text = as_text
        self.status = status
        self.message = message
        self.field_errors = field_errors
        self.headers = headers or {}


class JSONAnswer(Response):
    """A response of the app, written without the detour over models."""

    media_type = JSON

    def render(self, content: object) -> bytes:
        """Return the content as bytes."""
        return dumps(content)


def dumps(content: object) -> bytes:
    r"""Return compact JSON; half a surrogate pair stays an escape (`\ud800`), since UTF-8 has no bytes for it."""
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def error_answer(error: ApiError) -> Answer:
    """Return a refusal as it leaves."""
    if error.as_text:
        return Answer(error.status, {"content-type": TEXT, **error.headers}, error.message.encode())
    body: dict[str, Any] = {
        "message": error.message,
        "requestId": str(uuid4()),
        "statusCode": error.status,
    }
    if error.field_errors:
        body["fieldErrors"] = [fault._asdict() for fault in error.field_errors]
    return Answer(error.status, {"content-type": JSON, **error.headers}, dumps(body))


def error_response(error: ApiError) -> Response:
    """Return a refusal as a response of the app."""
    answer = error_answer(error)
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))

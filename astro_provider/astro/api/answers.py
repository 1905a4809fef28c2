"""An answer, taken in within bounds: a size after unpacking, and the deadline of the call.

httpx waits for each piece of an answer and unpacks each piece whole. So an answer that drips would hold a call, and the
lock of its token, for ever, and a few hundred kilobytes could unpack to more memory than the machine has.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

from astro_provider.astro.api import deadline
from astro_provider.astro.api.http import httpx

# A page of 1000 tokens takes about 1 MiB, and one token with 10,000 roles 1.5 MiB.
LARGEST_BYTES = 16 * 1024 * 1024
# A value of one byte takes fifty and more once it is parsed. A page of 1000 tokens has about 25,000 values.
MOST_VALUES = 500_000
LONGEST_REQUEST_ID = 100  # characters
ACCEPTED_ENCODINGS = "gzip, deflate"
_PIECE = 64 * 1024
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class TooLargeError(Exception):
    """The answer is larger than anything that the API sends."""


class NotReadableError(Exception):
    """The answer is packed in a way that was not asked for, or wrongly; the text says how."""


@dataclass(frozen=True)
class Answer:
    """An answer, with its body unpacked."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_success(self) -> bool:
        """Return whether the service did what was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def text(self) -> str:
        """The body for a message."""
        return self.body.decode(errors="replace")

    def parsed(self) -> Any:
        """Parse the body as JSON; ValueError if it is none, TooLargeError if it has more than MOST_VALUES values."""
        if sum(self.body.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
            raise TooLargeError
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    @cached_property
    def error(self) -> dict[str, Any]:
        """The object that an answer without success has as its body; empty if it has none."""
        try:
            found = self.parsed()
        except (ValueError, TooLargeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def request_id(self) -> str | None:
        """The id by which the service knows the call: of an error's body, or of a header."""
        found = (None if self.is_success else self.error.get("requestId")) or self.headers.get("x-request-id")
        return str(found)[:LONGEST_REQUEST_ID] if found else None


def taken(response: httpx.Response) -> Answer:
    """Take a streamed answer in, before the deadline of this thread.

    Raises:
        TooLargeError: it is larger than LARGEST_BYTES.
        NotReadableError: it cannot be unpacked.
        httpx.HTTPError: the connection broke, or the deadline passed.
    """
    body = bytearray()
    for piece in _unpacked(response):
        body += piece
        if len(body) > LARGEST_BYTES:
            raise TooLargeError
        if not deadline.current().remaining:
            raise httpx.ReadTimeout("the answer had not ended when the time was over")
    return Answer(response.status_code, response.headers, bytes(body))


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise NotReadableError(f"it is packed as {encoding}, which was not asked for")
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for packed in response.iter_raw():
            rest = packed
            while rest and not unpacking.eof:
                yield unpacking.decompress(rest, _PIECE)
                rest = unpacking.unconsumed_tail
    except zlib.error as error:
        raise NotReadableError(f"it is not packed as {encoding}: {error}") from None
    yield unpacking.flush()

"""Spoils a finished answer as a fault orders it; pure functions from an answer to an answer."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from astro_emulator.answers import Answer, dumps

OK = 200
MEGABYTE = 1 << 20
_BLANKS = b" " * MEGABYTE
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def without_roles(answer: Answer) -> Answer:
    """Leave `roles` out of tokens."""
    shown = json.loads(answer.body)
    for token in _objects(shown):
        token.pop("roles", None)
    return answer._replace(body=dumps(shown))


def changed(answer: Answer, change: Mapping[str, Any], only: str | None) -> Answer:
    """Give attributes of the objects in an answer other values; `only` the object of that id, if it is given."""
    if answer.status != OK or not answer.body:
        return answer
    shown = json.loads(answer.body)
    for one in _objects(shown):
        if only in (None, one.get("id")):
            one.update(change)
    return answer._replace(body=dumps(shown))


def inflating(answer: Answer, megabytes: int) -> Answer:
    """Make the answer a small gzip body that unfolds to `megabytes`: itself, and blanks behind it, which JSON allows."""
    body = answer.body
    start = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    parts = [_GZIP_HEAD, start.compress(body), start.flush(zlib.Z_FULL_FLUSH)]
    # After a full flush a block depends on nothing before it, so one of them may be repeated.
    block = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    parts += [(block.compress(_BLANKS) + block.flush(zlib.Z_FULL_FLUSH)) * megabytes]
    parts += [zlib.compressobj(wbits=-zlib.MAX_WBITS).flush()]
    size = (len(body) + megabytes * MEGABYTE) % (1 << 32)
    parts += [_checksum(zlib.crc32(body), megabytes).to_bytes(4, "little"), size.to_bytes(4, "little")]
    return answer._replace(headers={**answer.headers, "content-encoding": "gzip"}, body=b"".join(parts))


@lru_cache(maxsize=64)
def _checksum(start: int, megabytes: int) -> int:
    for _ in range(megabytes):
        start = zlib.crc32(_BLANKS, start)
    return start


def _objects(shown: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of an answer: those of its lists if it is a page, otherwise the answer itself."""
    if not isinstance(shown, dict):
        return
    if "totalCount" not in shown:
        yield shown
        return
    for items in shown.values():
        if isinstance(items, list):
            yield from items

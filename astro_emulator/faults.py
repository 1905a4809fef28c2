"""Faults of single calls, as of a network, a gateway or a tired service; a test orders them.

A fault strikes the calls that it fits: `skip` of them pass first, then `times` of them are struck. The oldest fault
that fits decides; no call is struck twice. With `truncated` and `drop_after` a write happens although the caller sees
an error; with `delay` it happens after the caller has given up; with `stale_writer` it does not last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from astro_emulator import spoiling
from astro_emulator.answers import JSON, Answer, ApiError, dumps, error_answer

GATEWAY_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"
BODYLESS = (204, 304)
SHOWS_TOKENS = ("GetApiToken", "ListApiTokens", "CreateApiToken", "UpdateApiToken", "RotateApiToken")
OBJECTS = (("tokens", "API token"), ("deployments", "Deployment"), ("organizations", "Organization"))


Kind = Literal[
    "status",
    "html",
    "empty_ok",
    "not_found",
    "drop_before",
    "drop_after",
    "delay",
    "truncated",
    "no_roles",
    "changed",
    "drip",
    "gzip_bomb",
    "stale_writer",
]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        reason = f"not a regular expression: {error}"
        raise ValueError(reason) from None
    return pattern


class Fault(BaseModel):
    """One fault; a field that is None fits every call.

    Attributes:
        operation: an operationId of the API, for example `GetApiToken`.
        path: a regular expression that is searched for in the path.
        verb: an HTTP method.
        times: how many calls are struck, None for all.
        skip: how many fitting calls pass before that.
        kind: `status` answers `status` with the error shape, or with `body` and `headers`, and nothing is handled;
            `html` and `empty_ok` answer 200 with a page of HTML, or with nothing at all, and nothing is handled;
            `truncated` handles the call and sends half of the answer; `drop_before` closes the connection and nothing
            is handled; `drop_after` handles the call and closes the connection without an answer; `delay` handles the
            call late; `no_roles` handles the call and leaves `roles` out of tokens; `changed` handles the call and
            gives attributes of the objects in its answer other values; `drip` handles the call and sends the answer
            byte by byte; `gzip_bomb` handles the call and sends a small answer that unfolds to a huge one; `not_found`
            answers 404 in the service's own words for the object that the path names, and nothing is handled;
            `stale_writer` handles the call, and then another writer posts the role list that the token had before.
        status: for kind `status`.
        body: for kind `status`: a string as it is, anything else as JSON.
        headers: for kind `status`.
        change: for kind `changed`: attributes and their values, for example `{"name": null}`.
        only: for kind `changed`: the id of the object that is changed, None for all.
        drip_ms: for kind `drip`: milliseconds before each byte.
        megabytes: for kind `gzip_bomb`: what the answer unfolds to.
        undo_ms: for kind `stale_writer`: milliseconds from the write to its undoing; with 0 the write is undone before
            the answer leaves.
        delay_ms: milliseconds before the call is handled or the fault shows; goes with every kind.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = "status"
    operation: str | None = None
    path: Annotated[str, AfterValidator(_compiles)] | None = None
    verb: str | None = None
    times: Annotated[int, Field(ge=0)] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    status: Annotated[int, Field(ge=200, le=599)] = 503
    body: Any = None
    headers: dict[str, str] = {}
    change: dict[str, Any] = {}
    only: str | None = None
    drip_ms: Annotated[float, Field(ge=0)] = 500
    megabytes: Annotated[int, Field(ge=1, le=4095)] = 700
    undo_ms: Annotated[float, Field(ge=0)] = 0
    delay_ms: Annotated[float, Field(ge=0)] = 0

    def fits(self, call: dict[str, Any]) -> bool:
        """Return whether the fault is meant for such a call (an entry of the call log)."""
        return (
            self.operation in (None, call["operation"])
            and (self.verb is None or self.verb.upper() == call["verb"])
            and (self.path is None or re.search(self.path, call["path"]) is not None)
        )

    def answer(self, path: str) -> Answer | None:
        """Return the answer of a call that is not handled, or None for a kind that lets it be handled."""
        makes: dict[Kind, Callable[[], Answer]] = {
            "status": self._ordered,
            "html": lambda: Answer(200, {"content-type": "text/html; charset=utf-8"}, GATEWAY_PAGE),
            "empty_ok": lambda: Answer(200, {"content-type": JSON}, b""),
            "not_found": lambda: error_answer(ApiError(404, _not_found(path))),
        }
        return makes[self.kind]() if self.kind in makes else None

    def spoiled(self, answer: Answer, operation: str | None) -> Answer | None:
        """Return what becomes of the answer of a handled call; None means that it never leaves."""
        if self.kind == "drop_after":
            return None
        if self.kind == "no_roles" and operation not in SHOWS_TOKENS:
            return answer
        spoils: dict[Kind, Callable[[], Answer]] = {
            "truncated": lambda: answer._replace(body=answer.body[: len(answer.body) // 2]),
            "no_roles": lambda: spoiling.without_roles(answer),
            "changed": lambda: spoiling.changed(answer, self.change, self.only),
            "drip": lambda: answer._replace(drip_ms=self.drip_ms),
            "gzip_bomb": lambda: spoiling.inflating(answer, self.megabytes),
        }
        return spoils[self.kind]() if self.kind in spoils else answer

    def _ordered(self) -> Answer:
        given = {name.lower(): value for name, value in self.headers.items()}
        if self.status in BODYLESS:
            return Answer(self.status, given, b"")
        if self.body is None:
            made = error_answer(ApiError(self.status, f"A fault of the emulator answers {self.status}."))
            return Answer(self.status, {**made.headers, **given}, made.body)
        is_text = isinstance(self.body, str)
        content_type = {"content-type": "text/plain; charset=utf-8" if is_text else JSON}
        body = self.body.encode() if is_text else dumps(self.body)
        return Answer(self.status, {**content_type, **given}, body)


def _not_found(path: str) -> str:
    # The words are those of `state.py`; the id is the last of the path.
    for kind, found in ((kind, re.search(rf"/{segment}/([^/]+)", path)) for segment, kind in OBJECTS):
        if found is not None:
            return f"{kind} {found[1]} not found."
    return "Not found."


@dataclass
class _Active:
    fault: Fault
    skip: int
    remaining: int | None


class Faults:
    """The faults that were ordered and are not used up."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._active: list[_Active] = []

    def add(self, faults: Sequence[Fault]) -> None:
        """Order faults."""
        with self._lock:
            self._active += [_Active(fault, fault.skip, fault.times) for fault in faults]

    def strike(self, call: dict[str, Any]) -> Fault | None:
        """Return the fault that strikes this call, and count it."""
        with self._lock:
            for active in self._active:
                if active.remaining == 0 or not active.fault.fits(call):
                    continue
                if active.skip:
                    active.skip -= 1
                    continue
                if active.remaining is not None:
                    active.remaining -= 1
                return active.fault
        return None

    def clear(self) -> None:
        """Take all orders back."""
        with self._lock:
            self._active.clear()

    def shown(self) -> list[dict[str, Any]]:
        """Return the faults that can still strike, with the `times` and `skip` that remain."""
        with self._lock:
            return [
                {**active.fault.model_dump(), "times": active.remaining, "skip": active.skip}
                for active in self._active
                if active.remaining != 0
            ]

"""The front of the service: every call under `/v1` comes in and goes out here, once.

In this order: the body is read whole, a fault may strike, the credential is checked, half of the latency passes, the
call is handled, the other half passes, a fault may spoil the answer, the call is logged, the answer leaves. The body
is read first because a caller that gives up meanwhile takes an unread body with it, and the emulator must be able to
commit a write after its caller has gone. The call is logged before the answer leaves, so a caller that has its answer
finds the call in the log.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from astro_emulator.answers import Answer, ApiError, error_answer
from astro_emulator.conditions import Conditions
from astro_emulator.connection import STATE_KEY, DroppableConnection
from astro_emulator.rights import require_right
from astro_emulator.state import Record
from astro_emulator.store import Store

logger = logging.getLogger(__name__)

DROPPED = 0
CALLER_LENGTH = 6


class Operation(NamedTuple):
    """An operation of the API: its operationId, its HTTP method, and the pattern of its paths."""

    id: str
    verb: str
    path: re.Pattern[str]


class Front:
    """An ASGI application around the API; what is not under `/v1` passes through untouched."""

    def __init__(self, app: ASGIApp, *, operations: Sequence[Operation], store: Store, conditions: Conditions) -> None:
        self._app = app
        self._operations = operations
        self._store = store
        self._conditions = conditions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http" or f"{scope['path']}/"[:4] != "/v1/":
            await self._app(scope, receive, send)
            return
        at = time.time()
        # An encoded slash belongs to an id; decoding the whole path at once would make it a separator.
        segments = scope["raw_path"].decode("ascii").split("/")
        path = "/".join(unquote(segment).replace("/", "%2F") for segment in segments)
        operation, ids = self._operation_at(scope["method"], path)
        bearer = _bearer(scope["headers"])
        call = {
            "verb": scope["method"],
            "path": path,
            "query": scope["query_string"].decode("latin-1"),
            "operation": operation,
            "at": at,
            "caller": (bearer or "")[-CALLER_LENGTH:],
        }
        body = await _whole_body(receive)
        if body is None:
            return
        try:
            answer = await self._answer({**scope, "path": path}, body, call, bearer, ids)
        except asyncio.CancelledError:
            # Only a server that is shutting down cancels; to the caller that is a dropped connection.
            answer = None
        self._conditions.calls.add({**call, "status": answer.status if answer else DROPPED})
        connection: DroppableConnection = scope["state"][STATE_KEY]
        if answer is None:
            connection.drop()
            return
        try:
            await _send(answer, send, connection)
        except asyncio.CancelledError:
            connection.drop()

    def _operation_at(self, verb: str, path: str) -> tuple[str | None, dict[str, str]]:
        for operation in self._operations:
            if operation.verb == verb and (match := operation.path.match(path)):
                return operation.id, match.groupdict()
        return None, {}

    async def _answer(
        self, scope: Scope, body: bytes, call: dict[str, Any], bearer: str | None, ids: dict[str, str]
    ) -> Answer | None:
        fault = self._conditions.faults.strike(call)
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            if fault.kind == "drop_before":
                return None
            if (made := fault.answer(call["path"])) is not None:
                return made
        half = self._conditions.settings.latency_ms / 2000
        try:
            credential = self._admit(call, bearer, ids)
        except ApiError as refusal:
            await asyncio.sleep(2 * half)
            answer = error_answer(refusal)
        else:
            await asyncio.sleep(half)
            stale = self._store.stale_writer(call["path"]) if fault and fault.kind == "stale_writer" else None
            answer = await self._handled(scope, body, credential)
            if fault and stale:
                asyncio.get_running_loop().call_later(fault.undo_ms / 1000, stale) if fault.undo_ms else stale()
            await asyncio.sleep(half)
        # In a thread, because a huge answer takes half a second to make.
        return await asyncio.to_thread(fault.spoiled, answer, call["operation"]) if fault else answer

    def _admit(self, call: dict[str, Any], bearer: str | None, ids: dict[str, str]) -> Record:
        credential = self._store.credential(bearer) if bearer else None
        if bearer is None or credential is None:
            raise ApiError(401, "Missing or invalid authentication token.")
        if credential["expired"]:
            raise ApiError(401, "The authentication token has expired.")
        settings = self._conditions.settings
        if settings.rate_limits:
            caller = bearer if settings.rate_limits_per == "credential" else credential["organization_id"]
            self._conditions.limits.admit(caller, call["verb"], settings.retry_after)
        organization_id = ids.get("organization_id")
        if organization_id not in (None, credential["organization_id"]):
            raise ApiError(403, f"You do not have access to organization {organization_id}.")
        with self._store.locked() as state:
            require_right(state, credential, call["operation"], ids, call["verb"], lists_are_cut=settings.lists_are_cut)
        return credential

    async def _handled(self, scope: Scope, body: bytes, credential: Record) -> Answer:
        start: Message = {}
        chunks: list[bytes] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                chunks.append(message.get("body", b""))

        try:
            await self._app({**scope, "state": {**scope["state"], "credential": credential}}, receive, send)
        except Exception:
            logger.exception("The emulator failed at %s %s", scope["method"], scope["path"])
            return error_answer(ApiError(500, "The emulator has a bug; its standard error says more."))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(chunks))


def _bearer(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, bearer = value.decode("latin-1").partition(" ")
            return bearer.strip() or None if scheme.lower() == "bearer" else None
    return None


async def _whole_body(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(answer: Answer, send: Send, connection: DroppableConnection) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if answer.drip_ms:
        for byte in answer.body:
            await asyncio.sleep(answer.drip_ms / 1000)
            if connection.is_lost:
                return
            await send({"type": "http.response.body", "body": bytes((byte,)), "more_body": True})
    await send({"type": "http.response.body", "body": b"" if answer.drip_ms else answer.body})

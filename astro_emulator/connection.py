"""A server connection that can be dropped in the middle of a call.

An ASGI application cannot close its connection without an answer: whatever it does, uvicorn makes a 500 of it and logs
a traceback. So the connection puts itself into the state of every request, and the application may call `drop()`.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from astro_emulator.answers import ApiError, error_answer

STATE_KEY = "connection"


class DroppableConnection(H11Protocol):
    """uvicorn's HTTP/1.1 in pure Python, plus `drop()`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the connection where the application finds it: `scope["state"]["connection"]`."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, STATE_KEY: self}

    def drop(self) -> None:
        """Close the connection without an answer, as a crashed server does."""
        # Uvicorn logs a missing answer as a bug of the application unless the client has disconnected.
        self.cycle.disconnected = True
        self.transport.abort()

    @property
    def is_lost(self) -> bool:
        """True if the caller has gone."""
        return self.transport.is_closing()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP, in the error shape like everything else."""
        answer = error_answer(ApiError(400, msg))
        headers = {**answer.headers, "content-length": str(len(answer.body)), "connection": "close"}
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode("latin-1") + answer.body)
        self.transport.close()

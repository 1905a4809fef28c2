"""A running emulator: a socket on the loopback, a thread behind it, and methods for tests.

It listens on 127.0.0.1 and nowhere else. The socket is opened before the thread starts, so a port in use is an
OSError of `running()`, and a call that comes early waits instead of failing.
"""

from __future__ import annotations

import asyncio
import socket
import time
from itertools import count
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import uvicorn

from astro_emulator.app import application
from astro_emulator.conditions import Conditions, Settings
from astro_emulator.connection import DroppableConnection
from astro_emulator.faults import Fault
from astro_emulator.planting import Planted, plant
from astro_emulator.store import Store

LOOPBACK = "127.0.0.1"
START_SECONDS = 10.0
TICK_SECONDS = 0.01
# Several test processes start at once; the default of uvicorn is more than enough, that of a bare socket is not.
BACKLOG = 2048


class SettingsChange(TypedDict, total=False):
    """Settings to change; see `conditions.Settings`."""

    latency_ms: float
    rate_limits: bool
    rate_limits_per: str
    lists_are_cut: bool
    retry_after: str | None
    updated_at_moves: bool


class PromptServer(uvicorn.Server):
    """uvicorn without its pauses: it ends within milliseconds, and drops what is in flight.

    A test suite starts hundreds of emulators; a fifth of a second for each end would be most of its time.
    """

    async def main_loop(self) -> None:
        """Run until `should_exit`."""
        ticks = count()
        while not await self.on_tick(next(ticks)):  # noqa: ASYNC110 another thread ends it, and may do so before it runs
            await asyncio.sleep(TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and close what is idle; calls in flight end with the loop, which cancels them."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()


class Emulator:
    """A running emulator; made by `running()`, ended by `stop()` or by leaving its `with`.

    Attributes:
        url: where it answers, for example `http://127.0.0.1:8765`.
        organization_id: the organization that it started with.
        credential: a credential that may write.
        preview_credential: the credential of a lesser token, or None if the seed has none. By the published permissions
            it reads no tokens.
        store: its records, and methods that change them as another writer would.
    """

    def __init__(self, listener: socket.socket, planted: Planted, conditions: Conditions) -> None:
        self.store = Store(planted, lambda: conditions.settings.updated_at_moves)
        self.organization_id = planted.organization_id
        self.credential = planted.update
        self.preview_credential = planted.preview
        self.url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        self._conditions = conditions
        config = uvicorn.Config(
            application(self.store, conditions),
            http=DroppableConnection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            # A pooled connection that the server closes while a test sleeps would look like a fault.
            timeout_keep_alive=60,
        )
        self._server = PromptServer(config)
        self._thread = Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="astro-emulator", daemon=True
        )

    @classmethod
    def running(  # noqa: PLR0913 each stands for itself and has a default
        cls,
        *,
        latency_ms: float = 0,
        rate_limits: bool = False,
        retry_after: str | None = None,
        updated_at_moves: bool = False,
        port: int = 0,
        seed: str | Path | None = None,
    ) -> Self:
        """Start an emulator and return it once it answers.

        Args:
            latency_ms: milliseconds that every call takes, half of them before it is handled.
            rate_limits: answer 429 above 10 POST, 25 GET or 5 DELETE per second and credential.
            retry_after: the header `Retry-After` of a 429: None, a number of seconds, or `http-date`.
            updated_at_moves: `updatedAt` and `updatedBy` of a token change when its roles are written.
            port: 0 takes any free one.
            seed: a seed file, or the name of a seed that ships with the package; see docs/emulator.md.

        Raises:
            OSError: the port is in use.
            SeedError: the seed cannot be used; nothing was started.
        """
        planted = plant() if seed is None else plant(seed)
        conditions = Conditions(
            Settings(
                latency_ms=latency_ms,
                rate_limits=rate_limits,
                retry_after=retry_after,
                updated_at_moves=updated_at_moves,
            )
        )
        listener = _listener(port)
        emulator = cls(listener, planted, conditions)
        emulator._start()
        return emulator

    def _start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                reason = "The emulator did not start; its standard error says why."
                raise RuntimeError(reason)
            time.sleep(0.002)

    def wait(self) -> None:
        """Return when the emulator has ended."""
        self._thread.join()

    def stop(self) -> None:
        """End it: calls in flight are dropped, the port is free afterwards."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> Self:
        """Return itself; it runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def calls(self) -> dict[str, Any]:
        """Return the calls since the last clearing, the shape of GET `/_emulator/calls`."""
        return self._conditions.calls.shown()

    def clear_calls(self) -> None:
        """Forget the calls."""
        self._conditions.calls.clear()

    def fault(self, **fields: object) -> None:
        """Order a fault; the fields are those of `faults.Fault`, and pydantic's ValidationError refuses others."""
        self._conditions.faults.add([Fault.model_validate(fields)])

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._conditions.faults.clear()

    def settings(self, **changes: Unpack[SettingsChange]) -> dict[str, Any]:
        """Change settings and return all of them."""
        return self._conditions.change(dict(changes)).model_dump()

    def reset(self) -> None:
        """Go back to the initial organization; no faults, no calls, but the settings stay."""
        self.store.reset()
        self._conditions.clear()


def _listener(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only if the protocol is spelled out; with it, an answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A port that a stopped emulator used a moment ago can be taken; one with a listener cannot.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener

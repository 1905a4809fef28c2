"""One line of JSON for each call to the service, so that a run can be followed afterwards.

A line has the time, the operation, verb and path, the status, how long it took, the number of the attempt and the request
id. It never has a body or a header, so it has neither the credential nor a role.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from astro_provider.errors import SettingsError


class Trace:
    """The file of the lines, if there is one; safe between threads and processes, because each line is one write."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: int | None = None

    def open(self) -> None:
        """Open the file, made for its owner alone if it is not there; a SettingsError if it cannot be written."""
        with self._lock:
            if self._path is None or self._file is not None:
                return
            try:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._file = os.open(Path(self._path).expanduser(), flags, 0o600)
            except (OSError, ValueError, RuntimeError) as error:
                raise SettingsError(
                    f"The file {self._path!r} in ASTRO_TRACE (environment) or astro:trace (pulumi config) cannot be written "
                    f"({getattr(error, 'strerror', None) or error}): name another one, or unset it."
                ) from None

    def call(self, began: float, **fields: Any) -> None:
        """Write the line of a call that was sent at that time of the monotonic clock, and has ended."""
        if self._file is None:
            return
        milliseconds = (time.monotonic() - began) * 1000
        sent_at = datetime.fromtimestamp(time.time() - milliseconds / 1000, UTC)
        line = {
            "time": sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **fields,
            "milliseconds": round(milliseconds, 1),
        }
        with suppress(OSError):  # a full disk is no reason to leave a write in the middle
            os.write(self._file, (json.dumps(line) + "\n").encode("ascii"))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

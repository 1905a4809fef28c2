"""A lock per token between the processes of this machine.

It spares two runners on one machine the repairs that writers on different machines need; nothing depends on it for
safety. The kernel lets go of it when its holder dies, so a killed process blocks nobody.

The locks stand in the user's cache directory rather than in the runtime directory, because a job of cron and a login
shell of the same user share only the first.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astro_provider import notices
from astro_provider.api import Deadline
from astro_provider.errors import LockTimeout, SettingsError

PATIENCE_SECONDS = 5.0  # after which somebody who waits is told so
POLL_SECONDS = 0.01


class TokenLocks:
    """The locks of one service's tokens.

    Args:
        host: the service, so that an emulator's tokens are not taken for real ones.
        directory: where the locks stand; None for the user's cache directory.
    """

    def __init__(self, host: str, directory: str | None = None) -> None:
        self._host = host
        self._given = directory
        self._directory: Path | None = None

    @contextmanager
    def holding(self, organization_id: str, token_id: str, deadline: Deadline) -> Iterator[None]:
        """Hold the lock of a token.

        Raises:
            SettingsError: the directory that the user chose cannot be written.
            LockTimeout: another process held it until the deadline.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415  previews and refreshes write nothing

        self._directory = self._directory or self.usable_directory()
        name = hashlib.sha256(f"{self._host}/{organization_id}/{token_id}".encode()).hexdigest()[:32]
        lock = FileLock(self._directory / f"{name}.lock", poll_interval=POLL_SECONDS)
        try:
            lock.acquire(timeout=min(PATIENCE_SECONDS, deadline.remaining))
        except Timeout:
            notices.note(
                f"waiting for another process on this machine that writes token {token_id} ({lock.lock_file})."
            )
            try:
                lock.acquire(timeout=deadline.remaining)
            except Timeout:
                raise LockTimeout(
                    f"Another process on this machine has been writing token {token_id} for longer than timeoutSeconds, so "
                    f"nothing was written. Find who holds {lock.lock_file} (fuser tells), end it, and run again."
                ) from None
        try:
            yield
        finally:
            lock.release()

    def usable_directory(self) -> Path:
        """Return the directory of the locks, made if need be.

        Raises:
            SettingsError: the directory that the user chose cannot be written.
        """
        import platformdirs  # noqa: PLC0415  as above

        if self._given is not None:
            return _made(Path(self._given))
        try:
            return _made(platformdirs.user_cache_path("astro-provider") / "locks")
        except SettingsError:  # a home that is read-only, as in many containers
            return _made(Path(tempfile.gettempdir()) / f"astro-provider-locks-{os.getuid()}")


def _made(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError as error:
        raise SettingsError(
            f"The locks' directory {directory} cannot be written ({error.strerror}): set ASTRO_LOCK_DIR to one that can."
        ) from None

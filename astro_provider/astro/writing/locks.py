"""A lock per token between the processes of this machine.

It spares two runners on one machine the repairs that writers on different machines need; nothing depends on it for
safety. So a machine without a place for locks warns once, and writes without them. The kernel lets go of a lock
when its holder dies, so a killed process blocks no other.

Lock files are empty and stay. In a directory that several users may write, all of them may lock each other's files. A link
is not followed.

The library `filelock` is not used: if `flock` is missing it falls back to a file that marks the lock, which a killed
process leaves behind, and the choice of the directory, the note after five seconds and the errors would stay here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from astro_provider.astro.api import cancelling, deadline
from astro_provider.astro.identity import TokenKey
from astro_provider.astro.writing.lock_directory import fcntl, usable_directory
from astro_provider.errors import Cancelled, LockTimeout
from astro_provider.messages import notices

PATIENCE_SECONDS = 5.0  # after which a waiting process says so
POLL_SECONDS = 0.01
HELD_ELSEWHERE = (errno.EAGAIN, errno.EACCES)


class TokenLocks:
    """The locks of one host's tokens, so that an emulator's are not taken for real; in a directory, or the usual one."""

    def __init__(self, host: str, directory: str | None = None) -> None:
        self._host = host
        self._given = directory
        self._directory: Path | None = None

    @contextmanager
    def holding(self, key: TokenKey) -> Iterator[None]:
        """Hold the lock of a token; without it, after a warning, if this machine has none.

        Raises:
            SettingsError: the directory that the user chose cannot be used.
            LockTimeout: another process held it until the deadline of this thread.
        """
        name = hashlib.sha256(f"{self._host}/{key.organization_id}/{key.token_id}".encode()).hexdigest()[:32]
        with ExitStack() as held:
            try:
                self._directory = self._directory or usable_directory(self._given)
                path = self._directory / f"{name}.lock"
                descriptor = _opened(path)
                held.callback(os.close, descriptor)
                _wait(descriptor, path, key.token_id)
            except OSError as error:
                reason = f"{error.filename or self._directory}: {error.strerror}" if error.strerror else str(error)
                notices.warn(
                    f"this run writes without a lock between the processes of this machine ({reason}): nothing is "
                    "lost, but runs that write one token at once take longer. Set ASTRO_LOCK_DIR to a local directory "
                    "that can be written."
                )
                self._directory = None  # it may have been cleaned away, and is made again for the next write
            yield


def _wait(descriptor: int, path: Path, token_id: str) -> None:
    until = deadline.current()
    if _locked(descriptor, min(PATIENCE_SECONDS, until.remaining)):
        return
    if not cancelling.is_cancelled():
        notices.note(f"waiting for another process on this machine that writes token {token_id} ({path}).")
        if _locked(descriptor, until.remaining):
            return
    if cancelling.is_cancelled():
        raise Cancelled(
            f"The run was cancelled while another process on this machine was writing token {token_id}, so nothing was "
            "written. Run again."
        )
    raise LockTimeout(
        f"Another process on this machine has been writing token {token_id} for longer than timeoutSeconds, so "
        f"nothing was written. End the process that holds {path} (`fuser` prints it), and run again."
    )


def _opened(path: Path) -> int:
    # Systems refuse to "create" a file that another user has made in a directory like /tmp, so what is there is opened.
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    if stat.S_IMODE(path.parent.stat().st_mode) & 0o022:
        os.fchmod(descriptor, 0o666)  # whatever the umask says: the others have to open it too
    return descriptor


def _locked(descriptor: int, seconds: float) -> bool:
    """Lock what is open, and return whether that succeeded in so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in HELD_ELSEWHERE:
                raise
        else:
            return True
        if time.monotonic() >= end or not cancelling.pause(POLL_SECONDS):
            return False

"""The directory of the locks between this machine's processes.

A directory that a user chose (ASTRO_LOCK_DIR) is used, or it is an error. Without a choice it is the user's cache
directory rather than the runtime directory, because a job of cron and a login shell of the same user share only the
first. If the home is missing, read-only or without locks, it is a directory in the temporary directory. Another user may
have put something there before, so that one has to be ours alone: no link, our owner, closed to all others.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from astro_provider.errors import AstroProviderError, SettingsError

# The package is not run or tested on Windows, which has no fcntl, and where more than this would differ. Both providers and
# `doctor` import the locks before they write, so all of them report the same sentence instead of a traceback.
try:
    import fcntl
except ImportError:
    raise AstroProviderError(
        f"pulumi-astro-provider runs on Linux and macOS, and this system ({sys.platform}) lacks the file locks (fcntl) that "
        "its writes take: run pulumi in WSL, in a container or on a CI runner with Linux."
    ) from None

__all__ = ["fcntl", "usable_directory"]

FULL = (errno.ENOSPC, errno.EDQUOT)
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
FALLBACKS = 5  # so many names in the temporary directory are tried


def usable_directory(chosen: str | None) -> Path:
    """Return the directory of the locks, made if need be, in which a lock has been taken and let go.

    Raises:
        SettingsError: the directory that the user chose cannot be used.
        OSError: none of the usual places can be used; its text names each with its reason.
    """
    if chosen is not None:
        return _tried_choice(chosen)
    reasons = []
    for place in _usual_places():
        try:
            _make(place)
            _try(place)
        except OSError as error:
            reasons.append(f"{place}: {error.strerror}")
        else:
            return place
    raise OSError("; ".join(reasons) or "there is neither a home nor a temporary directory")


def _tried_choice(chosen: str) -> Path:
    try:
        directory = Path(chosen).expanduser()
    except RuntimeError:
        raise SettingsError(
            f"ASTRO_LOCK_DIR is {chosen}, and this user has no such home directory: write the whole path."
        ) from None
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _try(directory)
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise SettingsError(
                f"The file system of the locks' directory {directory} has no locks ({error.strerror}): set ASTRO_LOCK_DIR "
                "to a directory on a local disk."
            ) from None
        if error.errno not in FULL or not directory.is_dir():  # on a full disk the locks that are there still serve
            raise SettingsError(
                f"The locks' directory {directory} cannot be written ({error.strerror}): set ASTRO_LOCK_DIR to one that can."
            ) from None
    return directory


def _usual_places() -> Iterator[Path]:
    import platformdirs  # noqa: PLC0415  previews and refreshes write nothing

    with suppress(RuntimeError):  # the user has neither HOME nor an entry in the list of users
        cache = platformdirs.user_cache_path("astro-provider")
        if cache.is_absolute():  # older versions leave `~` in it then
            yield cache / "locks"
    try:
        temporary = Path(tempfile.gettempdir())
    except FileNotFoundError:  # no directory for temporary files can be written
        return
    for number in range(FALLBACKS):
        yield temporary / f"astro-provider-locks-{os.getuid()}{f'-{number}' if number else ''}"


def _make(place: Path) -> None:
    """Make the directory; one in the temporary directory has to be ours alone."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not place.name.startswith("astro-provider-locks-"):
        return
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is a link")
    if found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, f"it belongs to the user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(errno.EPERM, "other users may use it")


def _try(directory: Path) -> None:
    """Take a lock on a file without a name, and let it go."""
    with tempfile.TemporaryFile(dir=directory) as nameless:
        fcntl.flock(nameless, fcntl.LOCK_EX | fcntl.LOCK_NB)

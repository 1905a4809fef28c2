"""The lock between processes serves where it can, and where it cannot a run goes on with one warning.

Users, modes, links, full and read-only file systems are real; only file systems without locks are not at hand, so the
process's `flock` is made to answer what theirs does.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from astro_provider.commands.diagnosis import Status, diagnose
from tests.support.as_user import NOBODY, UNKNOWN, only_root, open_to_all, run_as

WITHOUT = "astro: warning: this run writes without a lock between the processes of this machine ("


def take(directory: Path | str | None = None, *, uid: int | None = None, **environment: str) -> tuple[str, str]:
    """What a process that takes a lock and lets it go prints, and what it warns of."""
    arguments = ["-m", "tests.support.lock_taker", *([str(directory)] if directory is not None else [])]
    ended = run_as(os.getuid() if uid is None else uid, *arguments, environment=environment)
    return ended.stdout.strip(), ended.stderr.strip()


def locks_in(directory: Path) -> list[Path]:
    return list(directory.glob("*.lock"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory that everybody may enter, and write like /tmp."""
    return open_to_all(tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of four blocks."""
    where = tmp_path / "small"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,nr_inodes=8", "tmpfs", where], check=True)
    yield where
    subprocess.run(["umount", where], check=True)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_home_without_locks_is_one_warning(tmp_path: Path, number: int) -> None:
    printed, warned = take(HOME=str(tmp_path), TMPDIR=str(tmp_path), FLOCK_ERRNO=str(number))

    assert printed == "held"
    assert warned.startswith(f"{WITHOUT}{tmp_path}/.cache/astro-provider/locks: {os.strerror(number)}; {tmp_path}/")
    assert warned.endswith("Set ASTRO_LOCK_DIR to a local directory that can be written.")
    assert len(warned.splitlines()) == 1


def test_a_chosen_directory_without_locks_is_an_error(tmp_path: Path) -> None:
    printed, warned = take(tmp_path, FLOCK_ERRNO=str(errno.ENOLCK))

    assert (
        f"The file system of the locks' directory {tmp_path} has no locks (No locks available): set ASTRO_LOCK_DIR to a "
        "directory on a local disk."
    ) == printed
    assert warned == ""


@only_root
def test_two_users_share_a_directory_and_wait_for_each_other(home: Path) -> None:
    arguments = ["-m", "tests.support.lock_holder", str(home), "https://astro.example", "org", "token"]
    assert take(home, uid=UNKNOWN) == ("held", "")
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"

        waited = take(home, uid=NOBODY)
        holder.kill()

    assert waited[0].startswith("Another process on this machine has been writing token token for longer than")
    assert take(home, uid=NOBODY) == ("held", "")
    assert take(home) == ("held", "")
    assert [(path.stat().st_uid, path.stat().st_mode & 0o777) for path in locks_in(home)] == [(UNKNOWN, 0o666)]


def test_locks_in_a_directory_of_ones_own_are_closed_to_others(tmp_path: Path) -> None:
    assert take(tmp_path / "own") == ("held", "")

    assert [path.stat().st_mode & 0o777 for path in locks_in(tmp_path / "own")] == [0o600]


@only_root
def test_a_chosen_directory_of_somebody_else_is_an_error(home: Path) -> None:
    directory = home / "of-root"
    directory.mkdir(mode=0o755)

    printed, _ = take(directory, uid=NOBODY)

    assert (
        f"The locks' directory {directory} cannot be written (Permission denied): set ASTRO_LOCK_DIR to one that can."
    ) == printed


@only_root
def test_a_lock_file_that_only_its_owner_can_open_is_a_warning(home: Path) -> None:
    take(home)
    [lock] = locks_in(home)
    lock.chmod(0o600)

    printed, warned = take(home, uid=NOBODY)

    assert printed == "held"
    assert warned.startswith(f"{WITHOUT}{lock}: Permission denied)")


def test_a_link_in_a_locks_place_is_not_followed(tmp_path: Path) -> None:
    take(tmp_path / "locks")
    [lock] = locks_in(tmp_path / "locks")
    target = tmp_path / "precious"
    target.write_text("precious")
    lock.unlink()
    lock.symlink_to(target)

    printed, warned = take(tmp_path / "locks")

    assert printed == "held"
    assert warned.startswith(f"{WITHOUT}{lock}: Too many levels of symbolic links)")
    assert target.read_text() == "precious"


@only_root
def test_a_full_disk_is_a_warning_and_what_is_there_still_serves(small: Path) -> None:
    locks = small / "locks"
    assert take(locks) == ("held", "")
    [lock] = locks_in(locks)
    with pytest.raises(OSError, match="No space left"):
        (small / "filler").write_bytes(b"x" * 65536)
    for number in range(16):  # as many files as it takes until no other can be made
        with suppress(OSError):
            (small / f"{number}").touch()

    served = take(locks)
    lock.unlink()
    (small / "last").touch()
    printed, warned = take(locks)

    assert served == ("held", "")
    assert printed == "held"
    assert warned.startswith(f"{WITHOUT}{lock}: No space left on device)")


@only_root
def test_a_read_only_home_makes_way_for_the_temporary_directory(small: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    usual = take(HOME=str(small), TMPDIR=str(temporary))
    chosen, _ = take(small / "locks")

    assert usual == ("held", "")
    assert len(locks_in(temporary / f"astro-provider-locks-{os.getuid()}")) == 1
    assert chosen == (
        f"The locks' directory {small}/locks cannot be written (Read-only file system): set ASTRO_LOCK_DIR to one that can."
    )


@only_root
@pytest.mark.parametrize("trap", ["of somebody else", "open to others", "a link", "a file"])
def test_a_directory_in_the_temporary_directory_is_ours_alone_or_another_is_taken(home: Path, trap: str) -> None:
    set_up = home / f"astro-provider-locks-{UNKNOWN}"
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    os.chown(elsewhere, UNKNOWN, UNKNOWN)
    if trap == "a link":
        set_up.symlink_to(elsewhere)
    elif trap == "a file":
        set_up.touch()
    else:
        set_up.mkdir()
        set_up.chmod(0o777)
        os.chown(set_up, *(NOBODY, NOBODY) if trap == "of somebody else" else (UNKNOWN, UNKNOWN))

    told = take(uid=UNKNOWN, TMPDIR=str(home))

    assert told == ("held", "")
    assert len(locks_in(home / f"astro-provider-locks-{UNKNOWN}-1")) == 1
    assert list(elsewhere.iterdir()) == []
    assert set_up.is_file() or list(set_up.iterdir()) == []


@only_root
def test_not_even_root_trusts_a_directory_that_somebody_else_has_set_up(home: Path) -> None:
    set_up = home / "astro-provider-locks-0"
    set_up.mkdir(mode=0o700)
    os.chown(set_up, NOBODY, NOBODY)

    told = take(HOME="/dev/null", TMPDIR=str(home))

    assert told == ("held", "")
    assert list(set_up.iterdir()) == []
    assert len(locks_in(home / "astro-provider-locks-0-1")) == 1


@only_root
def test_without_a_home_a_tilde_is_told_and_nothing_is_made(home: Path) -> None:
    printed, _ = take("~/locks", uid=UNKNOWN, TMPDIR=str(home))

    assert printed == "ASTRO_LOCK_DIR is ~/locks, and this user has no such home directory: write the whole path."
    assert list(home.iterdir()) == []


def test_a_tilde_is_the_home(tmp_path: Path) -> None:
    assert take("~/locks", HOME=str(tmp_path)) == ("held", "")

    assert len(locks_in(tmp_path / "locks")) == 1


def test_doctor_takes_a_lock_and_tells_where(tmp_path: Path) -> None:
    found = diagnose({"PATH": "", "ASTRO_API_TOKEN": "a b", "ASTRO_LOCK_DIR": str(tmp_path)}, tmp_path)[-1]

    assert (Status.OK, f"A lock was taken in {tmp_path} and released.") == (found.status, found.found)
    assert list(tmp_path.iterdir()) == []


def test_doctor_warns_of_a_machine_without_locks(tmp_path: Path) -> None:
    script = (
        "import fcntl, os, pathlib, sys; from astro_provider.commands.diagnosis import diagnose\n"
        "def refuse(*_): raise OSError(37, os.strerror(37))\n"
        "fcntl.flock = refuse\n"
        "found = diagnose({'PATH': '', 'ASTRO_API_TOKEN': 'a b'}, pathlib.Path('/'))[-1]; print(found.status, found.found)"
    )

    ended = run_as(os.getuid(), "-c", script, environment={"HOME": str(tmp_path), "TMPDIR": str(tmp_path)})

    assert ended.stdout.startswith(
        f"warning Runs on this machine write without locks between them ({tmp_path}/.cache/astro-provider/locks: "
        "No locks available; "
    )

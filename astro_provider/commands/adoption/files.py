"""Writes files so that no reader ever finds a half of them.

Each is written beside its place and moved there whole. An old import file is removed first and the new one is moved
last, so there is an import file only beside the program that belongs to it, even if the process is killed between the
two. After an error all places are as they were.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from astro_provider.errors import InputError

IMPORT_FILE = "import.json"
PROGRAM_FILE = "__main__.py"


def require_room(directory: Path, names: Sequence[str], *, force: bool) -> None:
    """Refuse a directory that cannot take the files of these names, before any call to the service.

    Raises:
        InputError: it is no directory, or a file is there already and `force` was not given.
    """
    nearest = next(path for path in (directory, *directory.absolute().parents) if path.exists() or path.is_symlink())
    if not nearest.is_dir():
        raise InputError("out", f"{nearest} is no directory. Nothing was written.")
    there = []
    for name in names:
        if (directory / name).exists():
            there.append(name)
        elif (path := directory / name).is_symlink():
            raise InputError("out", f"{path} is a link to a file that does not exist. Nothing was written: remove it.")
    if there and not force:
        raise InputError(
            "out",
            f"{directory} has {' and '.join(there)} already. Nothing was written: choose another directory, or replace "
            "them with --force.",
        )


def write(directory: Path, texts: Mapping[str, str]) -> None:
    """Write all files, or none: their texts by their names, the import file last. A missing directory is made.

    Raises:
        InputError: the directory cannot be written; it is as it was.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".adopt-") as beside:
            _write(directory, Path(beside), texts)
    except OSError as error:
        where = error.filename or directory
        raise InputError("out", f"{where} cannot be written ({error.strerror}). Nothing was written.") from None


def _write(directory: Path, beside: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (beside / name).write_text(text, encoding="utf-8")
        if (directory / name).exists():
            shutil.copy2(directory / name, beside / f"{name}.before")
    try:
        if IMPORT_FILE in texts:
            (directory / IMPORT_FILE).unlink(missing_ok=True)
        for name in texts:
            (beside / name).replace(directory / name)
    except BaseException:
        # After Ctrl-C, too: a part of the new files without the others would be imported wrongly.
        for name in texts:
            before = beside / f"{name}.before"
            if before.exists():
                before.replace(directory / name)
            elif not (beside / name).exists():
                (directory / name).unlink(missing_ok=True)
        raise

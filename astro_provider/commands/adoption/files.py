"""The files, written so that nobody ever finds a half.

Each is written beside its place and moved there whole. The import file goes last, and an old one goes away first, so it
stands there only beside the program that belongs to it, even if the process is killed between the two. After an error
all places are as they were.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from astro_provider.commands.projects import PROJECT_FILE
from astro_provider.errors import InputError

IMPORT_FILE = "import.json"
PROGRAM_FILE = "__main__.py"


def require_room(
    directory: Path, *, force: bool, program_file: str = PROGRAM_FILE, import_file: str | None = IMPORT_FILE
) -> None:
    """Refuse, before anything is asked of the service, a directory that cannot take the files.

    Raises:
        InputError: it is no directory, or a file is there already and `force` was not given.
    """
    nearest = next(path for path in (directory, *directory.absolute().parents) if path.exists() or path.is_symlink())
    if not nearest.is_dir():
        raise InputError("out", f"{nearest} is no directory. Nothing was written.")
    names = [program_file, import_file] if import_file else [program_file]
    if dangling := next((directory / name for name in names if _is_dangling(directory / name)), None):
        raise InputError("out", f"{dangling} is a link to a file that does not exist. Nothing was written: remove it.")
    there = [name for name in names if (directory / name).exists()]
    if there and not force:
        raise InputError(
            "out",
            f"{directory} holds {' and '.join(there)} already. Nothing was written: choose another directory, or replace "
            "what is there with --force.",
        )


def _is_dangling(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def write(
    directory: Path, *, program: str, import_file: str, program_file: str = PROGRAM_FILE, project: str | None = None
) -> None:
    """Write all files, or none.

    Args:
        directory: where they go; made if it is not there.
        program: the program's text.
        import_file: the import file's text.
        program_file: the program's name.
        project: the text of a new Pulumi.yaml, only if there is none; None: no such file.

    Raises:
        InputError: the directory cannot be written; it is as it was.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".adopt-") as name:
            texts = {} if project is None else {PROJECT_FILE: project}
            _write(directory, Path(name), {**texts, program_file: program, IMPORT_FILE: import_file})
    except OSError as error:
        where = error.filename or directory
        raise InputError("out", f"{where} cannot be written ({error.strerror}). Nothing was written.") from None


def write_alone(directory: Path, name: str, text: str) -> None:
    """Write one file, whole or not at all.

    Raises:
        InputError: the directory cannot be written; it is as it was.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".adopt-") as beside:
            (Path(beside) / name).write_text(text, encoding="utf-8")
            (Path(beside) / name).replace(directory / name)
    except OSError as error:
        where = error.filename or directory
        raise InputError("out", f"{where} cannot be written ({error.strerror}). Nothing was written.") from None


def _write(directory: Path, beside: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (beside / name).write_text(text, encoding="utf-8")
        if (directory / name).exists():
            shutil.copy2(directory / name, beside / f"{name}.before")
    try:
        (directory / IMPORT_FILE).unlink(missing_ok=True)
        for name in texts:
            (beside / name).replace(directory / name)
    except BaseException:  # Ctrl-C too
        for name in texts:
            before = beside / f"{name}.before"
            if before.exists():
                before.replace(directory / name)
            elif not (beside / name).exists():
                (directory / name).unlink(missing_ok=True)
        raise

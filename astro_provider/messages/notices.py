"""Warnings and notes for the person who reads the preview or the update.

A notice is one line, printed once in a process; a preview and the update after it are two processes. Where it goes is not
decided here: a process that an engine started sends it there (`engine/calls.py`), every other one prints it to standard
error.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum

from astro_provider.messages import shown


class Severity(StrEnum):
    """The weight of a notice: something to fix, or something to know."""

    WARNING = "warning"
    NOTE = "note"


Sink = Callable[[Severity, str], None]
Say = Callable[[str], None]  # `warn` or `note`


def print_to_stderr(severity: Severity, text: str) -> None:
    """Print one notice as one line; if the reader has gone, the line is lost, and no write fails for it."""
    with suppress(OSError, ValueError):  # a broken pipe, a closed file
        # One write with its newline, because four threads print into the same pipe.
        sys.stderr.write(f"astro: {severity}: {text}\n")
        sys.stderr.flush()


_routed: ContextVar[Sink | None] = ContextVar("routed", default=None)


@contextmanager
def routed_to(sink: Sink | None) -> Iterator[None]:
    """Let the notices of this block go to a sink of their own, which shows them beside a resource.

    Args:
        sink: as in `send_to`; None: they are about the run as a whole.
    """
    before = _routed.set(sink)
    try:
        yield
    finally:
        _routed.reset(before)


_lock = threading.Lock()
_told: set[tuple[Severity, str]] = set()
_sink: Sink = print_to_stderr


def send_to(sink: Sink) -> None:
    """Let all notices of this process that are about the run as a whole go there from now on.

    Args:
        sink: takes the severity and the text, which is one line; called from several threads; raises nothing.
    """
    global _sink  # noqa: PLW0603  a process has one reader
    _sink = sink


def forget() -> None:
    """Forget which notices were printed, as in a new process."""
    with _lock:
        _told.clear()


def warn(text: str) -> None:
    """Print a warning, unless this process has printed it."""
    _tell_once(Severity.WARNING, text)


def note(text: str) -> None:
    """Print a note, unless this process has printed it."""
    _tell_once(Severity.NOTE, text)


def _tell_once(severity: Severity, text: str) -> None:
    notice = severity, shown.line(text)
    with _lock:
        if notice in _told:
            return
        _told.add(notice)
    (_routed.get() or _sink)(*notice)

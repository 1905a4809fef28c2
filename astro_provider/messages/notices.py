"""Warnings and notes for the person who reads the preview or the update.

A notice is one line, printed once in a process; a preview and the update after it are two processes. A process that an
engine started sends its notices there (`engine/calls.py`); every other process prints them to standard error.
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


Sink = Callable[[Severity, str], None]  # the text is one line; called from several threads; raises nothing
Say = Callable[[str], None]  # `warn` or `note`


def print_to_stderr(severity: Severity, text: str) -> None:
    """Print one notice as one line; a line that cannot be printed is lost, because no write to Astro may fail for it."""
    with suppress(OSError, ValueError):  # a broken pipe, a closed file
        # One write with its newline, because several threads print into the same pipe.
        sys.stderr.write(f"astro: {severity}: {text}\n")
        sys.stderr.flush()


_routed: ContextVar[Sink | None] = ContextVar("routed", default=None)


@contextmanager
def routed_to(sink: Sink | None) -> Iterator[None]:
    """Route the notices of this block to a sink of their own, for example the log of one resource; None: as by `send_to`."""
    before = _routed.set(sink)
    try:
        yield
    finally:
        _routed.reset(before)


_lock = threading.Lock()
_printed: set[tuple[Severity, str]] = set()
_sink: Sink = print_to_stderr


def send_to(sink: Sink) -> None:
    """Send all notices of this process that are about the run as a whole to a sink, from now on."""
    global _sink  # noqa: PLW0603  a process has one reader
    _sink = sink


def forget() -> None:
    """Forget which notices were printed, as in a new process."""
    with _lock:
        _printed.clear()


def warn(text: str) -> None:
    """Print a warning, unless this process has printed it."""
    _print_once(Severity.WARNING, text)


def note(text: str) -> None:
    """Print a note, unless this process has printed it."""
    _print_once(Severity.NOTE, text)


def _print_once(severity: Severity, text: str) -> None:
    notice = severity, shown.line(text)
    with _lock:
        if notice in _printed:
            return
        _printed.add(notice)
    (_routed.get() or _sink)(*notice)

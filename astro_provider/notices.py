"""Warnings and notes for the person who reads the preview or the update.

Pulumi shows each line that a provider prints as a diagnostic of the stack. So a notice is one line, and the same
notice is printed once in a process. A preview and the update after it are two processes.
"""

from __future__ import annotations

import sys
import threading

from astro_provider import shown

_lock = threading.Lock()
_printed: set[str] = set()


def warn(text: str) -> None:
    """Print a warning, unless it has been printed."""
    _print_once(f"astro: warning: {text}")


def note(text: str) -> None:
    """Print a note, unless it has been printed."""
    _print_once(f"astro: note: {text}")


def _print_once(text: str) -> None:
    line = shown.line(text)
    with _lock:
        if line in _printed:
            return
        _printed.add(line)
        # One write with its newline, because four threads print into the same pipe.
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

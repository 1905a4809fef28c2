"""Other programs, run for a moment: without secrets in their environment, and never longer than a bound."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST_SECONDS = 7.0  # less than a diagnosis takes in all; a first start of Python on a cold disk takes some
# A project in this directory may name a program of somebody else, which has no use for any of these.
SECRETS = frozenset(("ASTRO_API_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"))


@dataclass(frozen=True)
class Answer:
    """What a program printed: on standard error if it failed."""

    ok: bool
    text: str
    late: bool = False

    @property
    def last_line(self) -> str:
        """Its last line that is not blank."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[-1] if lines else "it prints nothing"


def answer_of(
    command: list[str],
    environ: Mapping[str, str],
    directory: Path,
    *,
    hidden: frozenset[str] = SECRETS,
    longest_seconds: float | None = None,
) -> Answer:
    """Run a command and return what it printed.

    Args:
        command: the program and its arguments.
        environ: the environment's variables.
        directory: where it runs.
        hidden: the variables that it does not get.
        longest_seconds: it is killed after that time; None: LONGEST_SECONDS.
    """
    longest_seconds = LONGEST_SECONDS if longest_seconds is None else longest_seconds
    visible = {name: value for name, value in environ.items() if name not in hidden}
    try:
        process = subprocess.Popen(  # noqa: S603  what the user's own PATH and project name
            command,
            env=visible,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its children can be ended with it
        )
    except OSError as error:
        return Answer(False, str(error.strerror))
    with process:
        try:
            out, err = process.communicate(timeout=longest_seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return Answer(False, f"no answer in {longest_seconds:g} s", late=True)
    text = out if process.returncode == 0 else err or out
    return Answer(process.returncode == 0, text.decode(errors="replace"))

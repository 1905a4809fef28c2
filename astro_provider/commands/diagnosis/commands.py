"""Runs other programs, without secrets in their environment and never longer than a bound."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST_SECONDS = 7.0  # less than a whole diagnosis; a first start of Python on a cold disk takes a few
# A project in this directory may name any program, and none of them needs one of these.
SECRETS = frozenset(("ASTRO_API_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"))
# `pulumi` needs the secrets of its backend; it does not need the credential for Astro.
_NOT_FOR_PULUMI = frozenset(("ASTRO_API_TOKEN",))


@dataclass(frozen=True)
class Answer:
    """The output of a program: its standard error if it failed."""

    ok: bool
    text: str
    late: bool = False

    @property
    def last_line(self) -> str:
        """Its last line that is not blank."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[-1] if lines else "it prints nothing"


def answer_of_pulumi(
    arguments: Sequence[str], environ: Mapping[str, str], directory: Path, longest_seconds: float | None = None
) -> Answer | None:
    """Run `pulumi` without questions and colours, and return its output; None: there is none on PATH."""
    command = shutil.which("pulumi", path=environ.get("PATH"))
    if command is None:
        return None
    return answer_of(
        [command, *arguments, "--non-interactive", "--color", "never"],
        {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        directory,
        hidden=_NOT_FOR_PULUMI,
        longest_seconds=longest_seconds,
    )


def answer_of(
    command: list[str],
    environ: Mapping[str, str],
    directory: Path,
    *,
    hidden: frozenset[str] = SECRETS,
    longest_seconds: float | None = None,
) -> Answer:
    """Run a command without the hidden variables, and return its output.

    It is killed after `longest_seconds`; None: LONGEST_SECONDS.
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
            start_new_session=True,  # its children can be killed with it
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

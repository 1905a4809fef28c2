"""The command `astro-provider`: in this process, as a shell runs it into pipes, or in a terminal of a chosen size.

To start Python and to load the command takes ten times as long as what most of them do. So `run` calls the command in the
process of the test, with an environment and streams of its own, over the real socket. What only a process has (how it ends, the
encoding of its pipes, what it loads) is for `run_process`; tests/cli/test_the_process.py shows that the two say the same.
A terminal is for `run_in_terminal`.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from astro_emulator import Emulator
from astro_provider.commands.cli import app
from astro_provider.messages import notices
from tests.support.forked_python import forked_python
from tests.support.stack import FOREIGN, PYTHON_PATH

COMMAND = Path(sys.executable).with_name("astro-provider")
LONGEST_SECONDS = 60.0
CONTROL_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9])")


@dataclass(frozen=True)
class Ending:
    """How a command ended: its exit status, what it wrote into pipes, and what a terminal got."""

    status: int
    out: str = ""
    err: str = ""
    screen: str = ""

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    @property
    def control_sequences(self) -> list[str]:
        """What the terminal was told to do, in order."""
        return CONTROL_SEQUENCE.findall(self.screen)

    @property
    def screen_text(self) -> str:
        """What the terminal got, without control sequences and blanks at the ends of lines."""
        text = CONTROL_SEQUENCE.sub("", self.screen).replace("\r\n", "\n")
        return "\n".join(line.rstrip() for line in text.split("\n"))


def environment(astro: Emulator | None, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment that leads to the emulator; a blank value takes a variable out."""
    inherited = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    service = {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential} if astro else {}
    return {name: value for name, value in {**inherited, **service, **(changes or {})}.items() if value}


def run(astro: Emulator | None, *arguments: str, **changes: str) -> Ending:
    """Run the command in this process; `changes` are variables of its environment."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    notices.forget()
    with (
        mock.patch.dict(os.environ, environment(astro, changes), clear=True),
        Path(os.devnull).open(encoding="utf-8") as nothing,
        mock.patch.object(sys, "stdin", nothing),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            app(list(arguments), prog_name=COMMAND.name)
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Ending(status, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()


def run_process(astro: Emulator | None, *arguments: str, **changes: str) -> Ending:
    """Run the command into pipes, as a script does; `changes` are variables of its environment."""
    ended = subprocess.run(
        [COMMAND, *arguments],
        env=environment(astro, changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return Ending(ended.returncode, ended.stdout, ended.stderr)


def run_in_terminal(
    astro: Emulator | None,
    *arguments: str,
    columns: int = 140,
    only_stderr: bool = False,
    interrupt_at: str | None = None,
    **changes: str,
) -> Ending:
    """Run the command in a pseudo-terminal, as a fork of a process that has loaded it.

    Args:
        astro: the service.
        arguments: of the command.
        columns: how wide the terminal is.
        only_stderr: standard output goes into a pipe instead.
        interrupt_at: press Ctrl-C once this text has shown.
        changes: variables of its environment.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [forked_python(PYTHON_PATH).with_name(COMMAND.name), *arguments],
        env=environment(astro, {"TERM": "xterm-256color", "PYTHONPATH": PYTHON_PATH, **changes}),
        stdin=follower,
        stdout=subprocess.PIPE if only_stderr else follower,
        stderr=follower,
    ) as process:
        os.close(follower)
        screen = _read_to_the_end(leader, process, interrupt_at)
        out = process.stdout.read().decode() if process.stdout else ""
        status = process.wait(LONGEST_SECONDS)
    os.close(leader)
    return Ending(status, out=out, screen=screen)


def _read_to_the_end(leader: int, process: subprocess.Popen[bytes], interrupt_at: str | None) -> str:
    screen = b""
    deadline = time.monotonic() + LONGEST_SECONDS
    with suppress(OSError):  # EIO: the last process has left the terminal
        while time.monotonic() < deadline:
            if interrupt_at is not None and interrupt_at.encode() in screen:
                process.send_signal(signal.SIGINT)
                interrupt_at = None
            if select.select([leader], [], [], 0.05)[0]:
                read = os.read(leader, 65536)
                screen += read
                if not read:  # macOS's way to say EIO
                    break
    if process.poll() is None and time.monotonic() >= deadline:
        process.kill()
        raise TimeoutError(screen.decode(errors="replace"))
    return screen.decode()

"""Draw what a terminal shows: a preview, its review, and the list of what is assigned.

The real engine previews a changed role of the quickstart example against the emulator, and the installed command lists
what is there afterwards. What they print is drawn as it is; nothing is written by hand. The pictures fetch nothing from
elsewhere, so a page that shows them does not either.

Run it with `make pictures`; an argument is another directory than docs/pictures.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from astro_emulator import Emulator
from tools.demo.stage import stage
from tools.engine.install import find_engine

TARGET = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH = 142  # columns
LIST = ["list", "--all-deployments"]
REVIEW = ["review", "digest.json", "--production", "*-production"]
# What this machine has set for its own terminal and its own Astro must not be in a picture.
FOREIGN = re.compile(r"ASTRO_.*|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|TTY_.*")
# The fonts of rich's own pictures come from another host; without them the reader's own monospace font is taken.
SVG = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main(target: Path) -> None:
    """Make the pictures anew, in a directory."""
    target.mkdir(exist_ok=True)
    with stage(find_engine(), color=True) as played_on:
        played_on.run("up", _nobody)
        played_on.ask_for_role(0, "DEPLOYMENT_ADMIN")
        preview = played_on.run("preview", _nobody, diff=True).text
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "digest.json").write_text(played_on.digest())
            reviewed = _in_a_terminal(["astro-provider", *REVIEW], played_on.astro, directory=directory)
        listed = _in_a_terminal(["astro-provider", *LIST], played_on.astro)
    _draw(target / "preview.svg", "pulumi preview --diff", preview)
    _draw(target / "review.svg", f"astro-provider {' '.join(REVIEW)}", reviewed)
    _draw(target / "list.svg", f"astro-provider {' '.join(LIST)}", listed)


def _nobody(_line: str) -> None:
    """Take a line that nobody watches."""


def _in_a_terminal(command: list[str], astro: Emulator, *, directory: str | None = None) -> str:
    """Return what a command of this environment prints into a terminal."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    environment = {
        **{name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)},
        "ASTRO_API_HOST": astro.url,
        "ASTRO_API_TOKEN": astro.credential,
        "TERM": "xterm-256color",
        "COLUMNS": str(WIDTH),
    }
    program = Path(sys.executable).with_name(command[0])
    with subprocess.Popen([program, *command[1:]], stdout=its, stderr=its, env=environment, cwd=directory) as running:  # noqa: S603  our own
        os.close(its)
        printed = b""
        try:
            while part := os.read(ours, 65_536):
                printed += part
        except OSError:  # Linux's way to say that the other end is closed
            pass
        finally:
            os.close(ours)
    if running.returncode:
        raise SystemExit(printed.decode())
    return printed.decode().replace("\r\n", "\n")


def _draw(picture: Path, command: str, printed: str) -> None:
    text = Text.from_ansi(f"$ {command}\n{printed.strip()}")
    # A console that shows nothing here and only records.
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, file=nowhere, width=WIDTH, highlight=False, markup=False, emoji=False)
        console.print(text, soft_wrap=False)
        svg = console.export_svg(title=command, theme=MONOKAI, code_format=SVG, unique_id=picture.stem)
    picture.write_text(svg)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else TARGET)

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from astro_provider.version import __version__
from tests.support.shell import COMMAND, run

SUBCOMMANDS = ["list", "find", "adopt", "review", "audit", "doctor", "emulator"]
HEAVY = {"pulumi", "httpx", "rich", "fastapi", "uvicorn", "grpc", "asyncio"}


def test_help_names_every_subcommand_in_the_order_of_use() -> None:
    ended = run(None, "--help")

    commands = ended.out.partition("Commands:\n")[2]
    assert [
        line.split()[0] for line in commands.splitlines() if line.startswith("  ") and line[2] != " "
    ] == SUBCOMMANDS
    assert "..." not in commands
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_help_of_each_subcommand_has_examples_that_stand_on_lines_of_their_own(subcommand: str) -> None:
    ended = run(None, subcommand, "--help")

    examples = ended.out.partition("  Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert len(examples) >= 2
    assert all(line.startswith(f"    astro-provider {subcommand}") for line in examples)
    assert all(len(line) <= 90 for line in ended.out.splitlines())


def test_help_loads_nothing_heavy_and_starts_at_once() -> None:
    script = (
        "import sys\n"
        "from astro_provider.commands.cli import app\n"
        "app(['list', '--help'], standalone_mode=False)\n"
        "print('loaded', *{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert set() == HEAVY & set(loaded.stdout.splitlines()[-1].split())
    # Processor time, because the start does nothing but compute, and other tests run beside this one.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.4


def test_list_does_not_load_pulumi() -> None:
    script = "import sys, astro_provider.commands.cli.list; print('pulumi' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout == "False\n"


def test_the_version_is_told() -> None:
    assert f"astro-provider {__version__}\n" == run(None, "--version").out

"""A pytest plugin with one fixture, `astro_emulator`: an emulator of one test's own.

A project names it in its conftest.py: `pytest_plugins = ["astro_emulator.pytest"]`. No entry point loads it, so an
installed package changes no other tests. The mark `astro_seed` gives the organization to start with.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from astro_emulator.places import SeedError
from astro_emulator.server import Emulator

MARK = "astro_seed"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, so that `--strict-markers` knows it."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(seed): the organization of the fixture astro_emulator: a seed file beside the test's file, or the name of "
        "a seed that comes with astro_emulator.",
    )


@pytest.fixture
def astro_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A running emulator, which ends with the test; see `astro_emulator.Emulator`."""
    mark = request.node.get_closest_marker(MARK)
    try:
        running = Emulator.running(seed=None if mark is None else _seed(request, mark))
    except SeedError as error:
        raise pytest.UsageError(str(error)) from None
    with running as emulator:
        yield emulator


def _seed(request: pytest.FixtureRequest, mark: pytest.Mark) -> str | Path:
    if len(mark.args) != 1 or mark.kwargs:
        raise pytest.UsageError(f'The mark {MARK} takes one seed: write @pytest.mark.{MARK}("organization.yaml").')
    (named,) = mark.args
    beside: Path = request.path.parent / named
    return beside if beside.is_file() else named

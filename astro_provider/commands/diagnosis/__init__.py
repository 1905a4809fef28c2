"""What stands between this machine and a first `pulumi up`, looked at without changing anything.

A check says only what it has seen. What cannot be seen without a write is said to be unknown, never to be well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

from astro_provider.astro.settings import LOCK_DIRECTORY, misspelled_variables, unknown_in_words
from astro_provider.commands.diagnosis import installation, network, service, stack
from astro_provider.commands.diagnosis.bounded import Look, look
from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.network import check_network
from astro_provider.commands.diagnosis.service import check_service
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.errors import AstroProviderError

__all__ = ["Check", "Status", "diagnose"]

BOUND_SECONDS = 8.0  # with the start of Python, nobody waits longer than ten


def diagnose(environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> list[Check]:
    """Look at everything, and return one check for each thing looked at, in an order that reads well.

    Args:
        environ: the environment's variables.
        directory: where `pulumi` would be called; None for the working directory.
    """
    place = directory or Path.cwd()
    # Looked at first, because it may name the host, the organization and others; three looks wait for it.
    configuration: Future[Configuration] = Future()
    looks = [
        Look((), lambda: _environment(environ)),
        Look(service.NAMES, lambda: check_service(environ, configuration.result())),
        Look((stack.NAME,), lambda: _stack(environ, place, configuration)),
        Look(network.NAMES, lambda: check_network(environ, configuration.result())),
        *(Look(names, lambda run=run: run(environ, place)) for names, run in installation.LOOKS),  # type: ignore[misc]
        Look(("lock directory",), lambda: [_lock_directory(environ, configuration.result())]),
    ]
    return look(looks, BOUND_SECONDS)


def _environment(environ: Mapping[str, str]) -> Iterator[Check]:
    """Fails if a variable is misspelled; there is no check of the name if none is."""
    if misspelled := misspelled_variables(environ):
        yield Check("environment", Status.FAILED, " ".join(map(unknown_in_words, misspelled)))


def _stack(environ: Mapping[str, str], directory: Path, configuration: Future[Configuration]) -> Iterator[Check]:
    try:
        check, seen = stack.look_at_stack(environ, directory)
    except BaseException as error:
        configuration.set_exception(error)
        raise
    configuration.set_result(seen)
    yield check


def _lock_directory(environ: Mapping[str, str], configuration: Configuration) -> Check:
    try:
        from astro_provider.astro.writing.lock_directory import usable_directory  # noqa: PLC0415  it may fail to load

        directory = usable_directory(LOCK_DIRECTORY.find(configuration.value, environ))
    except AstroProviderError as error:
        return Check("lock directory", Status.FAILED, str(error))
    except OSError as error:
        return Check(
            "lock directory",
            Status.WARNING,
            f"Runs on this machine write without locks between them ({error}).",
            "Nothing depends on them; set ASTRO_LOCK_DIR to a local directory that can be written to have them.",
        )
    return Check("lock directory", Status.OK, f"A lock was taken in {directory} and let go.")

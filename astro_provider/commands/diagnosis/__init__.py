"""Looks for everything that a first `pulumi up` on this machine needs, without changing anything.

A check reports only what it has seen. What cannot be seen without a write is reported as unknown, never as right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from astro_provider.astro.settings import LOCK_DIRECTORY, misspelled_variables, unknown_in_words
from astro_provider.commands.diagnosis import installation, network, service, stack
from astro_provider.commands.diagnosis.checks import Check, Look, Result, Status, failed, look, ok, warning
from astro_provider.commands.diagnosis.network import check_network
from astro_provider.commands.diagnosis.service import check_service
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.errors import AstroProviderError

__all__ = ["Check", "Status", "diagnose"]

LOCKS = "lock directory"
BOUND_SECONDS = 8.0  # with the start of Python, the command ends within ten


def diagnose(environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> list[Check]:
    """Return all checks, in an order that reads well.

    Args:
        environ: the environment's variables.
        directory: the directory in which `pulumi` would be called; None for the working directory.
    """
    place = directory or Path.cwd()
    # The stack may set the host, the organization and others, so three looks wait for its configuration.
    configuration: Future[Configuration] = Future()
    looks = [
        Look((), lambda: _environment(environ)),
        Look(service.NAMES, lambda: check_service(environ, configuration.result())),
        Look((stack.NAME,), lambda: _stack(environ, place, configuration)),
        Look(network.NAMES, lambda: check_network(environ, configuration.result())),
        *(Look((name,), partial(_one, name, environ, place)) for name in installation.CHECKS),
        Look((LOCKS,), lambda: [Check(LOCKS, *_lock_directory(environ, configuration.result()))]),
    ]
    return look(looks, BOUND_SECONDS)


def _one(name: str, environ: Mapping[str, str], directory: Path) -> Iterator[Check]:
    yield Check(name, *installation.CHECKS[name](environ, directory))


def _environment(environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield a failed check if a variable is misspelled; no check if none is."""
    if misspelled := misspelled_variables(environ):
        yield Check("environment", *failed(" ".join(map(unknown_in_words, misspelled))))


def _stack(environ: Mapping[str, str], directory: Path, configuration: Future[Configuration]) -> Iterator[Check]:
    try:
        result, seen = stack.look_at_stack(environ, directory)
    except BaseException as error:
        configuration.set_exception(error)
        raise
    configuration.set_result(seen)
    yield Check(stack.NAME, *result)


def _lock_directory(environ: Mapping[str, str], configuration: Configuration) -> Result:
    try:
        from astro_provider.astro.writing.lock_directory import usable_directory  # noqa: PLC0415  it may fail to load

        directory = usable_directory(LOCK_DIRECTORY.find(configuration.value, environ))
    except AstroProviderError as error:
        return failed(str(error))
    except OSError as error:
        return warning(
            f"Runs on this machine write without locks between them ({error}).",
            "No write depends on them; to have them, set ASTRO_LOCK_DIR to a local directory that can be written.",
        )
    return ok(f"A lock was taken in {directory} and released.")

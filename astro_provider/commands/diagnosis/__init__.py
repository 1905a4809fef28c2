"""Looks for everything that a first `pulumi up` on this machine needs, without changing anything.

A check reports only what it has seen. What cannot be seen without a write is reported as unknown, never as right.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from astro_provider.astro.settings import LOCK_DIRECTORY, misspelled_variables, unknown_in_words
from astro_provider.commands.diagnosis import installation, network, service, stack
from astro_provider.commands.diagnosis.checks import Check, Look, Result, Status, failed, look, ok, warning
from astro_provider.commands.diagnosis.installation import OfMachine
from astro_provider.commands.diagnosis.network import check_network
from astro_provider.commands.diagnosis.service import check_service
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.errors import AstroProviderError

__all__ = ["Check", "Status", "diagnose"]

LOCKS = "lock directory"
BOUND_SECONDS = 8.0  # with the start of Python, the command ends within ten


def diagnose(environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> list[Check]:
    """Return all checks, in an order that reads well, for a directory in which `pulumi` would be called: here, if None."""
    place = directory or Path.cwd()
    # The stack may set the host, the organization and others, so three looks wait for its configuration.
    seen: Future[tuple[Result, Configuration]] = Future()

    def check_stack() -> list[Check]:
        try:
            seen.set_result(stack.look_at_stack(environ, place))
        except BaseException as error:  # noqa: BLE001  it is raised by this look, too
            seen.set_exception(error)
        return [Check(stack.NAME, *seen.result()[0])]

    def one(name: str, check: OfMachine) -> Look:
        return Look((name,), lambda: [Check(name, *check(environ, place))])

    # No check if no variable is misspelled.
    misspelled = " ".join(map(unknown_in_words, misspelled_variables(environ)))
    looks = [
        Look((), lambda: [Check("environment", *failed(misspelled))] if misspelled else []),
        Look(service.NAMES, lambda: check_service(environ, seen.result()[1])),
        Look((stack.NAME,), check_stack),
        Look(network.NAMES, lambda: check_network(environ, seen.result()[1])),
        *(one(name, check) for name, check in installation.CHECKS.items()),
        Look((LOCKS,), lambda: [Check(LOCKS, *_lock_directory(environ, seen.result()[1]))]),
    ]
    return look(looks, BOUND_SECONDS)


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

"""The lifecycles of one provider process, built on first use; both doors share them.

It imports little, because every program loads the dynamic door, and no program needs an HTTP client for that.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from astro_provider.errors import InputError
from astro_provider.messages import notices

if TYPE_CHECKING:
    from astro_provider.astro.settings import Settings
    from astro_provider.lifecycle.changing import Shared
    from astro_provider.lifecycle.engine_call import EngineCall
    from astro_provider.lifecycle.life import Checked, Life

Properties = dict[str, Any]


class Process:
    """The lifecycles of one process, which share the reads of Astro, the writer, and the claims of the program.

    Args:
        find_settings: finds the settings when they are first needed; each call raises its error again.
    """

    def __init__(self, find_settings: Callable[[], Settings]) -> None:
        self._find_settings = find_settings
        self._lock = threading.Lock()
        self._shared: Shared | None = None
        self._bindings: Life[Any] | None = None
        self._tables: Life[Any] | None = None
        self._unknown: list[str] = []  # sentences about unknown settings that no check has shown
        self._unknown_stops = False

    def check(self, life: Life[Any], call: EngineCall, olds: Properties, news: Properties) -> Checked:
        """Examine a resource; the first check of the process also shows the keys and variables that are no setting.

        Each is a warning, and an error if the checks are strict. Refresh and destroy show none: they get the
        configuration of an earlier run, which cannot be corrected.
        """
        checked = life.check(call, olds, news)
        with self._lock:
            texts, self._unknown = self._unknown, []
        if self._unknown_stops:
            return replace(checked, problems=[*(InputError("", text) for text in texts), *checked.problems])
        with notices.routed_to(None):
            for text in texts:
                notices.warn(text)
        return checked

    def shared(self, at_once: int) -> Shared:
        """Return what the lifecycles share.

        Args:
            at_once: how many calls of the engine can be under way in this process.

        Raises:
            SettingsError: a setting is malformed.
        """
        with self._lock:
            if self._shared is None:
                with garbage_left_alone():
                    from astro_provider.astro.settings import PreviewChecks, unknown_in_words  # noqa: PLC0415  a program needs no HTTP client
                    from astro_provider.lifecycle.changing import Shared  # noqa: PLC0415  as above

                    settings = self._find_settings()
                    self._shared = Shared.of(settings, operations_at_once=at_once)
                    self._unknown = [unknown_in_words(name) for name in settings.unknown]
                    self._unknown_stops = settings.preview_checks is PreviewChecks.STRICT
            return self._shared

    def bindings(self, at_once: int) -> Life[Any]:
        """Return the lifecycle of bindings; argument and error as for `shared`."""
        shared = self.shared(at_once)
        with self._lock:
            from astro_provider.lifecycle.single import Lifecycle  # noqa: PLC0415  as above

            self._bindings = self._bindings or Lifecycle(shared)
            return self._bindings

    def tables(self, at_once: int) -> Life[Any]:
        """Return the lifecycle of tables; argument and error as for `shared`."""
        shared = self.shared(at_once)
        with self._lock:
            from astro_provider.lifecycle.tables.lifecycle import TableLifecycle  # noqa: PLC0415  as above

            self._tables = self._tables or TableLifecycle(shared)
            return self._tables


@contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Pause the garbage collector while modules are loaded: all of them stay, and a fifth of the time is saved."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

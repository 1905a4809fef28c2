"""One call of an engine about one resource: all that the lifecycles, and what lies below them, know of an engine.

Both doors make it, the native one from what the engine sends, the dynamic one from what the SDK keeps among the callers.
Its defaults are those of a call of which nothing can be known: notices go to the reader of the whole run, and an error
is raised as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from astro_provider.messages.notices import Sink

Fail = Callable[[Exception], NoReturn]


def _raise(error: Exception) -> NoReturn:
    raise error.with_traceback(None) from None


@dataclass(frozen=True)
class EngineCall:
    """One call of an engine.

    Attributes:
        urn: the resource; blank if the engine's call cannot be seen, so two resources look like one.
        id: the resource's id in the state; blank for one that is not in the state.
        at_once: how many calls can be under way in this process.
        notify: prints a notice beside the resource; None: notices go to the reader of the whole run.
        fail: ends the call with one sentence, and has the engine keep what `AstroProviderError.kept` holds.
    """

    urn: str = ""
    id: str = ""
    at_once: int = 1
    notify: Sink | None = None
    fail: Fail = _raise

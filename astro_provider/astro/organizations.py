"""One object for each organization of a service, because a program may name several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_Thing = TypeVar("_Thing")


class PerOrganization(Generic[_Thing]):
    """Objects by organization, each made from the id when it is first asked for; safe to share between threads.

    Two threads may make an object at once; the first one stays.
    """

    def __init__(self, make: Callable[[str], _Thing]) -> None:
        self._make = make
        self._made: dict[str, _Thing] = {}

    def of(self, organization_id: str) -> _Thing:
        """The object of an organization."""
        if organization_id not in self._made:
            self._made.setdefault(organization_id, self._make(organization_id))
        return self._made[organization_id]

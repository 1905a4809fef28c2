"""What the program holds, no delete takes away.

A resource that is renamed without an alias is created under its new name first, and the old name is deleted after
that, sometimes only in a later run. Both names have one id, so the delete would revoke what the new name has just been
given. Therefore every binding of the program is held here, from its `check` or at the latest from its `create`, and a
delete of what is held is left undone.

One delete of a held binding is right: that of a replacement which keeps its id (`--replace`). It is told apart by its
order: it comes before the create, that of a rename after it. A leftover of an earlier run comes without any create, and
its binding has been checked with old inputs, which a replacement has not (seen on the engine).

A binding that one resource has in the state and keeps cannot be created by another one, unless it is deleted first.

It lives as long as the process, which is one preview or one update. It knows neither Pulumi nor the service.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from astro_provider.identity import BindingId


class Holdings:
    """The bindings that the program of this process holds; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: set[BindingId] = set()
        self._to_be_created: set[BindingId] = set()
        self._created: set[BindingId] = set()
        self._kept: set[BindingId] = set()
        self._being_deleted: set[BindingId] = set()

    def checked(self, binding: BindingId, *, in_state: bool) -> None:
        """Note a `check` of a binding; `in_state` tells whether it came with old inputs."""
        with self._changed:
            self._held.add(binding)
            if not in_state:
                self._to_be_created.add(binding)

    def kept(self, binding: BindingId) -> None:
        """Note that a resource has the binding in the state and is not to be replaced."""
        with self._changed:
            self._held.add(binding)
            self._kept.add(binding)

    def is_kept(self, binding: BindingId) -> bool:
        """Tell whether a resource has the binding in the state and keeps it."""
        with self._changed:
            return binding in self._kept

    def created(self, binding: BindingId) -> bool:
        """Note a `create` before it calls the service; return False where another resource has the binding.

        It waits for a delete of the same binding that is under way, which would take away what it finds there.
        """
        with self._changed:
            self._held.add(binding)
            first = binding not in self._created and binding not in self._kept
            self._created.add(binding)
            self._changed.wait_for(lambda: binding not in self._being_deleted)
            return first

    @contextmanager
    def deleting(self, binding: BindingId) -> Iterator[bool]:
        """Tell whether a delete may go on: nothing holds the binding, or its create is still to come."""
        with self._changed:
            to_be_replaced = binding in self._to_be_created and binding not in self._created
            allowed = binding not in self._held or to_be_replaced
            if allowed:
                self._being_deleted.add(binding)
                self._kept.discard(binding)
        try:
            yield allowed
        finally:
            with self._changed:
                self._being_deleted.discard(binding)
                self._changed.notify_all()

"""What the program holds, no delete takes away.

A resource that is renamed without an alias is created under its new name first, and the old name is deleted after
that, sometimes only in a later run. Both names have one id, so the delete would revoke what the new name has just been
given. Therefore every binding of the program is held here, from its `check` or at the latest from its `create`, and a
delete of what is held is left undone.

One delete of a held binding is right: that of a replacement which keeps its id (`--replace`, `replace_on_changes`).
It is told apart by its checks: the engine checks a replacement twice, first with the old inputs and then without any.
A rename comes without old inputs only, a leftover of an earlier run with old inputs only.

It lives as long as the process, which is one preview or one update. It knows neither Pulumi nor the service.
"""

from __future__ import annotations

import threading

from astro_provider.identity import BindingId


class Holdings:
    """The bindings that the program of this process holds; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_state: set[BindingId] = set()
        self._held: set[BindingId] = set()
        self._being_replaced: set[BindingId] = set()
        self._created: set[BindingId] = set()

    def checked(self, binding: BindingId, *, in_state_as: BindingId | None, in_state: bool) -> None:
        """Note a `check` of a binding.

        Args:
            binding: what the program binds.
            in_state_as: what the same resource binds in the state, or None where the old inputs do not tell.
            in_state: whether the check came with old inputs at all.
        """
        with self._lock:
            self._held.add(binding)
            if in_state and in_state_as in (None, binding):
                self._in_state.add(binding)
            elif not in_state and binding in self._in_state and binding not in self._created:
                self._being_replaced.add(binding)

    def in_state(self, binding: BindingId) -> bool:
        """Tell whether a resource of the program has this very binding in the state."""
        with self._lock:
            return binding in self._in_state

    def created(self, binding: BindingId) -> bool:
        """Note a `create` before it calls the service; return False where this process has created it already."""
        with self._lock:
            first = binding not in self._created
            self._created.add(binding)
            self._held.add(binding)
            self._being_replaced.discard(binding)
            return first

    def may_delete(self, binding: BindingId) -> bool:
        """Tell whether a `delete` may go on: nothing holds the binding, or it is the first half of a replacement."""
        with self._lock:
            if binding in self._being_replaced:
                self._being_replaced.discard(binding)
                return True
            return binding not in self._held

"""Where a binding stands between program and state, and how much it weighs what there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from astro_provider.astro.roles import same_role
from astro_provider.astro.settings import PreviewChecks
from astro_provider.errors import InputError
from astro_provider.lifecycle.values import IDENTITY, NAMES, Inputs, Stored, known


class Weight(Enum):
    """How much a finding weighs: an error stops, a warning may come true, a note is for the reader."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def stopping(checks: PreviewChecks) -> set[Weight]:
    """What stops a preview or an update at these checks; all else is printed."""
    return {Weight.ERROR, Weight.WARNING} if checks is PreviewChecks.STRICT else {Weight.ERROR}


@dataclass(frozen=True)
class Finding:
    """Something to say about one property of a binding."""

    weight: Weight
    property_name: str
    text: str

    def as_error(self) -> InputError:
        """The finding as an error on its property."""
        return InputError(self.property_name, self.text)


@dataclass(frozen=True)
class Situation:
    """Where a binding stands.

    Attributes:
        asked: what the program gives.
        stored: what the state has; None if the resource is not in the state.
        about_to_write: a create or update asks, so nothing may be missing any more.
        unchecked: its `check` could look nothing up, so names that stand beside ids are the program's own.
    """

    asked: Inputs
    stored: Stored | None = None
    about_to_write: bool = False
    unchecked: bool = False

    @property
    def organization_in_words(self) -> str:
        """How a message speaks of the organization."""
        return f"organization {self.asked.organization_id}"

    def is_replaced_by(self, inputs: Inputs) -> bool:
        """Whether these inputs would replace the binding, as far as the state tells."""
        asked = ((getattr(inputs, name), getattr(self.stored, name, None)) for name in IDENTITY)
        return any(known(value) and known(stored) and value != stored for value, stored in asked)

    def is_unchanged_by(self, inputs: Inputs) -> bool:
        """Whether the binding is in the state and stays exactly as it is there."""
        return (
            self.stored is not None
            and inputs.binding is not None
            and inputs.binding == self.stored.binding
            and known(inputs.role)
            and same_role(inputs.role, str(self.stored.role))
            and inputs.workspace_id == self.stored.workspace_id
            and not self._gives_another_name(self.stored)
        )

    def _gives_another_name(self, stored: Stored) -> bool:
        names = ((getattr(self.asked, name), getattr(stored, name)) for name in NAMES)
        return any(asked is not None and known(was) and asked != was for asked, was in names)

    def weight_of_a_missing_name(self, inputs: Inputs) -> Weight:
        """How much it weighs that nothing has a name: an error if the old grant would be taken away for nothing."""
        may_replace = self.is_replaced_by(inputs) or self._may_mean_another(inputs)
        return Weight.ERROR if self.about_to_write or may_replace else Weight.WARNING

    def _may_mean_another(self, inputs: Inputs) -> bool:
        """Whether a name is given another value, and the state (made while the checks were off) has no id beside it."""
        stored = self.stored or Stored()
        pairs = (("deployment_id", "deployment_name"), ("org_token_id", "org_token_name"))
        changed = [
            known(getattr(stored, n)) and getattr(stored, n) != getattr(inputs, n)
            for i, n in pairs
            if getattr(stored, i) is None
        ]
        return any(changed)

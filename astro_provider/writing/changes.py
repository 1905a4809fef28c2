"""The three changes that a binding can ask of a token's role list: add, put, remove.

A change is a wish about one entry, not a list. It is applied to whatever list the service holds at that moment, as
often as needed, and it says by itself whether a list already fulfils it. Pure: no reading, no writing, no waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from astro_provider.api.models import ApiTokenRole
from astro_provider.errors import BindingConflict
from astro_provider.identity import BindingId
from astro_provider.roles import role_in, same_role, with_role, without_role
from astro_provider.values import sentence

Roles = tuple[ApiTokenRole, ...]


@dataclass(frozen=True)
class Put:
    """Give the token that role in the deployment, whatever it holds there now."""

    binding: BindingId
    role: str

    def fulfilled_by(self, held: str | None) -> bool:
        """Tell whether a role held in the deployment is what this change wants."""
        return same_role(held, self.role)

    def refusal(self, held: str | None) -> BindingConflict | None:  # noqa: ARG002  the same question for every change
        """Why this change must not be made if that role is held; None: it may."""
        return None

    def apply(self, roles: Roles) -> Roles:
        """The list after the change."""
        return with_role(roles, self.binding.deployment_id, self.role)


@dataclass(frozen=True)
class Add(Put):
    """Give the token that role in the deployment, unless it holds another one there."""

    overwrite: bool = False
    called: str = field(default="", compare=False)  # how a message speaks of the binding, if its names are known

    def refusal(self, held: str | None) -> BindingConflict | None:
        """Why this change must not be made if that role is held; None: it may."""
        if held is None or self.overwrite or self.fulfilled_by(held):
            return None
        return _conflict(self.called or self.binding.in_words, held, self.role)


@dataclass(frozen=True)
class Remove:
    """Take the token's role in the deployment away, whatever it is."""

    binding: BindingId

    def fulfilled_by(self, held: str | None) -> bool:
        """Tell whether a role held in the deployment is what this change wants: none."""
        return held is None

    def refusal(self, held: str | None) -> BindingConflict | None:  # noqa: ARG002  the same question for every change
        """Why this change must not be made if that role is held; None: it may."""
        return None

    def apply(self, roles: Roles) -> Roles:
        """The list after the change."""
        return without_role(roles, self.binding.deployment_id)


Change = Put | Remove


def held_in(roles: Roles, binding: BindingId) -> str | None:
    """The role that a token's list gives in the binding's deployment."""
    return role_in(roles, binding.deployment_id)


def _conflict(called: str, held: str, wanted: str) -> BindingConflict:
    return BindingConflict(
        f"{sentence(called)} already has the role {held}, and {wanted} is asked for. Set overwrite=True to "
        "change it. Another resource of this stack may have it (if resources are named by list index, removing the first "
        "entry renames all others; name them by deployment and token), another stack, or a person."
    )

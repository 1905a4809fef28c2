"""The changes that a binding can ask of a token's role list: add, put, remove; and the changes that take one of them back.

A change is a wish about one entry, not a list. It is applied to the list that the service has at that moment, as often as
needed, and it decides by itself whether a list already fulfils it. Pure: no reading, no writing, no waiting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from astro_provider.astro.api.models import ApiToken, ApiTokenRole
from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import same_role, with_changes
from astro_provider.errors import BindingConflict
from astro_provider.messages.words import sentence

Roles = tuple[ApiTokenRole, ...]


@dataclass(frozen=True)
class _OfOneEntry:
    binding: BindingId
    # In a message, if names are known: names first, then ids.
    called: str = field(default="", compare=False, kw_only=True)

    @property
    def in_words(self) -> str:
        """The words for the entry in a message."""
        return self.called or self.binding.in_words

    def refusal(self, held: str | None) -> BindingConflict | None:  # noqa: ARG002  only an Add asks for it
        """Return why this change must not be made if that role is held; None if it may."""
        return None


@dataclass(frozen=True)
class Put(_OfOneEntry):
    """Give the token that role in the deployment, whatever it holds there now."""

    role: str
    exact: bool = field(default=False, kw_only=True)  # the organization has another role that differs in case only

    def fulfilled_by(self, held: str | None) -> bool:
        """Return whether a role held in the deployment is what this change wants."""
        return same_role(held, self.role, exact=self.exact)


@dataclass(frozen=True)
class Add(Put):
    """Give the token that role in the deployment, unless it holds another one there."""

    overwrite: bool = False

    def refusal(self, held: str | None) -> BindingConflict | None:
        """Return why this change must not be made if that role is held; None if it may."""
        if held is None or self.overwrite or self.fulfilled_by(held):
            return None
        return BindingConflict(
            f"{sentence(self.in_words)} already has the role {held}, and {self.role} is asked for. Set overwrite to true "
            "to change it. Another resource of this stack may have it (if resources are named by list index, removing the "
            "first entry renames all others; name them by deployment and token), another stack, or a person."
        )


@dataclass(frozen=True)
class Remove(_OfOneEntry):
    """Take the token's role in the deployment away, whatever it is."""

    def fulfilled_by(self, held: str | None) -> bool:
        """Return whether a role held in the deployment is what this change wants: none."""
        return held is None


@dataclass(frozen=True)
class TakeBack(Remove):
    """Take away the role that this run has given, if it still stands as it was given; otherwise another writer has decided."""

    given: str
    exact: bool = field(default=False, kw_only=True)

    def fulfilled_by(self, held: str | None) -> bool:
        """Return whether what was given does not stand any more."""
        return not same_role(held, self.given, exact=self.exact)


@dataclass(frozen=True)
class GiveBack(Put):
    """Give the role back that was there before this run changed or took it, if that still stands as the run left it."""

    left: str | None  # the role that the run gave instead; None: it took the role

    def fulfilled_by(self, held: str | None) -> bool:
        """Return whether what the run left does not stand any more."""
        return not same_role(held, self.left, exact=self.exact)


Change = Put | Remove


@dataclass(frozen=True)
class Outcome:
    """The end of a change: the token as it is then, or why the change failed.

    Attributes:
        taking_back: what takes it back; None if nothing was written for it. After a failure, it may stand nevertheless.
        may_stand: it failed after a write of it was sent, and no answer and no read has shown since what became of that.
        may_come: such a write had no answer at all, so Astro may carry it out later, whatever a read shows until then.
    """

    change: Change
    token: ApiToken | None = None
    error: Exception | None = None
    taking_back: Change | None = None
    may_stand: bool = False
    may_come: bool = False


def apply_all(changes: Iterable[Change], roles: Roles) -> Roles:
    """The list after all changes, which are about different entries."""
    return with_changes(
        roles, {one.binding.deployment_id: None if isinstance(one, Remove) else one.role for one in changes}
    )


def taking_back(change: Change, before: str | None) -> Change | None:
    """The change that takes one back, before which the token had that role; None if that one changed nothing."""
    left, exact = (None, False) if isinstance(change, Remove) else (change.role, change.exact)
    if same_role(left, before, exact=exact):
        return None
    if before is None:
        return TakeBack(change.binding, str(left), called=change.called, exact=exact)
    return GiveBack(change.binding, before, left, called=change.called, exact=exact)

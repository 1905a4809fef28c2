"""What the steps of a digest come to, for tests that look at access and not at a comment."""

from __future__ import annotations

from astro_provider.access.digest import Digest
from astro_provider.access.facts import Facts
from astro_provider.access.model import Change, Kind, Text
from astro_provider.access.outcome import Outcome, outcome


def offline(digest: Digest) -> Outcome:
    """The outcome as far as the digest shows it."""
    return outcome(digest, Facts())


def changed(digest: Digest) -> list[Change]:
    """The changes of access, without roles that are kept and without those that are only gone for a moment."""
    return [one for one in offline(digest).changes if one.kind is not Kind.KEEP and len(set(roles(one))) > 1]


def roles(change: Change) -> tuple[Text, Text]:
    """The role before and after; none before a gain, because offline it is not known."""
    before = change.before.role if change.before and change.kind is not Kind.GAIN else None
    return before, change.after.role if change.after else None

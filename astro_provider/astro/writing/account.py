"""The changes of a run that other writers undid, or that do not stand in the end: the facts, and sentences about them.

One sentence for each token and reason, however many changes it is about; the first of them are named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from astro_provider.astro.api import ApiTokenRole
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing.changes import Change, Remove
from astro_provider.errors import WriteNotConfirmed

MOST_TIMES_UNDONE = 10  # a change is put back; each settle time counts once
LATEST_SETTLE_TIMES = 2  # after its write, a change that is found undone for the first time is not put back
MOST_NAMED = 3  # changes in a sentence


class Reason(Enum):
    """Why a change does not stand, or is not known to. `{changes}` stands for `12 changes of token cl…`."""

    UNDONE = f"Another writer undid {{changes}} {MOST_TIMES_UNDONE + 1} times, so this run stopped putting that back"
    LATE = (
        f"More than {LATEST_SETTLE_TIMES} settle times after the write Astro does not show {{changes}}, which a person may "
        "have decided by then, so nothing was put back"
    )
    REFUSED = "Another writer undid {changes}, and Astro refuses to have that put back"
    NOT_READ = "This run wrote {changes} and could not read Astro again to see whether that stands"
    NO_TIME = (
        "This run wrote {changes}, and timeoutSeconds, which must be longer than settleSeconds, ended before Astro was "
        "read again"
    )


@dataclass(frozen=True)
class NotStanding:
    """A change that was written, and does not stand or is not known to."""

    change: Change
    reason: Reason
    detail: str = ""  # what the service said

    @property
    def key(self) -> TokenKey:
        """The token that it is about."""
        return self.change.binding.token_key

    @property
    def may_stand(self) -> bool:
        """Return whether nothing has shown it undone."""
        return self.reason in (Reason.NOT_READ, Reason.NO_TIME)


@dataclass(frozen=True)
class Others:
    """The signs of other writers of a token."""

    last_writer: str | None = None  # its name, if the service moved `updatedAt` and names the writer
    deployment_ids: tuple[str, ...] = ()  # where a role changed that this process did not write

    @property
    def in_words(self) -> str:
        """A sentence about them; blank if nothing is known."""
        facts = []
        if self.last_writer:
            facts.append(f"Astro names {self.last_writer!r} as the token's last writer")
        if self.deployment_ids:
            named = _some([f"deployment {one}" for one in self.deployment_ids], ", ")
            facts.append(f"another writer changed the token's role in {named}")
        text = "; ".join(facts)
        return text and f" {text[0].upper()}{text[1:]}."


@dataclass(frozen=True)
class Account:
    """The changes of a batch that were reported as made, and do not stand or are not known to."""

    changes: tuple[NotStanding, ...] = ()
    others: Mapping[TokenKey, Others] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changes)

    def of(self, bindings: Collection[BindingId]) -> Account:
        """The part that is about these bindings."""
        return replace(self, changes=tuple(one for one in self.changes if one.change.binding in bindings))

    def without(self, bindings: Collection[BindingId]) -> Account:
        """The part that is about other bindings."""
        return replace(self, changes=tuple(one for one in self.changes if one.change.binding not in bindings))

    def and_(self, other: Account) -> Account:
        """Both accounts as one."""
        return Account((*self.changes, *other.changes), {**self.others, **other.others})

    @property
    def may_stand(self) -> list[BindingId]:
        """The bindings that nothing has shown undone."""
        return [one.change.binding for one in self.changes if one.may_stand]

    @property
    def in_words(self) -> str:
        """One sentence for each token and reason."""
        alike: defaultdict[tuple[TokenKey, Reason], list[NotStanding]] = defaultdict(list)
        for one in self.changes:
            alike[one.key, one.reason].append(one)
        sentences = []
        for (key, reason), some in alike.items():
            changes = _counted(len(some), key)
            named = _some([one.change.in_words for one in some], "; ")
            others = self.others.get(key, Others()).in_words
            detail = f" {some[0].detail}" if some[0].detail else ""
            sentences.append(f"{reason.value.format(changes=changes)}: {named}.{others}{detail}")
        return " ".join(sentences)

    @property
    def with_advice(self) -> str:
        """The same for a reader whose state has the changes as done."""
        return (
            f"{self.in_words} The state may show these changes as done: run `pulumi refresh`, which shows what Astro "
            "holds, and then `pulumi up`."
        )

    @property
    def as_error(self) -> WriteNotConfirmed:
        """The error of a batch that has nothing more to report."""
        return WriteNotConfirmed(self.with_advice)


NOTHING_LOST = Account()


def repair_in_words(changes: Sequence[Change]) -> str:
    """A sentence about changes of one token that another writer undid and this run has made again."""
    again = [
        f"{one.in_words} has {'no role' if isinstance(one, Remove) else f'the role {one.role}'} again"
        for one in changes
    ]
    return (
        f"Another writer undid {_counted(len(changes), changes[0].binding.token_key)}, probably by a list that it had read "
        f"before, and this run put that right: {_some(again, '; ')}."
    )


def left_out_in_words(key: TokenKey, deployment_id: str, entries: Sequence[ApiTokenRole]) -> str:
    """A sentence about entries of a deleted deployment, without which a token was written, and what to do."""
    roles = ", ".join(f"{entry.entity_type} {entry.entity_id} ({entry.role})" for entry in entries)
    return (
        f"Deployment {deployment_id} was deleted in Astro, and token {key.token_id} still had roles there: {roles}. "
        "Astro refuses a list that names them, so the token was written without them. `pulumi refresh` takes a "
        "binding to that deployment out of the state."
    )


def _counted(number: int, key: TokenKey) -> str:
    return f"{number} change{'' if number == 1 else 's'} of token {key.token_id}"


def _some(names: list[str], separator: str) -> str:
    """The first of several names, and how many there are besides."""
    more = len(names) - MOST_NAMED
    return separator.join(names[:MOST_NAMED]) + (f"{separator}and {more} more" if more > 0 else "")

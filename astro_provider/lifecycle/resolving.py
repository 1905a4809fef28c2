"""The tokens and deployments that a program names, looked up in Astro, for a binding and for a table alike.

- A name becomes an id, and an id a name. The key of a table is either: an id if Astro shows that id, else a name.
- A name that nothing has may be about to be made by the same program, so a preview must not fail on it; an id that does
  not exist can never become right.
- What the state has decides if a name does not: a thing that was renamed in Astro is still the same thing, and one of
  several that share a name is the one that the resource was made with.

A value that is still unknown is not looked up; the check comes again when it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Generic, TypeVar

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.hints import is_a_name, nearest_names
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.errors import ServiceError
from astro_provider.lifecycle.findings import Finding, Weight
from astro_provider.lifecycle.values import ONLY, UNKNOWN, Entry, Flag, Text, known
from astro_provider.messages.words import in_words, sentence
from astro_provider.names import CUID

MOST_ASKED = 20  # ids among the keys of a table that no list shows, and that are asked for one by one


T = TypeVar("T", bound=ApiToken | Deployment)


@dataclass(frozen=True)
class Spelled:
    """A token or a deployment as the program spells it, and as the state has it."""

    id_property: str  # the place of a finding about its id
    name_property: str  # the place of a finding about its name
    id: Text | None = None
    name: Text | None = None
    is_key: bool = False  # `name` is the key of a table, which may be an id as well
    stored_id: Text | None = None
    stored_name: Text | None = None
    entries: tuple[Entry, ...] = (ONLY,)  # those that name it

    @property
    def place(self) -> str:
        """Return the place of a finding about the thing itself."""
        return self.name_property if self.id is None else self.id_property

    @property
    def is_as_stored(self) -> bool:
        """Return whether the program spells by name what the state has, with its id."""
        return known(self.stored_id) and known(self.name) and self.name == self.stored_name


@dataclass(frozen=True)
class Found(Generic[T]):
    """A token or a deployment after the look-up, with a finding if there is one."""

    what: str  # `token` or `deployment`
    spelled: Spelled
    id: Text | None  # None if nothing has the name yet, UNKNOWN if another value has yet to show it
    name: Text | None  # as the program spells it, if it gives one
    thing: T | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def in_words(self) -> str:
        """Return the words of a message for it: name, then id."""
        return in_words(self.what, self.thing.name if self.thing is not None else self.name, self.id)

    def with_finding(self, weight: Weight, text: str, place: str = "") -> Found[T]:
        """Return it with a finding, at its own place unless another one is given."""
        return replace(self, findings=(Finding(weight, place or self.spelled.place, text, self.spelled.entries),))


@dataclass(frozen=True)
class Wishes:
    """The wishes of a resource in the form in which they are examined; deployments and tokens by key."""

    organization_id: Text | None  # nothing is looked up while it is unknown
    deployments: Mapping[str, Spelled]
    tokens: Mapping[str, Spelled]
    roles: Mapping[Entry, Text]
    workspace_id: Text | None = None  # the workspace that each deployment must belong to
    overwrite: Flag = False
    must_exist: bool = False  # the resource is in the state or about to be written: a name that nothing has is an error
    about_to_write: bool = False  # a create or update asks, so nothing may be missing any more
    unchecked: bool = False  # its `check` could look nothing up: names that it gives with ids are the program's own


@dataclass(frozen=True)
class Examined:
    """The wishes of a resource, looked up and examined; deployments and tokens by key."""

    wishes: Wishes
    deployments: Mapping[str, Found[Deployment]]
    tokens: Mapping[str, Found[ApiToken]]
    roles: Mapping[Entry, Text]  # after the examination, in Astro's spelling
    findings: Sequence[Finding] = ()

    def in_words(self, entry: Entry) -> str:
        """Return the words of a message for an entry: names, then ids."""
        return f"{self.tokens[entry.token].in_words} in {self.deployments[entry.deployment].in_words}"

    @cached_property
    def bindings(self) -> dict[BindingId, Entry]:
        """Return the entries whose ids are known."""
        return {
            BindingId(organization_id, deployment_id, token_id): entry
            for entry in self.roles
            if known(organization_id := self.wishes.organization_id)
            and known(deployment_id := self.deployments[entry.deployment].id)
            and known(token_id := self.tokens[entry.token].id)
        }


def look_up(reader: Reader | None, wishes: Wishes) -> Examined:
    """Look up all deployments and tokens that a resource asks for, each once; without a reader of the organization none."""
    workspace_id = wishes.workspace_id
    if reader is None:
        vague = {key: Found[Deployment]("deployment", one, one.id, one.name) for key, one in wishes.deployments.items()}
        unknown = {key: Found[ApiToken]("token", one, one.id, one.name) for key, one in wishes.tokens.items()}
        return Examined(wishes, vague, unknown, wishes.roles)

    def find_deployments(key: str) -> tuple[Deployment | None, Sequence[Deployment]]:
        by_id, named = reader.deployments_of_key(key, certain=wishes.must_exist)
        here = [one for one in named if one.workspace_id in (None, workspace_id)] if known(workspace_id) else named
        # If none is in the workspace, all are returned, so that the rule about workspaces can name the one that is elsewhere.
        return by_id, here or named

    def consequence(entry: Entry) -> str:
        token = wishes.tokens[entry.token]
        return f"{in_words('token', token.name, token.id)} cannot be bound to it"

    deployment = _LookUp[Deployment](
        wishes,
        "deployment",
        find_deployments,
        reader.deployment,
        lambda: [one.name for one in reader.deployments().values()],
        consequence,
    )
    deployments = {key: deployment.of(spelled) for key, spelled in wishes.deployments.items()}
    token = _LookUp[ApiToken](
        wishes,
        "token",
        lambda key: reader.tokens_of_key(key, certain=wishes.must_exist),
        reader.token,
        lambda: [one.name for one in reader.tokens().listed if one.scope == ORGANIZATION],
        lambda entry: f"it cannot be bound to {deployments[entry.deployment].in_words}",
    )
    tokens = {key: token.of(spelled) for key, spelled in wishes.tokens.items()}
    findings = [one for found in deployments.values() for one in found.findings]
    findings += [one for found in tokens.values() for one in found.findings]
    return Examined(wishes, deployments, tokens, wishes.roles, findings)


@dataclass(frozen=True)
class _LookUp(Generic[T]):
    """Looks up the tokens or the deployments of a resource, and words the findings."""

    wishes: Wishes
    what: str  # `token` or `deployment`
    find: Callable[[str], tuple[T | None, Sequence[T]]]  # the thing of an id, and all things of a name, from lists
    by_id: Callable[[str], T | None]
    names: Callable[[], Sequence[str]]  # those that a program may give
    consequence: Callable[[Entry], str]  # what cannot be done for an entry if nothing has the name
    keys_asked: Iterator[int] = field(default_factory=count)  # keys that are asked for one by one

    def found(self, spelled: Spelled, id_: Text | None, name: Text | None, thing: T | None = None) -> Found[T]:
        """Return a thing without a finding."""
        return Found(self.what, spelled, id_, name, thing)

    def of(self, spelled: Spelled) -> Found[T]:
        """Look a thing up, if it is known."""
        if known(spelled.id):
            return self._of_id(spelled, spelled.id, self.by_id(spelled.id))
        if spelled.id is not None or not known(spelled.name):
            return self.found(spelled, UNKNOWN, spelled.name)
        if spelled.is_key:
            return self._of_key(spelled, spelled.name)
        return self._of_name(spelled, spelled.name, self.find(spelled.name)[1])

    def _of_key(self, spelled: Spelled, key: str) -> Found[T]:
        by_id, named = self.find(key)
        others = [one for one in named if by_id is None or one.id != by_id.id]
        if by_id is not None and others:
            text = (
                f"{key!r} is the id of {in_words(self.what, by_id.name, by_id.id)} and the name of {_ids(others)}. "
                f"Give the other one by its id, and rename one of the two in Astro."
            )
            return self.found(spelled, None, key).with_finding(Weight.ERROR, text)
        # A list may be cut for this credential. A key that looks like an id is asked for by itself, as far as calls allow.
        if by_id is None and not named and spelled.stored_id in (None, key) and CUID.fullmatch(key):
            by_id = self.by_id(key) if next(self.keys_asked) < MOST_ASKED else None
        elif by_id is None:
            return self._of_name(spelled, key, named)
        return self._of_id(replace(spelled, id=key, name=None), key, by_id)

    def _of_id(self, spelled: Spelled, id_: str, thing: T | None) -> Found[T]:
        is_stored = spelled.stored_id == id_
        was = spelled.stored_name if is_stored else None
        name = spelled.name or was or (thing.name if thing is not None else None)
        found = self.found(spelled, id_, name, thing)
        # Deleted since it was bound: what is in the state and does not change must not fail a preview.
        if thing is None:
            if is_stored:
                return self._gone(found, id_)
            return found.with_finding(Weight.ERROR, self._no_such_id(spelled, id_))
        # A thing that the program gives by id, and that was renamed in Astro, is no change of the program.
        is_checked = self.wishes.about_to_write and not self.wishes.unchecked
        if not known(spelled.name) or spelled.name == thing.name or is_checked:
            return found
        if spelled.is_as_stored and is_stored:
            return self._renamed(found, thing.name)
        text = (
            f"{spelled.name_property} {spelled.name!r} and {spelled.id_property} {id_} do not mean the same {self.what}: "
            f"{id_} is named {thing.name!r}. Give one of the two."
        )
        return replace(found, name=thing.name).with_finding(Weight.ERROR, text, spelled.name_property)

    def _of_name(self, spelled: Spelled, name: str, named: Sequence[T]) -> Found[T]:
        if len(named) == 1:
            return self.found(spelled, named[0].id, name, named[0])
        if named:
            return self._of_several(spelled, name, named)
        # No list has the name. If the thing of the state still exists, it was renamed, which is no change of the program.
        stored = None
        if known(spelled.stored_id):
            with suppress(ServiceError):  # a missing name is reported all the same
                stored = self.by_id(spelled.stored_id)
            if spelled.is_as_stored:
                found = self.found(spelled, spelled.stored_id, name, stored)
                return self._renamed(found, stored.name) if stored else self._gone(found, spelled.stored_id)
        text = f"No {self.what} is named {name!r} in organization {self.wishes.organization_id}"
        if spelled.is_key:
            text = f"No {self.what} has the name or the id {name!r}"
        text += nearest_names(name, self.names())
        if self.wishes.must_exist:
            now = f" The {self.what} of this binding ({stored.id}) is named {stored.name!r} now." if stored else ""
            return self.found(spelled, None, name).with_finding(Weight.ERROR, f"{text}.{now}")
        if len(spelled.entries) == 1:
            text += f", so {self.consequence(spelled.entries[0])}"
        text += f". The update will fail unless this program also creates that {self.what}."
        return self.found(spelled, None, name).with_finding(Weight.WARNING, text)

    def _of_several(self, spelled: Spelled, name: str, named: Sequence[T]) -> Found[T]:
        """Return the thing that the state has, if it is one of those that the program may mean."""
        is_deployment = self.what == "deployment"
        # Ids, not names, are the identity: a second thing of that name changes nothing for a binding that exists.
        held = next((one for one in named if spelled.is_as_stored and one.id == spelled.stored_id), None)
        if held is None and is_deployment and self.wishes.workspace_id is UNKNOWN:
            return self.found(spelled, UNKNOWN, name)  # the workspace, once it is known, decides
        text = f"{len(named)} {self.what}s are named {name!r}"
        stays, give_id = "This binding stays", f"give {spelled.id_property}"
        if spelled.is_key:
            stays, give_id = "The table stays", "write the id as the key"
        if held is not None:
            text += f". {stays} with {held.id}, which the state has; {give_id} to say so in the program."
            return self.found(spelled, held.id, name, held).with_finding(Weight.WARNING, text)
        or_so = ", or give the workspace_id of the one that you mean" if is_deployment else ""
        text += f": {_ids(named)}. {sentence(give_id)} instead{or_so}."
        return self.found(spelled, None, name).with_finding(Weight.ERROR, text)

    def _renamed(self, found: Found[T], now: str) -> Found[T]:
        place = found.spelled.name_property
        grant, property_ = ("Its roles stay", "the key") if found.spelled.is_key else ("Its grant stays", place)
        called = sentence(in_words(self.what, found.name, found.id))
        text = f"{called} is named {now!r} now. {grant}; write {now!r} as {property_}."
        return found.with_finding(Weight.WARNING, text, place)

    def _gone(self, found: Found[T], id_: str) -> Found[T]:
        text = f"{sentence(in_words(self.what, found.spelled.stored_name, id_))} does not exist any more. "
        text += (
            "Remove it from the table, or give another one."
            if found.spelled.is_key
            else f"Remove this binding from the program, or give another {self.what}."
        )
        # A deployment of a table may be without entries: then nothing is to be given there, and the table stays as it is.
        return found.with_finding(Weight.ERROR if found.spelled.entries else Weight.WARNING, text)

    def _no_such_id(self, spelled: Spelled, id_: str) -> str:
        text = f"There is no {self.what} with the id {id_} in organization {self.wishes.organization_id}"
        # A name in the place of an id is the commonest mistake.
        if not spelled.is_key and (named := self.find(id_)[1]):
            return f"{text}{is_a_name([one.id for one in named], spelled.name_property)}."
        names = self.names()
        if not names:
            return f"{text}: the credential sees no {self.what} there at all. Check whose credential it is."
        return f"{text}{nearest_names(id_, names)}."


def _ids(things: Iterable[ApiToken | Deployment]) -> str:
    return ", ".join(sorted(one.id for one in things))

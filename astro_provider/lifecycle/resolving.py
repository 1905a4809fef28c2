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
from typing import Any, Generic, Protocol, TypeVar

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.hints import is_a_name, nearest_names
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.errors import ServiceError
from astro_provider.lifecycle.findings import Entry, Finding, Weight
from astro_provider.lifecycle.values import UNKNOWN, Flag, Text, known
from astro_provider.messages.words import in_words, sentence
from astro_provider.names import CUID

MOST_ASKED = 20  # ids among the keys of a table that no list shows, and that are asked for one by one


class Thing(Protocol):
    """A token or a deployment."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name."""


T = TypeVar("T", bound=Thing)


@dataclass(frozen=True)
class Wording:
    """How a resource speaks of itself in a finding, with `{…}` as in `str.format`.

    Attributes:
        missing: nothing has the name `{name}`.
        stays: what stays with the thing that the state has, if several share its name.
        grant: what stays if a thing was renamed, with the verb.
        give_id: how to give the id instead of a name; `{id_property}` is the property of the id.
        write_name: how to write the new name `{name}`; `{name_property}` is the property of the name.
        remove: what to do if a thing is gone.
    """

    missing: str
    stays: str
    grant: str
    give_id: str
    write_name: str
    remove: str


@dataclass(frozen=True)
class Spelled:
    """A token or a deployment as the program spells it, and as the state has it.

    Attributes:
        id_property: where a finding about its id goes.
        name_property: where a finding about its name goes.
        id: its id, if the program gives one.
        name: its name, if the program gives one.
        is_key: `name` is the key of a table, which may be an id as well.
        stored_id: the id in the state.
        stored_name: the name in the state.
        entries: the entries that name it.
    """

    id_property: str
    name_property: str
    id: Text | None = None
    name: Text | None = None
    is_key: bool = False
    stored_id: Text | None = None
    stored_name: Text | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def place(self) -> str:
        """Where a finding about the thing itself goes."""
        return self.name_property if self.id is None else self.id_property

    @property
    def is_as_stored(self) -> bool:
        """Whether the program spells by name what the state has, with an id beside it."""
        return known(self.stored_id) and known(self.name) and self.name == self.stored_name


@dataclass(frozen=True)
class Found(Generic[T]):
    """What became of looking a token or a deployment up.

    Attributes:
        what: `token` or `deployment`.
        spelled: how the program spells it.
        id: the id of what it means; None if nothing has the name yet, UNKNOWN if another value has yet to tell.
        name: its name, as the program spells it if it gives one.
        thing: the thing, if it exists.
        findings: what there is to say about its name and its id.
    """

    what: str
    spelled: Spelled
    id: Text | None
    name: Text | None
    thing: T | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def in_words(self) -> str:
        """How a message speaks of it: by name, then id."""
        return in_words(self.what, self.thing.name if self.thing is not None else self.name, self.id)


@dataclass(frozen=True)
class Asked:
    """What a resource asks for, in the form in which it is examined.

    Attributes:
        organization_id: the organization; nothing is looked up while it is unknown.
        deployments: its deployments, by key.
        tokens: its tokens, by key.
        roles: the role of each entry.
        places: where a finding about the role of an entry goes.
        place_of_workspace: where a finding about the workspace goes, if not to the place of the deployment.
        workspace_id: the workspace that each deployment must belong to.
        overwrite: whether a create may take over what is there with another role.
        wording: how the resource speaks of itself.
        must_exist: a name that nothing has is an error, because the resource is in the state or about to be written.
        about_to_write: a create or update asks, so nothing may be missing any more.
        unchecked: its `check` could look nothing up, so names that stand beside ids are the program's own.
    """

    organization_id: Text | None
    deployments: Mapping[str, Spelled]
    tokens: Mapping[str, Spelled]
    roles: Mapping[Entry, Text]
    places: Callable[[Entry], str]
    wording: Wording
    place_of_workspace: str = ""
    workspace_id: Text | None = None
    overwrite: Flag = False
    must_exist: bool = False
    about_to_write: bool = False
    unchecked: bool = False


@dataclass(frozen=True)
class Examined:
    """What a resource asks for, as far as it has been looked up and examined.

    Attributes:
        asked: what it asks for.
        deployments: its deployments, by key.
        tokens: its tokens, by key.
        roles: the role of each entry; after the examination, in Astro's spelling.
        findings: errors, warnings and notes.
    """

    asked: Asked
    deployments: Mapping[str, Found[Deployment]]
    tokens: Mapping[str, Found[ApiToken]]
    roles: Mapping[Entry, Text]
    findings: Sequence[Finding]

    def in_words(self, entry: Entry) -> str:
        """How a message speaks of an entry: names, then ids."""
        return f"{self.tokens[entry.token].in_words} in {self.deployments[entry.deployment].in_words}"

    @cached_property
    def bindings(self) -> dict[BindingId, Entry]:
        """The entries whose ids are known."""
        return {
            BindingId(organization_id, deployment_id, token_id): entry
            for entry in self.roles
            if known(organization_id := self.asked.organization_id)
            and known(deployment_id := self.deployments[entry.deployment].id)
            and known(token_id := self.tokens[entry.token].id)
        }


def look_up(reader: Reader, asked: Asked) -> Examined:
    """Look up all deployments and tokens that a resource asks for, each once."""
    organization_id, workspace_id = asked.organization_id, asked.workspace_id
    if not known(organization_id):
        return Examined(asked, _vague(asked.deployments), _vague(asked.tokens), asked.roles, [])

    def find_deployments(key: str) -> tuple[Deployment | None, Sequence[Deployment]]:
        by_id, named = reader.deployments_of_key(organization_id, key, certain=asked.must_exist)
        here = [one for one in named if one.workspace_id in (None, workspace_id)] if known(workspace_id) else named
        return by_id, here or named

    def token_in_words(entry: Entry) -> str:
        token = asked.tokens[entry.token]
        return in_words("token", token.name, token.id)

    deployment = _Kind[Deployment](
        "deployment",
        find_deployments,
        lambda id_: reader.deployment(organization_id, id_),
        lambda: [one.name for one in reader.deployments(organization_id).values()],
        lambda entry: f"{token_in_words(entry)} cannot be bound to it",
        more_may_tell=workspace_id is UNKNOWN,
        or_the_workspace=", or give the workspace_id of the one that you mean",
    )
    found = {key: _look_up(deployment, spelled, asked) for key, spelled in asked.deployments.items()}
    token = _Kind[ApiToken](
        "token",
        lambda key: reader.tokens_of_key(organization_id, key, certain=asked.must_exist),
        lambda id_: reader.token(organization_id, id_),
        lambda: [one.name for one in reader.tokens(organization_id).listed if one.scope == ORGANIZATION],
        lambda entry: f"it cannot be bound to {found[entry.deployment].in_words}",
    )
    tokens = {key: _look_up(token, spelled, asked) for key, spelled in asked.tokens.items()}
    findings = [text for one in found.values() for text in one.findings]
    findings += [text for one in tokens.values() for text in one.findings]
    return Examined(asked, found, tokens, asked.roles, findings)


def _vague(things: Mapping[str, Spelled]) -> dict[str, Found[Any]]:
    return {key: Found("", one, one.id, one.name) for key, one in things.items()}


@dataclass(frozen=True)
class _Kind(Generic[T]):
    """How tokens or deployments are looked up and spoken of.

    Attributes:
        what: `token` or `deployment`.
        find: the thing of an id, and all things of a name, from lists.
        by_id: the thing of an id, or None.
        names: the names that a program may give.
        consequence: what cannot be done for an entry if nothing has the name.
        more_may_tell: another value, which is still unknown, tells which of several is meant.
        or_the_workspace: another way to tell which of several is meant.
        keys_asked: counts the keys that are asked for one by one.
    """

    what: str
    find: Callable[[str], tuple[T | None, Sequence[T]]]
    by_id: Callable[[str], T | None]
    names: Callable[[], Sequence[str]]
    consequence: Callable[[Entry], str]
    more_may_tell: bool = False
    or_the_workspace: str = ""
    keys_asked: Iterator[int] = field(default_factory=count)

    def found(self, spelled: Spelled, id_: Text | None, name: Text | None, thing: T | None = None) -> Found[T]:
        """A thing about which there is nothing to say."""
        return Found(self.what, spelled, id_, name, thing)

    def in_words(self, id_: object, name: object) -> str:
        """How a message speaks of a thing."""
        return in_words(self.what, name, id_)


def _look_up(kind: _Kind[T], spelled: Spelled, asked: Asked) -> Found[T]:
    if known(spelled.id):
        return _of_id(kind, spelled, spelled.id, kind.by_id(spelled.id), asked)
    if spelled.id is not None or not known(spelled.name):
        return kind.found(spelled, UNKNOWN, spelled.name)
    if spelled.is_key:
        return _of_key(kind, spelled, spelled.name, asked)
    return _of_name(kind, spelled, spelled.name, kind.find(spelled.name)[1], asked)


def _of_key(kind: _Kind[T], spelled: Spelled, key: str, asked: Asked) -> Found[T]:
    by_id, named = kind.find(key)
    others = [one for one in named if by_id is None or one.id != by_id.id]
    if by_id is not None and others:
        text = (
            f"{key!r} is the id of {kind.in_words(by_id.id, by_id.name)} and the name of {_ids(others)}. "
            f"Give the other one by its id, and rename one of the two in Astro."
        )
        return _with(kind.found(spelled, None, key), Weight.ERROR, text)
    if by_id is None and not named and spelled.stored_id in (None, key) and CUID.fullmatch(key):
        by_id = kind.by_id(key) if next(kind.keys_asked) < MOST_ASKED else None
    elif by_id is None:
        return _of_name(kind, spelled, key, named, asked)
    return _of_id(kind, replace(spelled, id=key, name=None), key, by_id, asked)


def _of_id(kind: _Kind[T], spelled: Spelled, id_: str, thing: T | None, asked: Asked) -> Found[T]:
    is_stored = spelled.stored_id == id_
    was = spelled.stored_name if is_stored else None
    if thing is None:
        text = _gone(kind, id_, was, asked) if is_stored else _no_such_id(kind, spelled, id_, asked)
        return _with(kind.found(spelled, id_, spelled.name or was), Weight.ERROR, text)
    if not known(spelled.name):
        # A thing that the program gives by id, and that was renamed in Astro, is no change of the program.
        return kind.found(spelled, id_, spelled.name or was or thing.name, thing)
    found = kind.found(spelled, id_, spelled.name, thing)
    if spelled.name == thing.name or (asked.about_to_write and not asked.unchecked):
        return found
    if spelled.is_as_stored and is_stored:
        return _renamed(found, asked)
    text = (
        f"{spelled.name_property} {spelled.name!r} and {spelled.id_property} {id_} do not mean the same {kind.what}: "
        f"{id_} is named {thing.name!r}. Give one of the two."
    )
    return _with(replace(found, name=thing.name), Weight.ERROR, text, spelled.name_property)


def _of_name(kind: _Kind[T], spelled: Spelled, name: str, named: Sequence[T], asked: Asked) -> Found[T]:
    if len(named) == 1:
        return kind.found(spelled, named[0].id, name, named[0])
    if named:
        return _of_several(kind, spelled, name, named, asked)
    stored = None
    if known(spelled.stored_id):
        with suppress(ServiceError):  # a missing name is reported all the same
            stored = kind.by_id(spelled.stored_id)
    if spelled.is_as_stored and stored is not None:
        return _renamed(kind.found(spelled, stored.id, name, stored), asked)
    if spelled.is_as_stored and known(spelled.stored_id):
        text = _gone(kind, spelled.stored_id, name, asked)
        return _with(kind.found(spelled, spelled.stored_id, name), Weight.ERROR, text)
    missing = asked.wording.missing.format(what=kind.what, name=name, organization_id=asked.organization_id)
    text = missing + nearest_names(name, kind.names())
    if asked.must_exist:
        now = f" The {kind.what} of this binding ({stored.id}) is named {stored.name!r} now." if stored else ""
        return _with(kind.found(spelled, None, name), Weight.ERROR, f"{text}.{now}")
    if len(spelled.entries) == 1:
        text += f", so {kind.consequence(spelled.entries[0])}"
    text += f". The update will fail unless this program also creates that {kind.what}."
    return _with(kind.found(spelled, None, name), Weight.WARNING, text)


def _of_several(kind: _Kind[T], spelled: Spelled, name: str, named: Sequence[T], asked: Asked) -> Found[T]:
    """The thing that the state has, if it is one of those that the program may mean."""
    held = next((one for one in named if spelled.is_as_stored and one.id == spelled.stored_id), None)
    if held is None and kind.more_may_tell:
        return kind.found(spelled, UNKNOWN, name)
    wording = asked.wording
    give_id = wording.give_id.format(id_property=spelled.id_property)
    if held is not None:
        text = (
            f"{len(named)} {kind.what}s are named {name!r}. {wording.stays} with {held.id}, which the state has; {give_id} "
            "to say so in the program."
        )
        return _with(kind.found(spelled, held.id, name, held), Weight.WARNING, text)
    text = f"{len(named)} {kind.what}s are named {name!r}: {_ids(named)}. {sentence(give_id)} instead{kind.or_the_workspace}."
    return _with(kind.found(spelled, None, name), Weight.ERROR, text)


def _with(found: Found[T], weight: Weight, text: str, place: str = "") -> Found[T]:
    finding = Finding(weight, place or found.spelled.place, text, found.spelled.entries)
    return replace(found, findings=(*found.findings, finding))


def _renamed(found: Found[T], asked: Asked) -> Found[T]:
    now = found.thing.name if found.thing is not None else ""
    place = found.spelled.name_property
    write = asked.wording.write_name.format(name_property=place, name=now)
    text = (
        f"{sentence(in_words(found.what, found.name, found.id))} is named {now!r} now. {asked.wording.grant}; {write}."
    )
    return _with(found, Weight.WARNING, text, place)


def _gone(kind: _Kind[T], id_: str, name: Text | None, asked: Asked) -> str:
    return (
        f"{sentence(kind.in_words(id_, name))} does not exist any more. {asked.wording.remove.format(what=kind.what)}"
    )


def _no_such_id(kind: _Kind[T], spelled: Spelled, id_: str, asked: Asked) -> str:
    text = f"There is no {kind.what} with the id {id_} in organization {asked.organization_id}"
    if not spelled.is_key and (named := kind.find(id_)[1]):
        return f"{text}{is_a_name([one.id for one in named], spelled.name_property)}."
    names = kind.names()
    if not names:
        return f"{text}: the credential sees no {kind.what} there at all. Check whose credential it is."
    return f"{text}{nearest_names(id_, names)}."


def _ids(things: Iterable[Thing]) -> str:
    return ", ".join(sorted(one.id for one in things))

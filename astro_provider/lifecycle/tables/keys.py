"""The keys of a table, looked up in Astro: each is the id or the name of a deployment or a token.

- A key is an id if the service shows that id, else a name. A name that is also another one's id means neither.
- A name that nothing has may be about to be made by the same program, so a preview must not fail on it; what looks like
  an id and does not exist can never become right.
- What the state has decides if a name does not: a thing that was renamed is still the same thing, and of several that
  share a name it is the one that the table was made with.
- Two keys that mean the same thing are an error, because a token has one role in a deployment.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.errors import ServiceError
from astro_provider.lifecycle.resolving import Thing
from astro_provider.lifecycle.situation import Finding, Weight
from astro_provider.lifecycle.tables.values import Entry, Names, Table, place
from astro_provider.lifecycle.values import UNKNOWN, Text, known
from astro_provider.messages.words import in_words, sentence

MOST_ASKED = 20  # ids that no list shows, and that are asked for one by one: lists may be a minute old
CUID = re.compile(r"c[a-z0-9]{20,31}")  # what Astro's ids look like


T = TypeVar("T", bound=Thing)


@dataclass(frozen=True)
class Key(Generic[T]):
    """What a key means.

    Attributes:
        spelled: the key.
        what: `deployment` or `token`.
        id: the id of what it means; None if nothing has the name yet, UNKNOWN if the workspace must tell.
        thing: the thing, if it exists.
        by_name: whether the key is a name.
    """

    spelled: str
    what: str
    id: Text | None
    thing: T | None = None
    by_name: bool = True

    @property
    def in_words(self) -> str:
        """How a message speaks of it: by name, then id."""
        if self.thing is not None:
            return in_words(self.what, self.thing.name, self.thing.id)
        return in_words(self.what, self.spelled if self.by_name else None, self.id)


@dataclass(frozen=True)
class Keys:
    """All keys of a table, and what there is to say about them: by entry, to tell whose trouble it is."""

    deployments: Mapping[str, Key[Deployment]]
    tokens: Mapping[str, Key[ApiToken]]
    findings: Sequence[tuple[Finding, tuple[Entry, ...]]]

    def names(self) -> tuple[Names, Names]:
        """The ids of the deployments and of the tokens that are given by name."""
        return _ids_of_names(self.deployments.values()), _ids_of_names(self.tokens.values())


@dataclass(frozen=True)
class _Kind(Generic[T]):
    """How tokens or deployments are looked up and spoken of."""

    what: str
    find: Callable[[str], tuple[T | None, Sequence[T]]]
    by_id: Callable[[str], T | None]
    names: Callable[[], Iterable[str]]
    stored: Names
    was_there: Callable[[str], bool]
    more_may_tell: bool = False  # which of several is meant: a workspace that is still unknown
    asked: Iterator[int] = field(default_factory=count)


def look_up(reader: Reader, table: Table, stored: Table | None, *, about_to_write: bool) -> Keys:
    """Look up every key of a table, each once.

    Args:
        reader: the service's facts.
        table: the table, whose organization is known.
        stored: what the state has, if that is of the same organization.
        about_to_write: nothing may be missing any more.
    """
    organization_id = str(table.organization_id)
    state = stored or Table()
    of_deployment: defaultdict[str, list[Entry]] = defaultdict(list)
    of_token: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in table.entries:
        of_deployment[entry.deployment].append(entry)
        of_token[entry.token].append(entry)

    def deployments_of(key: str) -> tuple[Deployment | None, Sequence[Deployment]]:
        found, named = reader.deployments_of_key(organization_id, key, certain=about_to_write)
        if known(table.workspace_id) and len(named) > 1:
            named = [one for one in named if one.workspace_id in (None, table.workspace_id)] or named
        return found, named

    deployments = _Kind(
        "deployment",
        deployments_of,
        lambda id_: reader.deployment(organization_id, id_),
        lambda: [found.name for found in reader.deployments(organization_id).values()],
        state.deployment_ids,
        lambda key: key in state.rows,
        more_may_tell=table.workspace_id is UNKNOWN,
    )
    stored_tokens = {entry.token for entry in state.entries}
    tokens = _Kind(
        "token",
        lambda key: reader.tokens_of_key(organization_id, key, certain=about_to_write),
        lambda id_: reader.token(organization_id, id_),
        lambda: [one.name for one in reader.tokens(organization_id).listed if one.scope == ORGANIZATION],
        state.token_ids,
        lambda key: key in stored_tokens,
    )
    found_deployments = {
        key: _look_up(deployments, key, place(key), about_to_write=about_to_write) for key in table.rows
    }
    found_tokens = {
        key: _look_up(tokens, key, _place_of(concerned), about_to_write=about_to_write)
        for key, concerned in of_token.items()
    }
    findings = [
        *((one, tuple(of_deployment[key])) for key, (_, told) in found_deployments.items() for one in told),
        *((one, tuple(of_token[key])) for key, (_, told) in found_tokens.items() for one in told),
    ]
    keys = Keys(
        {key: found for key, (found, _) in found_deployments.items()},
        {key: found for key, (found, _) in found_tokens.items()},
        findings,
    )
    findings += _doubles(keys, table)
    return keys


def _look_up(kind: _Kind[T], key: str, where: str, *, about_to_write: bool) -> tuple[Key[T], list[Finding]]:
    by_id, named = kind.find(key)
    others = [one for one in named if by_id is None or one.id != by_id.id]
    if by_id is not None and others:
        text = (
            f"{key!r} is the id of {in_words(kind.what, by_id.name, by_id.id)} and the name of {_ids(others)}. "
            f"Give the other one by its id, and rename one of the two in Astro."
        )
        return Key(key, kind.what, None), [Finding(Weight.ERROR, where, text)]
    if by_id is not None:
        return Key(key, kind.what, by_id.id, by_id, by_name=False), []
    if len(named) == 1:
        return Key(key, kind.what, named[0].id, named[0]), []
    if named:
        return _one_of_several(kind, key, where, named)
    return _missing(kind, key, where, about_to_write=about_to_write)


def _one_of_several(kind: _Kind[T], key: str, where: str, named: Sequence[T]) -> tuple[Key[T], list[Finding]]:
    held = next((one for one in named if one.id == kind.stored.get(key)), None)
    if held is not None:
        text = (
            f"{len(named)} {kind.what}s are named {key!r}. The table stays with {held.id}, which the state has; write the "
            "id as the key to say so in the program."
        )
        return Key(key, kind.what, held.id, held), [Finding(Weight.WARNING, where, text)]
    if kind.more_may_tell:
        return Key(key, kind.what, UNKNOWN), []  # the workspace, once it is known, tells which
    or_so = ", or give the workspace_id of the one that you mean" if kind.what == "deployment" else ""
    text = f"{len(named)} {kind.what}s are named {key!r}: {_ids(named)}. Write the id as the key instead{or_so}."
    return Key(key, kind.what, None), [Finding(Weight.ERROR, where, text)]


def _missing(kind: _Kind[T], key: str, where: str, *, about_to_write: bool) -> tuple[Key[T], list[Finding]]:
    stored_id = kind.stored.get(key)
    looks_like_an_id = CUID.fullmatch(key) is not None
    if stored_id is None and looks_like_an_id and next(kind.asked) < MOST_ASKED and (found := kind.by_id(key)):
        return Key(key, kind.what, found.id, found, by_name=False), []
    if stored_id is not None:
        with suppress(ServiceError):  # that a name is missing must be told all the same
            if renamed := kind.by_id(stored_id):
                text = (
                    f"{sentence(kind.what)} {key!r} ({stored_id}) is named {renamed.name!r} now. Its roles stay; write "
                    f"{renamed.name!r} as the key."
                )
                return Key(key, kind.what, stored_id, renamed), [Finding(Weight.WARNING, where, text)]
    if stored_id is not None or (looks_like_an_id and kind.was_there(key)):
        gone = Key[T](key, kind.what, stored_id or key, by_name=stored_id is not None)
        text = f"{sentence(gone.in_words)} does not exist any more. Remove it from the table, or give another one."
        return gone, [Finding(Weight.ERROR, where, text)]
    named = nearest_names(key, kind.names())
    if looks_like_an_id:
        text = f"There is no {kind.what} with the id {key}{named}."
        return Key(key, kind.what, key, by_name=False), [Finding(Weight.ERROR, where, text)]
    text = f"No {kind.what} has the name or the id {key!r}{named}."
    if about_to_write:
        return Key(key, kind.what, None), [Finding(Weight.ERROR, where, text)]
    text += f" The update will fail unless this program also creates that {kind.what}."
    return Key(key, kind.what, None), [Finding(Weight.WARNING, where, text)]


def _doubles(keys: Keys, table: Table) -> Iterable[tuple[Finding, tuple[Entry, ...]]]:
    """Yield what is spelled twice: a deployment in the table, or a token in a deployment."""
    yield from (
        (
            Finding(
                Weight.ERROR,
                place(second.spelled),
                f"is {second.in_words}, and so is {place(first.spelled)}: write all its tokens beneath one key.",
            ),
            (),
        )
        for first, second in _alike(keys.deployments.values())
    )
    alike = list(_alike(keys.tokens.values()))
    if not alike:
        return
    for deployment in table.rows:
        for first, second in alike:
            one, other = Entry(deployment, first.spelled), Entry(deployment, second.spelled)
            if {one, other} <= table.entries.keys():
                text = f"is {second.in_words}, and so is {one.place}: a token has one role in a deployment. Remove one of the two."
                yield Finding(Weight.ERROR, other.place, text), ()


def _alike(keys: Iterable[Key[T]]) -> Iterable[tuple[Key[T], Key[T]]]:
    first: dict[str, Key[T]] = {}
    for key in keys:
        if known(key.id) and first.setdefault(key.id, key) is not key:
            yield first[key.id], key


def _place_of(entries: Sequence[Entry]) -> str:
    """The place of something about a token: its first entry, and how many more it has."""
    more = f" (and {len(entries) - 1} more of this token)" if len(entries) > 1 else ""
    return entries[0].place + more


def _ids(things: Iterable[Thing]) -> str:
    return ", ".join(sorted(thing.id for thing in things))


def _ids_of_names(keys: Iterable[Key[T]]) -> Names:
    return {key.spelled: key.id for key in keys if key.by_name and known(key.id)}

"""What a program names, looked up in Astro: the token, the deployment and the role.

- A name becomes an id, an id a name, and the role gets Astro's spelling.
- A name that nothing has may be about to be made by the same program, so a preview must not fail on it; an id that does
  not exist can never become right.
- What the state has decides if a name does not: a thing that was renamed in Astro is still the same thing, and one of
  several that share a name is the one that the binding was made with.

A value that is still unknown is not looked up; the check comes again when it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from astro_provider.astro.api import ApiToken, Deployment, Role
from astro_provider.astro.hints import is_a_name, nearest_names
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.errors import ServiceError
from astro_provider.lifecycle.situation import Finding, Situation, Weight
from astro_provider.lifecycle.values import UNKNOWN, Inputs, Stored, Text, known
from astro_provider.messages.words import in_words, sentence


class Thing(Protocol):
    """A token or a deployment."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name."""


_T = TypeVar("_T", bound=Thing)


@dataclass(frozen=True)
class _Kind(Generic[_T]):
    """How tokens and deployments are looked up and spoken of.

    Attributes:
        what: `token` or `deployment`.
        by_id: the thing of an id, or None.
        named: all things of a name; the second argument tells whether none must mean none now.
        names: the names that a program may give.
    """

    what: str
    id_property: str
    name_property: str
    by_id: Callable[[str], _T | None]
    named: Callable[[str, bool], Sequence[_T]]
    names: Callable[[], Sequence[str]]


@dataclass(frozen=True)
class _Spelled:
    """A token or a deployment as the program spells it, and as the state has it."""

    id: Text | None
    name: Text | None
    stored_id: Text | None = None
    stored_name: Text | None = None

    @property
    def is_as_stored(self) -> bool:
        """Whether the program spells by name what the state has, with an id beside it."""
        return known(self.stored_id) and known(self.name) and self.name == self.stored_name


@dataclass(frozen=True)
class _Found(Generic[_T]):
    """What became of looking a token or a deployment up."""

    id: Text | None
    name: Text | None
    thing: _T | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Resolved:
    """A binding with what could be looked up.

    Attributes:
        inputs: what the program asks for, ids and names beside each other, the role in Astro's spelling; without an id
            if nothing has the name yet.
        token: the token.
        deployment: the deployment.
        role: the role.
        findings: what there is to say about names and ids.
    """

    inputs: Inputs
    token: ApiToken | None = None
    deployment: Deployment | None = None
    role: Role | None = None
    findings: tuple[Finding, ...] = ()


class Resolver:
    """The way from what a program names to what Astro has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def resolve(self, situation: Situation) -> Resolved:
        """Look up what the program names: the token, the deployment, the role."""
        inputs = situation.asked
        organization_id = inputs.organization_id
        if not known(organization_id):
            return Resolved(inputs)
        stored = situation.stored or Stored()
        if stored.organization_id not in (None, organization_id):
            stored = Stored()
        deployment = self._look_up(
            _Kind(
                "deployment",
                "deployment_id",
                "deployment_name",
                lambda id_: self._reader.deployment(organization_id, id_),
                lambda name, certain: self._deployments_named(inputs, organization_id, name, certain=certain),
                lambda: [found.name for found in self._reader.deployments(organization_id).values()],
            ),
            _Spelled(inputs.deployment_id, inputs.deployment_name, stored.deployment_id, stored.deployment_name),
            situation,
        )
        inputs = replace(inputs, deployment_id=deployment.id, deployment_name=deployment.name)
        token = self._look_up(
            _Kind(
                "token",
                "org_token_id",
                "org_token_name",
                lambda id_: self._reader.token(organization_id, id_),
                lambda name, certain: self._reader.tokens_named(organization_id, name, certain=certain),
                lambda: [one.name for one in self._reader.tokens(organization_id).listed if one.scope == ORGANIZATION],
            ),
            _Spelled(inputs.org_token_id, inputs.org_token_name, stored.org_token_id, stored.org_token_name),
            replace(situation, asked=inputs),
        )
        inputs = replace(inputs, org_token_id=token.id, org_token_name=token.name)
        role = None
        if known(inputs.role):
            certain = situation.weight_of_a_missing_name(inputs) is Weight.ERROR
            role = self._reader.role(organization_id, inputs.role, certain=certain)
            inputs = replace(inputs, role=role.name if role else inputs.role)
        return Resolved(inputs, token.thing, deployment.thing, role, (*deployment.findings, *token.findings))

    def _deployments_named(
        self, inputs: Inputs, organization_id: str, name: str, *, certain: bool
    ) -> Sequence[Deployment]:
        found = self._reader.deployments_named(organization_id, name, certain=certain)
        if known(inputs.workspace_id):
            return [one for one in found if one.workspace_id in (None, inputs.workspace_id)]
        return found

    def _look_up(self, kind: _Kind[_T], spelled: _Spelled, situation: Situation) -> _Found[_T]:
        if known(spelled.id):
            return self._look_up_id(kind, spelled.id, spelled, situation)
        if spelled.id is None and known(spelled.name):
            return self._look_up_name(kind, spelled.name, spelled, situation)
        return _Found(UNKNOWN, spelled.name)

    def _look_up_id(self, kind: _Kind[_T], id_: str, spelled: _Spelled, situation: Situation) -> _Found[_T]:
        found = kind.by_id(id_)
        was = spelled.stored_name if spelled.stored_id == id_ else None
        if found is None:
            text = _gone(kind, id_, was) if was is not None else self._no_such_id(kind, id_, situation)
            return _Found(id_, spelled.name or was, None, (Finding(Weight.ERROR, kind.id_property, text),))
        if not known(spelled.name):
            # One that is given by id and renamed in Astro is nobody's change in the program.
            return _Found(id_, spelled.name or was or found.name, found)
        if spelled.name == found.name or (situation.about_to_write and not situation.unchecked):
            return _Found(id_, spelled.name, found)
        if spelled.is_as_stored and spelled.stored_id == id_:
            return _Found(id_, spelled.name, found, (_renamed(kind, spelled.name, found),))
        text = (
            f"{kind.name_property} {spelled.name!r} and {kind.id_property} {id_} do not mean the same {kind.what}: "
            f"{id_} is named {found.name!r}. Give one of the two."
        )
        return _Found(id_, found.name, found, (Finding(Weight.ERROR, kind.name_property, text),))

    def _look_up_name(self, kind: _Kind[_T], name: str, spelled: _Spelled, situation: Situation) -> _Found[_T]:
        certain = situation.stored is not None or situation.about_to_write
        found = kind.named(name, certain)
        if len(found) == 1:
            return _Found(found[0].id, name, found[0])
        if found:
            return _one_of_several(kind, name, found, spelled, situation)
        stored = self._stored_thing(kind, spelled)
        if spelled.is_as_stored and stored is not None:
            renamed = stored.name != name  # else it has the name and is in another workspace, which `examine` says
            return _Found(stored.id, name, stored, (_renamed(kind, name, stored),) if renamed else ())
        if spelled.is_as_stored and known(spelled.stored_id):
            text = _gone(kind, spelled.stored_id, name)
            return _Found(spelled.stored_id, name, None, (Finding(Weight.ERROR, kind.name_property, text),))
        text = (
            f"No {kind.what} is named {name!r} in {situation.organization_in_words}{nearest_names(name, kind.names())}"
        )
        if certain:
            now = f" The {kind.what} of this binding ({stored.id}) is named {stored.name!r} now." if stored else ""
            return _Found(None, name, None, (Finding(Weight.ERROR, kind.name_property, f"{text}.{now}"),))
        asked = situation.asked
        what = f"it cannot be bound to {asked.deployment_in_words}"
        if kind.what == "deployment":
            what = f"{asked.token_in_words} cannot be bound to it"
        text += f", so {what}. The update will fail unless this program also creates that {kind.what}."
        return _Found(None, name, None, (Finding(Weight.WARNING, kind.name_property, text),))

    def _stored_thing(self, kind: _Kind[_T], spelled: _Spelled) -> _T | None:
        if known(spelled.stored_id):
            with suppress(ServiceError):  # that a name is missing must be told all the same
                return kind.by_id(spelled.stored_id)
        return None

    def _no_such_id(self, kind: _Kind[_T], id_: str, situation: Situation) -> str:
        text = f"There is no {kind.what} with the id {id_} in {situation.organization_in_words}"
        named = kind.named(id_, False)
        if named:
            return f"{text}{is_a_name([thing.id for thing in named], kind.name_property)}."
        if not kind.names():
            return f"{text}: the credential sees no {kind.what} there at all. Check whose credential it is."
        return f"{text}{nearest_names(id_, kind.names())}."


def _one_of_several(
    kind: _Kind[_T], name: str, found: Sequence[_T], spelled: _Spelled, situation: Situation
) -> _Found[_T]:
    """The thing that the state has, if it is one of those that the program may mean; else none."""
    held = next((thing for thing in found if spelled.is_as_stored and thing.id == spelled.stored_id), None)
    if held is None and kind.what == "deployment" and situation.asked.workspace_id is UNKNOWN:
        return _Found(UNKNOWN, name)  # the workspace, once it is known, tells which
    if held is None:
        ids = ", ".join(sorted(thing.id for thing in found))
        or_so = ", or the workspace_id of the one that you mean" if kind.what == "deployment" else ""
        text = f"{len(found)} {kind.what}s are named {name!r}: {ids}. Give {kind.id_property} instead{or_so}."
        return _Found(None, name, None, (Finding(Weight.ERROR, kind.name_property, text),))
    text = (
        f"{len(found)} {kind.what}s are named {name!r}. This binding stays with {held.id}, which the state has; give "
        f"{kind.id_property} to say so in the program."
    )
    return _Found(held.id, name, held, (Finding(Weight.WARNING, kind.name_property, text),))


def _renamed(kind: _Kind[_T], name: str, thing: _T) -> Finding:
    text = (
        f"{sentence(kind.what)} {name!r} ({thing.id}) is named {thing.name!r} now. Its grant stays; write "
        f"{kind.name_property}={thing.name!r}."
    )
    return Finding(Weight.WARNING, kind.name_property, text)


def _gone(kind: _Kind[_T], id_: str, name: Text | None) -> str:
    return (
        f"{sentence(in_words(kind.what, name, id_))} does not exist any more. Remove this binding from the program, or "
        f"give another {kind.what}."
    )

"""Our resources in a state, as a digest and an export show them: which they are, and the roles that they grant.

Four types are known, by the `type` of the state, because a URN may carry a parent's type before it: the binding and the
table, each through the dynamic and through the native door. The native door spells property names in camelCase.
Everything else in a state (`__provider`, configuration, other resources) is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from astro_provider.access.model import Grant, Hidden, Subject, Text, Unseen, seen, text_of
from astro_provider.names import (
    CUID,
    DYNAMIC_BINDING,
    DYNAMIC_TABLE,
    NATIVE_BINDING,
    NATIVE_TABLE,
    SIGNATURE,
    UNFINISHED,
    UNFINISHED_ROLE,
    UNKNOWN_TEXT,
    camel,
    role_removed,
)

TABLES = frozenset((DYNAMIC_TABLE, NATIVE_TABLE))
OURS = TABLES | {DYNAMIC_BINDING, NATIVE_BINDING}

SECRET_TEXT = "[secret]"  # noqa: S105  the engine's word for one
_NOTHING_IN_ID = (None, None, None)


class Incomprehensible(ValueError):
    """A state of one of our types lacks something that every such state has; the text says what is missing."""

    def in_file(self, source: str) -> str:
        """Return the sentence about the file that has the state."""
        return (
            f"{source}: a binding in it has {self}, so this version of the package cannot read it: update the package, or "
            "make the file again."
        )


def is_state(value: Any) -> bool:
    """Return whether a value has the shape of a resource's state, of any resource."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key, ""), str) for key in ("type", "urn", "id"))
        and all(isinstance(value.get(key) or {}, dict) for key in ("inputs", "outputs"))
    )


def stack_of(parts: Iterable[Mapping[str, Any]]) -> str | None:
    """Return `<project>/<stack>` from the first URN of steps or states; None if there is none."""
    for one in parts:
        stack, _, rest = str(one.get("urn", "")).removeprefix("urn:pulumi:").partition("::")
        if rest:
            return f"{rest.partition('::')[0]}/{stack}"
    return None


def grants(state: Mapping[str, Any], *, moment: str) -> list[Grant]:
    """Return the grants of a resource, by its outputs or, before it has any, by its inputs.

    `moment` is `before` or `after`, or the like: a hidden value never equals a hidden value of another moment.

    Raises:
        Incomprehensible: neither the properties nor the id name a token, a deployment and a role.
    """
    bag = _Bag(state, state.get("outputs") or state.get("inputs") or {}, moment)
    return list(_of_table(bag, "roles")) if bag.is_table else [_of_binding(bag)]


def removed(state: Mapping[str, Any], *, moment: str) -> list[Grant]:
    """Return the grants that an exclusive table takes from tokens outside it, as the preview names them."""
    bag = _Bag(state, state.get("inputs") or {}, moment)
    if not bag.is_table or not isinstance(bag.raw("removes"), Mapping):
        return []
    found = _of_table(bag, "removes")
    rows = [replace(one, role=role_removed(one.role) if seen(one.role) else one.role) for one in found]
    return [one for one in rows if one.role is not None]


def vaguely_removed(state: Mapping[str, Any], *, moment: str) -> list[Grant]:
    """Return the grants that an exclusive table may take in deployments that are not known yet.

    Their tokens and roles are unknown: one grant for each deployment that has a name and no id, or one for all of them.
    """
    bag = _Bag(state, state.get("inputs") or {}, moment)
    exclusive, roles = bag.raw("exclusive"), bag.raw("roles")
    if not bag.is_table or not (exclusive is True or isinstance(_text(exclusive, bag.place), Unseen)):
        return []
    unknown = Unseen(Hidden.UNKNOWN, f"{bag.place} removes")
    if isinstance(roles, Mapping):
        keys = [_id_or_name(key, bag.raw("deployment_ids")) for key in roles]
        subjects = [Subject(bag.organization_id, None, unknown, None, name) for id_, name in keys if id_ is None]
    else:
        subjects = [Subject(bag.organization_id, unknown, unknown)]
    return [bag.grant(subject, unknown, None, subject.deployment_name) for subject in subjects]


class _Bag:
    """The properties of one resource at one moment, by the dynamic door's names of them."""

    def __init__(self, state: Mapping[str, Any], properties: Mapping[str, Any], moment: str) -> None:
        self._state = state
        self._properties = properties
        self.place = f"{state.get('urn', '')} {moment}"
        self.is_table = state.get("type") in TABLES
        self.organization_id = self.text("organization_id") or self.ids[0]

    @property
    def ids(self) -> tuple[str | None, str | None, str | None]:
        """The parts of a binding's id: organization, deployment, token."""
        identifier = self._state.get("id")
        parts = identifier.split("/") if isinstance(identifier, str) else []
        if len(parts) != len(_NOTHING_IN_ID) or not all(parts) or UNKNOWN_TEXT in parts:
            return _NOTHING_IN_ID
        return parts[0], parts[1], parts[2]

    def raw(self, name: str) -> Any:
        """Return a property as the state has it; None if it is missing."""
        found = self._properties.get(name)
        return self._properties.get(camel(name)) if found is None else found

    def text(self, name: str) -> Text:
        """Return a property as text; None if it is missing."""
        return _text(self.raw(name), f"{self.place} {name}")

    def grant(self, subject: Subject, role: Text, token_name: Text = None, deployment_name: Text = None) -> Grant:
        """Return a grant of this resource."""
        return Grant(
            subject,
            role,
            org_token_name=text_of(token_name),
            deployment_name=text_of(deployment_name),
            urn=str(self._state.get("urn", "")),
            protect=self._state.get("protect") is True,
            overwrite=self.raw("overwrite") is True,
        )


def _of_binding(bag: _Bag) -> Grant:
    _, deployment_in_id, token_in_id = bag.ids
    deployment_id = bag.text("deployment_id") or deployment_in_id
    token_id = bag.text("org_token_id") or token_in_id
    token_name, deployment_name, role = bag.text("org_token_name"), bag.text("deployment_name"), bag.text("role")
    # After a run that failed, Astro may have the role of the state or the one that the program asked for.
    if bag.raw(UNFINISHED) is True:
        role = Unseen(Hidden.UNKNOWN, f"{bag.place} role")
    if None in (deployment_id or deployment_name, token_id or token_name, role):
        raise Incomprehensible("no deployment, no token or no role")
    subject = Subject(
        bag.organization_id,
        deployment_id,
        token_id,
        org_token_name=token_name if token_id is None else None,
        deployment_name=deployment_name if deployment_id is None else None,
    )
    return bag.grant(subject, role, token_name, deployment_name)


def _of_table(bag: _Bag, name: str) -> Iterator[Grant]:
    """Yield the grants of `roles` or `removes`, `{deployment: {token: role}}`; a part that is not shown hides everything beneath it.

    Raises:
        Incomprehensible: the property is missing, or its marks of unfinished entries are malformed.
    """
    roles = bag.raw(name)
    if roles is None:
        raise Incomprehensible(f"no {name}")
    if not isinstance(roles, Mapping) or SIGNATURE in roles:
        hidden = _role(roles, f"{bag.place} {name}")
        yield bag.grant(Subject(bag.organization_id, hidden, hidden), hidden)
        return
    unfinished = bag.raw(UNFINISHED)
    marked = unfinished if name == "roles" and isinstance(unfinished, Mapping) else {}
    if not all(isinstance(row, list) and all(isinstance(token, str) for token in row) for row in marked.values()):
        raise Incomprehensible(f"something else than lists of tokens in {UNFINISHED}")
    # A deployment may have unfinished entries alone: those that a failed run was to remove.
    for deployment, tokens in {**{key: {} for key in marked}, **roles}.items():
        row = f"{bag.place} {name} {deployment}"
        deployment_id, deployment_name = _id_or_name(deployment, bag.raw("deployment_ids"))
        called = None if deployment == deployment_id else deployment
        if not isinstance(tokens, Mapping) or SIGNATURE in tokens:
            hidden = _role(tokens, row)
            subject = Subject(bag.organization_id, deployment_id, hidden, deployment_name=deployment_name)
            yield bag.grant(subject, hidden, None, called)
            continue
        for token, role in {**tokens, **dict.fromkeys(marked.get(deployment, ()), UNFINISHED_ROLE)}.items():
            token_id, token_name = _id_or_name(token, bag.raw("token_ids"))
            subject = Subject(bag.organization_id, deployment_id, token_id, token_name, deployment_name)
            yield bag.grant(subject, _role(role, f"{row} {token}"), None if token == token_id else token, called)


def _role(value: Any, place: str) -> Text:
    """Return a role, or the part of a table in the place of roles; everything but a role's name is not known."""
    found = _text(value, place)
    return Unseen(Hidden.UNKNOWN, place) if found is None or found == UNFINISHED_ROLE else found


def _id_or_name(key: str, ids: Any) -> tuple[str | None, str | None]:
    """Return the id that a key of a table stands for, or its name: the id that `check` found, an id itself, or a name."""
    found = ids.get(key) if isinstance(ids, Mapping) else None
    if isinstance(found, str) and found not in (UNKNOWN_TEXT, SECRET_TEXT):
        return found, None
    return (key, None) if CUID.fullmatch(key) else (None, key)


def _text(value: Any, place: str) -> Text:
    if isinstance(value, Mapping) and SIGNATURE in value:
        return Unseen(Hidden.SECRET, place)
    if not isinstance(value, str) or not value:
        return None
    if value == UNKNOWN_TEXT:
        return Unseen(Hidden.UNKNOWN, place)
    return Unseen(Hidden.SECRET, place) if value == SECRET_TEXT else value

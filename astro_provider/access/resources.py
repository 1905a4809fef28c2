"""Our resources in a state, as a digest and an export show them: which they are, and what they grant.

Four types are known, by the `type` of the state, because a URN may carry a parent's type before it: the binding and the
set of bindings, each through the dynamic and through the native door. The native door spells property names in
camelCase. Whatever else a state holds (`__provider`, configuration, values of other resources) is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

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
    role_removed,
)

ONE = frozenset((DYNAMIC_BINDING, NATIVE_BINDING))
MANY = frozenset((DYNAMIC_TABLE, NATIVE_TABLE))
OURS = ONE | MANY

SECRET_TEXT = "[secret]"  # noqa: S105  the engine's word for one
_NOTHING_IN_ID = (None, None, None)


class Incomprehensible(ValueError):
    """A state of one of our types does not have what one has; the text says what is missing."""


def is_state(value: Any) -> bool:
    """Return whether a value has the shape of a resource's state, whatever the resource is."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key, ""), str) for key in ("type", "urn", "id"))
        and all(isinstance(value.get(key) or {}, dict) for key in ("inputs", "outputs"))
    )


def grants(state: Mapping[str, Any], properties: Mapping[str, Any], *, moment: str) -> list[Grant]:
    """What a resource grants.

    Args:
        state: the resource's state.
        properties: its inputs, or its outputs.
        moment: tells a value that is not shown from the same one at another time, for example `before`.

    Raises:
        Incomprehensible: neither the properties nor the id tell a token, a deployment and a role.
    """
    place = f"{state.get('urn', '')} {moment}"
    organization_id = property_text(properties, "organization_id", place) or _ids(state)[0]
    if state.get("type") in MANY:
        found = list(_of_many(properties, "roles", organization_id, place))
    else:
        found = [_of_one(state, properties, organization_id, place)]
    return [_grant(one, state, properties) for one in found]


def removed(state: Mapping[str, Any], properties: Mapping[str, Any], *, moment: str) -> list[Grant]:
    """What an exclusive set of bindings takes from tokens that are not in it, as the preview names it."""
    if state.get("type") not in MANY or not isinstance(_raw(properties, "removes"), Mapping):
        return []
    place = f"{state.get('urn', '')} {moment}"
    organization_id = property_text(properties, "organization_id", place) or _ids(state)[0]
    rows = _of_many(properties, "removes", organization_id, place)
    roles = ((one, role_removed(one.role) if seen(one.role) else one.role) for one in rows)
    return [replace(_grant(one, state, properties), role=role) for one, role in roles if role is not None]


def vaguely_removed(state: Mapping[str, Any], properties: Mapping[str, Any], *, moment: str) -> list[Grant]:
    """What an exclusive set of bindings takes where its deployments are not known yet: from tokens that nobody can name.

    One grant for each deployment that has a name without an id, or one for all of them, with everything else unknown.
    """
    place = f"{state.get('urn', '')} {moment}"
    exclusive = _raw(properties, "exclusive")
    if state.get("type") not in MANY or not (exclusive is True or isinstance(_text(exclusive, place), Unseen)):
        return []
    organization_id = property_text(properties, "organization_id", place) or _ids(state)[0]
    roles = _raw(properties, "roles")
    keys = [_id_or_name(key, _raw(properties, "deployment_ids")) for key in roles] if isinstance(roles, Mapping) else []
    nobody = Unseen(Hidden.UNKNOWN, f"{place} removes")
    subjects = [Subject(organization_id, None, nobody, None, name) for identifier, name in keys if identifier is None]
    if not isinstance(roles, Mapping):
        subjects = [Subject(organization_id, nobody, nobody)]
    return [_grant(_Entry(subject, nobody, None, subject.deployment_name), state, properties) for subject in subjects]


class _Entry(NamedTuple):
    """A subject's role, and what the token and the deployment are called."""

    subject: Subject
    role: Text
    org_token_name: Text = None
    deployment_name: Text = None


def _grant(entry: _Entry, state: Mapping[str, Any], properties: Mapping[str, Any]) -> Grant:
    return Grant(
        entry.subject,
        entry.role,
        org_token_name=text_of(entry.org_token_name),
        deployment_name=text_of(entry.deployment_name),
        urn=str(state.get("urn", "")),
        protect=state.get("protect") is True,
        overwrite=_raw(properties, "overwrite") is True,
        retained=state.get("retainOnDelete") is True,
    )


def property_text(properties: Mapping[str, Any], name: str, place: str) -> Text:
    """A property by the dynamic door's name of it, whichever door it came through; None if it is not there."""
    return _text(_raw(properties, name), f"{place} {name}")


def _of_one(state: Mapping[str, Any], properties: Mapping[str, Any], organization_id: Text, place: str) -> _Entry:
    _, deployment_in_id, token_in_id = _ids(state)
    deployment_id = property_text(properties, "deployment_id", place) or deployment_in_id
    token_id = property_text(properties, "org_token_id", place) or token_in_id
    token_name, role = property_text(properties, "org_token_name", place), property_text(properties, "role", place)
    deployment_name = property_text(properties, "deployment_name", place)
    if properties.get(UNFINISHED) is True:
        role = Unseen(Hidden.UNKNOWN, f"{place} role")
    unknown = [deployment_id is None and deployment_name is None, token_id is None and token_name is None, role is None]
    if any(unknown):
        raise Incomprehensible("no deployment, no token or no role")
    subject = Subject(
        organization_id,
        deployment_id,
        token_id,
        org_token_name=token_name if token_id is None else None,
        deployment_name=deployment_name if deployment_id is None else None,
    )
    return _Entry(subject, role, token_name, deployment_name)


def _of_many(properties: Mapping[str, Any], name: str, organization_id: Text, place: str) -> Iterator[_Entry]:
    """Take `{deployment: {token: role}}` apart; a part that is not shown hides all that stands beneath it."""
    roles = _raw(properties, name)
    if roles is None:
        raise Incomprehensible(f"no {name}")
    if not isinstance(roles, Mapping) or SIGNATURE in roles:
        hidden = _role(roles, f"{place} {name}")
        yield _Entry(Subject(organization_id, hidden, hidden), hidden)
        return
    deployment_ids, token_ids = (_raw(properties, which) for which in ("deployment_ids", "token_ids"))
    unfinished = _raw(properties, UNFINISHED)
    marked = unfinished if name == "roles" and isinstance(unfinished, Mapping) else {}
    if not all(isinstance(row, list) and all(isinstance(token, str) for token in row) for row in marked.values()):
        raise Incomprehensible(f"something else than lists of tokens in {UNFINISHED}")
    for deployment, tokens in {**{key: {} for key in marked}, **roles}.items():
        row = f"{place} {name} {deployment}"
        deployment_id, deployment_name = _id_or_name(deployment, deployment_ids)
        called = None if deployment == deployment_id else deployment
        if not isinstance(tokens, Mapping) or SIGNATURE in tokens:
            hidden = _role(tokens, row)
            subject = Subject(organization_id, deployment_id, hidden, deployment_name=deployment_name)
            yield _Entry(subject, hidden, None, called)
            continue
        for token, role in {**tokens, **dict.fromkeys(marked.get(deployment, ()), UNFINISHED_ROLE)}.items():
            token_id, token_name = _id_or_name(token, token_ids)
            subject = Subject(organization_id, deployment_id, token_id, token_name, deployment_name)
            yield _Entry(subject, _role(role, f"{row} {token}"), None if token == token_id else token, called)


def _role(value: Any, place: str) -> Text:
    """A role, or a part of a table in the place of roles; what is no text is not known, and a mark of ours is no role."""
    found = _text(value, place)
    return Unseen(Hidden.UNKNOWN, place) if found is None or found == UNFINISHED_ROLE else found


def _id_or_name(key: str, ids: Any) -> tuple[str | None, str | None]:
    """What a key of a set of bindings means: the id that `check` has found for it, or an id itself, or else a name."""
    found = ids.get(key) if isinstance(ids, Mapping) else None
    if isinstance(found, str) and found not in (UNKNOWN_TEXT, SECRET_TEXT):
        return found, None
    return (key, None) if CUID.fullmatch(key) else (None, key)


def _raw(properties: Mapping[str, Any], name: str) -> Any:
    found = properties.get(name)
    if found is not None:
        return found
    first, *rest = name.split("_")
    return properties.get(first + "".join(word.title() for word in rest))


def _text(value: Any, place: str) -> Text:
    if isinstance(value, Mapping) and SIGNATURE in value:
        return Unseen(Hidden.SECRET, place)
    if not isinstance(value, str) or not value:
        return None
    if value == UNKNOWN_TEXT:
        return Unseen(Hidden.UNKNOWN, place)
    return Unseen(Hidden.SECRET, place) if value == SECRET_TEXT else value


def _ids(state: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """What the id of a binding tells: organization, deployment, token."""
    identifier = state.get("id")
    parts = identifier.split("/") if isinstance(identifier, str) else []
    if len(parts) != len(_NOTHING_IN_ID) or not all(parts) or UNKNOWN_TEXT in parts:
        return _NOTHING_IN_ID
    return parts[0], parts[1], parts[2]

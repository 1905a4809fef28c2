"""Our resources in a state, as a digest and an export show them: which they are, and what they grant.

Four types are known, by the `type` of the state, because a URN may carry a parent's type before it: the binding and the
set of bindings, each through the dynamic and through the native door. The native door spells property names in
camelCase. Whatever else a state holds (`__provider`, configuration, values of other resources) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from astro_provider.access.model import Grant, Hidden, Subject, Text, Unseen, shown

ONE = frozenset(("pulumi-python:dynamic/astro:DeploymentOrgTokenBinding", "astro:index:DeploymentOrgTokenBinding"))
MANY = frozenset(("pulumi-python:dynamic/astro:DeploymentOrgTokenBindings", "astro:index:DeploymentOrgTokenBindings"))
OURS = ONE | MANY

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's
SECRET_TEXT = "[secret]"  # noqa: S105  the engine's word for one
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105  the key by which an export marks a secret
_CUID = re.compile(r"c[a-z0-9]{20,31}")
_NOTHING_IN_ID = (None, None, None)


class Incomprehensible(ValueError):
    """A state of one of our types does not have what one has; the text says what is missing."""


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
        found = list(_of_many(properties, organization_id, place))
    else:
        found = [_of_one(state, properties, organization_id, place)]
    return [
        Grant(
            subject,
            role,
            org_token_name=shown(subject.org_token_name) or shown(property_text(properties, "org_token_name", place)),
            deployment_name=shown(subject.deployment_name)
            or shown(property_text(properties, "deployment_name", place)),
            urn=str(state.get("urn", "")),
            protect=state.get("protect") is True,
            overwrite=_raw(properties, "overwrite") is True,
            retained=state.get("retainOnDelete") is True,
        )
        for subject, role in found
    ]


def property_text(properties: Mapping[str, Any], name: str, place: str) -> Text:
    """A property by the dynamic door's name of it, whichever door it came through; None if it is not there."""
    return _text(_raw(properties, name), f"{place} {name}")


def _of_one(
    state: Mapping[str, Any], properties: Mapping[str, Any], organization_id: Text, place: str
) -> tuple[Subject, Text]:
    _, deployment_in_id, token_in_id = _ids(state)
    deployment_id = property_text(properties, "deployment_id", place) or deployment_in_id
    token_id = property_text(properties, "org_token_id", place) or token_in_id
    token_name, role = property_text(properties, "org_token_name", place), property_text(properties, "role", place)
    deployment_name = property_text(properties, "deployment_name", place)
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
    return subject, role


def _of_many(properties: Mapping[str, Any], organization_id: Text, place: str) -> Iterator[tuple[Subject, Text]]:
    """Take `{deployment: {token: role}}` apart; a part that is not shown hides all that stands beneath it."""
    roles = _raw(properties, "roles")
    if roles is None:
        raise Incomprehensible("no roles")
    if (hidden := _text(roles, f"{place} roles")) is not None or not isinstance(roles, Mapping):
        yield Subject(organization_id, hidden, hidden), hidden
        return
    for deployment, tokens in roles.items():
        row = f"{place} roles {deployment}"
        deployment_id, deployment_name = _id_or_name(deployment)
        if (hidden := _text(tokens, row)) is not None or not isinstance(tokens, Mapping):
            yield Subject(organization_id, deployment_id, hidden, deployment_name=deployment_name), hidden
            continue
        for token, role in tokens.items():
            token_id, token_name = _id_or_name(token)
            subject = Subject(organization_id, deployment_id, token_id, token_name, deployment_name)
            yield subject, _text(role, f"{row} {token}")


def _id_or_name(key: str) -> tuple[str | None, str | None]:
    """What a key of a set of bindings is: an id, or else a name."""
    return (key, None) if _CUID.fullmatch(key) else (None, key)


def _raw(properties: Mapping[str, Any], name: str) -> Any:
    found = properties.get(name)
    if found is not None:
        return found
    first, *rest = name.split("_")
    return properties.get(first + "".join(word.title() for word in rest))


def _text(value: Any, place: str) -> Text:
    if isinstance(value, Mapping) and SECRET_MARK in value:
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

"""Property bags between the engine's structs and the lifecycles' dictionaries, and names between their spellings.

The native door spells the names of properties in camelCase, as every native provider does, and the lifecycles spell them
in snake_case. Only names of ours are translated: the properties of a resource, never the keys of `roles` or of another
map, which are names and ids of Astro. A state that the dynamic door wrote is read as well: its spelling is that of the
lifecycles, and it has Pulumi's own `__provider` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value  # type: ignore[import-untyped]  # no stubs

from astro_provider.tables.values import Table
from astro_provider.values import UNKNOWN, Stored

Properties = dict[str, Any]
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # how the engine writes what is not known yet
SIGNATURE = "4dabf18193072939515e22adb298388d"  # the key that marks a map as one value of a special kind
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of a secret, whose value stands under `value`
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"  # that of an output, which has no `value` while it is not known
OF_DYNAMIC_DOOR = "__provider"  # stands in every bag of the dynamic door

STRANGERS = "strangers"  # an output of a table that no `Table` has


def camel(name: str) -> str:
    """A name of ours, or the place that a message speaks of, as the native door spells it.

    `org_token_id` becomes `orgTokenId`, and of `roles["my_own"]` only the part before the keys is ours.
    """
    ours = re.match(r"\w*", name)
    head = ours[0] if ours else ""
    first, *rest = head.split("_")
    return first + "".join(word.title() for word in rest) + name[len(head) :]


_SNAKE = {
    camel(name): name
    for name in (*(one.name for one in fields(Stored)), *(one.name for one in fields(Table)), STRANGERS)
}
_OURS = sorted((name for name in (*_SNAKE.values(), "include_other_scopes") if "_" in name), key=len, reverse=True)
# What stands between quotes is a name or an id of somebody else; an apostrophe within a word is no quote.
_IN_TEXT = re.compile(rf"""(?<!\w)'[^']*'|"[^"]*"|\b({"|".join(_OURS)})\b""")


def in_camel_case(text: str) -> str:
    """A message with the names of properties as the native door spells them."""
    return _IN_TEXT.sub(lambda found: camel(found[1]) if found[1] else found[0], text)


def snake(name: str) -> str:
    """A name of a property as the lifecycles spell it, whichever door wrote it."""
    return _SNAKE.get(name, name)


def inward(struct: Struct) -> Properties:
    """A bag for a lifecycle: its spelling, our UNKNOWN for the engine's text, secrets as plain values."""
    found = {snake(name): python(value) for name, value in struct.fields.items() if name != OF_DYNAMIC_DOOR}
    return {name: value for name, value in found.items() if value is not None}


def outward(properties: Mapping[str, Any]) -> Struct:
    """A bag for the engine, from that of a lifecycle."""
    return struct_of({camel(name): value for name, value in properties.items()})


def struct_of(properties: Mapping[str, Any]) -> Struct:
    """A bag for the engine, whose names are spelled already."""
    return Struct(fields={name: _value(value) for name, value in properties.items() if value is not None})


def is_spelled_otherwise(struct: Struct) -> bool:
    """Whether the dynamic door wrote a bag."""
    return any(name == OF_DYNAMIC_DOOR or camel(name) != name for name in struct.fields)


def unknown(names: Iterable[str]) -> Properties:
    """A bag in which none of these is known."""
    return dict.fromkeys(names, UNKNOWN)


def secret(value: Any) -> Any:
    """A value that the engine stores encrypted and does not show."""
    return {SIGNATURE: SECRET, "value": value}


def python(value: Value) -> Any:
    """The value of a bag of the engine, secrets in clear."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "list_value":
        return [python(one) for one in value.list_value.values]
    if kind != "struct_value":
        return None if kind in (None, "null_value") else getattr(value, kind)
    members = value.struct_value.fields
    if SIGNATURE in members and members[SIGNATURE].string_value in (SECRET, OUTPUT):
        return python(members["value"]) if "value" in members else UNKNOWN
    return {key: python(one) for key, one in members.items()}


def _value(value: Any) -> Value:
    if value is UNKNOWN:
        return Value(string_value=UNKNOWN_TEXT)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, (int, float)):
        return Value(number_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=Struct(fields={key: _value(one) for key, one in value.items()}))
    if isinstance(value, (list, tuple)):
        return Value(list_value=ListValue(values=[_value(one) for one in value]))
    if value is None:
        return Value(null_value=0)
    return Value(string_value=str(value))
